"""How numbers, durations, seeds and lists are written as text. Loads no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sparring.analysis.stats import Spread
from sparring.languages import Text

MANY = 1e7
"""From here on numbers are written with an exponent."""


def number(value: Any) -> str:
    """Three significant digits, thousands in full; a dash for None and for what is not finite."""
    if value is None or not np.isfinite(value):
        return "–"
    if 1_000 <= abs(value) < MANY:
        return f"{value:,.0f}"
    return f"{value:.3f}" if 1e-3 <= abs(value) < 100 or value == 0 else f"{value:.3g}"


def whole_number(value: float | None) -> str:
    """Like `number`, but a whole number without decimals."""
    return number(value) if value is None or value != round(value) else f"{value:,.0f}"


def short(value: float) -> str:
    """Two or three significant digits; a whole number without decimals, up to MANY."""
    return f"{value:.0f}" if abs(value) < MANY and value == round(value) else f"{value:.3g}"


def plus_minus(spread: Spread) -> str:
    """`0.260 ± 0.014`: mean and SD over seeds; the mean alone where there is no SD."""
    if spread.mean is None or spread.sd is None:
        return number(spread.mean)
    if spread.sd >= 100:
        return f"{number(spread.mean)} ± {number(spread.sd)}"
    if abs(spread.mean) >= 100:
        return f"{number(spread.mean)} ± {_short_sd(spread.sd)}"
    # As many decimals as show a digit of the SD, and the mean has the same.
    decimals = min(6, max(3, -math.floor(math.log10(spread.sd)))) if spread.sd else 3
    return f"{spread.mean:.{decimals}f} ± {spread.sd:.{decimals}f}"


def _short_sd(sd: float) -> str:
    """The SD of a mean that has no decimals: two digits at most."""
    return f"{sd:.0f}" if sd >= 1 or not sd else f"{sd:.1g}"


def duration(seconds: float) -> str:
    """`3.2 s`, `4 min 05 s` or `1 h 20 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def example(values: np.ndarray) -> str:
    """The numbers of one example, shape `(K,)`, with two decimals each."""
    return " ".join(f"{v:.2f}" if np.isfinite(v) else "–" for v in values)


def count(amount: int, noun: str) -> str:
    """`1 seed`, `1,000 seeds`."""
    return Text(f"{{count}} {noun}{'' if amount == 1 else 's'}", count=f"{amount:,}")


def named_seeds(seeds: Sequence[int], max_names: int = 12) -> str:
    """`seed 3`, `seeds 1, 2 and 5`, `seeds 1, 2, 3 and 40 more`."""
    names = [str(seed) for seed in seeds]
    if len(names) == 1:
        return Text("seed {seed}", seed=names[0])
    more = len(names) - max_names
    rest = [Text("{count} more", count=f"{more:,}")] if more > 0 else []
    return Text("seeds {seeds}", seeds=listed([*names[:max_names], *rest]))


def listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    before = [Text.joined(names[:-1], ", ")] if len(names) > 1 else []
    return Text.joined([*before, names[-1]], " and ")


def features_of(judge: str) -> str:
    """Whose features metrics are computed from: `the digits classifier's features`, `fixed features (fixed:1a2b)`."""
    if judge.startswith("fixed:"):
        return Text("fixed features ({judge})", judge=judge)
    return Text("the {judge} classifier's features", judge=judge)
