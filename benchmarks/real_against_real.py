"""What real data scores in the place of generated examples: the baseline of every metric.

    python benchmarks/real_against_real.py [--data-dir DIR] [--only digits ring ...] [--draws 20]

Each draw takes n real examples to compare with and n others, both drawn again. Results are written to
`results/real-against-real.json`, from which docs/metrics.md is made, with a hash of the judge's weights: other weights
would give other values.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import time
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sparring import catalogue, judges
from sparring.analysis.judge_choice import judge_of
from sparring.analysis.samples import fitting_metrics, views
from sparring.analysis.stats import Spread
from sparring.datasets import Dataset
from sparring.datasets._images import Images
from sparring.metrics import Metric
from sparring.report.measurement import ARROWS
from sparring.rng import RandomStreams

RESULTS = Path(__file__).parent / "results" / "real-against-real.json"
COUNTS = {"digits": 1_000, "fashion-mnist": 1_000, "mnist": 1_000, "ring": 2_500, "grid": 2_500}
"""Data set -> examples on each side, or as many as there are; of points as many as in PacGAN's protocol."""
SEED = 2**32
"""Of the first draw: far from the seeds that people give their runs."""

Sides = tuple[np.ndarray, np.ndarray, np.ndarray | None]
"""Examples `(N, *shape)` in data units: to compare with; in the place of generated ones; all that training uses."""


def drawn(data: Dataset, count: int, data_dir: Path | None, draw: int) -> Sides:
    """One draw. Without a published test split, half of the images stand in for it, and training uses the rest."""
    source = data.open(data_dir, "cpu")
    if not isinstance(source, Images):
        reference, fresh = (_points(data, count, data_dir, SEED + draw, round) for round in (0, 1))
        return reference, fresh, None
    training, unseen = source.pixels.numpy(), data.held_out(data_dir)
    rng = np.random.default_rng(SEED + draw)
    order = rng.permutation(len(training))
    if unseen is not None:
        return _units(training[order[:count]]), _units(unseen[rng.permutation(len(unseen))[:count]]), _units(training)
    count = min(count, len(training) // 2)
    seen, unseen = np.delete(order, np.s_[:count]), order[:count]
    return _units(training[seen[:count]]), _units(training[unseen]), _units(training[seen])


def scored(data: Dataset, judge: judges.Judge | None, sides: Sides) -> dict[str, float]:
    """Every metric that fits such data -> the score of the real examples."""
    reference, fresh, training = sides
    seen, stands = views(reference, judge), views(fresh, judge)
    every = {"pixels": training.reshape(len(training), -1)} if training is not None else {}
    entry: dict[str, float] = {}
    for name, metric in fitting(data).items():
        against = every if metric.all_training else seen
        if metric.space in against:
            entry[name] = float(metric(against[metric.space], stands[metric.space][None])[0])
    return entry


def fitting(data: Dataset) -> dict[str, Metric]:
    """Every metric that `sparring measure` computes; those on coordinates only for data with known modes.

    The accuracy of the classes is left out: of real data it is how often the judge is right.
    """
    return fitting_metrics(data, ("features", "classes", "judged", "pixels", "coordinates"))


def measured(name: str, data_dir: Path | None, draws: int) -> dict[str, Any]:
    """All draws of one data set: metric -> one value per draw."""
    data = catalogue.make("datasets", name, {})
    judge, count, entries = judge_of(data), 0, list[dict[str, float]]()
    for draw in range(draws):
        sides = drawn(data, COUNTS[name], data_dir, draw)
        count = len(sides[0])
        entries.append(scored(data, judge, sides))
    return {
        "date": date.today().isoformat(),
        "n": count,
        "trained_on": len(sides[2]) if draws and sides[2] is not None else None,
        "judge": judge.name if judge else None,
        "weights": weights_of(judge.name) if judge else None,
        "figures": {metric: [one[metric] for one in entries] for metric in entries[0]},
    }


def weights_of(judge: str) -> str:
    """Sixteen hexadecimal digits that depend on every byte of a judge's file."""
    return hashlib.sha256((judges.HERE / f"{judge}.safetensors").read_bytes()).hexdigest()[:16]


def table(*names: str) -> str:
    """Markdown: a column for each of these data sets, a row for each metric that any of them has, as last measured."""
    stored = {name: json.loads(RESULTS.read_text())[name] for name in names}
    lines = [
        "| metric | " + " | ".join(f"`{name}`, n = {entry['n']:,}" for name, entry in stored.items()) + " |",
        "| --- |" + " ---: |" * len(names),
    ]
    for metric in catalogue.entries("metrics"):
        cells = [_cell(entry["figures"].get(metric)) for entry in stored.values()]
        if any(cells):
            leaf = catalogue.find("metrics", metric)
            lines.append(f"| {leaf.title} {ARROWS[leaf.better]} | {' | '.join(cells)} |")
    draws = sorted({len(values) for entry in stored.values() for values in entry["figures"].values()})
    dates = sorted({entry["date"] for entry in stored.values()})
    counts = " or ".join(map(str, draws))
    return "\n".join([*lines, "", f"Mean ± SD over {counts} draws of both sides. Measured on {', '.join(dates)}."])


def _cell(values: list[float] | None) -> str:
    """Mean ± SD, with as many digits as show two of the SD; four behind the point at most."""
    spread = Spread.of(np.array(values or []))
    if spread.mean is None:
        return ""
    if not spread.sd:
        return f"{spread.mean:g}"
    digits = min(4, 1 - math.floor(math.log10(spread.sd)))
    # Adding 0 takes the sign off a zero.
    mean, sd = (f"{round(value, digits) + 0.0:,.{max(0, digits)}f}" for value in (spread.mean, spread.sd))
    return f"{mean} ± {sd}".replace("-", "−")


def _points(data: Dataset, count: int, data_dir: Path | None, seed: int, round: int) -> np.ndarray:
    rng = RandomStreams((seed,))
    rng.begin(round)
    return data.in_data_units(data.open(data_dir, "cpu").draw(rng, count)[0]).float().numpy()


def _units(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.float32) / 255


def main() -> None:
    """Measure them all, saving the results after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--only", nargs="+", choices=COUNTS, default=list(COUNTS))
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name in arguments.only:
        began, entry = time.perf_counter(), measured(name, arguments.data_dir, arguments.draws)
        stored = json.loads(arguments.out.read_text()) if arguments.out.exists() else {}
        arguments.out.write_text(json.dumps(stored | {name: entry}, indent=1) + "\n")
        print(f"{name}: {arguments.draws} draws of {entry['n']:,} in {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
