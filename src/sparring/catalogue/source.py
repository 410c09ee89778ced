"""What the source files say of their entries. They are parsed, not run, so listing them loads nothing."""

from __future__ import annotations

import ast
import contextlib
import itertools
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[1]
KINDS = (
    "objectives",
    "tricks",
    "networks",
    "datasets",
    "optimizers",
    "latents",
    "metrics",
    "rules",
    "remedies",
    "recipes",
    "moves",
)


@dataclass(frozen=True)
class Entry:
    """What the source of a leaf says about it, read without running it."""

    name: str
    """What people write: `bce-with-logits`."""
    kind: str
    """One of `KINDS`: `objectives`."""
    module: str
    """`sparring.objectives.bce_with_logits`."""
    attribute: str
    """The class or function in that module: `BCEWithLogits`."""
    summary: str
    """First line of the docstring."""
    text: str = ""
    """The whole docstring."""
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    """A recipe's decorator arguments (`source`, `verdict`, `expects`, `sweep`); a class's other names (`also`)."""

    @property
    def also(self) -> tuple[str, ...]:
        """Other names that it is known by."""
        return self.facts.get("also", ())


def kebab(name: str) -> str:
    """`FashionMNIST` -> `fashion-mnist`, `Pattern1010` -> `pattern-1010`, `R1` -> `r1`."""
    return "-".join(re.findall(r"[A-Z]+\d*(?![a-z])|[A-Z][a-z]+|\d+", name)).lower()


@cache
def entries_of(kind: str) -> dict[str, Entry]:
    """Name -> entry of one of `KINDS`, in the order of files and of lines in them."""
    if kind == "moves":
        files = [PACKAGE / "game" / "moves.py"]
    else:
        files = sorted(p for p in (PACKAGE / kind).glob("*.py") if not p.name.startswith("_"))
    found: dict[str, Entry] = {}
    for file in files:
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            entry = _entry(kind, file, node)
            if entry is None:
                continue
            if entry.name in found:
                raise RuntimeError(f"two {kind} called {entry.name!r}: {found[entry.name].module} and {entry.module}")
            found[entry.name] = entry
    return found


@cache
def _tree(module: str) -> ast.Module:
    path = PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8"))


def _entry(kind: str, file: Path, node: ast.stmt) -> Entry | None:
    if not isinstance(node, ast.ClassDef | ast.FunctionDef) or node.name.startswith("_"):
        return None
    module = "sparring.game.moves" if kind == "moves" else f"sparring.{kind}.{file.stem}"
    text = ast.get_docstring(node) or ""
    summary = text.partition("\n")[0]
    facts: dict[str, Any] = {}
    if kind == "recipes":
        mark = next((d for d in node.decorator_list if _decorator_name(d) == "recipe"), None)
        if not isinstance(mark, ast.Call):
            return None
        name = ast.literal_eval(mark.args[0])
        facts = {k.arg: ast.literal_eval(k.value) for k in mark.keywords if k.arg}
    elif kind == "moves":
        if not isinstance(node, ast.FunctionDef) or [a.arg for a in node.args.args] != ["game"]:
            return None
        name = node.name
    else:
        if not isinstance(node, ast.ClassDef) or "dataclass" not in map(_decorator_name, node.decorator_list):
            return None
        name = _literal_field(node, "name") or kebab(node.name)
        facts = {"also": also} if (also := _literal_field(node, "also")) else {}
    return Entry(name, kind, module, node.name, summary, text, facts)


def _literal_field(node: ast.ClassDef, name: str) -> Any:
    """The literal that a class sets a field to, or None where it has no such field."""
    for each in node.body:
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name) and each.target.id == name:
            return ast.literal_eval(each.value) if each.value is not None else None
    return None


def field_docs(module: str, name: str) -> dict[str, str]:
    """The docstring under each field of a class, read from the source.

    Args:
        module: where the class is, within `sparring`: `recipe.definition`.
        name: the class.

    Returns:
        Field -> docstring on one line, for the fields that have one.
    """
    tree = _tree(f"sparring.{module}")
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    return {
        field.target.id: " ".join(doc.value.value.split())
        for field, doc in itertools.pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(doc, ast.Expr)
        and isinstance(doc.value, ast.Constant)
        and isinstance(doc.value.value, str)
    }


@cache
def defaults(kind: str, name: str) -> dict[str, Any]:
    """Field -> default of an entry, read from its source; a default that is no literal is left out."""
    entry = entries_of(kind)[name]
    body = next(n.body for n in _tree(entry.module).body if isinstance(n, ast.ClassDef) and n.name == entry.attribute)
    found: dict[str, Any] = {}
    for node in body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            with contextlib.suppress(ValueError):
                found[node.target.id] = ast.literal_eval(node.value)
    return found


def lineage(entry: Entry) -> str:
    """The docstring of the file that defines a recipe, about it and its siblings; the first line is a title."""
    return ast.get_docstring(_tree(entry.module)) or ""


def _decorator_name(decorator: ast.expr) -> str:
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    return target.id if isinstance(target, ast.Name) else getattr(target, "attr", "")
