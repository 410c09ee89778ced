"""Studies that are shipped: one file each, with one function that returns the study. A file's name is the study's."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

from sparring import catalogue
from sparring.errors import UsageError
from sparring.study.definition import Study

HOME = Path(__file__).parent


def names() -> dict[str, str]:
    """Every study that is shipped: its name, and the question it asks. No file is run for it."""
    files = [path for path in sorted(HOME.glob("*.py")) if not path.name.startswith("_")]
    return {path.stem.replace("_", "-"): _first_line(path) for path in files}


def find(name: str) -> Study:
    """A shipped study by its name. Raises UsageError where there is none."""
    if name not in names():
        raise UsageError(catalogue.unknown("studies", name, names()))
    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    return module.study()


def _first_line(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]
