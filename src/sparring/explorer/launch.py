"""One launch of the explorer, from folders to a served page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from sparring.explorer.server import serve
from sparring.explorer.session import Session
from sparring.record.opened import Opened


def explore(folders: Sequence[Path], recipe: str, host: str, port: int | None, opened: Callable[[str], object]) -> None:
    """Serve the pages of the runs in some folders until Ctrl-C.

    Args:
        folders: Runs, or folders with runs. The only one, where it does not exist, is made.
        recipe: A recipe to train at once in the first folder; empty for none.
        host: The address to listen on.
        port: Its port; None for the first that is free.
        opened: Called with the address to open.
    """
    if len(folders) == 1:
        folders[0].mkdir(parents=True, exist_ok=True)
    session = Session(Opened(folders), folders[0].resolve())
    serve(session, host, port, opened)
