"""Find leaves by looking: what lies in a shelf's files is what there is, and no list is kept anywhere.

A shelf is a folder of leaf files (or one file). Looking parses the source without running it, so listing every recipe
loads neither torch nor the leaves. A leaf is

- in a folder of leaves: a public frozen dataclass, named by its class name in kebab case (`BCEWithLogits` is
  `bce-with-logits`) unless it sets `name` itself (`AdamW` is `adamw`);
- in `recipes/`: a function under `@recipe("name", ...)`, whose decorator says where it comes from;
- in `game/moves.py`: a move, that is a public function of `game`; its name is the function's.

Files that begin with an underscore hold what several leaves share and are never leaves.
"""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import difflib
import importlib
import inspect
import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from sparring.errors import UsageError

PACKAGE = Path(__file__).parent
SHELVES = (
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
    """What can be said of a leaf without running it."""

    name: str
    shelf: str
    module: str
    attribute: str
    summary: str
    """First line of the docstring."""
    text: str = ""
    """The whole docstring."""
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    """Literal arguments of the leaf's decorator, and the other names that it is known by (`also`)."""


def kebab(name: str) -> str:
    """`FashionMNIST` -> `fashion-mnist`, `Pattern1010` -> `pattern-1010`, `R1` -> `r1`."""
    return "-".join(re.findall(r"[A-Z]+\d*(?![a-z])|[A-Z][a-z]+|\d+", name)).lower()


@cache
def entries(shelf: str) -> dict[str, Entry]:
    """Every leaf on `shelf`, by name, in the order of files and of lines in them."""
    if shelf == "moves":
        files = [PACKAGE / "game" / "moves.py"]
    else:
        files = sorted(p for p in (PACKAGE / shelf).glob("*.py") if not p.name.startswith("_"))
    found: dict[str, Entry] = {}
    for file in files:
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            entry = _entry(shelf, file, node)
            if entry is None:
                continue
            if entry.name in found:
                raise RuntimeError(f"two leaves called {entry.name!r}: {found[entry.name].module} and {entry.module}")
            found[entry.name] = entry
    return found


def find(shelf: str, name: str) -> Any:
    """The leaf itself: a class, a recipe function or a move. Imports the one file that holds it.

    Raises UsageError when there is no such leaf, with the nearest name there is.
    """
    entry = entries(shelf).get(name) or next(
        (c for c in entries(shelf).values() if name in c.facts.get("also", ())), None
    )
    if entry is None:
        raise UsageError(unknown(shelf, name, entries(shelf)))
    return getattr(importlib.import_module(entry.module), entry.attribute)


def make(shelf: str, name: str, fields: Mapping[str, Any]) -> Any:
    """A leaf with these fields.

    Raises UsageError for a name or a field that does not exist, or a value that the leaf refuses.
    """
    leaf = find(shelf, name)
    known = {f.name: f for f in dataclasses.fields(leaf)}
    for given in fields:
        if given not in known:
            raise UsageError(f"{name}: {unknown('fields', given, known)}")
    try:
        return leaf(**fields)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name}: {error}") from error


def read(shelf: str, text: str) -> Any:
    """A leaf from how people write it: `mse`, `adam(1e-4)`, `fully-connected(hidden=(256, 128), output=tanh)`.

    Values are Python literals; a word that is none is a string. Raises UsageError like `make`.
    """
    name, bracket, rest = text.strip().partition("(")
    if shelf == "moves" or not bracket:
        return find(shelf, name) if shelf == "moves" else make(shelf, name, {})
    if not rest.endswith(")"):
        raise UsageError(f"{text!r} lacks its closing bracket")
    order = [f.name for f in dataclasses.fields(find(shelf, name))]
    fields: dict[str, Any] = {}
    for index, part in enumerate(_parts(rest[:-1])):
        key, equals, value = part.partition("=")
        if not equals and index >= len(order):
            raise UsageError(f"{text!r} has more values than {name} has fields ({', '.join(order)})")
        fields[key.strip() if equals else order[index]] = _literal(value if equals else part)
    return make(shelf, name, fields)


def spell(leaf: Any) -> str:
    """The inverse of `read`: only what differs from the leaf's defaults. A user's own part is its name in brackets."""
    if inspect.isfunction(leaf) or inspect.isclass(leaf):
        return name_of(leaf) or f"<{leaf.__name__}>"
    name = name_of(type(leaf))
    if name is None:
        return f"<{type(leaf).__name__}>"
    told: list[str] = []
    for each in dataclasses.fields(leaf):
        value = getattr(leaf, each.name)
        if value != each.default:
            told.append(f"{each.name}={_spelled(value)}")
    return f"{name}({', '.join(told)})" if told else name


def name_of(leaf: Any) -> str | None:
    """The catalogue name of a leaf class or function, or None for one that is not ours."""
    attribute = getattr(leaf, "__name__", None)
    for shelf in SHELVES:
        for entry in entries(shelf).values():
            if (entry.module, entry.attribute) == (leaf.__module__, attribute):
                return entry.name
    return None


def field_docs(module: str, name: str) -> dict[str, str]:
    """What the docstring under each field of a class in one of our modules says, read from its source."""
    tree = _tree(f"sparring.{module}")
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    return {
        field.target.id: doc.value.value
        for field, doc in itertools.pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(doc, ast.Expr)
        and isinstance(doc.value, ast.Constant)
        and isinstance(doc.value.value, str)
    }


@cache
def defaults(shelf: str, name: str) -> dict[str, Any]:
    """Field -> default of a leaf, read from its source; one that is no literal is left out."""
    entry = entries(shelf)[name]
    body = next(n.body for n in _tree(entry.module).body if isinstance(n, ast.ClassDef) and n.name == entry.attribute)
    found: dict[str, Any] = {}
    for node in body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            with contextlib.suppress(ValueError):
                found[node.target.id] = ast.literal_eval(node.value)
    return found


def lineage(entry: Entry) -> str:
    """What the file that holds a recipe says of it and its siblings; the first line is the lineage's title."""
    return ast.get_docstring(_tree(entry.module)) or ""


def unknown(what: str, name: str, names: Iterable[str]) -> str:
    """One line for a name that does not exist: the nearest one, else all of them."""
    names = sorted(names)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names)}"
    singular = what.removesuffix("s")
    return f"no {singular} called {name!r}; {hint}"


@cache
def _tree(module: str) -> ast.Module:
    path = PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8"))


def _entry(shelf: str, file: Path, node: ast.stmt) -> Entry | None:
    if not isinstance(node, ast.ClassDef | ast.FunctionDef) or node.name.startswith("_"):
        return None
    module = "sparring.game.moves" if shelf == "moves" else f"sparring.{shelf}.{file.stem}"
    text = ast.get_docstring(node) or ""
    summary = text.partition("\n")[0]
    facts: dict[str, Any] = {}
    if shelf == "recipes":
        mark = next((d for d in node.decorator_list if _called(d) == "recipe"), None)
        if not isinstance(mark, ast.Call):
            return None
        name = ast.literal_eval(mark.args[0])
        facts = {k.arg: ast.literal_eval(k.value) for k in mark.keywords if k.arg}
    elif shelf == "moves":
        if not isinstance(node, ast.FunctionDef) or [a.arg for a in node.args.args] != ["game"]:
            return None
        name = node.name
    else:
        if not isinstance(node, ast.ClassDef) or "dataclass" not in map(_called, node.decorator_list):
            return None
        name = _literal_field(node, "name") or kebab(node.name)
        facts = {"also": also} if (also := _literal_field(node, "also")) else {}
    return Entry(name, shelf, module, node.name, summary, text, facts)


def _literal_field(node: ast.ClassDef, name: str) -> Any:
    """What a class sets a field to, or None."""
    for each in node.body:
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name) and each.target.id == name:
            return ast.literal_eval(each.value) if each.value is not None else None
    return None


def _parts(text: str) -> list[str]:
    """Split at the commas outside brackets and quotes."""
    parts, depth, quote, escaped = [""], 0, "", False
    for character in text:
        if quote:
            quote = quote if escaped or character != quote else ""
            escaped = character == "\\" and not escaped
        elif character in "\"'" and parts[-1].strip()[-1:] in ("", "=", "(", "[", ","):
            quote = character  # elsewhere it is an apostrophe
        else:
            depth += (character in "([") - (character in ")]")
        if character == "," and depth == 0 and not quote:
            parts.append("")
        else:
            parts[-1] += character
    return [p.strip() for p in parts if p.strip()]


def _spelled(value: Any) -> str:
    """A word stays bare where it reads back as itself."""
    if isinstance(value, str) and (value != _literal(value) or not re.fullmatch(r"[\w#./~:+@%-]+", value)):
        return repr(value)
    return str(value)


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError):
        return text.strip()


def _called(decorator: ast.expr) -> str:
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    return target.id if isinstance(target, ast.Name) else getattr(target, "attr", "")
