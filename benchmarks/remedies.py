"""Whether the remedies help: broken GANs of `broken_cases.py`, and the same with the remedy that is proposed first.

    sparring study benchmarks/remedies.py:digits --threads 1
    sparring study benchmarks/remedies.py:pattern --threads 1
    sparring study benchmarks/remedies.py:ring --threads 1

Each of these GANs is broken in a known way. Its verdict proposes remedies, of which `REMEDIES` has the first. Both are
trained from the same seeds, and for each seed with the finding it is asked whether the finding is gone and whether its
samples came nearer to the data. docs/diagnosis-measured.md has the tables.

    python benchmarks/remedies.py studies/ring      keeps what a study came to
"""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import broken_cases
import healthy_gans
import published
from broken_cases import Case

from sparring.analysis.diagnosis import remedied
from sparring.recipe import Recipe
from sparring.studies import StudyRun
from sparring.study import Factor, Study
from sparring.study.definition import PlannedCell
from sparring.study.results import Results, Row

RESULTS = Path(__file__).parent / "results" / "remedies.json"
REMEDIES = {
    "digits, G's rate / 100": "usual-lr",
    "digits, frozen G": "usual-lr",
    "digits, frozen D": "usual-lr",
    "digits, D far too small": "wider-networks",
    "digits, 300 steps of G": "equal-steps",
    "digits, wrong scale": "matching-data-range",
    "digits, G cannot go dark": "matching-data-range",
    "digits, a tiny data set": "augmentation",
    "digits, a latent of 1": "larger-latent",
    "digits, SGD far too fast": "usual-lr",
    "digits, SGD too slow": "usual-lr",
    "1010, frozen D": "usual-lr",
    "1010, D's rate / 100": "usual-lr",
    "1010, half the labels flipped": "no-label-swapping",
    "1010, 300 steps of D": "equal-steps",
    "1010, 300 steps of G": "equal-steps",
    "ring, plain cross-entropy": "modern",
    "ring, momentum 0.9": "modern",
    "ring, frozen D": "usual-lr",
    "ring, stopped after 100 rounds": "more-rounds",
    "digits, a latent of 1 and hinge": "larger-latent",
    "1010, frozen G and Adam": "usual-lr",
    "ring, stopped after 60 rounds": "more-rounds",
}
"""Case -> the first remedy of its verdict."""
BASES = (healthy_gans.digits, healthy_gans.pattern, healthy_gans.ring)
NONE = "none"
"""In place of a finding."""


def digits() -> Study:
    """Scikit-learn's digits."""
    return _of(healthy_gans.digits, "frechet-distance")


def pattern() -> Study:
    """1010."""
    return _of(healthy_gans.pattern, "distance")


def ring() -> Study:
    """Eight modes on a circle, whose Fréchet distance sees nothing but mean and covariance."""
    return _of(healthy_gans.ring, "final(nearest-neighbor)")


def _of(base: Callable[[], Recipe], outcome: str) -> Study:
    """The recipe as it comes, every broken case of it, and each of these with its remedy, no recipe twice."""
    levels = {broken_cases.UNCHANGED[base]: base()}
    for case in _cases(base):
        levels[case.name] = case.recipe()
        levels[f"{case.name}, {REMEDIES[case.name]}"] = _with_remedy(case)
    distinct = {_id(recipe): label for label, recipe in reversed(levels.items())}
    return Study(
        base(),
        [Factor("recipe", {label: recipe for label, recipe in levels.items() if distinct[_id(recipe)] == label})],
        seeds=8,
        outcome=outcome,
        name=base.__name__,
        question="Is a finding gone, and are samples nearer to the data, with the remedy that is proposed first?",
    )


def _cases(base: Callable[[], Recipe]) -> list[Case]:
    return [case for case in broken_cases.cases() if case.name in REMEDIES and case.base is base]


def _with_remedy(case: Case) -> Recipe:
    return remedied(case.recipe(), REMEDIES[case.name])


def _id(recipe: Recipe) -> str:
    """Of its cell: frozen players that train at usual rates again are one recipe."""
    return PlannedCell("", {}, recipe.replace(seeds=1)).id


def entries(results: Results) -> dict[str, dict[str, Any]]:
    """Of each case that a study trained: in how many seeds with its finding that is gone, and samples came nearer."""
    rows = results.by_cell
    every = [case for base in BASES for case in _cases(base)]
    pairs = {case.name: (_id(case.recipe()), _id(_with_remedy(case))) for case in every}
    return {name: _entry(name, rows[a], rows[b]) for name, (a, b) in pairs.items() if a in rows and b in rows}


def _entry(case: str, before: list[Row], after: list[Row]) -> dict[str, Any]:
    rule = _verdict(before)
    pairs = [(was, now) for was, now in zip(before, after, strict=True) if was.finding == rule]
    gone = [now.finding != rule for _, now in pairs]
    nearer = [_far(now) < _far(was) for was, now in pairs]
    return {
        "rule": rule,
        "remedy": REMEDIES[case],
        "seeds": len(pairs),
        "gone": sum(gone),
        "nearer": sum(nearer),
        "both": sum(a and b for a, b in zip(gone, nearer, strict=True)),
        "verdict_after": _verdict(after),
    }


def _verdict(rows: Iterable[Row]) -> str:
    """The commonest finding of the members."""
    return Counter(row.finding for row in rows).most_common(1)[0][0] or NONE


def _far(row: Row) -> float:
    return math.inf if row.outcome is None else row.outcome


def table() -> str:
    """Markdown: for each rule, over the seeds that had its finding, how often the first remedy helped."""
    every = list(_kept().values())
    rules = {rule: [each for each in every if each["rule"] == rule] for rule in sorted({e["rule"] for e in every})}
    titles = ("finding", "remedies tried", "cases", "seeds", "finding gone", "nearer to the data", "both")
    return published.markdown(titles, [*(_row(f"`{r}`", some) for r, some in rules.items()), _row("all", every, "")])


def _row(title: str, some: list[dict[str, Any]], remedies: str | None = None) -> list[str]:
    seeds = sum(each["seeds"] for each in some)
    shares = [f"{sum(each[name] for each in some) / seeds:.0%}" for name in ("gone", "nearer", "both")]
    tried = ", ".join(f"`{name}`" for name in sorted({each["remedy"] for each in some}))
    return [title, tried if remedies is None else remedies, str(len(some)), str(seeds), *shares]


def cases_in_markdown() -> str:
    """Every broken case, its remedy, and the verdict afterwards."""
    titles = ("case", "finding", "remedy", "seeds", "finding gone", "nearer to the data", "verdict afterwards")
    rows = [
        [
            name,
            f"`{each['rule']}`",
            f"`{each['remedy']}`",
            *(str(each[count]) for count in ("seeds", "gone", "nearer")),
            f"`{each['verdict_after']}`",
        ]
        for name, each in _kept().items()
    ]
    return published.markdown(titles, rows)


def _kept() -> dict[str, dict[str, Any]]:
    """The kept results, in the order of the cases."""
    every = json.loads(RESULTS.read_text(encoding="utf-8"))
    return {name: every[name] for name in REMEDIES if name in every}


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        found = _kept() | entries(StudyRun(folder).results)
        RESULTS.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
