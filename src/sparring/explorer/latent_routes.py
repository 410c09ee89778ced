"""The binary route of the latent plane: what one member's generator makes of a place, around it, and beside it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from sparring.analysis.latent_tools.explored import GIF_STEPS, STEPS, Explored, Spot, clock, length
from sparring.analysis.latent_tools.inputs import named_dims
from sparring.analysis.latent_tools.reproducing import commands, python
from sparring.characters import quoted
from sparring.errors import SparringError, UsageError
from sparring.explorer.frames import frame
from sparring.explorer.generators import Generators
from sparring.explorer.phrases import named
from sparring.explorer.session import Session
from sparring.explorer.tasks import shown_path
from sparring.explorer.words import Spoken, Words
from sparring.record import RunFolder
from sparring.record.grid import grid, in_color
from sparring.report.animation import save_animation

FRAMES_PER_SECOND = 20.0
MAX_MAPS = 12
Asked = Mapping[str, str]


def add_latent_routes(app: FastAPI, session: Session) -> None:
    """The routes of the latent plane. A problem is an answer too, which the page shows as a sentence."""
    generators = Generators(session)

    @app.get("/data/latent")
    def _latent(request: Request, words: Spoken) -> Response:  # pyright: ignore[reportUnusedFunction]
        return latent_answer(session, words, generators, dict(request.query_params))

    @app.get("/data/latent.gif")
    def _gif(request: Request, words: Spoken) -> Response:  # pyright: ignore[reportUnusedFunction]
        return gif_answer(session, words, generators, dict(request.query_params))


def latent_answer(session: Session, words: Words, generators: Generators, asked: Asked) -> Response:
    """A frame with what `part` names."""
    found = session.find(asked.get("run", ""))
    if found is None:
        if session.is_gone(asked.get("run", "")):
            return _binary(frame({"gone": True}, {}))
        return JSONResponse({"problem": words("no-run")}, 404)
    try:
        with generators.of(found, member_in(found, asked), round_in(asked)) as explored:
            facts, arrays = _part(generators, words, found, explored, asked)
            return _binary(frame(facts, arrays))
    except SparringError as error:
        return _binary(frame({"problem": words.error(error)}, {}))


def gif_answer(session: Session, words: Words, generators: Generators, asked: Asked) -> Response:
    """The strip's path, there and back, as a GIF to download."""
    found = session.find(asked.get("run", ""))
    try:
        if found is None:
            raise UsageError("there is no such run here")
        with generators.of(found, member_in(found, asked), round_in(asked)) as explored:
            examples = clock(explored.strip(Spot.read(asked), GIF_STEPS))
            modes = explored.recipe.data.modes
        pictures = [grid(each[None, None], modes=modes) for each in examples]
        with tempfile.TemporaryDirectory() as beside:
            path = save_animation(pictures, Path(beside) / "path.gif", [1 / FRAMES_PER_SECOND] * len(pictures))
            content = path.read_bytes()
    except SparringError as error:
        return JSONResponse({"problem": words.error(error)}, 422)
    return Response(content, media_type="image/gif", headers={"Content-Disposition": 'attachment; filename="path.gif"'})


def member_in(run: RunFolder, asked: Asked) -> int:
    """The seed that is asked for; the first one where none is."""
    seeds: list[int] = run.recipe["seeds"]
    text = asked.get("member", "")
    return int(text) if text.isdecimal() and int(text) in seeds else seeds[0]


def round_in(asked: Asked) -> int | None:
    """The round that is asked for; None for the newest checkpoint."""
    text = asked.get("round", "")
    return int(text) if text.isdecimal() and len(text) < 16 else None


def integers_in(text: str, limit: int) -> list[int]:
    """Numbers with commas between them. Raises UsageError for anything else, or more than `limit`."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) > limit or not all(part.isdecimal() and len(part) < 19 for part in parts):
        raise UsageError(f"give at most {limit} whole numbers with commas between them, such as 3,17,20")
    return [int(part) for part in parts]


def _part(
    generators: Generators, words: Words, run: RunFolder, explored: Explored, asked: Asked
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    spot = Spot.read(asked)
    match asked.get("part"):
        case "about":
            return about(words, run, explored), {}
        case "overview":
            return _examples(explored.overview(spot))
        case "members":
            seeds, made = explored.of_every_member(explored.vectors(spot, [(spot.x, spot.y)])[0])
            return _examples(made, seeds=seeds, count=len(set(run.recipe["seeds"])))
        case "strip":
            return _examples(explored.strip(spot), steps=STEPS)
        case "sum":
            named, made = explored.sum(spot, asked.get("sum", "a - b + c"), integers_in(asked.get("zs", ""), 26))
            return _examples(made, letters=named, zs=integers_in(asked.get("zs", ""), 26))
        case "influence":
            return _maps(explored.influence(integers_in(asked.get("shown", ""), MAX_MAPS)))
        case "nearest":
            return _nearest(generators, run, explored, spot, asked)
        case _:
            return _example(run, explored, spot, asked)


def about(words: Words, run: RunFolder, explored: Explored) -> dict[str, Any]:
    """What the page has to know of a run before it can ask."""
    recipe = explored.recipe
    low, high = recipe.latent.reach
    return {
        "seeds": list(dict.fromkeys(run.recipe["seeds"])),
        "rounds": list(run.rounds_saved()),
        "shape": list(recipe.data.shape),
        "size": explored.size,
        "classes": explored.classes,
        "clusters": bool(recipe.clusters),
        "low": low,
        "high": high,
        "truncates": explored.can_truncate,
        "directions": [named(words, each.name) for each in explored.directions],
        "finds": f"sparring directions {quoted(shown_path(run.path))}",
        "dims": named_dims(recipe) or list(range(1, min(3, explored.size) + 1)),
        "asks": asks_for(run),
    }


def asks_for(run: RunFolder) -> str:
    """Files of the user's that the data are, which are read only when a person says so; empty where there are none."""
    path = run.recipe["data"].get("path") if not run.about.get("watched") else None
    return str(path) if path else ""


def _example(
    run: RunFolder, explored: Explored, spot: Spot, asked: Asked
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    z = explored.vectors(spot, [(spot.x, spot.y)])
    folder = Path(shown_path(run.path))
    said = {
        "commands": commands(explored, spot, folder, asked.get("sum", "a - b + c"), asked.get("zs", "0,1,2")),
        "python": python(explored, spot, folder),
        "length": length(z[0, : explored.size]),
        "z": [round(float(value), 4) for value in z[0, : explored.size]],
    }
    return _examples(explored.made(z), **said)


def _nearest(
    generators: Generators, run: RunFolder, explored: Explored, spot: Spot, asked: Asked
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    if (path := asks_for(run)) and asked.get("read") != path:
        return {"asks": path}, {}
    images = generators.training_images(run, explored)
    found = images.nearest(explored.made(explored.vectors(spot, [(spot.x, spot.y)]))[0])
    return _examples(found.image[None], index=found.index, distance=found.distance, count=found.count)


def _examples(examples: np.ndarray, **facts: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Images as pixels, other examples as numbers."""
    facts["finite"] = bool(np.isfinite(examples).all())
    finite = np.nan_to_num(examples, nan=0.0, posinf=1e6, neginf=-1e6)
    if finite.ndim == 4:
        colored = (255 * in_color(finite).clip(0, 1)).round().astype(np.uint8)
        return facts, {"pixels": np.moveaxis(colored, 1, -1)}
    return facts, {"values": finite.reshape(len(finite), -1).astype(np.float32)}


def _maps(changes: np.ndarray) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Where examples become brighter, in red, or darker, in blue; each map by its own largest change."""
    finite = np.nan_to_num(changes).astype(np.float32)
    if finite.ndim != 4:
        return {}, {"values": finite.reshape(len(finite), -1)}
    mean = finite.mean(1)
    scaled = mean / np.maximum(1e-9, np.abs(mean).max((1, 2), keepdims=True))
    red, blue = 1 - (-scaled).clip(0, 1), 1 - scaled.clip(0, 1)
    rgb = np.stack([red, np.minimum(red, blue), blue], -1)
    return {}, {"pixels": (255 * rgb).round().astype(np.uint8)}


def _binary(body: bytes) -> Response:
    return Response(body, media_type="application/octet-stream", headers={"Cache-Control": "no-store"})
