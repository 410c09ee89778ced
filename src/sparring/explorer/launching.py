"""Starting a training from a page, or from the command."""

from __future__ import annotations

from pathlib import Path

from sparring.errors import UsageError
from sparring.explorer.session import Session
from sparring.recipe import Recipe
from sparring.training.background import start


def start_recipe(
    session: Session, recipe: Recipe, name: str, compile: bool = False, minutes: float | None = None
) -> Path:
    """Train a recipe in a new folder of this name, in a process of its own. Returns the folder.

    Whoever watches does not want to wait for a compiler, which takes up to a minute: `compile` is off.
    """
    if not name or name != Path(name).name or name.startswith("."):
        raise UsageError(f"{name!r} is no name of a folder")
    folder = session.new_runs / name
    made = start(recipe, folder, compile, minutes)
    session.look_after(made)
    session.opened.add(folder)
    return folder


def free_folder(session: Session, name: str) -> Path:
    """A folder for a new run that does not exist yet."""
    names = [name, *(f"{name}-{k}" for k in range(2, 10_000))]
    return next(path for each in names if not (path := session.new_runs / each).exists())
