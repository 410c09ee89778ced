"""Sample quality on MNIST over seconds of training: `mnist-fast`, `mnist` and the ladder's recipes from a cold start.

    python benchmarks/time_to_quality.py --data-dir DIR [--seconds 60] [--seeds 8] [--only NAME ...]

Every recipe trains one seed at a time, with as many threads as `sparring train` would use, for all of its rounds or
until the time is up. Only the time of training counts, not that of measuring samples: Fréchet distance with the judge
of MNIST, share of samples that the judge classifies with more than 90 % confidence, and how far the rarest or the most
common class is from its real share. The scores of the same number of held-out real images stand beside them.

`auto` is here what it is for small images: fully connected networks and a relativistic pair with R1 and R2. Results go
to `results/time-to-quality.json`, from which `make docs` takes a table in docs/speed.md; the curves to
docs/pictures/time-to-quality.png.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from statistics import mean, stdev
from typing import Any

# Before torch is loaded: threads that spin long while they wait starve each other.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

import numpy as np
import torch
from broken_gans import write
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullLocator
from rounds import processor

from sparring.analysis.generators import generate, latents
from sparring.analysis.judge_choice import judge_for
from sparring.analysis.samples import real_data, views
from sparring.datasets import Dataset
from sparring.datasets.mnist import MNIST
from sparring.game.assembly import game_of, threads_for
from sparring.game.game import Game
from sparring.game.runtime import keep_freed_memory, threads_set
from sparring.metrics.frechet_distance import FrechetDistance
from sparring.recipe import Recipe, find_recipe
from sparring.report.figures.drawing import LIGHT, SMALL, TEXT, as_png, blank, dress

RESULTS = Path(__file__).parent / "results" / "time-to-quality.json"
PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "time-to-quality.png"
SAMPLES = 5_000
MARKS = (2, 5, 10, 20, 40, 80, 160, 320)
"""Seconds after which samples are measured."""
SURE = 0.9
DIGITS = MNIST(span=(-1.0, 1.0))
FASTEST, WIDE = "mnist-fast", "auto"
LADDER = ("mnist-reference", "mnist-own", "mnist-v3.2", "mnist-v3.2b", "mnist-v4.1")
NAMES = (FASTEST, "mnist", WIDE, *LADDER)
TITLES = {WIDE: "fully connected, R1 + R2"}
HUES = {FASTEST: LIGHT.hues["d_loss"], "mnist": LIGHT.hues["d_real"], WIDE: LIGHT.hues["g_loss"]}


@dataclass(frozen=True)
class Real:
    """The real data that samples are compared with."""

    data_dir: Path
    data: Dataset = DIGITS
    judge: Any = field(init=False)
    features: np.ndarray = field(init=False)
    shares: np.ndarray = field(init=False)
    held_out: dict[str, float] = field(init=False)
    """The scores of held-out real data."""

    def __post_init__(self) -> None:
        real = real_data(self.data, SAMPLES, self.data_dir)
        put = object.__setattr__
        put(self, "judge", judge_for(self.data, None, self.data_dir))
        reference = views(real.reference, self.judge)
        put(self, "features", reference["features"])
        put(self, "shares", _shares(reference["classes"]))
        put(self, "held_out", self.metrics(real.held_out))

    def metrics(self, examples: np.ndarray) -> dict[str, float]:
        """Scores of examples `(N, 1, 28, 28)`."""
        seen = views(examples, self.judge)
        off = np.abs(np.log(np.maximum(_shares(seen["classes"]), 1 / SAMPLES) / self.shares))
        return {
            "distance": float(FrechetDistance().compute(self.features, seen["features"][None])[0]),
            "sure": float((seen["classes"].max(-1) > SURE).mean()),
            "factor": float(np.exp(off.max())),
        }


def _shares(classes: np.ndarray) -> np.ndarray:
    return np.bincount(classes.argmax(-1), minlength=classes.shape[-1]) / len(classes)


def recipe_of(name: str, seed: int) -> Recipe:
    return find_recipe(name).replace(seeds=(seed,), **({"data": DIGITS} if name == WIDE else {}))


def trained_seed(name: str, seed: int, real: Real, seconds: float) -> dict[str, Any]:
    """Train one seed: scores at the marks, and at the end of the time or of the recipe."""
    recipe = recipe_of(name, seed)
    threads = threads_for(recipe)
    game = game_of(recipe, recipe.data.open(real.data_dir, "cpu"))
    marks = [mark for mark in MARKS if mark < seconds]
    spent, points = 0.0, list[dict[str, float]]()
    with threads_set(threads):
        while spent < seconds and game.round < recipe.rounds:
            began = time.perf_counter()
            game.play()
            spent += time.perf_counter() - began
            if marks and spent >= marks[0]:
                marks = [mark for mark in marks if mark > spent]
                points.append({"seconds": spent, **scores(game, recipe, real)})
    points.append({"seconds": spent, **scores(game, recipe, real)})
    return {"seed": seed, "rounds": game.round, "of": recipe.rounds, "threads": threads, "points": points}


def scores(game: Game, recipe: Recipe, real: Real) -> dict[str, float]:
    """Scores of the current samples of its one generator."""
    with game.with_averaged_weights():
        z = latents(recipe, range(SAMPLES))
        (examples,) = np.concatenate([generate(game.G, part, recipe) for part in z.split(500, 1)], 1)
    return real.metrics(examples)


# Tables and curves.


def _stored() -> dict[str, Any]:
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def _ends(entry: dict[str, Any]) -> list[dict[str, float]]:
    return [run["points"][-1] for run in entry["runs"]]


def table() -> str:
    """Markdown: the final result of each recipe."""
    stored = _stored()
    if not stored:
        return "Not run yet."
    real_scores = stored["real"]
    lines = [
        "| recipe | seeds | seconds | rounds | Fréchet distance | worst seed | confident "
        "| a class, relative to its share |",
        "| --- | ---: | ---: | ---: | --- | ---: | --- | ---: |",
    ]
    for name in (n for n in NAMES if n in stored):
        runs, ends = stored[name]["runs"], _ends(stored[name])
        rounds = f"{runs[0]['rounds']:,}" + (f" of {runs[0]['of']:,}" if runs[0]["rounds"] < runs[0]["of"] else "")
        lines.append(
            f"| `{name}`{f' ({TITLES[name]})' if name in TITLES else ''} | {len(ends)} "
            f"| {mean(e['seconds'] for e in ends):.0f} | {rounds} | {_spread([e['distance'] for e in ends])} "
            f"| {max(e['distance'] for e in ends):.2f} | {_spread([100 * e['sure'] for e in ends], 1)} % "
            f"| {max(e['factor'] for e in ends):.2f} |"
        )
    lines.append(
        f"| *held-out real data* | | | | {real_scores['distance']:.2f} | | {100 * real_scores['sure']:.1f} % "
        f"| {real_scores['factor']:.2f} |"
    )
    made = stored[FASTEST] if FASTEST in stored else next(v for k, v in stored.items() if k != "real")
    return "\n".join(
        [
            *lines,
            "",
            f"Mean ± SD over seeds. Confident: samples that the judge classifies with more than 90 % confidence. The "
            f"last column is the worst class of the worst seed. {SAMPLES:,} samples of each seed. {made['machine']}, "
            f"{made['runs'][0]['threads']} threads; {made['date']}.",
        ]
    )


def _spread(values: list[float], digits: int = 2) -> str:
    spread = f" ± {stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{mean(values):.{digits}f}{spread}"


def draw() -> None:
    """Fréchet distance and share of confidently classified samples over seconds, a line for each seed.

    The ladder's recipes are left out of the latter, where they mislead: a judge may be sure of the same blot a thousand
    times.
    """
    stored = _stored()
    figure = blank(LIGHT, 3.9)
    left, right = figure.subplots(1, 2)
    for axes, key, title in (
        (left, "distance", "Fréchet distance (lower is better)"),
        (right, "sure", "share of digits classified with confidence"),
    ):
        dress(axes, LIGHT)
        for name in reversed([n for n in NAMES if n in stored and (key == "distance" or n in HUES)]):
            _lines(axes, stored[name], key, HUES.get(name, LIGHT.soft), 1.8 if name in HUES else 0.9)
        axes.axhline(stored["real"][key], color=LIGHT.ink, linewidth=1, linestyle=(0, (5, 3)))
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: f"{at:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticks([t for t in (2, 5, 10, 20, 60, 120, 300, 600) if t <= axes.get_xlim()[1]])
        axes.set_xlabel("seconds of training", fontsize=SMALL)
        axes.set_title(title, fontsize=TEXT, color=LIGHT.ink)
    left.set_yscale("log")
    left.yaxis.set_major_formatter(FuncFormatter(lambda at, _: f"{at:g}"))
    left.yaxis.set_minor_locator(NullLocator())
    for name in (n for n in NAMES[:3] if n in stored):
        left.plot([], [], color=HUES[name], linewidth=2, label=TITLES.get(name, name))
    left.plot([], [], color=LIGHT.soft, linewidth=1, label="the ladder's recipes")
    left.plot([], [], color=LIGHT.ink, linewidth=1, linestyle=(0, (5, 3)), label="held-out real digits")
    left.set_ylim(bottom=0.05)
    right.set_ylim(0, 1.02)
    left.legend(frameon=False, fontsize=SMALL, loc="lower left", bbox_to_anchor=(0, 0.12))
    PICTURE.write_bytes(as_png(figure))


def _lines(axes: Axes, entry: dict[str, Any], key: str, hue: str, width: float) -> None:
    for run in entry["runs"]:
        seconds = [point["seconds"] for point in run["points"]]
        axes.plot(seconds, [point[key] for point in run["points"]], color=hue, linewidth=width, alpha=0.8)


def main() -> None:
    """Train the selected recipes, and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seeds", type=int, default=8, help="seeds of mnist-fast; the others train one")
    parser.add_argument("--only", nargs="*", default=NAMES)
    arguments = parser.parse_args()
    keep_freed_memory()
    real = Real(arguments.data_dir)
    write(RESULTS, "real", real.held_out)
    for name in (n for n in NAMES if n in arguments.only):
        runs: list[dict[str, Any]] = []
        for seed in range(arguments.seeds if name == FASTEST else 1):
            runs.append(trained_seed(name, seed, real, arguments.seconds))
            print(f"{name}, seed {seed}: {runs[-1]['rounds']:,} rounds, {runs[-1]['points'][-1]}", flush=True)
            machine = f"{processor()}, torch {torch.__version__}"
            write(RESULTS, name, {"machine": machine, "date": date.today().isoformat(), "runs": runs})
    draw()
    print(table())


if __name__ == "__main__":
    main()
