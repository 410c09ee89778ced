"""What to type for a place in a latent space: commands of Sparring, and lines of Python."""

from __future__ import annotations

from pathlib import Path

from sparring.analysis.latent_tools.explored import DIRECTIONS, Explored, Spot
from sparring.characters import quoted


def commands(explored: Explored, spot: Spot, folder: Path, expression: str, z_seeds: str) -> dict[str, str]:
    """Commands that draw what a page shows: `example` (empty where none does), `strip`, `sum` and `loop`."""
    at = f"{quoted(folder)} --seeds {explored.seed}"
    plain = not spot.dims and not explored.classes and explored.round is None
    pair = f"--z-seeds {spot.a},{spot.b}"
    strip = f"sparring blend {at} {pair} --steps 9 --path spherical"
    if spot.plane == "dims":
        strip = f"sparring sweep {at} --z-seed {spot.a} --dims {spot.first}"
    return {
        "example": _example(explored, spot, at) if plain else "",
        "strip": strip if spot.psi == 1 and plain and spot.plane != "directions" else "",
        "sum": f"sparring arithmetic {at} {quoted(expression)} --z-seeds {z_seeds}" if plain and spot.psi == 1 else "",
        "loop": f"sparring loop {at} {pair} --out loop.gif",
    }


def _example(explored: Explored, spot: Spot, at: str) -> str:
    if spot.plane != "seeds":
        return ""
    if (spot.x, spot.y, spot.psi) in ((1, 0, 1), (0, 1, 1)):
        return f"sparring sample {at} --z-seeds {spot.a if spot.x else spot.b}"
    if float(explored.center.abs().max()):
        return ""
    x, y = spot.psi * spot.x, spot.psi * spot.y
    expression = f"{x:.6g} * a {'-' if y < 0 else '+'} {abs(y):.6g} * b"
    return f'sparring arithmetic {at} "{expression}" --z-seeds {spot.a},{spot.b}'


def python(explored: Explored, spot: Spot, folder: Path) -> str:
    """Lines that make the example; `G` and `z` are as in docs/latent.md."""
    round = "" if explored.round is None else f", round={explored.round}"
    lines = [
        "import sparring",
        f"recipe, G = sparring.explorable({str(folder)!r}, seeds=[{explored.seed}]{round})",
        f"a, b = sparring.latent_vectors(recipe, [{spot.a}, {spot.b}])[0]",
        *_base(explored, spot, folder),
    ]
    if spot.psi != 1 and explored.can_truncate:
        lines += [
            "from sparring.analysis.latent_tools.truncation import truncated",
            f"z = truncated(z, recipe.latent, {spot.psi!r})",
        ]
    lines += [f"z[{dim - 1}] = {value!r}" for dim, value in spot.dims]
    if explored.classes:
        chosen = f"z[{explored.size} :] = a[{explored.size} :]"
        if spot.cls is not None:
            chosen = f"z[{explored.size} :] = 0.0\nz[{explored.size + spot.cls}] = 1.0"
        lines.append(chosen)
    return "\n".join([*lines, "example = G(z[None, None])[0, 0]"])


def _base(explored: Explored, spot: Spot, folder: Path) -> list[str]:
    if spot.plane == "dims":
        values = [(k, explored.middle + explored.half * at) for k, at in _axes(spot)]
        return ["z = a.clone()", *(f"z[{dim - 1}] = {value!r}" for dim, value in values)]
    if spot.plane == "directions":
        ways = [explored.directions[k - 1] for k, _ in _axes(spot)]
        read = f"json.loads(pathlib.Path({str(folder / DIRECTIONS)!r}).read_text())"
        return [
            "import json, pathlib, torch",
            f"found = next(each for each in {read}['members'] if each['seed'] == {explored.seed})['directions']",
            "z = a.clone()",
            *(
                f"z[: {explored.size}] += {at * way.reach!r} * torch.tensor(found[{k - 1}]['vector'])"
                for way, (k, at) in zip(ways, _axes(spot), strict=True)
            ),
        ]
    center = float(explored.center[0])
    if not float(explored.center.abs().max()):
        return [f"z = {spot.x!r} * a + {spot.y!r} * b"]
    middle = repr(center) if bool((explored.center == center).all()) else f"torch.tensor({explored.center.tolist()!r})"
    lines = ["import torch"] if middle.startswith("torch") else []
    n = explored.size
    return [
        *lines,
        "z = a.clone()",
        f"z[:{n}] = {middle} + {spot.x!r} * (a[:{n}] - {middle}) + {spot.y!r} * (b[:{n}] - {middle})",
    ]


def _axes(spot: Spot) -> list[tuple[int, float]]:
    return [(spot.first, spot.x), (spot.second, spot.y)]
