"""Open runs in the browser: watch, steer and rewind a training run.

RUNS are folders of runs, or folders with runs in them (`runs`, if none is named). The page works offline, on this
machine alone, and reads nothing else. Training goes on in processes of its own: closing the browser or pressing Ctrl-C
here costs a run nothing.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from sparring.cli.flags import Json, Spoken, Switch, flag, parse, print_json
from sparring.cli.main import OK
from sparring.errors import SparringError, UsageError


@dataclass
class ExploreFlags:
    """Flags of `explore`."""

    runs: Annotated[
        tyro.conf.Positional[tuple[Path, ...]], flag("Runs, or folders with runs.", "[RUNS ...]", "runs")
    ] = ()
    recipe: Annotated[str, flag("Train this recipe in the first folder, and open its page.", "NAME", "none")] = ""
    seeds: Annotated[str, flag("With --recipe: its random seeds; 8 is seeds 0 to 7.", "SEEDS", "the recipe's")] = ""
    port: Annotated[int | None, flag("Port of the page; 0 for any.", "N", "8123, or the next free one")] = None
    host: Annotated[
        str, flag("Address to listen on. Others can then reach the page, who have its address with the token.", "HOST")
    ] = "127.0.0.1"
    no_browser: Annotated[Switch, flag("Print the address without opening it.", default="")] = False
    language: Spoken = ""
    json: Json = False


def run(arguments: list[str]) -> int:
    """Serve the pages until Ctrl-C."""
    flags = parse(ExploreFlags, "explore", arguments, __doc__ or "")
    if importlib.util.find_spec("nicegui") is None:
        raise SparringError('`sparring explore` needs NiceGUI: pip install "sparring[explore]"')
    if flags.port is not None and not 0 <= flags.port < 2**16:
        raise UsageError(f"--port must lie between 0 and 65535, not {flags.port}")
    from sparring.explorer.launch import explore

    def opened(address: str) -> None:
        if flags.json:
            print_json({"address": address})
        else:
            print(address, flush=True)
        if not flags.no_browser:
            import webbrowser

            webbrowser.open(address)

    explore(flags.runs, flags.recipe, flags.host, flags.port, opened, flags.seeds)
    return OK
