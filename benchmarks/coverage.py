"""How often a study's 95 % intervals contain the truth, by simulation, and whether Holm keeps the family's error.

    python benchmarks/coverage.py [--simulations 4000]

Each simulation draws two cells' outcomes with known means, n seeds each, and asks whether the interval of the paired
difference contains the true one. Beside Student's t, which a study uses, stands the BCa bootstrap of scipy, which it
does not. Then the probability of improvement: Newcombe's score interval, which a study uses, beside the percentile
bootstrap of rliable. Results are written to `results/coverage.json`, from which docs/studies.md takes its tables.
"""

from __future__ import annotations

import argparse
import gc
import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from sparring.study.effects import holm
from sparring.study.improvement import improvement
from sparring.study.intervals import mean_interval, mean_p

RESULTS = Path(__file__).parent / "results" / "coverage.json"
SEEDS = (4, 6, 8, 16)
RESAMPLES = 999
RESAMPLED_TOGETHER = 10
"""Simulations that share their resamples: few, since what they share makes them depend on each other."""
Cells = tuple[np.ndarray, np.ndarray]
"""Outcomes of two cells, each `(simulations, n)`."""


@dataclass(frozen=True)
class Scenario:
    """Outcomes of two cells with a known difference in mean."""

    name: str
    text: str
    draw: Callable[[np.random.Generator, int, int], Cells]
    difference: float
    """True mean of the second minus true mean of the first."""
    promised: bool = True
    """Whether a study's intervals are to cover 93 to 97 % in it."""


def _normal(rng: np.random.Generator, count: int, n: int) -> Cells:
    return rng.normal(0, 1, (count, n)), rng.normal(1, 1, (count, n))


def _paired(rng: np.random.Generator, count: int, n: int) -> Cells:
    """A seed's init is good or bad for both cells: correlation 0.7."""
    seed = rng.normal(0, 0.7**0.5, (count, n))
    return tuple(seed + center + rng.normal(0, 0.3**0.5, (count, n)) for center in (0, 1))


def _skewed(rng: np.random.Generator, count: int, n: int) -> Cells:
    return rng.lognormal(0, 0.6, (count, n)), rng.lognormal(0, 0.6, (count, n)) + 1


def _doubled(rng: np.random.Generator, count: int, n: int) -> Cells:
    return rng.lognormal(0, 0.5, (count, n)), 2 * rng.lognormal(0, 0.5, (count, n))


def _heavy(rng: np.random.Generator, count: int, n: int) -> Cells:
    return rng.standard_t(4, (count, n)), rng.standard_t(4, (count, n)) + 1


def _gamma(rng: np.random.Generator, count: int, n: int) -> Cells:
    return rng.normal(0, 1, (count, n)), rng.gamma(4, 0.5, (count, n))


def _one_sided(rng: np.random.Generator, count: int, n: int) -> Cells:
    return np.zeros((count, n)), rng.exponential(1, (count, n))


def _collapses(rng: np.random.Generator, count: int, n: int) -> Cells:
    second = rng.normal(0, 1, (count, n)) + 10 * (rng.random((count, n)) < 0.15)
    return rng.normal(0, 1, (count, n)), second


SCENARIOS = (
    Scenario("normal", "normal, one cell higher by its SD", _normal, 1.0),
    Scenario("paired", "normal, seeds correlated 0.7 between cells", _paired, 1.0),
    Scenario("skewed", "log-normal (skewness 2.3), shifted", _skewed, 1.0),
    Scenario("doubled", "log-normal (skewness 1.8), one twice the other", _doubled, float(np.exp(0.125))),
    Scenario("gamma", "one normal, one gamma (skewness 1)", _gamma, 2.0),
    Scenario("heavy", "heavy tails (t with 4 degrees of freedom)", _heavy, 1.0),
    Scenario("one-sided", "one without any spread, one exponential (skewness 2)", _one_sided, 1.0, promised=False),
    Scenario("collapses", "15 % of one cell's seeds collapse, 10 SD away", _collapses, 1.5, promised=False),
)


def t_coverage(scenario: Scenario, n: int, simulations: int, seed: int = 0) -> float:
    """The share of a study's own intervals that contain the true difference."""
    first, second = scenario.draw(np.random.default_rng(seed), simulations, n)
    intervals = [mean_interval(each) for each in second - first]
    return float(np.mean([i is not None and i.contains(scenario.difference) for i in intervals]))


def bca_coverage(scenario: Scenario, n: int, simulations: int, seed: int = 0) -> float:
    """The same of scipy's BCa bootstrap."""
    rng = np.random.default_rng(seed)
    first, second = scenario.draw(rng, simulations, n)
    hits = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of samples that have too few different values
        for some in np.array_split(second - first, max(1, simulations // RESAMPLED_TOGETHER)):
            found = stats.bootstrap((some,), np.mean, n_resamples=RESAMPLES, method="BCa", axis=-1, rng=rng)
            low, high = found.confidence_interval
            hits += int(((low <= scenario.difference) & (scenario.difference <= high)).sum())
    return hits / simulations


def improvement_coverage(shift: float, n: int, simulations: int, seed: int = 0) -> dict[str, float]:
    """Of the probability that a run shifted by so many SD is better: the score interval, and the bootstrap."""
    rng = np.random.default_rng(seed)
    truth = float(stats.norm.cdf(shift / 2**0.5))
    hits = {"score": 0, "bootstrap": 0}
    for _ in range(simulations):
        worse, better = rng.normal(0, 1, n), rng.normal(-shift, 1, n)
        found = improvement([(better, worse)])
        hits["score"] += found is not None and found.interval.contains(truth)
        picks = rng.integers(0, n, (2, RESAMPLES // 2, n))
        resampled = (better[picks[0]][:, :, None] < worse[picks[1]][:, None, :]).mean((1, 2))
        low, high = np.quantile(resampled, [0.025, 0.975])
        hits["bootstrap"] += bool(low <= truth <= high)
    return {"truth": truth, **{name: count / simulations for name, count in hits.items()}}


def family_error(tests: int, n: int, simulations: int, seed: int = 0) -> dict[str, float]:
    """With no effect anywhere: how often at least one is called significant, with Holm's correction and without."""
    rng = np.random.default_rng(seed)
    found = {"holm": 0, "uncorrected": 0}
    gc.freeze()  # statsmodels collects garbage at every call: 0.1 s, were it to go through all that is loaded
    for _ in range(simulations):
        cells = rng.normal(0, 1, (tests + 1, n))  # each against the same reference, so that they depend on each other
        ps = [mean_p(each - cells[0]) for each in cells[1:]]
        known = [p for p in ps if p is not None]
        found["uncorrected"] += min(known) < 0.05
        found["holm"] += min(p for p in holm(ps) if p is not None) < 0.05
    gc.unfreeze()
    return {name: count / simulations for name, count in found.items()}


def intervals_in_markdown() -> str:
    """A row for each scenario: how often t intervals cover, and BCa ones, for each number of seeds."""
    stored = json.loads(RESULTS.read_text(encoding="utf-8"))
    head = "| outcomes of two cells | " + " | ".join(f"t, {n} seeds" for n in SEEDS)
    head += " | " + " | ".join(f"BCa, {n}" for n in SEEDS) + " |"
    lines = [head, "| --- |" + " ---: |" * 2 * len(SEEDS)]
    for scenario in SCENARIOS:
        row = stored["intervals"][scenario.name]
        cells = [f"{100 * row[method][str(n)]:.1f}" for method in ("t", "bca") for n in SEEDS]
        lines.append(f"| {scenario.text}{'' if scenario.promised else ' *'} | {' | '.join(cells)} |")
    caption = (
        f"Per cent of {stored['simulations']['t']:,} (BCa: {stored['simulations']['bca']:,}) simulated studies in "
        "which the 95 % interval contains the true difference. * Beyond what is promised."
    )
    return "\n".join([*lines, "", caption])


def improvement_in_markdown() -> str:
    """A row for each true probability."""
    stored = json.loads(RESULTS.read_text(encoding="utf-8"))
    lines = [
        "| true probability | " + " | ".join(f"score, {n} seeds" for n in SEEDS) + " | "
        + " | ".join(f"bootstrap, {n}" for n in SEEDS) + " |",
        "| ---: |" + " ---: |" * 2 * len(SEEDS),
    ]  # fmt: skip
    for row in stored["improvement"].values():
        cells = [f"{100 * row[str(n)][method]:.1f}" for method in ("score", "bootstrap") for n in SEEDS]
        lines.append(f"| {row[str(SEEDS[0])]['truth']:.2f} | {' | '.join(cells)} |")
    caption = f"Per cent of {stored['simulations']['improvement']:,} simulations."
    return "\n".join([*lines, "", caption])


def family_in_markdown() -> str:
    """A row for each size of the family."""
    stored = json.loads(RESULTS.read_text(encoding="utf-8"))
    lines = ["| tests, none with an effect | Holm | uncorrected |", "| ---: | ---: | ---: |"]
    for tests, row in stored["family"].items():
        lines.append(f"| {tests} | {100 * row['holm']:.1f} | {100 * row['uncorrected']:.1f} |")
    caption = (
        f"Per cent of {stored['simulations']['family']:,} simulations with 8 seeds in which at least one effect is "
        "called significant at 5 %."
    )
    return "\n".join([*lines, "", caption])


def main() -> None:
    """Simulate, and store the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=4_000)
    count = parser.parse_args().simulations
    few = count // 4
    stored: dict[str, Any] = {
        "simulations": {"t": count, "bca": few, "improvement": few, "family": count},
        "intervals": {
            scenario.name: {
                "t": {str(n): t_coverage(scenario, n, count) for n in SEEDS},
                "bca": {str(n): bca_coverage(scenario, n, few) for n in SEEDS},
            }
            for scenario in SCENARIOS
        },
        "improvement": {
            str(shift): {str(n): improvement_coverage(shift, n, few) for n in SEEDS} for shift in (0.0, 0.7, 1.5, 3.0)
        },
        "family": {str(tests): family_error(tests, 8, count) for tests in (3, 10, 25)},
    }
    RESULTS.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    print(f"{intervals_in_markdown()}\n\n{improvement_in_markdown()}\n\n{family_in_markdown()}")


if __name__ == "__main__":
    main()
