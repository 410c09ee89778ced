"""Designs: which combinations of the factors' levels are trained. The first level of a factor is what it is without."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from sparring import catalogue
from sparring.errors import UsageError
from sparring.study.fractions import Fraction

Combination = tuple[int, ...]
"""The index of a level for each factor."""
FULL, ONE_AT_A_TIME, FRACTIONAL, STEPWISE = "full", "one-at-a-time", "fractional", "stepwise"
DESIGNS = {
    FULL: "every combination of levels",
    ONE_AT_A_TIME: "all factors at their first level, then each other level alone",
    FRACTIONAL: "a regular fraction of all combinations of two-level factors, whose aliases are stated",
    STEPWISE: "from one recipe to another, one field at a time, in both orders",
}
"""Name -> what is trained."""
MAX_CELLS = 4_096
"""More cells than that are a mistake."""


@dataclass(frozen=True)
class Design:
    """The combinations that are trained, in order, and what cannot be seen in them."""

    combinations: tuple[Combination, ...]
    aliases: tuple[str, ...] = ()
    """Of a fraction: what it cannot separate, a sentence each."""
    steps: tuple[tuple[int, ...], ...] = ()
    """Of a stepwise design: indices into `combinations` from the first to the last, once for each order."""


def design(name: str, levels: Sequence[int], names: Sequence[str], max_cells: int | None = None) -> Design:
    """The combinations of a design.

    Args:
        name: One of `DESIGNS`.
        levels: How many levels each factor has.
        names: What the factors are called, for sentences.
        max_cells: Of a fraction: at most so many combinations; by default as few as keep every main effect apart from
            all interactions of two factors.

    Raises:
        UsageError: There is no such design, or it does not go with these factors.
    """
    if name not in DESIGNS:
        raise UsageError(catalogue.unknown("designs", name, DESIGNS))
    if max_cells is not None and name != FRACTIONAL:
        raise UsageError(f"only a fractional design has a number of cells to choose, not {name}")
    if name == ONE_AT_A_TIME:
        return _one_at_a_time(levels)
    if name == STEPWISE:
        return _stepwise(len(levels))
    if name == FRACTIONAL:
        return _fractional(levels, names, max_cells)
    if (count := math.prod(levels)) > MAX_CELLS:
        raise UsageError(
            f"all combinations are {count:,} cells, more than {MAX_CELLS:,}: vary less, or take a "
            "fractional or one-at-a-time design"
        )
    return Design(tuple(itertools.product(*map(range, levels))))


def _one_at_a_time(levels: Sequence[int]) -> Design:
    base = (0,) * len(levels)
    alone = [(*base[:i], level, *base[i + 1 :]) for i, count in enumerate(levels) for level in range(1, count)]
    return Design((base, *alone))


def _stepwise(factors: int) -> Design:
    """From all at 0 to all at 1: forward through the factors, and in the reverse order."""
    orders = [[tuple(int(i < done) for i in range(factors)) for done in range(factors + 1)]]
    orders.append([tuple(int(i >= factors - done) for i in range(factors)) for done in range(factors + 1)])
    cells = tuple(dict.fromkeys(cell for order in orders for cell in order))
    steps = tuple(tuple(cells.index(cell) for cell in order) for order in orders)
    return Design(cells, steps=tuple(dict.fromkeys(steps)))


def _fractional(levels: Sequence[int], names: Sequence[str], max_cells: int | None) -> Design:
    if wrong := [name for name, count in zip(names, levels, strict=True) if count != 2]:
        raise UsageError(f"a fractional design takes factors of two levels, and {wrong[0]} has another number")
    fraction = Fraction.of(len(levels), max_cells)
    return Design(fraction.combinations, aliases=fraction.aliases(names))
