"""Contrasts: what is compared, as weights of cells. A seed's values times the weights is one paired difference.

A main effect is the mean over the cells at one level minus the mean over those at the factor's first level. The
interaction of two factors is what both changes together give beyond the sum of what each gives alone, in the outcome's
own unit: the difference of two differences, not half of it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sparring.study.results import Cell, FactorLevels, Results

Kind = Literal["main", "interaction", "cell", "step"]
Change = tuple[str, str, str]
"""Factor, its new level, the level that this is compared with."""


@dataclass(frozen=True)
class Contrast:
    """One comparison."""

    kind: Kind
    """`cell`: one cell and the reference. `step`: one step of a stepwise study."""
    changes: tuple[Change, ...]
    """What differs between its two sides; of an interaction, the changes that are made together."""
    weights: tuple[float, ...]
    """Of every cell, with sum 0; the side that is made to change is positive."""
    pairs: tuple[tuple[int, int], ...] = ()
    """Cells that differ in nothing but the change, with it and without; empty for interactions."""
    order: int = 0
    """Of a step: in which of the study's orders."""

    @property
    def cells(self) -> tuple[int, ...]:
        """The cells that it compares."""
        return tuple(index for index, weight in enumerate(self.weights) if weight)


def contrasts(results: Results, max_order: int = 2) -> list[Contrast]:
    """Everything that a study's design lets one compare, no comparison twice.

    Args:
        results: The study.
        max_order: The most factors of an interaction.

    Returns:
        Main effects and interactions of a full design, main effects of a fraction, each step of a stepwise one; and of
        all but a fraction every cell, of a stepwise study the last one, against the reference.
    """
    found: list[Contrast] = []
    if results.design == "full":
        found += _factorial(results, max_order)
    elif results.design == "fractional":
        found += _fractional(results)
    found += _steps(results)
    if results.design != "fractional":
        found += _against_reference(results)
    different = {tuple(np.round(each.weights, 9)): each for each in reversed(found)}
    return [each for each in found if different[tuple(np.round(each.weights, 9))] is each]


def _factorial(results: Results, max_order: int) -> Iterator[Contrast]:
    factors = results.factors
    for order in range(1, min(max_order, len(factors)) + 1):
        for chosen in itertools.combinations(factors, order):
            for levels in itertools.product(*(factor.levels[1:] for factor in chosen)):
                yield _of_levels(results, chosen, levels)


def _of_levels(results: Results, chosen: Sequence[FactorLevels], levels: Sequence[str]) -> Contrast:
    others = math.prod(len(factor.levels) for factor in results.factors if factor not in chosen)
    weights = [_sign(cell, chosen, levels) / others for cell in results.cells]
    changes = tuple((f.name, level, f.levels[0]) for f, level in zip(chosen, levels, strict=True))
    if len(chosen) > 1:
        return Contrast("interaction", changes, tuple(weights))
    return Contrast("main", changes, tuple(weights), tuple(_matched(results, changes[0])))


def _sign(cell: Cell, chosen: Sequence[FactorLevels], levels: Sequence[str]) -> int:
    signs = [
        1 if cell.levels[factor.name] == level else -1 if cell.levels[factor.name] == factor.levels[0] else 0
        for factor, level in zip(chosen, levels, strict=True)
    ]
    return math.prod(signs)


def _matched(results: Results, change: Change) -> Iterator[tuple[int, int]]:
    name, level, first = change
    place = {_key(cell.levels): index for index, cell in enumerate(results.cells)}
    for index, cell in enumerate(results.cells):
        without = place.get(_key({**cell.levels, name: first}))
        if cell.levels[name] == level and without is not None:
            yield index, without


def _key(levels: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset(levels.items())


def _fractional(results: Results) -> Iterator[Contrast]:
    for factor in results.factors:
        first, level = factor.levels
        there = [cell.levels[factor.name] == level for cell in results.cells]
        sides = sum(there), len(there) - sum(there)
        weights = tuple(1 / sides[0] if yes else -1 / sides[1] for yes in there)
        pairs = itertools.product(np.flatnonzero(there).tolist(), np.flatnonzero(np.logical_not(there)).tolist())
        yield Contrast("main", ((factor.name, level, first),), weights, tuple(pairs))


def _steps(results: Results) -> Iterator[Contrast]:
    place = {cell.id: index for index, cell in enumerate(results.cells)}
    for order, ids in enumerate(results.steps):
        for before, after in itertools.pairwise(ids):
            yield _pair(results, "step", place[after], place[before], order)


def _against_reference(results: Results) -> Iterator[Contrast]:
    ids = [cell.id for cell in results.cells]
    if results.reference not in ids:
        return
    reference = ids.index(results.reference)
    compared = [ids.index(results.steps[0][-1])] if results.steps else range(len(ids))
    yield from (_pair(results, "cell", index, reference) for index in compared if index != reference)


def _pair(results: Results, kind: Kind, index: int, without: int, order: int = 0) -> Contrast:
    cell, other = results.cells[index].levels, results.cells[without].levels
    changes = tuple((name, level, other[name]) for name, level in cell.items() if level != other[name])
    weights = [0.0] * len(results.cells)
    weights[index], weights[without] = 1.0, -1.0
    return Contrast(kind, changes, tuple(weights), ((index, without),), order)
