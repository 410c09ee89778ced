"""Results of studies made from numbers: for tests of what a study says, without training anything."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from sparring.study.results import Cell, FactorLevels, Quantity, Results, Row, Series

FRECHET = Quantity(name="frechet-distance", title="Fréchet distance", unit="in feature space", better="lower")


def factorial(
    values: np.ndarray,
    factors: Mapping[str, Sequence[str]] | None = None,
    *,
    outcome: Quantity = FRECHET,
    diverged: Sequence[tuple[int, int]] = (),
    collapsed: Sequence[tuple[int, int]] = (),
    censored: np.ndarray | None = None,
    real: float | None = None,
    curves: np.ndarray | None = None,
) -> Results:
    """A full factorial study with these outcomes.

    Args:
        values: `(cells, seeds)`, the last factor's levels varying fastest.
        factors: Name -> levels, the first one being the reference.
        outcome: What the values are.
        diverged: Cell and seed of members that diverged.
        collapsed: Cell and seed of members whose samples lack variety.
        censored: Where a time is one that the target was not reached in, `(cells, seeds)`.
        real: What real data scores.
        curves: The metric over training, `(cells, seeds, evaluations)`.
    """
    factors = factors or {"objective": ["bce", "hinge"], "optimizer": ["sgd", "adam"]}
    names = list(factors)
    cells = [
        Cell(
            id=f"cell-{index}",
            label=", ".join(f"{name} {level}" for name, level in zip(names, levels, strict=True)),
            levels=dict(zip(names, levels, strict=True)),
            recipe=f"recipe-{index}",
            folders=(f"runs/{index}",),
            real_measured={} if real is None else {outcome.name: real},
            real={} if real is None else {outcome.name: real},
        )
        for index, levels in enumerate(itertools.product(*factors.values()))
    ]
    failures = {"divergence": diverged, "mode-collapse": collapsed}
    rows = [
        Row(
            cell=cells[c].id,
            seed=seed,
            folder=cells[c].folders[0],
            outcome=None if (c, seed) in diverged or not np.isfinite(values[c, seed]) else float(values[c, seed]),
            censored=bool(censored[c, seed]) if censored is not None else False,
            diverged=(c, seed) in diverged,
            collapsed=(c, seed) in collapsed,
            finding=next((n for n, some in failures.items() if (c, seed) in some), "equilibrium"),
            fault=(c, seed) in diverged or (c, seed) in collapsed,
            rounds=1_000,
            seconds=10.0,
            series={} if curves is None else {outcome.name: _series(curves[c, seed])},
        )
        for c, seed in itertools.product(range(len(cells)), range(values.shape[1]))
    ]
    return Results(
        name="made",
        question="Which of them helps?",
        outcome=outcome.name,
        factors=tuple(FactorLevels(name=name, levels=tuple(levels)) for name, levels in factors.items()),
        design="full",
        reference=cells[0].id,
        seeds=tuple(range(values.shape[1])),
        cells=tuple(cells),
        rows=tuple(rows),
        quantities={outcome.name: outcome},
    )


def _series(values: np.ndarray) -> Series:
    rounds = tuple(100 * (index + 1) for index in range(len(values)))
    known = tuple(float(value) if np.isfinite(value) else None for value in values)
    return Series(rounds=rounds, seconds=tuple(round / 100 for round in rounds), values=known)
