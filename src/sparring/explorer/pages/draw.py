"""Draw a distribution with the pointer, and train on it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from nicegui import ui

from sparring.datasets.table import Table
from sparring.errors import SparringError, UsageError
from sparring.explorer.components import Drawing, address, once, say, tag
from sparring.explorer.launching import free_folder, start_recipe
from sparring.explorer.lessons import points
from sparring.explorer.pages.frame import page_frame
from sparring.explorer.pages.new import address_of
from sparring.explorer.session import DRAWINGS, Session
from sparring.explorer.words import Words
from sparring.objectives.relativistic_paired import RelativisticPaired
from sparring.recipe import Recipe
from sparring.record.files import write_atomically
from sparring.tricks.r1_r2 import R1R2

MIN_POINTS, MAX_POINTS = 20, 4_000
ROUNDS = 3_000


def draw_page(session: Session) -> None:
    """A place to draw, and a button."""
    words = Words()
    with page_frame(words, words("draw")):
        tag("h1", words("draw"))
        tag("p", words("draw-help"), "soft")
        problem = tag("p", "", "problem", role="alert", hidden=True)

        async def train(drawn: Any) -> bool:
            try:
                path = await asyncio.to_thread(train_on, session, drawn)
            except SparringError as error:
                say(problem, words.error(error))
                return False
            ui.navigate.to(address(f"{address_of(session, path)}&view=plane"))
            return True

        names = ("draw-train", "draw-clear", "draw-circles", "draw-moons", "draw-count", "draw-label", "draw-few")
        Drawing({name: words(name) for name in names}, MIN_POINTS, MAX_POINTS, once(train))


def train_on(session: Session, drawn: Any) -> Path:
    """Save points as a table, and train on them. Returns the run's folder."""
    folder = free_folder(session, "drawing")
    file = session.new_runs / DRAWINGS / f"{folder.name}.csv"
    rows = "".join(f"{x:.4f},{y:.4f}\n" for x, y in read_points(drawn))
    write_atomically(file, lambda partial: partial.write_text(f"x,y\n{rows}", encoding="utf-8"))
    return start_recipe(session, recipe_for(file), folder.name)


def recipe_for(file: Path) -> Recipe:
    """Small networks, a relativistic objective and penalties, which reach all of what is drawn."""
    return points().replace(
        name="drawing",
        data=Table(str(file.resolve()), scale="none").resolved(),
        objective=RelativisticPaired(),
        tricks=[R1R2(gamma=0.05)],
        rounds=ROUNDS,
    )


def read_points(drawn: Any) -> list[tuple[float, float]]:
    """Points as a browser sent them. Raises UsageError for anything else."""
    pairs = cast(Sequence[Any], drawn) if isinstance(drawn, list) else []
    if not MIN_POINTS <= len(pairs) <= MAX_POINTS:
        raise UsageError(f"draw between {MIN_POINTS} and {MAX_POINTS:,} points, not {len(pairs):,}")
    made: list[tuple[float, float]] = []
    for pair in pairs:
        values = cast(Sequence[Any], pair) if isinstance(pair, list) else []
        fits = len(values) == 2 and all(type(v) in (int, float) and math.isfinite(v) and abs(v) <= 1 for v in values)
        if not fits:
            raise UsageError("a point is two numbers from -1 to 1")
        made.append((float(values[0]), float(values[1])))
    return made
