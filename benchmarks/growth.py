"""What a round costs as seeds, batch and width grow, beside a plain PyTorch loop and beside what the hardware allows.

    python benchmarks/growth.py [--data-dir DIR] [--turns N] [--seconds S] [--only seeds batch width memory groups]

One thread on both sides. Plain and ours take turns, as in `speed.py`, and each value is the median over N turns. The
limit of a round is the larger of two times: its floating-point operations (counted by torch) over those per second of a
large matrix product, and the bytes of weights and optimizer that its steps read and write over those per second of a
pass over as many bytes; activations are assumed to stay in the cache. Both speeds are measured here.

Memory is the growth of a process from fewer members to more, divided by the weights, gradients and optimizer state of
the additional members; each value comes from a process of its own.

Groups compares a population trained in groups of several sizes and all together, on one thread and on two, to check
whether the automatically chosen size is the best.

Results go to `results/growth.json`, from which `make docs` takes a table in docs/speed.md; the curves to
docs/pictures/growth.png.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

# Before torch is loaded: threads that spin long while they wait starve each other.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
os.environ["OMP_NUM_THREADS"] = "1"

import torch
from broken_gans import write
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from plain import fashion_fc
from rounds import LONG, PLAIN, Ours, Plain, processor, source_of, take_turns
from torch.utils.flop_counter import FlopCounterMode

from sparring.datasets._images import Images
from sparring.game.assembly import game_of, part_of
from sparring.game.compile.compiled import CompiledGame
from sparring.game.compile.groups import group_size
from sparring.game.game import Game, Who
from sparring.game.runtime import keep_freed_memory, threads_set
from sparring.recipe import Recipe, find_recipe
from sparring.report.figures.drawing import LIGHT, SMALL, TEXT, as_png, blank, dress
from sparring.training.trainer import CURVE_STEP, TURN_SECONDS

RESULTS = Path(__file__).parent / "results" / "growth.json"
PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "growth.png"
SEEDS = {
    "pattern-1010": (1, 4, 16, 64, 256, 1024, 4096),
    "num-gan-2": (1, 2, 4, 8, 16, 32, 64),
    "fashion-fc": (1, 2, 4, 8, 16, 32, 64),
}
BATCHES = (8, 32, 128, 512)
WIDTH = fashion_fc.WIDTH
WIDTHS = (32, 128, 512, 2048)
"""Of the hidden layer of either network of `fashion-fc`."""
MEMORY = {"pattern-1010": (4096, 16384), "num-gan-2": (16, 64), "fashion-fc": (64, 256)}
"""Members before and after."""
GROUPS = {
    "pattern-1010": (1024, (64, 128, 256, 512)),
    "num-gan-2": (16, (1, 2, 4, 8)),
    "digits": (16, (1, 2, 4, 8)),
    "fashion-fc": (16, (1, 2, 4, 8)),
}
"""Members, and how many of them are tried together."""
THREADS, GROUP_SECONDS = (1, 2), 2.0
"""Numbers of threads, and how long each trial lasts."""
LARGE = 1024
"""Side of the matrices by whose product operations per second are measured."""
COST, LIMIT, BASELINE = "sparring", "limit", "plain PyTorch"


@dataclass(frozen=True)
class Point:
    """One place on a curve."""

    curve: str
    """`seeds`, `batch` or `width`."""
    recipe: Recipe
    at: int

    @property
    def name(self) -> str:
        return f"{self.curve}: {self.recipe.name} {self.at}"


def points() -> Iterator[Point]:
    """Every one."""
    for name, counts in SEEDS.items():
        yield from (Point("seeds", find_recipe(name).replace(seeds=count), count) for count in counts)
    fashion = find_recipe("fashion-fc")
    yield from (Point("batch", fashion.replace(batch=count), count) for count in BATCHES)
    for width in WIDTHS:
        networks: dict[str, Any] = {
            player: replace(getattr(fashion, player), hidden=(width,)) for player in ("generator", "discriminator")
        }
        yield Point("width", fashion.replace(**networks), width)


def measured(point: Point, arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Seconds of a round of one seed: ours, plain, and the hardware limit."""
    source = source_of(point.recipe, arguments.data_dir)
    fashion_fc.BATCH = point.recipe.batch
    fashion_fc.WIDTH = point.at if point.curve == "width" else WIDTH
    plain = Plain(PLAIN[point.recipe.name], [source.pixels] if isinstance(source, Images) else [], 1)
    ours = Ours(point.recipe, source, folder / point.name.replace(" ", "-"), compiled=True, length=LONG, threads=1)
    theirs, mine = take_turns([plain], ours, arguments.turns, arguments.seconds)
    seeds = len(point.recipe.seeds)
    return {
        "ours": [1 / rate for rate in mine if rate],  # a whole turn may go to one log point
        "plain": [1 / rate for rate in theirs],
        "limit": limit(game_of(point.recipe, source), _stored()["machine"]["operations"]) / seeds,
        "compiled": ours.compiled,
        "date": date.today().isoformat(),
    }


def limit(game: Game, operations: float) -> float:
    """The minimum seconds of a round at this number of operations per second."""
    moved = 0

    def learn(who: Who, loss: torch.Tensor) -> None:
        nonlocal moved
        moved += 2 * state(game, who)
        Game.learn(game, who, loss)

    game.play()
    game.learn = learn
    with FlopCounterMode(display=False) as counted:
        game.play()
    return max(counted.get_total_flops() / operations, moved / bytes_a_second(moved // 2))


def state(game: Game, who: Who) -> int:
    """Bytes of a player's weights and optimizer state."""
    player = game.players[who]
    optimizer_state = (tensor for tensors in player.memory.values() for tensor in tensors)
    return sum(t.numel() * t.element_size() for t in (*player.networks.parameters, *optimizer_state))


def operations_a_second() -> float:
    a, b = torch.randn(LARGE, LARGE), torch.randn(LARGE, LARGE)
    return 2 * LARGE**3 / _quickest(lambda: a @ b)


def bytes_a_second(size: int) -> float:
    """Speed of a pass that reads and writes this many bytes."""
    data = torch.ones(max(1, size // 4))
    return 8 * len(data) / _quickest(lambda: data.mul_(1.0))


def _quickest(work: Callable[[], object]) -> float:
    seconds: list[float] = []
    until = time.perf_counter() + 0.3
    while time.perf_counter() < until:
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def grown(name: str, members: int, compiled: bool, data_dir: Path | None) -> dict[str, int]:
    """Peak memory of this process, and the bytes of weights, gradients and optimizer state of the members."""
    recipe = find_recipe(name).replace(seeds=members)
    keep_freed_memory()
    source = source_of(recipe, data_dir)
    game = game_of(recipe, source)
    if compiled:
        size = group_size(game, 1)
        variant = CompiledGame(game, part_of(recipe, source)(size) if size < members else None)
        variant.play_to(3, CURVE_STEP)
    else:
        game.play_to(3, CURVE_STEP)
    weights = sum(p.numel() * p.element_size() for player in game.players.values() for p in player.networks.parameters)
    states = sum(state(game, who) for who in game.players)
    return {"peak": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, "needed": states + weights}


def memory(name: str, data_dir: Path | None) -> dict[str, Any]:
    """Bytes per member: growth of the process, uncompiled and compiled, and the size of the state."""
    entry: dict[str, Any] = {"members": MEMORY[name], "date": date.today().isoformat()}
    more = MEMORY[name][1] - MEMORY[name][0]
    for variant in ("compiled", "taken"):
        found: list[dict[str, int]] = []
        for members in MEMORY[name]:
            command = [sys.executable, __file__, "--grown", name, str(members), variant]
            command += ["--data-dir", str(data_dir)] if data_dir else []
            for _ in range(2 if variant == "compiled" else 1):  # the compiler's own memory does not count
                done = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            found.append(json.loads(done))
        entry[variant], entry["needed"] = ((found[1][key] - found[0][key]) / more for key in ("peak", "needed"))
    return entry


def groups(name: str, threads: int, turns: int, data_dir: Path | None) -> dict[str, Any]:
    """Seconds of a round of one seed for each group size, and the size that would be chosen."""
    members, sizes = GROUPS[name]
    recipe = find_recipe(name).replace(seeds=members)
    source = source_of(recipe, data_dir)
    with threads_set(threads):
        game = game_of(recipe, source)
        chosen = group_size(game, threads)
        variants = {size: CompiledGame(game, part_of(recipe, source)(size)) for size in sizes}
        variants[members] = CompiledGame(game)
        found: dict[int, list[float]] = {size: [] for size in variants}
        for _ in range(1 + turns):
            for size, variant in variants.items():
                found[size].append(_paced(variant, members))
    seconds = {str(size): seconds[1:] for size, seconds in found.items()}
    return {"seconds": seconds, "chosen": chosen, "members": members, "date": date.today().isoformat()}


def _paced(variant: CompiledGame, members: int) -> float:
    """Seconds of a round and member, in turns as long as the trainer's."""
    began, rounds, turn = time.perf_counter(), 0, 1
    while (spent := time.perf_counter() - began) < GROUP_SECONDS:
        begins = time.perf_counter()
        variant.play_to(variant.game.round + turn, CURVE_STEP)
        rounds += turn
        if time.perf_counter() - begins < TURN_SECONDS / 2:
            turn *= 2
    return spent / rounds / members


# Tables and curves.


def _stored() -> dict[str, Any]:
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def table() -> str:
    """Markdown."""
    stored = _stored()
    if not stored:
        return "Not run yet."
    machine = stored["machine"]
    lines = [
        f"{machine['processor']}, one thread, torch {machine['torch']}, {machine['date']}; "
        f"{machine['operations'] / 1e9:,.0f} GFLOP/s. Microseconds of a round, for each seed:",
        "",
        "| recipe | what grows | | plain | ours | speedup | limit | ours, relative to the limit |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for point in points():
        if each := stored.get(point.name):
            ours, plain = median(each["ours"]), median(each["plain"])
            lines.append(
                f"| {point.recipe.name} | {point.curve} | {point.at:,} | {_micro(plain)} | {_micro(ours)} "
                f"| {plain / ours:,.3g} | {_micro(each['limit'])} | {ours / each['limit']:.2g} |"
            )
    memories = {name: stored[f"memory: {name}"] for name in MEMORY if f"memory: {name}" in stored}
    if memories:
        lines += [
            "",
            "| recipe | members | weights, gradients, optimizer: kB each | the process grew by: kB each | ratio "
            "| compiled: kB each | ratio |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        ]
        lines += [
            f"| {name} | {each['members'][0]:,} to {each['members'][1]:,} | {each['needed'] / 1e3:,.3g} "
            f"| {each['taken'] / 1e3:,.3g} | {each['taken'] / each['needed']:.2f} "
            f"| {each['compiled'] / 1e3:,.3g} | {each['compiled'] / each['needed']:.2f} |"
            for name, each in memories.items()
        ]
    tried = [(name, threads, stored.get(f"groups: {name} {threads}")) for name in GROUPS for threads in THREADS]
    for name, threads, each in tried:
        if each:
            sizes = list(each["seconds"])
            heads = [f"of {int(size):,}" for size in sizes[:-1]] + ["together"]
            cells = [_micro(median(seconds)) for seconds in each["seconds"].values()]
            cells = [f"**{c}**" if int(s) == each["chosen"] else c for s, c in zip(sizes, cells, strict=True)]
            lines += [
                "",
                f"| {name}, {each['members']:,} seeds, {_threads(threads)} | {' | '.join(heads)} |",
                f"| --- |{' ---: |' * len(cells)}",
                f"| µs per round and seed | {' | '.join(cells)} |",
            ]
    return "\n".join(lines)


def _threads(count: int) -> str:
    return f"{count} thread" + "s" * (count > 1)


def _micro(seconds: float) -> str:
    return f"{1e6 * seconds:,.3g}" if seconds < 1e-4 else f"{1e6 * seconds:,.0f}"


def draw() -> None:
    """A panel for each curve: microseconds of a round, for each seed, on two logarithmic axes."""
    stored = _stored()
    figure = blank(LIGHT, 5.6)
    panels: list[tuple[str, str]] = [("seeds", name) for name in SEEDS]
    panels += [("batch", "fashion-fc"), ("width", "fashion-fc")]
    axes = figure.subplots(2, 3).flatten()
    for place, (curve, name) in zip(axes, panels, strict=False):
        _panel(place, curve, name, stored)
    for curve, hue, style in _styles():
        axes[5].plot([], [], color=hue, linestyle=style, marker="o", markersize=3, label=curve)
    axes[5].legend(loc="center", frameon=False, fontsize=TEXT)
    axes[5].set_axis_off()
    PICTURE.write_bytes(as_png(figure))


def _styles() -> tuple[tuple[str, str, Any], ...]:
    return (
        (BASELINE, LIGHT.hues["g_loss"], "-"),
        (COST, LIGHT.hues["d_loss"], "-"),
        (LIMIT, LIGHT.ink, (0, (4, 2))),
    )


def _panel(axes: Axes, curve: str, name: str, stored: dict[str, Any]) -> None:
    mine = [point for point in points() if (point.curve, point.recipe.name) == (curve, name)]
    found = [(point.at, stored[point.name]) for point in mine if point.name in stored]
    dress(axes, LIGHT)
    if not found:
        return
    keys = {BASELINE: "plain", COST: "ours", LIMIT: "limit"}
    for label, hue, style in _styles():
        values = [each[keys[label]] for _, each in found]
        heights = [1e6 * (median(v) if isinstance(v, list) else v) for v in values]
        axes.plot([at for at, _ in found], heights, color=hue, linestyle=style, marker="o", markersize=3)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: f"{at:,.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda at, _: f"{at:,g}"))
    axes.yaxis.set_major_locator(
        LogLocator(subs=(1.0, 2.0, 5.0) if curve == "seeds" and name != "pattern-1010" else (1.0,))
    )
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_title(name, fontsize=TEXT, color=LIGHT.ink)
    axes.set_xlabel({"seeds": "seeds", "batch": "examples in a batch", "width": "hidden units"}[curve], fontsize=SMALL)
    axes.set_ylabel("µs per round and seed", fontsize=SMALL)


def main() -> None:
    """Measure what is asked for, and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--only", nargs="*", default=["seeds", "batch", "width", "memory", "groups"])
    parser.add_argument("--grown", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.grown:
        name, members, variant = arguments.grown
        print(json.dumps(grown(name, int(members), variant == "compiled", arguments.data_dir)))
        return
    machine = {"processor": processor(), "torch": torch.__version__, "date": date.today().isoformat()}
    write(RESULTS, "machine", {**machine, "operations": operations_a_second()})
    keep_freed_memory()
    if "memory" in arguments.only:
        for name in MEMORY:
            write(RESULTS, f"memory: {name}", memory(name, arguments.data_dir))
    for name in GROUPS if "groups" in arguments.only else ():
        for threads in THREADS:
            write(RESULTS, f"groups: {name} {threads}", groups(name, threads, arguments.turns, arguments.data_dir))
    for point in points():
        if point.curve in arguments.only:
            with tempfile.TemporaryDirectory() as folder:
                found = measured(point, arguments, Path(folder))
            if found["ours"]:
                write(RESULTS, point.name, found)
            print(
                f"{point.name}: {'done' if found['ours'] else 'no round fits into a turn; use a larger --seconds'}",
                flush=True,
            )
    draw()
    print(table())


if __name__ == "__main__":
    main()
