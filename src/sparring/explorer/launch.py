"""One launch of the explorer, from folders to a served page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from sparring.explorer.launching import free_folder, start_recipe
from sparring.explorer.pages.new import address_of
from sparring.explorer.server import serve
from sparring.explorer.session import Session
from sparring.recipe import find_recipe
from sparring.recipe.reading import read_seeds
from sparring.record import RunFolder
from sparring.record.opened import Opened

DEFAULT = Path("runs")


def explore(
    folders: Sequence[Path],
    recipe: str,
    host: str,
    port: int | None,
    opened: Callable[[str], object],
    seeds: str = "",
) -> None:
    """Serve the pages of the runs in some folders until Ctrl-C.

    Args:
        folders: Runs, or folders with runs; DEFAULT for none, which is made where it does not exist.
        recipe: A recipe to train at once in the first folder; empty for none.
        host: The address to listen on.
        port: Its port; None for the first that is free.
        opened: Called with the address to open.
        seeds: The recipe's random seeds, as on the command line; its own if empty.
    """
    chosen = find_recipe(recipe) if recipe else None
    if not folders or recipe:
        (folders or [DEFAULT])[0].mkdir(parents=True, exist_ok=True)
    folders = folders or [DEFAULT]
    first = folders[0].resolve()
    session = Session(Opened(folders), first.parent if RunFolder(first).exists else first)
    if chosen is not None:
        chosen = chosen.replace(seeds=read_seeds(seeds)) if seeds else chosen
        start_at = address_of(session, start_recipe(session, chosen, free_folder(session, recipe).name))
    else:
        start_at = address_of(session, first) if RunFolder(first).exists and len(folders) == 1 else "/"
    serve(session, host, port, opened, start_at)
