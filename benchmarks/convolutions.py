"""How fast rounds of small convolutions are, beside a plain loop of the same game and what torch's convolutions allow.

    python benchmarks/convolutions.py [--turns N] [--keep] [--without-avx512]

`auto` for images of 28 pixels in gray and of 32 and 64 in color, one seed, float32, one thread, on noise: what images
show does not matter for time. Three games take turns of some seconds each: a plain loop (`plain/auto_images.py`), ours
compiled, and ours compiled with all convolutions left to torch. Beside them the convolutions of both networks alone
(each forward, and its gradients by its input and by its weight), and a product of two matrices of 512 x 512, in
GFLOP/s. All by processor time. `--keep` puts these rows into `results/convolutions.json`, for docs/speed.md.

`--without-avx512` tells torch, oneDNN and MKL that the processor has AVX2 at most. The C++ compiler still compiles for
the processor that is there, but the vector operations that torch's compiler writes are then those of AVX2.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, cast

# Before torch is loaded: threads that spin long while they wait starve each other.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
os.environ.update(
    {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}
    if "--without-avx512" in sys.argv
    else {}
)

import numpy as np
import torch
from plain.auto_images import Loop
from rounds import processor
from torch import nn

from sparring.datasets.folder import Folder
from sparring.game import subpixel
from sparring.game.assembly import game_of, part_of
from sparring.game.compile.plan import plan
from sparring.game.game import Game, PlayTo
from sparring.game.runtime import threads_set
from sparring.recipe import Recipe, find_recipe

RESULTS = Path(__file__).parent / "results" / "convolutions.json"
SHAPES = {"28 x 28, gray": (28, 28), "32 x 32, color": (32, 32, 3), "64 x 64, color": (64, 64, 3)}
IMAGES, TURNS, TURN, ALONE = 1_024, 9, 3.0, 0.3
"""How many images of noise, how many turns, and the seconds of a turn and of each convolution alone."""
ENDLESS = 10**6
"""Rounds: more than any measurement plays."""
PERIOD = 8
"""A penalty is due in every eighth round."""


def per_call(call: Callable[[], object], seconds: float) -> float:
    """Seconds of a call, by processor time."""
    call()
    began, count = time.process_time(), 0
    while (spent := time.process_time() - began) < seconds:
        call()
        count += 1
    return spent / count


def games(recipe: Recipe) -> dict[str, Callable[[], object]]:
    """Title -> eight rounds of that game."""
    source: Any = recipe.data.open(None, "cpu")
    images = source.pixels.float().div(127.5).sub(1)
    G, D = recipe.generator.build((64,), recipe.data.shape), recipe.discriminator.build(recipe.data.shape, ())
    loop = Loop(images, G, D, ENDLESS)
    made: dict[str, Callable[[], object]] = {"plain": lambda: [loop.play() for _ in range(PERIOD)]}
    few = subpixel.FEW
    for title, channels in (("ours", few), ("torch's convolutions", 0)):
        subpixel.FEW = channels
        game = game_of(recipe, source)
        play_to = plan(game, True, recipe.id, part_of(recipe, source)).play_to
        play_to(PERIOD, 2**62)
        made[title] = partial(_play_on, game, play_to)
    subpixel.FEW = few
    return made


def _play_on(game: Game, play_to: PlayTo) -> None:
    play_to(game.round + PERIOD, 2**62)


def convolutions(recipe: Recipe) -> Iterator[tuple[nn.Module, torch.Tensor]]:
    """Every convolution of both networks, and what it takes in a round."""
    shape = recipe.data.shape
    networks = (recipe.generator.build((64,), shape), (64,)), (recipe.discriminator.build(shape, ()), shape)
    for network, takes in networks:
        x = torch.randn(recipe.batch, *takes)
        for layer in cast(nn.Sequential, network):
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                yield layer, x.detach()
            x = layer(x)


def gigaflops(recipe: Recipe) -> float:
    """Of all these convolutions alone: forward, and both gradients."""
    spent = operations = 0.0
    for layer, x in convolutions(recipe):
        x.requires_grad_()
        y = layer(x)
        slope, weight = torch.ones_like(y), cast(torch.Tensor, layer.weight)
        spent += per_call(lambda: torch.autograd.grad(layer(x), (x, weight), slope), ALONE)  # noqa: B023
        maps = (x if isinstance(layer, nn.ConvTranspose2d) else y)[:, 0].numel()  # each is in one product per weight
        operations += 3 * 2 * maps * weight.numel()
    return operations / spent / 1e9


def measured(side: Sequence[int], turns: int, home: Path) -> dict[str, Any]:
    """Milliseconds of a round in every turn, and GFLOP/s."""
    file = home / f"noise-{side[0]}.npy"
    np.save(file, np.random.default_rng(0).integers(0, 256, (IMAGES, *side), dtype=np.uint8))
    data = Folder(str(file))
    recipe = find_recipe("auto", sized_by=data).replace(seeds=(0,), rounds=ENDLESS)
    playing = games(recipe)
    took = [{title: 1e3 * per_call(play, TURN) / PERIOD for title, play in playing.items()} for _ in range(turns)]
    return {"ms": {title: [turn[title] for turn in took] for title in playing}, "GFLOP/s": gigaflops(recipe)}


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Markdown: milliseconds of a round, ratios to the plain loop, and the limits."""
    lines = [
        "| images | instructions | plain loop | ours | ratio | ours, torch's convolutions |"
        " convolutions alone | 512 x 512 product |",
        "| --- | --- | ---: | ---: | --- | ---: | ---: | ---: |",
    ]
    for row in rows:
        ms = row["ms"]
        ratios = sorted(plain / ours for plain, ours in zip(ms["plain"], ms["ours"], strict=True))
        plain, ours, left = (f"{median(ms[key]):.1f} ms" for key in ("plain", "ours", "torch's convolutions"))
        ratio = f"**{median(ratios):.2f}** ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        alone, product = f"{row['GFLOP/s']:.0f} GFLOP/s", f"{row['product']:.0f} GFLOP/s"
        what = f"{row['images']} | {row['instructions']}"
        lines.append(f"| {what} | {plain} | {ours} | {ratio} | {left} | {alone} | {product} |")
    where = "; ".join(dict.fromkeys(f"{row['where']}, {len(row['ms']['ours'])} turns" for row in rows))
    return "\n".join(["", *lines, "", f"Medians. {where}."])


def kept() -> list[dict[str, Any]]:
    """What was kept for the docs."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else []


def _place(row: dict[str, Any]) -> tuple[bool, int]:
    return row["instructions"] == "AVX2", list(SHAPES).index(row["images"])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--only", nargs="+", choices=tuple(SHAPES), default=tuple(SHAPES))
    parser.add_argument("--keep", action="store_true", help="put these rows into results/convolutions.json")
    parser.add_argument("--without-avx512", action="store_true", help="as on a processor that has AVX2 at most")
    asked = parser.parse_args()
    where = f"{processor()}, one thread, torch {torch.__version__}, {date.today().isoformat()}"
    a = torch.randn(512, 512)
    rows: list[dict[str, Any]] = []
    with threads_set(1), tempfile.TemporaryDirectory() as home:
        for title in asked.only:
            told = measured(SHAPES[title], asked.turns, Path(home))
            product = 2 * 512**3 / per_call(lambda: a @ a, ALONE) / 1e9
            has = torch.backends.cpu.get_cpu_capability()
            rows.append({"images": title, "instructions": has, **told, "product": product, "where": where})
    if asked.keep:
        new = {_place(row) for row in rows}
        both = sorted([*(row for row in kept() if _place(row) not in new), *rows], key=_place)
        RESULTS.write_text(json.dumps(both, indent=1) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()
