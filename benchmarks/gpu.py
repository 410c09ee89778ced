"""How fast Sparring trains on a GPU, where the time goes, and whether what it promises on a CPU holds there too.

    python benchmarks/gpu.py [--data-dir DIR] [--device cuda] [--seconds S] [--only RECIPE] [--skip PART ...]
                             [--json FILE]

Five parts, about four minutes in all. None needs the network: where MNIST's files are not named, noise of the same
shape stands in for them.

rounds  Each game is played plainly and as a CUDA graph, for S seconds each. Printed are milliseconds per round, seconds
        to record the graph, how far both are apart after a few rounds from the same start, whether each gives the same
        bits twice, and how far a population is from its last member trained alone. Distances are shares of how far the
        rounds moved the weights: the median over tensors, and the largest.
capture Whether a CUDA graph can be recorded with every trick, optimizer and objective, class-conditional, in bfloat16,
        and with a network of one's own; where it cannot, why. How far it is from the plain rounds after a few.
train   `sparring.train` as it is called with nothing but defaults: seconds of each of its parts, of the chores, and the
        functions that take most of the time.
command `sparring train digits` in a process of its own, as a user types it: seconds of importing, of starting the GPU,
        of each part and of the report (`gpu_command.py`).
resume  A run that was left and resumed, beside the same run never left: whether all weights have the same bytes.
"""

from __future__ import annotations

import argparse
import cProfile
import functools
import io
import json
import os
import pstats
import subprocess
import sys
import tempfile
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import torch
from rounds import processor
from torch import Tensor, nn

import sparring
from sparring import catalogue
from sparring.datasets._images import Images
from sparring.game.assembly import game_of
from sparring.game.compile.plan import plan
from sparring.game.game import Game, PlayTo
from sparring.game.runtime import reproducible_kernels
from sparring.recipe import Recipe, find_recipe
from sparring.record import RunFolder
from sparring.training import single, start
from sparring.training.trainer import Trainer

CASES = (
    ("pattern-1010", 64),
    ("digits", 4),
    ("mnist", 4),
    ("mnist-own", 4),
    ("mnist-reference", 4),
    ("mnist-v3.1", 4),
)
"""Recipe and seeds."""
TRAINED = (("digits", 4, 600), ("pattern-1010", 64, 10_000))
"""Recipe, seeds and rounds of whole trainings."""
COMPARED_ROUNDS = 20
EVERY = 10
"""Rounds between two that are logged."""
SLOWEST = 18
"""Functions of a profile that are printed."""


# Rounds.


def rounds_of(name: str, seeds: int, asked: argparse.Namespace) -> dict[str, Any]:
    """All figures of one game."""
    recipe = find_recipe(name).replace(seeds=seeds)
    recipe, source = with_source(recipe, asked)
    make = functools.partial(game_of, recipe, source, asked.device)
    game = make()
    row: dict[str, Any] = {"recipe": name, "seeds": seeds}
    row["plain_free_ms"] = milliseconds_per_round(game, game.play_to, asked.seconds / 2)
    with reproducible_kernels():
        return row | _as_trained(recipe, source, make, asked)


def _as_trained(recipe: Recipe, source: Any, make: Callable[[], Game], asked: argparse.Namespace) -> dict[str, Any]:
    """With the kernels that a training uses, which give the same bits every time."""
    row: dict[str, Any] = {}
    game = make()
    row["plain_ms"] = milliseconds_per_round(game, game.play_to, asked.seconds)
    graphed = make()
    began = time.perf_counter()
    how = plan(graphed, True, recipe.id)
    torch.cuda.synchronize()
    row["record_s"], row["compiled"], row["message"] = time.perf_counter() - began, how.compiled, how.message
    if how.compiled:
        row["graph_ms"] = milliseconds_per_round(graphed, how.play_to, asked.seconds)
        row["ratio"] = row["plain_ms"] / row["graph_ms"]
    before = [t.detach().clone() for t in make().tensors]
    plain, again = tensors_after(make(), None), tensors_after(make(), None)
    row["plain_twice"] = same_bits(plain, again)
    if how.compiled:
        graph, once_more = tensors_after(make(), recipe.id), tensors_after(make(), recipe.id)
        row["graph_twice"] = same_bits(graph, once_more)
        row["graph_from_plain"] = distances(graph, plain, before)
        row["graph_is_plain"] = same_bits(graph, plain)
    alone = game_of(recipe.replace(seeds=recipe.seeds[-1:]), source, asked.device)
    first = [t.detach().clone() for t in alone.tensors]
    of_last = [t[-1:] if t.dim() else t for t in plain]
    row["population_from_solo"] = distances(of_last, tensors_after(alone, None), first)
    return row


def with_source(recipe: Recipe, asked: argparse.Namespace) -> tuple[Recipe, Any]:
    """The recipe's data on the device; noise of the same shape for MNIST whose files were not named."""
    if recipe.data.shape == (1, 28, 28) and asked.data_dir is None:
        random = torch.Generator().manual_seed(0)
        noise = torch.randint(256, (60_000, *recipe.data.shape), dtype=torch.uint8, generator=random)
        labels = torch.arange(60_000).remainder(10).numpy()
        return recipe, Images(noise.to(asked.device), recipe.data.span, labels)
    return recipe, recipe.data.open(asked.data_dir, asked.device)


def milliseconds_per_round(game: Game, play_to: PlayTo, seconds: float) -> float:
    """By the wall clock, in turns as a trainer plays them, after a first turn that does not count."""
    play_to(game.round + 3, EVERY)
    torch.cuda.synchronize()
    began, start, turn = time.perf_counter(), game.round, 1
    while (spent := time.perf_counter() - began) < seconds:
        play_to(game.round + turn, EVERY)
        torch.cuda.synchronize()
        turn = min(2 * turn, 256) if spent < seconds / 8 else turn
    return 1e3 * (time.perf_counter() - began) / (game.round - start)


def tensors_after(game: Game, graph_for: str | None) -> list[Tensor]:
    """A game's tensors after COMPARED_ROUNDS rounds, played plainly or as a CUDA graph."""
    play_to = plan(game, True, graph_for).play_to if graph_for else game.play_to
    play_to(COMPARED_ROUNDS, EVERY)
    return [t.detach().clone() for t in game.tensors]


def same_bits(some: list[Tensor], others: list[Tensor]) -> bool:
    return all(torch.equal(one, other) for one, other in zip(some, others, strict=True))


def distances(some: list[Tensor], others: list[Tensor], before: list[Tensor]) -> dict[str, float]:
    """The median and the largest distance of two tensors, as a share of how far the second has moved."""
    found: list[float] = []
    for one, other, old in zip(some, others, before, strict=True):
        moved = float((other - old).double().norm() + 1e-5 * other.double().norm())
        if other.is_floating_point() and moved > 0:
            found.append(float((one - other).double().norm()) / moved)
    return {"median": median(found), "largest": max(found)}


# What can be recorded.


def captures(asked: argparse.Namespace) -> Generator[tuple[str, Recipe]]:
    """A small recipe with one thing changed, and the name of the change."""
    plain = find_recipe("digits").replace(seeds=2, batch=16, rounds=2 * COMPARED_ROUNDS)
    yield "plain", plain
    yield "conditional", plain.replace(conditional=True)
    yield "bfloat16", plain.replace(precision="bfloat16")
    yield "own network", plain.replace(discriminator=own_network)
    for name in catalogue.entries("tricks"):
        yield name, plain.replace(tricks=(catalogue.make("tricks", name, {}),))
    for name in catalogue.entries("optimizers"):
        leaf = catalogue.make("optimizers", name, {})
        yield (
            f"{name} with a schedule",
            plain.replace(
                generator_optimizer=leaf,
                discriminator_optimizer=leaf,
                tricks=(catalogue.read("tricks", "learning-rate-schedule(warm_up=0.3)"),),
            ),
        )
    for name in catalogue.entries("objectives"):
        yield name, plain.replace(objective=catalogue.make("objectives", name, {}))


def own_network() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.BatchNorm1d(32), nn.LeakyReLU(0.2), nn.Linear(32, 1))


def captured(name: str, recipe: Recipe, asked: argparse.Namespace) -> dict[str, Any]:
    """Whether and how well it is recorded."""
    source = recipe.data.open(asked.data_dir, asked.device)
    made = [game_of(recipe, source, asked.device) for _ in range(2)]
    before = [t.detach().clone() for t in made[0].tensors]
    how = plan(made[0], True, recipe.id)
    row: dict[str, Any] = {"captured": name, "compiled": how.compiled}
    if not how.compiled:
        return row | {"message": how.message}
    for play_to in (how.play_to, made[1].play_to):
        play_to(COMPARED_ROUNDS, EVERY)
    some, others = ([t.detach().clone() for t in game.tensors] for game in made)
    return row | {"same_bits": same_bits(some, others), "from_plain": distances(some, others, before)}


# Whole trainings.


class Clock:
    """Seconds spent in functions that are watched; what one watched function calls counts for both."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.calls: defaultdict[str, int] = defaultdict(int)

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            torch.cuda.synchronize()
            began = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                torch.cuda.synchronize()
                self.seconds[name] += time.perf_counter() - began
                self.calls[name] += 1

        return call

    @contextmanager
    def watching(self, more: Sequence[tuple[Any, str, str]] = ()) -> Generator[None]:
        """Time the parts of every training in this block, and more functions: where each is, its name and a title."""
        parts: list[tuple[Any, str, str]] = [
            (start, "prepare", "1 prepare (settle data, check the folder)"),
            (single, "threads_for", "2 choose threads"),
            (single, "game_of", "3 build the game"),
            (single, "begin", "4 write recipe and about"),
            (single, "_choose_how_to_play", "5 plan (record the CUDA graph)"),
            (single.Evaluator, "of", "6 make the evaluator"),
            (Trainer, "go", "7 train, of that:"),
            (Trainer, "_play_turn", "7a turns of rounds"),
            (Trainer, "_call_watchers", "7b watchers"),
        ]
        for kind in (single.Record, single.Evaluate, single.Divergence, single.Best, single.Checkpoint):
            parts += [(kind, hook, f"7c {kind.__name__}.{hook}") for hook in vars(kind) if hook in HOOKS]
        parts += more
        saved = [(owner, name, vars(owner)[name]) for owner, name, _ in parts]
        for owner, name, title in parts:
            original = vars(owner)[name]
            if isinstance(original, classmethod):
                setattr(owner, name, classmethod(self.timed(title, original.__func__)))
            else:
                setattr(owner, name, self.timed(title, original))
        try:
            yield
        finally:
            for owner, name, original in saved:
                setattr(owner, name, original)

    def table(self) -> str:
        names = sorted(self.seconds)
        return "\n".join(f"  {self.seconds[n]:8.2f} s  {self.calls[n]:6} calls  {n}" for n in names)


HOOKS = ("begin", "after_turn", "log_fields", "after_log", "end")


def trained(name: str, seeds: int, rounds: int, asked: argparse.Namespace, home: Path) -> dict[str, Any]:
    """What the parts of a training take, and a profile of the same training once more."""
    recipe = find_recipe(name).replace(seeds=seeds, rounds=rounds)
    clock = Clock()
    began = time.perf_counter()
    with clock.watching():
        run = sparring.train(recipe, home / f"{name}-timed", device=asked.device, data_dir=asked.data_dir)
    whole = time.perf_counter() - began
    about = run.folder.about
    print(f"{name}, {seeds} seeds, {rounds:,} rounds: {whole:.1f} s in all; compiled: {about.get('compiled')}")
    print(clock.table())
    profile = cProfile.Profile()
    began = time.perf_counter()
    profile.enable()
    sparring.train(recipe, home / f"{name}-profiled", device=asked.device, data_dir=asked.data_dir)
    profile.disable()
    text = io.StringIO()
    pstats.Stats(profile, stream=text).sort_stats("tottime").print_stats(SLOWEST)
    lines = [line for line in text.getvalue().splitlines() if line.strip()]
    print(f"  profiled, {time.perf_counter() - began:.1f} s:")
    print("\n".join(f"    {line.strip()[-150:]}" for line in lines[-SLOWEST - 1 :]), flush=True)
    return {"recipe": name, "seeds": seeds, "rounds": rounds, "seconds": whole, "parts": dict(clock.seconds)}


# Resuming.


def resumed(name: str, compile: bool | None, asked: argparse.Namespace, home: Path) -> dict[str, Any]:
    """Whether a run that was left half way ends in the bytes of one that was not."""
    recipe = find_recipe(name).replace(seeds=3, rounds=300, log_points=6)
    how = {"device": asked.device, "data_dir": asked.data_dir, "compile": compile, "metrics": False}

    def leave(trainer: Trainer) -> None:
        trainer.stopping = trainer.game.round >= 110

    whole = sparring.train(recipe, home / f"{name}-{compile}-whole", **how)
    twice = sparring.train(recipe, home / f"{name}-{compile}-twice", **how)
    left = sparring.train(recipe, home / f"{name}-{compile}-left", watchers=[leave], **how)
    stopped_at = left.round
    parts = sparring.train(recipe, home / f"{name}-{compile}-left", **how)
    return {
        "recipe": name,
        "compile": compile,
        "compiled": whole.folder.about.get("compiled"),
        "left_at": stopped_at,
        "resumed_equals_whole": weights(parts.folder) == weights(whole.folder),
        "equal_runs_are_equal": weights(twice.folder) == weights(whole.folder),
    }


def weights(run: RunFolder) -> bytes:
    return run.checkpoints()[-1].read_bytes()


# All of it.


def caught(report: list[dict[str, Any]], what: Callable[[], dict[str, Any]], name: str) -> None:
    """Add a result to the report; a failure is printed whole, and the others go on."""
    try:
        report.append(what())
    except Exception as error:
        traceback.print_exc()
        report.append({"recipe": name, "error": f"{type(error).__name__}: {error}"})
    if "parts" not in report[-1]:
        print(json.dumps({k: shown(v) for k, v in report[-1].items()}, ensure_ascii=False), flush=True)


def shown(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: shown(each) for name, each in value.items()}
    return float(f"{value:.3g}") if isinstance(value, float) else value


def main() -> int:
    parser = argparse.ArgumentParser(description="How fast Sparring trains on a GPU.")
    folder = os.environ.get("SPARRING_DATA")
    parser.add_argument("--data-dir", type=Path, default=Path(folder) if folder else None, help="folder of MNIST")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--seconds", type=float, default=1.5, help="of each measurement of rounds (1.5)")
    parser.add_argument("--only", default="", help="measure only this recipe")
    parser.add_argument("--skip", nargs="*", default=[], choices=["rounds", "capture", "train", "command", "resume"])
    parser.add_argument("--json", type=Path, help="a file for all figures")
    asked = parser.parse_args()
    if not torch.cuda.is_available():
        print("gpu.py needs a CUDA GPU: torch finds none", file=sys.stderr)
        return 1
    torch.zeros(1, device=asked.device)
    versions = {"torch": torch.__version__, "cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}
    print(json.dumps({"gpu": torch.cuda.get_device_name(asked.device), "processor": processor(), **versions}))
    report: dict[str, list[dict[str, Any]]] = {"rounds": [], "capture": [], "train": [], "resume": []}
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        for name, seeds in CASES if "rounds" not in asked.skip else ():
            if asked.only in ("", name):
                caught(report["rounds"], functools.partial(rounds_of, name, seeds, asked), name)
        for name, recipe in captures(asked) if "capture" not in asked.skip and not asked.only else ():
            caught(report["capture"], functools.partial(captured, name, recipe, asked), name)
        for name, seeds, rounds in TRAINED if "train" not in asked.skip else ():
            if asked.only in ("", name):
                caught(report["train"], functools.partial(trained, name, seeds, rounds, asked, home), name)
        if "command" not in asked.skip and not asked.only:
            print("sparring train digits, in a process of its own, the second time:", flush=True)
            for quiet in (True, False):
                command = [
                    sys.executable,
                    str(Path(__file__).with_name("gpu_command.py")),
                    str(time.time()),
                    asked.device,
                ]
                subprocess.run(command, capture_output=quiet, check=False)
        for name, compile in (("digits", False), ("digits", True), ("pattern-1010", True)):
            if "resume" not in asked.skip and asked.only in ("", name):
                caught(report["resume"], functools.partial(resumed, name, compile, asked, home), name)
    if asked.json:
        asked.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
