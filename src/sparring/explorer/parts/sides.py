"""Several runs, members or rounds side by side: which they are, and what is said of them in words and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from sparring.analysis.comparison import Comparison
from sparring.analysis.differences import recipe_changes
from sparring.analysis.facts import Facts
from sparring.analysis.followed import Moment
from sparring.analysis.wording import count, short
from sparring.errors import SparringError
from sparring.explorer.components import prose, tag
from sparring.explorer.parts.findings import verdict
from sparring.explorer.session import Session
from sparring.explorer.words import Words
from sparring.metrics import all_metrics
from sparring.record import RunFolder, Story

MAX_SIDES = 8
SEPARATOR = "|"


@dataclass(frozen=True)
class Side:
    """A run, one of its members or the median of all, at one of its rounds or now."""

    key: str
    seed: int | None = None
    """Of the chosen member; None for all."""
    round: int | None = None
    """None for the newest."""

    @classmethod
    def read(cls, text: str) -> Side:
        """As the address has it: `key|seed|round`; numbers that are none are left out."""
        key, *rest = text.rsplit(SEPARATOR, 2) if text.count(SEPARATOR) >= 2 else (text,)
        seed, round = (int(part) if part.isdecimal() else None for part in (*rest, "", "")[:2])
        return cls(key, seed, round)

    def moved(self, said: Any) -> Side:
        """With the seed and the round that a browser says."""
        said = cast(dict[str, Any], said) if isinstance(said, dict) else {}
        values = {name: value for name in ("seed", "round") if _is_count(value := said.get(name)) or value is None}
        return replace(self, **values)

    def plain(self) -> dict[str, Any]:
        """For the browser."""
        return {"key": self.key, "seed": self.seed, "round": self.round}


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def letter(index: int) -> str:
    """By which a side is known: A, B, C and so on."""
    return chr(ord("A") + index)


@dataclass(frozen=True)
class Seen:
    """One side, as it is said in words."""

    side: Side
    run: RunFolder
    recipe: dict[str, Any]
    moment: Moment
    story: Story
    """Up to its round."""

    @classmethod
    def of(cls, session: Session, side: Side) -> Seen | None:
        """None for a run that is gone or cannot be read."""
        run = session.find(side.key)
        try:
            if run is None:
                return None
            with session.following(run) as followed:
                moment = Moment.of(followed, side.round)
                return cls(side, run, followed.recipe, moment, moment.diagnosis.story)
        except SparringError:
            return None

    def metrics(self) -> dict[str, tuple[float, float]]:
        """Metric -> the member's last value, the median of all members; and what real data scores."""
        rounds, values = self.story.evaluations
        if not len(rounds):
            return {}
        seeds, real = self.story.seeds, (self.story.real_baseline or {}).get("metrics", {})
        at = seeds.index(self.side.seed) if self.side.seed in seeds else None
        found: dict[str, tuple[float, float]] = {}
        for name, rows in values.items():
            row = rows[-1]
            known = row[np.isfinite(row)] if at is None else row[[at]]
            value = float(np.median(known)) if len(known) else float("nan")
            stated = real.get(name)
            found[name] = value, float(stated) if isinstance(stated, int | float) else float("nan")
        return found


def groups_of(recipes: Sequence[dict[str, Any]], levels: Sequence[float | None]) -> dict[str, list[list[int]]]:
    """Which sides' curves are on one axis: losses of the same objective, outputs of the same level at equilibrium, and
    gradient norms of the same networks."""
    scales = {
        "losses": [repr(recipe.get("objective")) for recipe in recipes],
        "outputs": [repr(level) for level in levels],
        "gradients": [repr((recipe.get("generator"), recipe.get("discriminator"))) for recipe in recipes],
    }
    return {
        name: [[k for k, each in enumerate(kinds) if each == kind] for kind in dict.fromkeys(kinds)]
        for name, kinds in scales.items()
    }


def output_level(session: Session, side: Side) -> float | None:
    """D's output at equilibrium; None where the run does not state it or cannot be read."""
    run = session.find(side.key)
    try:
        if run is None:
            return None
        with session.following(run) as followed:
            bounds = followed.bounds.get("d_real")
            return bounds.level if bounds else None
    except SparringError:
        return None


def differences(words: Words, seen: Sequence[Seen]) -> None:
    """How the others' recipes differ from the first one's, and what one must know before comparing numbers."""
    first, *others = seen
    for index, each in enumerate(others, 1):
        with tag("article"):
            tag("b", letter(index), f"letter s{index}")
            with tag("div"):
                if each.run.path == first.run.path:
                    tag("p", words("same-run"), "soft")
                    continue
                changes = recipe_changes(first.recipe, each.recipe)
                tag("p", words("differs-from", name=letter(index)) if changes else words("same-recipe"), "soft")
                with tag("ul"):
                    for change in changes:
                        tag("li", words.said(change))
    for note in _notes(seen):
        prose("p", words.said(note), "soft")


def _notes(seen: Sequence[Seen]) -> list[str]:
    runs = {each.run.path: each.run for each in seen}
    if len(runs) < 2:
        return []
    try:
        return Comparison([Facts.of(run) for run in runs.values()]).notes
    except SparringError:  # one is gone or damaged, which its card says
        return []


def verdicts(words: Words, seen: Sequence[Seen]) -> None:
    """The verdict of each side at its round."""
    for index, each in enumerate(seen):
        with tag("article"):
            tag("b", letter(index), f"letter s{index}")
            with tag("div"):
                verdict(words, each.moment.diagnosis, each.side.round)
                members = words.said(count(each.moment.members, "seed"))
                status = words(f"status-{each.moment.status}")
                tag("p", words("side-facts", run=each.side.key, members=members, status=status), "soft")


def metrics_table(words: Words, seen: Sequence[Seen]) -> None:
    """What samples scored at the last evaluation up to each side's round, beside what real data scores."""
    found = [each.metrics() for each in seen]
    names = [name for name in all_metrics() if any(name in each for each in found)]
    if not names:
        tag("p", words("no-metrics"), "missing")
        return
    with tag("div", classes="table"), tag("table"):
        with tag("thead"), tag("tr"):
            tag("th", words("metric"), scope="col")
            for index in range(len(seen)):
                with tag("th", scope="col"):
                    tag("span", letter(index), f"letter s{index}")
            tag("th", words("real-data"), scope="col")
        with tag("tbody"):
            for name in names:
                with tag("tr"):
                    tag("th", words.said(all_metrics()[name].title), scope="row")
                    for each in found:
                        tag("td", _number(each[name][0]) if name in each else "–")
                    tag("td", _of_each([_number(each[name][1]) if name in each else "–" for each in found]))


def _of_each(values: Sequence[str]) -> str:
    """`0.3` where all sides that have one have the same, or `A 0.3 / B 0.4`."""
    known = set(values) - {"–"}
    if len(known) < 2:
        return next(iter(known), "–")
    return " / ".join(f"{letter(index)} {value}" for index, value in enumerate(values))


def _number(value: float) -> str:
    return short(value) if np.isfinite(value) else "–"
