"""Sample quality on MNIST over seconds of training: `mnist-fast`, `mnist` and the ladder's recipes from a cold start.

    python benchmarks/time_to_quality.py --data-dir DIR [--only ENTRY ...] [--table]

Every entry trains one seed at a time, on one thread, for all of its rounds or until the time is up. Only the time of
training counts, not that of measuring samples, and it is processor time: as on an idle core. Samples are scored by the
independent judge of MNIST, by which no setting was chosen: Fréchet distance, share of samples that it classifies with
more than 90 % confidence, and how far the rarest or the most common class is from its real share. The distance by the
judge that the recipes were chosen with is beside it, to be seen as what it is; so are the scores of held-out images.
Seeds that are done are kept: the same command goes on.

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
from sparring.analysis.judge_choice import independent_judge, judge_for
from sparring.analysis.samples import real_data, views
from sparring.datasets import Dataset
from sparring.datasets._clusters import clusters_of
from sparring.datasets.mnist import MNIST
from sparring.game.assembly import game_of
from sparring.game.game import Game
from sparring.game.runtime import keep_freed_memory, threads_set
from sparring.metrics.frechet_distance import FrechetDistance
from sparring.recipe import Recipe, find_recipe
from sparring.report.figures.drawing import LIGHT, SMALL, TEXT, as_png, blank, dress
from sparring.tricks.r1_r2 import R1R2

RESULTS = Path(__file__).parent / "results" / "time-to-quality.json"
PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "time-to-quality.png"
SAMPLES = 5_000
MARKS = (2, 5, 10, 20, 40, 80, 160, 320)
MINUTE, TEN_MINUTES = 60.0, 600.0
"""Seconds after which samples are measured."""
SURE = 0.9
CHOSEN = "by_the_judge_it_was_chosen_with"
"""The key of that distance in the results."""
DIGITS = MNIST(span=(-1.0, 1.0))
FASTEST, WIDE = "mnist-fast", "auto"
LADDER = ("mnist-reference", "mnist-own", "mnist-v3.2", "mnist-v3.2b", "mnist-v4.1")
CLUSTERED = "mnist-fast-clusters"
HUES = {
    FASTEST: LIGHT.hues["d_loss"],
    CLUSTERED: LIGHT.hues["d_fake"],
    "mnist": LIGHT.hues["d_real"],
    WIDE: LIGHT.hues["g_loss"],
}


@dataclass(frozen=True)
class Entry:
    """What is trained for how long."""

    recipe: str
    title: str
    seeds: int = 1
    seconds: float = MINUTE
    rounds: int | None = None
    """In place of the recipe's: as many as fit into the time, so that its schedules end with it."""
    clusters: int = 0
    """In place of classes."""
    long: bool = False
    """With settings for longer runs: half the recipe's learning rates, and a gamma that falls from 0.1 to 0.01."""

    def of_seed(self, seed: int) -> Recipe:
        """The recipe with that seed."""
        fields: dict[str, Any] = {"data": DIGITS, "clusters": 0} if self.recipe == WIDE else {}
        fields |= {"rounds": self.rounds} if self.rounds else {}
        fields |= {"clusters": self.clusters, "conditional": False} if self.clusters else {}
        recipe = find_recipe(self.recipe).replace(seeds=(seed,), **fields)
        return _for_long(recipe) if self.long else recipe


def _for_long(recipe: Recipe) -> Recipe:
    falling = R1R2(gamma=0.1, every=8, final=0.1)
    return recipe.replace(lr=2e-3, tricks=[falling if isinstance(trick, R1R2) else trick for trick in recipe.tricks])


ENTRIES = {
    FASTEST: Entry(FASTEST, "with classes", 8, rounds=5_000),
    "mnist-fast-short": Entry(FASTEST, "with classes, `--rounds 3400`", 8, rounds=3_400),
    "mnist": Entry("mnist", "a minute of rounds", 8, rounds=4_500),
    CLUSTERED: Entry(FASTEST, "128 clusters in place of classes", 8, rounds=4_500, clusters=128),
    "mnist-fast-clusters-short": Entry(FASTEST, "128 clusters, `--rounds 3000`", 8, rounds=3_000, clusters=128),
    WIDE: Entry(WIDE, "fully connected, R1 + R2"),
    **{name: Entry(name, "") for name in LADDER},
    "mnist-10": Entry("mnist", "ten minutes of rounds", 8, TEN_MINUTES, 45_000),
    "mnist-fast-10": Entry(FASTEST, "with classes, for ten minutes", 8, TEN_MINUTES, 36_000, long=True),
    "mnist-fast-clusters-10": Entry(FASTEST, "128 clusters, for ten minutes", 8, TEN_MINUTES, 33_000, 128, True),
}
"""By their names in the results. The last three are long: `--only` says which are wanted."""
LABELS = {
    CLUSTERED: "with clusters",
    WIDE: "fully connected",
}
SHORT = tuple(name for name, entry in ENTRIES.items() if entry.seconds == MINUTE)


@dataclass(frozen=True)
class Real:
    """The real data that samples are compared with."""

    data_dir: Path
    data: Dataset = DIGITS
    judge: Any = field(init=False)
    """The independent one."""
    chosen_by: Any = field(init=False)
    """The judge that recipes were chosen with."""
    features: np.ndarray = field(init=False)
    features_chosen_by: np.ndarray = field(init=False)
    shares: np.ndarray = field(init=False)
    held_out: dict[str, float] = field(init=False)
    """The scores of held-out real data."""

    def __post_init__(self) -> None:
        real = real_data(self.data, SAMPLES, self.data_dir)
        put = object.__setattr__
        put(self, "judge", independent_judge(self.data, self.data_dir))
        put(self, "chosen_by", judge_for(self.data, None, self.data_dir))
        reference = views(real.reference, self.judge)
        put(self, "features", reference["features"])
        put(self, "features_chosen_by", views(real.reference, self.chosen_by)["features"])
        put(self, "shares", _shares(reference["classes"]))
        put(self, "held_out", self.metrics(real.held_out))

    def metrics(self, examples: np.ndarray) -> dict[str, float]:
        """Scores of examples `(N, 1, 28, 28)`."""
        seen, chosen_by = views(examples, self.judge), views(examples, self.chosen_by)["features"]
        off = np.abs(np.log(np.maximum(_shares(seen["classes"]), 1 / SAMPLES) / self.shares))
        return {
            "distance": float(FrechetDistance().compute(self.features, seen["features"][None])[0]),
            CHOSEN: float(FrechetDistance().compute(self.features_chosen_by, chosen_by[None])[0]),
            "sure": float((seen["classes"].max(-1) > SURE).mean()),
            "factor": float(np.exp(off.max())),
        }


def _shares(classes: np.ndarray) -> np.ndarray:
    return np.bincount(classes.argmax(-1), minlength=classes.shape[-1]) / len(classes)


def trained_seed(entry: Entry, seed: int, real: Real) -> dict[str, Any]:
    """Train one seed: scores at the marks, and at the end of the time or of the recipe.

    An entry that has rounds of its own plays all of them, though they take a little longer or shorter here.
    """
    recipe = entry.of_seed(seed)
    source = recipe.data.open(real.data_dir, "cpu")
    if recipe.clusters:
        recipe = recipe.replace(cluster_sizes=clusters_of(source, recipe.clusters).sizes)
    game = game_of(recipe, source)
    marks = [mark for mark in MARKS if mark < entry.seconds]
    spent, points = 0.0, list[dict[str, float]]()
    with threads_set(1):
        while game.round < recipe.rounds and (spent < entry.seconds or entry.rounds):
            began = time.process_time()
            game.play()
            spent += time.process_time() - began
            if marks and spent >= marks[0]:
                marks = [mark for mark in marks if mark > spent]
                points.append({"seconds": spent, **scores(game, recipe, real)})
    points.append({"seconds": spent, **scores(game, recipe, real)})
    return {"seed": seed, "rounds": game.round, "of": recipe.rounds, "threads": 1, "points": points}


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
    """Markdown: the final result of each entry."""
    stored = _stored()
    if not stored:
        return "Not run yet."
    real_scores = stored["real"]
    lines = [
        "| recipe | seeds | seconds | rounds | Fréchet distance, independent judge | worst seed "
        "| by the judge it was chosen with | confident | a class, relative to its share |",
        "| --- | ---: | ---: | ---: | --- | ---: | --- | --- | ---: |",
    ]
    for name, entry in ((n, e) for n, e in ENTRIES.items() if n in stored):
        runs, ends = stored[name]["runs"], _ends(stored[name])
        rounds = f"{runs[0]['rounds']:,}" + (f" of {runs[0]['of']:,}" if runs[0]["rounds"] < runs[0]["of"] else "")
        lines.append(
            f"| `{entry.recipe}`{f' ({entry.title})' if entry.title else ''} | {len(ends)} "
            f"| {mean(e['seconds'] for e in ends):.0f} | {rounds} | {_spread([e['distance'] for e in ends])} "
            f"| {max(e['distance'] for e in ends):.2f} | {_spread([e[CHOSEN] for e in ends])} "
            f"| {_spread([100 * e['sure'] for e in ends], 1)} % | {max(e['factor'] for e in ends):.2f} |"
        )
    lines.append(
        f"| *held-out real data* | | | | {real_scores['distance']:.2f} | | {real_scores[CHOSEN]:.2f} "
        f"| {100 * real_scores['sure']:.1f} % | {real_scores['factor']:.2f} |"
    )
    made = [entry for name, entry in stored.items() if name != "real"]
    machines, days = (", ".join(sorted({entry[key] for entry in made})) for key in ("machine", "date"))
    return "\n".join(
        [
            *lines,
            "",
            f"Mean ± SD over seeds. Confident: samples that the independent judge classifies with more than 90 % "
            f"confidence. The last column is the worst class of the worst seed. {SAMPLES:,} samples of each seed. "
            f"Processor time of one thread on {machines}, beside other work; {days}.",
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
        (left, "distance", "Fréchet distance by the independent judge"),
        (right, "sure", "share of digits classified with confidence"),
    ):
        dress(axes, LIGHT)
        drawn = (*HUES, *LADDER) if key == "distance" else tuple(HUES)
        for name in reversed([name for name in drawn if name in stored]):
            _lines(axes, stored[name], key, HUES.get(name, LIGHT.soft), 1.8 if name in HUES else 0.9)
        axes.axhline(stored["real"][key], color=LIGHT.ink, linewidth=1, linestyle=(0, (5, 3)))
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: f"{at:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticks([t for t in (2, 5, 10, 20, 60, 120, 300, 600) if t <= axes.get_xlim()[1]])
        axes.set_xlabel("seconds of training, of one core", fontsize=SMALL)
        axes.set_title(title, fontsize=TEXT, color=LIGHT.ink)
    left.set_yscale("log")
    left.yaxis.set_major_formatter(FuncFormatter(lambda at, _: f"{at:g}"))
    left.yaxis.set_minor_locator(NullLocator())
    for name in (n for n in HUES if n in stored):
        left.plot([], [], color=HUES[name], linewidth=2, label=LABELS.get(name, name))
    left.plot([], [], color=LIGHT.soft, linewidth=1, label="the ladder's recipes")
    left.plot([], [], color=LIGHT.ink, linewidth=1, linestyle=(0, (5, 3)), label="real digits")
    left.set_ylim(bottom=0.05)
    right.set_ylim(0, 1.02)
    left.legend(frameon=False, fontsize=SMALL, loc="lower left", bbox_to_anchor=(-0.01, 0.13), labelspacing=0.2)
    PICTURE.write_bytes(as_png(figure))


def _lines(axes: Axes, entry: dict[str, Any], key: str, hue: str, width: float) -> None:
    for run in entry["runs"]:
        seconds = [point["seconds"] for point in run["points"]]
        axes.plot(seconds, [point[key] for point in run["points"]], color=hue, linewidth=width, alpha=0.8)


def main() -> None:
    """Train what is asked for and not there yet, and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=SHORT, choices=tuple(ENTRIES))
    parser.add_argument("--table", action="store_true", help="train nothing")
    arguments = parser.parse_args()
    keep_freed_memory()
    if not arguments.table:
        real = Real(arguments.data_dir)
        write(RESULTS, "real", real.held_out)
        for name in arguments.only:
            train_entry(name, real)
    draw()
    print(table())


def train_entry(name: str, real: Real) -> None:
    """The seeds of an entry that are not there yet."""
    entry = ENTRIES[name]
    runs: list[dict[str, Any]] = _stored().get(name, {}).get("runs", [])
    for seed in range(len(runs), entry.seeds):
        runs.append(trained_seed(entry, seed, real))
        print(f"{name}, seed {seed}: {runs[-1]['rounds']:,} rounds, {runs[-1]['points'][-1]}", flush=True)
        machine = f"{processor()}, torch {torch.__version__}"
        write(RESULTS, name, {"machine": machine, "date": date.today().isoformat(), "runs": runs})


if __name__ == "__main__":
    main()
