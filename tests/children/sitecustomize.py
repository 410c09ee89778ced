"""What Python runs first in processes that tests start: there, too, figures are left blank (see tests/miniature.py).

The modules are patched once they are loaded, because most of these processes never draw.
"""

from __future__ import annotations

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


def light_alone(page: Any) -> None:
    """Of the pages: neither for dark screens nor for phones."""
    whole = page.drawn
    page.drawn = lambda draw, scheme: whole(draw, scheme) if scheme is page.LIGHT else dot()


def dot() -> bytes:
    from io import BytesIO

    from PIL import Image

    file = BytesIO()
    Image.new("RGB", (1, 1)).save(file, "PNG")
    return file.getvalue()


CHANGES: dict[str, Callable[[ModuleType], None]] = {
    "matplotlib.figure": blank_figures,
    "sparring.report.page.document": light_alone,
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


sys.meta_path.insert(0, Finder())
