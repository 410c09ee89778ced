"""What Python runs first in processes that tests start: there, too, figures are left blank (see tests/miniature.py).

The same holds for what tests/conftest.py changes for all tests: no waiting for the disk or for a measurement of the
load, and judges that learn little. Modules are patched once they are loaded: most of these processes load few of them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any


def blank_figures(module: ModuleType) -> None:
    """Of `matplotlib.figure`."""

    def save(figure: Any, file: Any, **how: Any) -> None:
        file.write(dot())

    module.Figure.savefig = save


def not_laid_out(engines: Any) -> None:
    """Of `matplotlib.layout_engine`."""
    engines.ConstrainedLayoutEngine.execute = lambda engine, figure: None


def light_alone(page: Any) -> None:
    """Of the pages: neither for dark screens nor for phones."""
    whole = page.drawn
    page.drawn = lambda draw, scheme: whole(draw, scheme) if scheme is page.LIGHT else dot()


def impatient(table: Any) -> None:
    """Of the list of runs: it is read again sooner than for users."""
    table.REFRESH_SECONDS = 0.5


def barely_trained(judges: Any) -> None:
    judges.PASSES = 300


def unmeasured(runtime: Any) -> None:
    """Of the load: how many cores are idle is read at once."""
    runtime.LOAD_INTERVAL = 0.0


def dot() -> bytes:
    from io import BytesIO

    from PIL import Image

    file = BytesIO()
    Image.new("RGB", (1, 1)).save(file, "PNG")
    return file.getvalue()


CHANGES: dict[str, Callable[[ModuleType], None]] = {
    "matplotlib.figure": blank_figures,
    "matplotlib.layout_engine": not_laid_out,
    "sparring.report.page.document": light_alone,
    "sparring.explorer.parts.run_table": impatient,
    "sparring.judges.own_training": barely_trained,
    "sparring.game.runtime": unmeasured,
}


class Changed(Loader):
    """Loads as another loader does, then changes the module."""

    def __init__(self, loader: Loader):
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        CHANGES[module.__name__](module)


class Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        found = PathFinder.find_spec(fullname, path) if fullname in CHANGES else None
        if found is not None and found.loader is not None:
            found.loader = Changed(found.loader)
        return found


os.fsync = lambda fd: None
sys.meta_path.insert(0, Finder())
