"""How fast Sparring trains, beside the same games in plain PyTorch (`plain/`), on this machine's CPU.

    python benchmarks/rounds.py [--data-dir DIR] [--pairs N] [--seconds S] [--no-compile] [--only RECIPE] [--json FILE]

Both sides take turns in this process: plain, ours, plain, ours, ... Each turn lasts S seconds, and each pair of turns
gives one ratio, so anything that slows the whole machine for a while slows both. A ratio is the median over N pairs,
with the smallest and the largest beside it.

Ours is what a user gets in a long run: the trainer's own loop, with its curves, log points, pictures and checkpoints as
far apart as in a run of LONG_RUN seconds, the length from which rounds are compiled automatically, or as in a run of
the recipe's own length if that takes longer; rounds are compiled unless --no-compile is given or they cannot be.
Compilation comes before the first turn. `pattern-1010` is over in a fraction of a second, so that its pictures take
longer than its rounds: it is also measured at its own length. Plain runs with one thread and with torch's default
number; the faster is the baseline. The table is printed and written to `results/` with the values of every turn.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any, Protocol

import torch
from plain import fashion_fc, mnist_reference, num_gan_2, pattern_1010

from sparring.datasets import Source
from sparring.datasets._images import Images
from sparring.errors import SparringError
from sparring.game.assembly import game_of, part_of, threads_for
from sparring.game.compile.plan import plan
from sparring.game.game import Game, PlayTo
from sparring.game.runtime import keep_freed_memory, threads_set
from sparring.recipe import Recipe, find_recipe
from sparring.record import RunFolder
from sparring.training.single import chores_for
from sparring.training.trainer import CURVE_STEP, Trainer

RESULTS = Path(__file__).parent / "results"
PLAIN: dict[str, ModuleType] = {
    "pattern-1010": pattern_1010,
    "num-gan-2": num_gan_2,
    "fashion-fc": fashion_fc,
    "mnist-reference": mnist_reference,
}
LONG, OWN = "long", "own"
"""The length of a run, which sets the distance between its log points."""
HALF = "bfloat16"
DUELS = (
    *(("pattern-1010", seeds, LONG, "float32") for seeds in (1, 4, 16, 64, 256, 1024, 4096)),
    *(("pattern-1010", seeds, OWN, "float32") for seeds in (1, 64, 1024)),
    ("num-gan-2", 1, LONG, "float32"),
    ("num-gan-2", 8, LONG, "float32"),
    ("fashion-fc", 1, LONG, "float32"),
    ("fashion-fc", 1, LONG, HALF),
    ("fashion-fc", 16, LONG, "float32"),
    ("fashion-fc", 16, LONG, HALF),
    ("mnist-reference", 1, LONG, "float32"),
    ("mnist-reference", 1, LONG, HALF),
    ("digits", 8, LONG, "float32"),
)
"""Recipe, seeds, length, and the compute precision of our networks; the baseline computes in float32."""
WARM_UP = 1
"""Pairs played before the first that counts."""
LONGER = 10_000
"""A recipe is made this much longer, so that no measurement comes to its end."""
LONG_RUN, PACED_SECONDS, MAX_PACED = 240.0, 0.5, 64
"""How long a long run takes, and how long rounds are timed to find how many it has."""


class Side(Protocol):
    """One of the two that take turns."""

    label: str
    threads: int

    def play(self, seconds: float) -> float:
        """Train for about this long; returns seed-rounds per second."""
        ...


class Plain:
    """A learner's script with a number of threads."""

    def __init__(self, script: ModuleType, data: Sequence[torch.Tensor], threads: int):
        self.label, self.threads = "plain PyTorch", threads
        self._script, self._match = script, script.setup(*data)

    def play(self, seconds: float) -> float:
        with threads_set(self.threads):
            began, rounds = time.perf_counter(), 0
            while (spent := time.perf_counter() - began) < seconds:
                self._script.play(10, self._match)
                rounds += 10
        return rounds / spent


class Ours:
    """A training in a folder that is thrown away."""

    def __init__(
        self, recipe: Recipe, source: Source, folder: Path, compiled: bool, length: str, threads: int | None = None
    ):
        self.label, self.threads = f"ours, {_seeds(len(recipe.seeds))}", threads or threads_for(recipe)
        endless = replace(recipe, rounds=recipe.rounds * LONGER, log_points=1)
        run = RunFolder(folder)
        run.create(endless.to_json())
        game = game_of(endless, source)
        with threads_set(self.threads):
            how = plan(game, compiled, endless.id, part_of(endless, source))
            rounds = recipe.rounds if length == OWN else max(recipe.rounds, _rounds_within(LONG_RUN, game, how.play_to))
        self.compiled, self.group = how.compiled, how.group
        if how.message:
            print(how.message, file=sys.stderr)
        self._trainer = Trainer(endless, game, run, chores_for(), [self._pause_in_time])
        self._trainer.play_to = how.play_to
        self._trainer.curve_step = Trainer(replace(recipe, rounds=rounds), game, run).curve_step
        self._trainer.log_rounds = [*range(0, rounds * LONGER, max(1, rounds // recipe.log_points))]
        self._until = 0.0

    def play(self, seconds: float) -> float:
        game = self._trainer.game
        with threads_set(self.threads):
            began, before = time.perf_counter(), game.round
            self._until = began + seconds
            with suppress(_PauseError):
                self._trainer.go()
            spent = time.perf_counter() - began
        return (game.round - before) * len(self._trainer.recipe.seeds) / spent

    def _pause_in_time(self, trainer: Trainer) -> None:
        if time.perf_counter() > self._until:
            raise _PauseError


def _rounds_within(seconds: float, game: Game, play_to: PlayTo) -> int:
    """How many rounds fit in, by the pace of a few; the state of the game is preserved."""
    with game.preserving_state():
        play_to(1, CURVE_STEP)
        began, rounds, turn = time.perf_counter(), 0, 1
        while (spent := time.perf_counter() - began) < PACED_SECONDS or not rounds:
            play_to(game.round + turn, CURVE_STEP)
            rounds, turn = rounds + turn, min(2 * turn, MAX_PACED)
    return int(seconds / spent * rounds)


class _PauseError(Exception):
    """Leaves the trainer's loop between two rounds, without the log point and checkpoint at the end of a run."""


@dataclass(frozen=True)
class Measurement:
    """Both sides of one recipe. Rates are seed-rounds per second, one for each pair of turns."""

    recipe: str
    seeds: int
    length: str
    precision: str
    baseline: str
    baseline_threads: int
    baseline_rates: list[float]
    other_threads: dict[int, list[float]]
    """The baseline's rates with the numbers of threads with which it was slower."""
    threads: int
    rates: list[float]
    compiled: bool
    """Ours."""
    group: int | None
    """Members per group of ours, if not all together."""

    @property
    def ratios(self) -> list[float]:
        return [ours / theirs for ours, theirs in zip(self.rates, self.baseline_rates, strict=True)]


def take_turns(baselines: Sequence[Side], ours: Side, pairs: int, seconds: float) -> list[list[float]]:
    """Rates of each side, in the order given, ours last."""
    sides = (*baselines, ours)
    turns = [[side.play(seconds) for side in sides] for _ in range(WARM_UP + pairs)]
    return [list(rates) for rates in zip(*turns[WARM_UP:], strict=True)]


def measure(
    name: str,
    seeds: int,
    length: str,
    precision: str,
    source: Source,
    pairs: int,
    seconds: float,
    folder: Path,
    compiled: bool,
) -> Measurement:
    recipe = find_recipe(name)
    mine = recipe.replace(seeds=seeds, precision=precision)
    ours = Ours(mine, source, folder / f"{name}-{seeds}-{length}-{precision}", compiled, length)
    baselines: list[Side]
    if name in PLAIN:
        data = [source.pixels] if isinstance(source, Images) else []
        baselines = [Plain(PLAIN[name], data, threads) for threads in sorted({1, torch.get_num_threads()})]
    else:  # no write-up describes it, so its baseline is one seed of ours
        baselines = [Ours(recipe, source, folder / f"{name}-alone", compiled, length)]
    *theirs, rates = take_turns(baselines, ours, pairs, seconds)
    best = max(range(len(theirs)), key=lambda index: median(theirs[index]))
    return Measurement(
        recipe=name,
        seeds=seeds,
        length=length,
        precision=precision,
        baseline=baselines[best].label,
        baseline_threads=baselines[best].threads,
        baseline_rates=theirs[best],
        other_threads={side.threads: theirs[i] for i, side in enumerate(baselines) if i != best},
        threads=ours.threads,
        rates=rates,
        compiled=ours.compiled,
        group=ours.group,
    )


def source_of(recipe: Recipe, data_dir: Path | None) -> Source:
    """The recipe's data; noise of the same shape where no folder of MNIST or Fashion-MNIST was named."""
    if recipe.data.shape == (1, 28, 28) and data_dir is None:
        noise = torch.randint(256, (60_000, *recipe.data.shape), dtype=torch.uint8)
        return Images(noise, recipe.data.span)
    return recipe.data.open(data_dir, "cpu")


def report(measurements: Sequence[Measurement], pairs: int, seconds: float, real: bool) -> dict[str, Any]:
    return {
        "date": date.today().isoformat(),
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {"python": platform.python_version()} | {n: version(n) for n in ("sparring", "torch", "numpy")},
        "images": "MNIST and Fashion-MNIST" if real else "noise of the same shape (timing does not depend on content)",
        "pairs": pairs,
        "seconds": seconds,
        "measurements": [
            {
                "recipe": m.recipe,
                "seeds": m.seeds,
                "length": m.length,
                "precision": m.precision,
                "baseline": m.baseline,
                "ratio": {"median": median(m.ratios), "min": min(m.ratios), "max": max(m.ratios)},
                "baseline_threads": m.baseline_threads,
                "baseline_rates": [round(rate, 2) for rate in m.baseline_rates],
                "other_threads": {str(k): [round(rate, 2) for rate in v] for k, v in m.other_threads.items()},
                "threads": m.threads,
                "rates": [round(rate, 2) for rate in m.rates],
                "compiled": m.compiled,
                "group": m.group,
            }
            for m in measurements
        ],
    }


def table(found: Mapping[str, Any]) -> str:
    """A report in Markdown."""
    versions = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    lines = [
        f"Measured on {found['date']}: {found['processor']}, cores: {found['cores']}, {found['system']}; {versions}. "
        f"{found['pairs']} pairs of turns of {found['seconds']:g} s after {WARM_UP} of warm-up. "
        f"Images: {found['images']}.",
        "",
        "| recipe | seeds | baseline | its seed-rounds/s | ours, seed-rounds/s | ratio | min to max | threads | code |",
        "| --- | ---: | --- | ---: | ---: | ---: | --- | --- | --- |",
    ]
    for m in found["measurements"]:
        ratio = m["ratio"]
        own = f", {find_recipe(m['recipe']).rounds:,} rounds" if m.get("length") == OWN else ""
        cells = (
            m["recipe"] + own,
            f"{m['seeds']:,}",
            m["baseline"],
            _digits(median(m["baseline_rates"])),
            _digits(median(m["rates"])),
            f"**{_digits(ratio['median'])}**",
            f"{_digits(ratio['min'])} to {_digits(ratio['max'])}",
            f"{m['baseline_threads']}, {m['threads']}",
            ("compiled" if m["compiled"] else "not compiled")
            + (f", {HALF}" if m.get("precision") == HALF else "")
            + (f", groups of {m['group']}" if m.get("group") else ""),
        )
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "Rates are medians; a ratio is the median of the pairs'. Threads: the baseline's, then ours. Code: ours; the "
        f"baseline is not compiled and computes in float32. Run length: {LONG_RUN / 60:.0f} minutes, unless the table "
        "gives a number of rounds.",
    ]
    return "\n".join(lines)


def newest(results: Path = RESULTS) -> str:
    """The table of the newest report, for the docs."""
    reports = sorted(results.glob("*-speed.json"))
    return table(json.loads(reports[-1].read_text(encoding="utf-8"))) if reports else "Not measured yet: `make bench`."


def processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _digits(value: float) -> str:
    """Two digits after the point below 10, one below 100, none from there on."""
    return f"{value:,.{2 if value < 10 else 1 if value < 100 else 0}f}"


def _seeds(count: int) -> str:
    return f"{count:,} seed{'s' if count > 1 else ''}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="How fast Sparring trains, beside plain PyTorch.")
    folder = os.environ.get("SPARRING_DATA")
    parser.add_argument("--data-dir", type=Path, default=Path(folder) if folder else None, help="MNIST, Fashion-MNIST")
    parser.add_argument("--pairs", type=int, default=9, help="pairs of turns that count (9)")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a turn (2)")
    parser.add_argument("--no-compile", action="store_true", help="do not compile our rounds")
    parser.add_argument("--only", default="", help="measure only this recipe")
    parser.add_argument("--json", type=Path, help="a second file for the raw values")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the table and the raw values")
    return parser.parse_args()


def main() -> int:
    asked = _arguments()
    random.seed(0)
    torch.manual_seed(0)
    keep_freed_memory()
    measurements: list[Measurement] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, seeds, length, precision in DUELS:
            if asked.only not in ("", name):
                continue
            try:
                source = source_of(find_recipe(name), asked.data_dir)
            except SparringError as error:
                print(error, file=sys.stderr)
                return 1
            compiled = not asked.no_compile
            played = name, seeds, length, precision
            found = measure(*played, source, asked.pairs, asked.seconds, Path(folder), compiled)
            measurements.append(found)
            print(
                f"{name}, {_seeds(seeds)}, {length}, {precision}: {_digits(median(found.ratios))} x {found.baseline}",
                file=sys.stderr,
            )
    result = report(measurements, asked.pairs, asked.seconds, asked.data_dir is not None)
    text, values = table(result), json.dumps(result, indent=2) + "\n"
    print(text)
    stem = f"{result['date']}-speed"
    for path, content in (
        (asked.results / f"{stem}.md", f"# Speed, {result['date']}\n\n{text}\n"),
        (asked.results / f"{stem}.json", values),
        *([(asked.json, values)] if asked.json else []),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
