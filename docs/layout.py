"""The map of the package for the docs: import-linter's own contract, with the first line of every room's docstring."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def layout_in_markdown() -> str:
    """One row per floor, the highest first. A floor imports only from the floors below it."""
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    rooms = [[room.strip("() ") for room in layer.split("|")] for layer in contract["layers"]]
    floors = [[line for room in layer if room != "__main__" and (line := _line(room))] for layer in rooms]
    floors = [lines for lines in floors if lines]
    rows = [f"| {len(floors) - 1 - index} | {'<br>'.join(lines)} |" for index, lines in enumerate(floors)]
    return "\n".join(["| floor | what is there |", "| ---: | --- |", *rows])


def _line(room: str) -> str | None:
    """A room's name and purpose; None for one that the contract allows and that does not exist yet."""
    home = ROOT / "src" / "sparring" / room
    name, file = f"{room}/", home / "__init__.py"
    if not file.exists():
        name, file = f"{room}.py", home.with_suffix(".py")
    if not file.exists():
        return None
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    purpose = docstring.partition("\n")[0].replace("|", "\\|")
    return f"`{name}`: {purpose}"
