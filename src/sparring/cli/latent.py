"""The commands that walk in the latent space of a run's generators: sweep, blend, arithmetic and influence.

In commands, pictures and JSON the numbers of a latent vector (its dimensions) count from 1, as in the write-ups; seeds
and latent vectors go by their own names, which begin with 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from sparring import catalogue
from sparring.cli.flags import (
    Json,
    Members,
    NumpyOrPicture,
    RunDir,
    Source,
    ending,
    members_of,
    numbers_of,
    parse,
    print_json,
    values_of,
)
from sparring.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from torch import Tensor

    from sparring.analysis.latent_tools.influence import Influence
    from sparring.recipe import Recipe

SWEPT = 5
"""Dimensions that a sweep turns when nothing else is said: these many, evenly spread."""


@dataclass
class SweepFlags:
    """Flags of `sweep`."""

    run: RunDir
    out: NumpyOrPicture
    dims: Annotated[
        str, tyro.conf.arg(help="Which numbers to turn, from 1: 5,25,45. Else the recipe's own choice.")
    ] = ""
    values: Annotated[str, tyro.conf.arg(help="What to set each to; else -3,0,3, or 0,0.5,1 where uniform.")] = ""
    number: Annotated[int, tyro.conf.arg(help="Which latent vector to start from.")] = 0
    seeds: Members = ""
    source: Source = None
    json: Json = False


def sweep(arguments: list[str]) -> int:
    """Turn single numbers of a latent vector and see what each does."""
    flags = parse(SweepFlags, "sweep", arguments)
    dims, values = flags.dims and numbers_of("--dims", flags.dims), flags.values and values_of("--values", flags.values)
    ending(flags.out)
    from sparring.analysis.latent_tools.sweep import sweep as turned

    recipe, G, z = _start(flags, [flags.number])
    dims = _dims(recipe, dims or _own_dims(recipe))
    low, high = recipe.latent.reach
    values = values or (low, (low + high) / 2, high)
    examples = _examples(G, turned(z, [dim - 1 for dim in dims], values)[:, 0])
    facts = {"number": flags.number, "dims": list(dims), "values": list(values)}
    return _give(flags, recipe, examples, facts, lambda p: p.sweep(examples, recipe.seeds, dims, values, flags.number))


@dataclass
class BlendFlags:
    """Flags of `blend`."""

    run: RunDir
    out: NumpyOrPicture
    numbers: Annotated[str, tyro.conf.arg(help="Two latent vectors, or four as the corners of a square: 1,2,3,4.")]
    steps: Annotated[int, tyro.conf.arg(help="Pictures from one to the next, both included.")] = 9
    path: Annotated[
        Literal["linear", "spherical"], tyro.conf.arg(help="A straight line, or an arc that keeps the length.")
    ] = "linear"
    seeds: Members = ""
    source: Source = None
    json: Json = False


def blend(arguments: list[str]) -> int:
    """What lies between two latent vectors, or in the square between four."""
    flags = parse(BlendFlags, "blend", arguments)
    numbers = numbers_of("--numbers", flags.numbers)
    ending(flags.out)
    if len(numbers) not in (2, 4):
        raise UsageError(f"--numbers takes 2 or 4 latent vectors, not {len(numbers)}")
    if flags.steps < 2:
        raise UsageError(f"--steps must be at least 2, not {flags.steps}")
    from sparring.analysis.latent_tools.blend import blend as between

    recipe, G, z = _start(flags, numbers)
    examples = _examples(G, between(z, flags.steps, flags.path))
    facts = {"numbers": list(numbers), "steps": flags.steps, "path": flags.path}
    return _give(flags, recipe, examples, facts, lambda p: p.blend(examples, recipe.seeds, numbers, flags.path))


@dataclass
class ArithmeticFlags:
    """Flags of `arithmetic`."""

    run: RunDir
    expression: Annotated[
        tyro.conf.Positional[str],
        tyro.conf.arg(metavar='"a - b + c"', help="Letters for latent vectors; numbers, +, -, * and parentheses."),
    ]
    out: NumpyOrPicture
    numbers: Annotated[str, tyro.conf.arg(help="The letters' latent vectors, in order of first appearance: 3,7,1.")]
    seeds: Members = ""
    source: Source = None
    json: Json = False


def arithmetic(arguments: list[str]) -> int:
    """Sums, differences and products of latent vectors: "a + b", "a - b + c"."""
    # An expression that begins with a minus is no flag.
    given = [f" {a}" if a[:1] == "-" and a[1:2] != "-" and a != "-h" else a for a in arguments]
    flags = parse(ArithmeticFlags, "arithmetic", given)
    numbers = numbers_of("--numbers", flags.numbers)
    ending(flags.out)
    from sparring.analysis.latent_tools.arithmetic import arithmetic as reckoned
    from sparring.analysis.latent_tools.arithmetic import letters

    named = letters(flags.expression)
    if len(named) != len(numbers):
        told = f"{len(named)} latent vectors, for {', '.join(named)}" if len(named) > 1 else f"one, for {named[0]}"
        raise UsageError(f"--numbers must give {told}, not {len(numbers)}")
    recipe, G, z = _start(flags, numbers)
    import torch

    result = reckoned(flags.expression, {letter: z[:, index] for index, letter in enumerate(named)})
    z = torch.cat([z, result[:, None]], 1)
    examples, lengths = _examples(G, z), z.norm(dim=-1).numpy()
    where = dict(zip(named, numbers, strict=True))
    facts = {"expression": flags.expression, "numbers": where}
    return _give(
        flags,
        recipe,
        examples,
        facts,
        lambda p: p.arithmetic(examples, recipe.seeds, flags.expression, where, lengths),
    )


@dataclass
class InfluenceFlags:
    """Flags of `influence`."""

    run: RunDir
    out: Annotated[
        Path | None,
        tyro.conf.arg(help="FILE.png: maps; FILE.npy: float32 (P, 2, size, *shape), mean absolute and mean change."),
    ] = None
    dims: Annotated[str, tyro.conf.arg(help="Tell of these dimensions, from 1: 5,25,45. Else of the strongest.")] = ""
    top: Annotated[int, tyro.conf.arg(help="How many of the strongest to tell of.")] = 12
    values: Annotated[str, tyro.conf.arg(help="From where to where each goes; else -3,3, or 0,1 where uniform.")] = ""
    count: Annotated[int, tyro.conf.arg(help="Latent vectors (0, 1, 2, ...) of each member to take the mean over.")] = (
        64
    )
    seeds: Members = ""
    source: Source = None
    json: Json = False


def influence(arguments: list[str]) -> int:
    """Which outputs each latent dimension moves, how far, and which way, ranked."""
    flags = parse(InfluenceFlags, "influence", arguments)
    asked = flags.dims and numbers_of("--dims", flags.dims)
    ends = values_of("--values", flags.values) if flags.values else ()
    if flags.values and (len(ends) != 2 or ends[0] >= ends[1]):
        raise UsageError(f"--values takes a lower and a higher value (-3,3), not {flags.values!r}")
    for name in ("top", "count"):
        if getattr(flags, name) < 1:
            raise UsageError(f"--{name} must be at least 1, not {getattr(flags, name)}")
    if flags.out is not None:
        ending(flags.out)
    from sparring.analysis.latent_tools.influence import influence as moved

    recipe, G, z = _start(flags, range(flags.count))
    low, high = ends or recipe.latent.reach
    found = moved(G, z, low, high)
    order = found.order.tolist()
    if asked:
        order = [[dim - 1 for dim in _dims(recipe, asked)]] * len(recipe.seeds)
    chosen = [dims if asked else dims[: flags.top] for dims in order]
    share, change = found.share.numpy(), found.change.numpy()
    if flags.out is not None:
        import torch

        maps = torch.stack([found.moved, found.change], 1).numpy()
        _write(flags.out, maps, lambda p: p.influence(change, share, recipe.seeds, chosen, (low, high)))
    if flags.json:
        return print_json(
            {
                "out": None if flags.out is None else str(flags.out),
                "shape": [len(recipe.seeds), 2, *change.shape[1:]],
                "seeds": list(recipe.seeds),
                "values": [low, high],
                "count": flags.count,
                "members": [
                    {
                        "seed": seed,
                        "whole_vector": _finite(found.whole[member]),
                        "dims": [
                            _told(found, member, dim) for dim in (order if asked else found.order.tolist())[member]
                        ],
                    }
                    for member, seed in enumerate(recipe.seeds)
                ],
            }
        )
    _print_ranking(recipe, found, chosen, (low, high), flags.count)
    if flags.out is not None:
        print(flags.out)
    return 0


def _told(found: Influence, member: int, dim: int) -> dict[str, Any]:
    from sparring.analysis.latent_tools.influence import effect, region

    return {
        "dim": dim + 1,
        "strength": _finite(found.strength[member, dim]),
        "error": _finite(found.error[member, dim]),
        "share": _finite(found.share[member, dim]),
        "region": region(found.moved[member, dim]),
        "effect": effect(found.change[member, dim]),
    }


def _print_ranking(
    recipe: Recipe, found: Influence, chosen: Sequence[Sequence[int]], ends: tuple[float, float], count: int
) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console.print(
        f"Mean absolute change of an output (data units) when one latent dimension goes from {ends[0]:g} to "
        f"{ends[1]:g}, over {count} latent vectors; ± is the standard error over them."
    )
    for member, seed in enumerate(recipe.seeds):
        whole = _finite(found.whole[member])
        told = f"another latent vector altogether: {whole:.3g}" if whole else "all its latent vectors are the same"
        beside = "" if whole is None else f"  [dim]({told})[/]"
        console.print(f"\n[bold]seed {seed}[/]{beside}")
        table = Table(box=None, pad_edge=False, header_style="bold")
        for title in ("dim", "change", "share"):
            table.add_column(title, justify="right", no_wrap=True)
        table.add_column("where")
        table.add_column("what it does")
        for dim in chosen[member]:
            told = _told(found, member, dim)
            strength, error, share = (told[name] for name in ("strength", "error", "share"))
            change = "lost" if strength is None else f"{strength:.4f}" + ("" if error is None else f" ± {error:.4f}")
            share = "" if share is None else f"{100 * share:.1f} %"
            table.add_row(str(dim + 1), change, share, told["region"], told["effect"])
        console.print(table)


def _start(flags: Any, numbers: Sequence[int]) -> tuple[Recipe, Callable[[Tensor], Tensor], Tensor]:
    """A run's recipe, its G, and the latent vectors of these numbers, `(P, N, size)`."""
    seeds = members_of(flags.seeds)
    from sparring.analysis.generators import explorable, latents

    recipe, G = explorable(flags.run, flags.source, seeds)
    return recipe, G, latents(recipe, numbers)


def _examples(G: Callable[[Tensor], Tensor], z: Tensor) -> np.ndarray:
    """`(P, ..., size)` -> `(P, ..., *shape)`."""
    given = G(z.flatten(1, -2))
    return given.reshape(*z.shape[:-1], *given.shape[2:]).float().cpu().numpy()


def _own_dims(recipe: Recipe) -> Sequence[int]:
    """The dimensions that the recipe's author turned, if the latent vector still has them; else some, evenly spread."""
    card = catalogue.entries("recipes").get(recipe.name)
    wished = card.facts.get("sweep", ()) if card else ()
    size = recipe.latent.size
    if wished and max(wished) <= size:
        return wished
    count = min(SWEPT, size)
    return [1 + round(k * (size - 1) / max(count - 1, 1)) for k in range(count)]


def _dims(recipe: Recipe, dims: Sequence[int]) -> Sequence[int]:
    size = recipe.latent.size
    for dim in dims:
        if not 1 <= dim <= size:
            raise UsageError(f"--dims: there is no number {dim} in a latent vector of {size}; they count from 1")
    return dims


def _give(
    flags: Any, recipe: Recipe, examples: np.ndarray, facts: dict[str, Any], draw: Callable[[Any], Figure]
) -> int:
    """Write the examples, as numbers or as the picture that `draw` makes with `report.latent`, and say so."""
    _write(flags.out, examples, draw)
    if flags.json:
        return print_json({"out": str(flags.out), "shape": list(examples.shape), "seeds": list(recipe.seeds), **facts})
    print(flags.out)
    return 0


def _write(out: Path, numbers: np.ndarray, draw: Callable[[Any], Figure]) -> None:
    from sparring.record import write_whole

    if out.suffix == ".npy":
        from sparring.record.grid import save_array

        write_whole(out, lambda p: save_array(numbers, p))
    else:
        from sparring.report.figures import latent as pictures
        from sparring.report.figures.drawing import as_png

        png = as_png(draw(pictures))
        write_whole(out, lambda p: p.write_bytes(png))


def _finite(number: Any) -> float | None:
    value = float(number)
    return float(f"{value:.6g}") if math.isfinite(value) else None
