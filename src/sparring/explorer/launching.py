"""Starting a training from a page, or from the command."""

from __future__ import annotations

from pathlib import Path

from sparring.errors import UsageError, shortened
from sparring.explorer.session import Session
from sparring.recipe import Recipe
from sparring.training.background import start

MAX_NAME = 200
"""Bytes of a folder's name: file systems take 255, and a lock's name is a little longer."""


def start_recipe(
    session: Session, recipe: Recipe, name: str, compile: bool = False, minutes: float | None = None
) -> Path:
    """Train a recipe in a new folder of this name, in a process of its own. Returns the folder.

    Whoever watches does not want to wait for a compiler, which takes up to a minute: `compile` is off.
    """
    check_name(name)
    folder = session.new_runs / name
    made = start(recipe, folder, compile, minutes)
    session.look_after(made)
    session.opened.add(folder)
    return folder


def check_name(name: str) -> None:
    """Raises UsageError for what cannot be a run's folder beside others."""
    if not name or name != Path(name).name or name.startswith(".") or not name.isprintable():
        raise UsageError(f"{shortened(name)!r} is no name of a folder")
    if len(name.encode()) > MAX_NAME:
        raise UsageError(f"the name of the folder is too long: at most {MAX_NAME} bytes")


def free_folder(session: Session, name: str) -> Path:
    """A folder for a new run that does not exist yet."""
    names = [name, *(f"{name}-{k}" for k in range(2, 10_000))]
    return next(path for each in names if not (path := session.new_runs / each).exists())
