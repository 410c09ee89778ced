"""What there is to choose from: objectives, tricks, networks and so on, found by reading the source files.

No list is kept by hand. Sources are parsed, not run, so listing every recipe loads neither torch nor the files
themselves. Each kind lies in the folder of its name (`objectives/`, `tricks/`, ...). An entry is

- in most folders: a public frozen dataclass, known by its class name in kebab case (`BCEWithLogits` is
  `bce-with-logits`) unless it sets `name` itself (`AdamW` is `adamw`);
- in `recipes/`: a function under `@recipe("name", ...)`, whose decorator says where it comes from;
- in `game/moves.py`: a move, that is a public function with the one argument `game`, known by its own name.

Files that begin with an underscore hold what several entries share. Elsewhere in the code a class or function that the
catalogue lists is called a leaf.
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


SINGULAR = {"remedies": "remedy", **{kind: kind.removesuffix("s") for kind in KINDS if kind != "remedies"}}
"""`objectives` -> `objective`, and so on."""


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


@dataclass(frozen=True)
class OwnPart:
    """Stands for a part of a recipe that a user wrote, where their file has not been run.

    A recipe's JSON names such a part and hashes its source; the code itself is in the user's file. An `OwnPart` lets a
    recipe be read, compared and changed without running that file. It cannot be trained.
    """

    name: str
    """The class or function, as Python qualifies it: `Generator`."""
    sha256: str
    """First 16 hexadecimal digits of the hash of its source."""
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any], hash=False)
    """The fields of a dataclass, as plain data; for any other object `{"as": its text}`."""


def kebab(name: str) -> str:
    """`FashionMNIST` -> `fashion-mnist`, `Pattern1010` -> `pattern-1010`, `R1` -> `r1`."""
    return "-".join(re.findall(r"[A-Z]+\d*(?![a-z])|[A-Z][a-z]+|\d+", name)).lower()


def entries(kind: str) -> dict[str, Entry]:
    """Every entry of a kind.

    Args:
        kind: one of `KINDS`, or its singular: `objectives`, `objective`.

    Returns:
        Name -> entry, in the order of files and of lines in them.

    Raises:
        UsageError: there is no such kind.
    """
    return _entries(plural(kind))


def find(kind: str, name: str) -> Any:
    """The class, recipe function or move of that name. Imports only the one file that defines it.

    Args:
        kind: one of `KINDS`, or its singular.
        name: the entry's name, or another that it is known by (`also`).

    Raises:
        UsageError: there is no such kind, or no such name; the message says which name is nearest.
    """
    known = entries(kind)
    entry = known.get(name) or next((e for e in known.values() if name in e.facts.get("also", ())), None)
    if entry is None:
        raise UsageError(unknown(kind, name, known))
    return getattr(importlib.import_module(entry.module), entry.attribute)


def make(kind: str, name: str, fields: Mapping[str, Any]) -> Any:
    """An instance with these fields; the other fields take their defaults.

    Raises:
        UsageError: the kind, the name or a field does not exist, a field without a default is missing, or a value is
            refused.
    """
    leaf = find(kind, name)
    known = {f.name: f for f in dataclasses.fields(leaf)}
    for given in fields:
        if given not in known:
            raise UsageError(f"{name}: {unknown('fields', given, known)}")
    try:
        return leaf(**fields)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name}: {error}") from error


def read(kind: str, text: str) -> Any:
    """An instance from text: `mse`, `adam(1e-4)`, `fully-connected(hidden=(256, 128), output=tanh)`.

    Args:
        kind: one of `KINDS`, or its singular.
        text: the entry's name, with values in brackets by position or by field name. Values are Python literals; a word
            that is no literal is a string. A move is its name alone.

    Returns:
        The component; for a move, its function.

    Raises:
        UsageError: the text cannot be read, or as for `make`.
    """
    name, bracket, rest = text.strip().partition("(")
    if plural(kind) == "moves" or not bracket:
        return find(kind, name) if plural(kind) == "moves" else make(kind, name, {})
    if not rest.endswith(")"):
        raise UsageError(f"{text!r} lacks its closing bracket")
    order = [f.name for f in dataclasses.fields(find(kind, name))]
    fields: dict[str, Any] = {}
    for index, part in enumerate(_parts(rest[:-1])):
        key, equals, value = part.partition("=")
        if not equals and index >= len(order):
            raise UsageError(f"{text!r} has more values than {name} has fields ({', '.join(order)})")
        fields[key.strip() if equals else order[index]] = _literal(value if equals else part)
    return make(kind, name, fields)


def to_text(leaf: Any) -> str:
    """The inverse of `read`, with only the fields that differ from their defaults.

    A user's own part has no catalogue name: it is written as its Python name in angle brackets, `<Generator>`.
    """
    if isinstance(leaf, OwnPart):
        return f"<{leaf.name}>"
    if inspect.isfunction(leaf) or inspect.isclass(leaf):
        return name_of(leaf) or f"<{leaf.__name__}>"
    name = name_of(type(leaf))
    if name is None:
        return f"<{type(leaf).__name__}>"
    values = ((f.name, getattr(leaf, f.name), f.default) for f in dataclasses.fields(leaf))
    changed = [f"{field}={_value_text(value)}" for field, value, default in values if value != default]
    return f"{name}({', '.join(changed)})" if changed else name


def exported(package: str, attribute: str) -> Any:
    """What a package of leaves gives as an attribute: `sparring.objectives.Hinge`. Imports the file that defines it.

    Raises AttributeError, as a module's `__getattr__` must, if none of its files defines such a class.
    """
    entry = next((e for e in _entries(package.rpartition(".")[2]).values() if e.attribute == attribute), None)
    if entry is None:
        raise AttributeError(f"module {package!r} has no attribute {attribute!r}")
    return getattr(importlib.import_module(entry.module), attribute)


def exports(package: str) -> list[str]:
    """The names of the classes that `exported` gives, in alphabetical order."""
    return sorted(entry.attribute for entry in _entries(package.rpartition(".")[2]).values())


def plural(kind: str) -> str:
    """`objective` or `objectives` -> `objectives`. Raises UsageError for what is no kind."""
    found = next((k for k in KINDS if kind in (k, SINGULAR[k])), None)
    if found is None:
        raise UsageError(unknown("kinds", kind, KINDS))
    return found


def name_of(leaf: Any) -> str | None:
    """The catalogue's name of a class or function, or None for one that the catalogue does not list."""
    attribute = getattr(leaf, "__name__", None)
    for kind in KINDS:
        for entry in _entries(kind).values():
            if (entry.module, entry.attribute) == (leaf.__module__, attribute):
                return entry.name
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
    entry = entries(kind)[name]
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


def unknown(what: str, name: str, names: Iterable[str]) -> str:
    """The message for a name that does not exist: what was looked for, and the nearest names or else all of them.

    Args:
        what: what it should have been, in the plural: `objectives`, `fields`.
        name: what was asked for.
        names: what there is.
    """
    names = sorted(names)
    near = [n for n in names if name and n.startswith(f"{name}-")]
    near = near or difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"there are: {', '.join(names)}"
    return f"no {SINGULAR.get(what, what.removesuffix('s'))} called {name!r}; {hint}"


@cache
def _entries(kind: str) -> dict[str, Entry]:
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


def _value_text(value: Any) -> str:
    """A field's value as `read` takes it; a string goes without quotes where it is read back as itself."""
    if isinstance(value, str) and (value != _literal(value) or not re.fullmatch(r"[\w#./~:+@%-]+", value)):
        return repr(value)
    return str(value)


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError):
        return text.strip()


def _decorator_name(decorator: ast.expr) -> str:
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    return target.id if isinstance(target, ast.Name) else getattr(target, "attr", "")
