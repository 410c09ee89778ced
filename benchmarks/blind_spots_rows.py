"""Which faults of rows of numbers leave the verdict `equilibrium`: a table and signals, made faulty.

    python benchmarks/blind_spots_rows.py

As `blind_spots.py` does for images: nothing is trained, samples are rows of the same law as the data with one fault,
and everything else of the run is good. The table has columns as they occur together: two correlated ones, of which one
has a heavy tail, a category, one that is 0 in most rows, one that is the square of another, and one that has another's
sign. In a second table a sign is the product of two others, and one category never occurs with another. The signals are
sawtooths with a trend. Results go to results/blind-spots-rows.json, from which `make docs` takes
the table in docs/diagnosis-measured.md.
"""

from __future__ import annotations

import json
import textwrap
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from blind_spots import (
    EVALUATED,
    FALLING,
    GOOD,
    MEASURED,
    NOTHING,
    SEEDS,
    _Gathered,  # pyright: ignore[reportPrivateUsage] - of the same benchmark
    _of_one,  # pyright: ignore[reportPrivateUsage]
    _said,  # pyright: ignore[reportPrivateUsage]
    _Sides,  # pyright: ignore[reportPrivateUsage]
    _verdicts,  # pyright: ignore[reportPrivateUsage]
)

from sparring.analysis.columns import ColumnFigures
from sparring.analysis.diagnosis import diagnosis
from sparring.analysis.judge_choice import choose_judge
from sparring.analysis.measure import Measurement
from sparring.analysis.sample_comparison import Comparison
from sparring.analysis.samples import quantiles_of, real_examples
from sparring.recipe import find_recipe
from sparring.record import RunFolder, Story, write_atomically
from sparring.rules._stories import story

RESULTS = Path(__file__).parent / "results" / "blind-spots-rows.json"
ROWS, POINTS = 4_000, 32
"""Of the data, and of a signal."""

Draw = Callable[[np.random.Generator, int], np.ndarray]
Fault = Callable[[np.random.Generator, np.ndarray], np.ndarray]


def table(rng: np.random.Generator, count: int) -> np.ndarray:
    """`(count, 7)`: two correlated numbers, the second with a heavy tail, a category, mostly 0, a number, its square,
    and one that has its sign."""
    one, other, number = rng.normal(size=(3, count))
    income = np.exp(0.6 * one + 0.8 * other)
    category = rng.choice(5, size=count, p=(0.4, 0.3, 0.2, 0.06, 0.04))
    spent = np.where(rng.random(count) < 0.7, 0, np.abs(rng.normal(size=count)))
    signed = np.abs(rng.normal(size=count)) * np.sign(number)
    return np.stack([one, income, category, spent, number, number**2 - 1, signed], 1)


def signs(rng: np.random.Generator, count: int) -> np.ndarray:
    """`(count, 7)`: two signs and their product, a category of two, another that only the first of these has, and two
    numbers."""
    one, other = rng.choice((-1.0, 1.0), (2, count))
    category = rng.choice(2, count)
    only = np.where(rng.random(count) < 0.2, 1 - category, 0)
    numbers, noise = rng.normal(size=(2, count)), 0.25 * rng.normal(size=(3, count))
    return np.stack([one + noise[0], other + noise[1], one * other + noise[2], category, only, *numbers], 1)


def signals(rng: np.random.Generator, count: int) -> np.ndarray:
    """`(count, 32)`: sawtooths of two to four teeth and of any phase, with a trend up or down."""
    at = np.linspace(0, 1, POINTS)
    teeth, phase, height, slope = rng.uniform((2, 0, 0.5, -2), (4, 1, 1, 2), (count, 4)).T[..., None]
    return height * (2 * ((teeth * at + phase) % 1) - 1) + slope * at


def _column(at: int, change: Callable[[np.random.Generator, np.ndarray], np.ndarray]) -> Fault:
    """A fault of one column."""

    def changed(rng: np.random.Generator, rows: np.ndarray) -> np.ndarray:
        rows[:, at] = change(rng, rows[:, at])
        return rows

    return changed


def _scaled(share: float, shift: float) -> Fault:
    """All columns with this share of their standard deviation, moved by so many of them."""
    return lambda rng, rows: rows.mean(0) + share * (rows - rows.mean(0)) + shift * rows.std(0)


def _some(share: float, change: Fault) -> Fault:
    """A fault of so many rows."""

    def changed(rng: np.random.Generator, rows: np.ndarray) -> np.ndarray:
        chosen = rng.permutation(len(rows)) < round(share * len(rows))
        rows[chosen] = change(rng, rows[chosen])
        return rows

    return changed


def _clipped(rng: np.random.Generator, rows: np.ndarray) -> np.ndarray:
    middle, sd = rows.mean(0), rows.std(0)
    return np.clip(rows, middle - 1.3 * sd, middle + 1.3 * sd)


def _meeting(rng: np.random.Generator, rows: np.ndarray) -> np.ndarray:
    rows[:, 3:5] = 1
    return rows


def _spiked(rng: np.random.Generator, rows: np.ndarray) -> np.ndarray:
    rows[np.arange(len(rows)), rng.integers(POINTS, size=len(rows))] += 3
    return rows


OF_ALL: Mapping[str, Fault] = {
    NOTHING: lambda rng, rows: rows,
    "all columns are moved by 0.3 SD": _scaled(1, 0.3),
    "all columns have 0.8 of their SD": _scaled(0.8, 0),
    "all columns are cut off at 1.3 SD": _clipped,
    "10% of the rows are one row": _some(0.1, lambda rng, rows: rows[:1].repeat(len(rows), 0)),
    "10% of the rows are 100 times as large": _some(0.1, lambda rng, rows: 100 * rows),
}
FAULTS: Mapping[str, tuple[Draw, Mapping[str, Fault]]] = {
    "table": (
        table,
        {
            **OF_ALL,
            "two columns of r = 0.5 are independent": _column(0, lambda rng, x: rng.permutation(x)),
            "a column is not the square of another": _column(5, lambda rng, x: rng.permutation(x)),
            "a column has not the sign of another": _column(6, lambda rng, x: x * rng.choice((-1, 1), len(x))),
            "a heavy tail is cut off": _column(1, lambda rng, x: np.minimum(x, 5)),
            "a column that is mostly 0 never is": _column(3, lambda rng, x: x + 0.15 * np.abs(rng.normal(size=len(x)))),
            "whole numbers are fractions": _column(2, lambda rng, x: x + rng.uniform(-0.4, 0.4, len(x))),
            "the rarest category, 4%, is missing": _column(2, lambda rng, x: np.minimum(x, 3)),
        },
    ),
    "signs": (
        signs,
        {
            NOTHING: OF_ALL[NOTHING],
            "half have not the product's sign": _column(2, lambda rng, x: rng.permutation(x)),
            "a fifth have not the product's sign": _some(0.2, _column(2, lambda rng, x: -x)),
            "5% have two categories that never meet": _some(0.05, _meeting),
        },
    ),
    "signals": (
        signals,
        {
            **OF_ALL,
            "15% have a spike": _some(0.15, _spiked),
            "all have noise, SD of 0.1": lambda rng, rows: rows + 0.1 * rng.normal(size=rows.shape),
            "all are reversed": lambda rng, rows: rows[:, ::-1].copy(),
            "a fifth are reversed": _some(0.2, lambda rng, rows: rows[:, ::-1]),
            "no trend goes up": lambda rng, rows: rows - 2 * np.maximum(_slopes(rows), 0)[:, None] * _times(),
        },
    ),
}


def _times() -> np.ndarray:
    return np.linspace(0, 1, POINTS)


def _slopes(rows: np.ndarray) -> np.ndarray:
    """By least squares, of each row."""
    apart = _times() - 0.5
    return rows @ apart / (apart**2).sum()


@dataclass(frozen=True)
class Bench:
    """One draw of a data set, ready to diagnose samples."""

    data: Draw
    seed: int

    def row(self, fault: str, change: Fault) -> dict[str, Any]:
        """What is found of samples with a fault, while training and after measuring."""
        rng = np.random.default_rng([self.seed, zlib.crc32(fault.encode())])
        rows = self.data(np.random.default_rng(self.seed), ROWS).astype(np.float32)
        recipe = find_recipe("auto", rows).replace(seeds=(0,))
        source, choice = recipe.data.open(None), choose_judge(recipe.data)
        samples = change(rng, self.data(rng, MEASURED)).astype(np.float32)[None]
        comparison = Comparison.of(recipe.data, source, EVALUATED, None, choice, EVALUATED)
        run = self._run(comparison, json.loads(recipe.to_json()), samples[:, :EVALUATED], rows)
        real = real_examples(recipe.data, source, MEASURED, None, everything=True)
        side, gathered = _Sides.of(recipe, real, choice.judge, (), None), _Gathered()
        gathered.take(*side.score(samples))
        scores = gathered.scores(side)
        figures = ColumnFigures.of(recipe.data, real.reference, samples)
        measured = Measurement(
            RunFolder(""), run.round, (0,), choice.judge, MEASURED, real.held_out_from, scores, columns=figures
        )
        after = diagnosis(Story(run.recipe, [*run.events, {"event": "measured", **measured.plain()}]))
        return {"fault": fault, "seed": self.seed, "training": _said(diagnosis(run)), "measured": _said(after)}

    def _run(self, comparison: Comparison, recipe: dict[str, Any], samples: np.ndarray, rows: np.ndarray) -> Story:
        """A good run of one seed, all of whose evaluations saw these samples."""
        unbounded: dict[str, list[float | None]] = {"generator": [None, None]}  # as networks for rows are
        of_rows = {"seeds": [0], "data": recipe["data"]}
        good = story(evaluations=len(FALLING), recipe=of_rows, ranges=unbounded)
        values, errors = comparison(samples)
        quantiles, farther = quantiles_of(torch.from_numpy(samples)).tolist(), iter(FALLING)
        events: list[dict[str, Any]] = []
        for event in good.events:
            if event["event"] == "real-baseline":
                theirs = quantiles_of(torch.from_numpy(rows)[None])[0].tolist()
                baseline = {**comparison.baseline_event(), "samples": EVALUATED, "examples": ROWS}
                event = {"event": "real-baseline", "round": 0, **baseline, "quantiles": theirs}
            elif event["event"] == "log":
                event = _of_one(event, values, next(farther))
                event |= {"quantiles": quantiles, "errors": {name: error.tolist() for name, error in errors.items()}}
            events.append(event)
        return Story(good.recipe, events)


def in_markdown() -> str:
    """For the docs: what every fault is called, while training and after measuring."""
    results: dict[str, list[dict[str, Any]]] = json.loads(RESULTS.read_text())
    lines = ["| samples | while training | measured |", "| --- | --- | --- |"]
    for name, rows in results.items():
        for fault in FAULTS[name][1]:
            mine = [row for row in rows if row["fault"] == fault]
            cells = " | ".join(_verdicts(mine, when) for when in ("training", "measured"))
            lines.append(f"| {name}: {'sound' if fault == NOTHING else fault} | {cells} |")
    return "\n".join(lines)


def summary() -> str:
    """For the docs: how many faulty samples keep a good verdict."""
    rows = [row for rows in json.loads(RESULTS.read_text()).values() for row in rows]
    faulty, sound = ([row for row in rows if (row["fault"] == NOTHING) is same] for same in (False, True))
    before, after = (sum(row[when]["verdict"] == GOOD for row in faulty) for when in ("training", "measured"))
    fine = sum(row["measured"]["verdict"] == GOOD for row in sound)
    text = (
        f"Of {len(faulty)} sets of faulty rows, {before} are `{GOOD}` while training and {after} after measuring; of "
        f"{len(sound)} sound ones, {fine} are."
    )
    return "\n".join(textwrap.wrap(text, 120))


def main() -> None:
    """Diagnose every fault, which takes a minute or two."""
    results: dict[str, list[dict[str, Any]]] = {}
    for name, (draw, faults) in FAULTS.items():
        rows = results.setdefault(name, [])
        for seed in SEEDS:
            for fault, change in faults.items():
                rows.append(Bench(draw, seed).row(fault, change))
                print(name, seed, fault, *(rows[-1][when]["verdict"] for when in ("training", "measured")), flush=True)
    text = json.dumps(results, indent=1) + "\n"
    write_atomically(RESULTS, lambda path: path.write_text(text))


if __name__ == "__main__":
    main()
