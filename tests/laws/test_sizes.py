"""No file is longer than one reads in one sitting, and no function longer than a screen."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("src", "tests", "benchmarks", "docs", "tools", "examples")
FILE, FUNCTION = 400, 60
"""Lines; of a function without its docstring."""


def lengths(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Every function's name, and its lines without its docstring."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            said = node.body[0] if ast.get_docstring(node) is not None else None
            docstring = (said.end_lineno or said.lineno) - said.lineno + 1 if said else 0
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1 - docstring


def test_files_and_functions_are_short() -> None:
    paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    scripts = [path for kind in ("*.js", "*.css") for path in (ROOT / "src").rglob(kind)]
    texts = {path: path.read_text(encoding="utf-8") for path in paths + scripts}
    assert len(texts) > 500
    long = [f"{path}: {text.count(chr(10))} lines" for path, text in texts.items() if text.count("\n") > FILE]
    for path in paths:
        if path.is_relative_to(ROOT / "src"):
            found = lengths(ast.parse(texts[path]))
            long += [f"{path}: {name} has {lines} lines" for name, lines in found if lines > FUNCTION]
    assert long == []
