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
import dataclasses
import difflib
import importlib
import inspect
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sparring.catalogue.source import KINDS, Entry, defaults, entries_of, field_docs, kebab, lineage
from sparring.errors import UsageError

__all__ = [
    "FIELDS",
    "KINDS",
    "SINGULAR",
    "Entry",
    "OwnPart",
    "defaults",
    "entries",
    "exported",
    "exports",
    "field_docs",
    "find",
    "has",
    "kebab",
    "lineage",
    "make",
    "name_of",
    "parts",
    "plural",
    "read",
    "to_text",
    "unknown",
]

MAX_NAMED = 30
"""Names that a message lists where none is near; of more it lists none."""
SINGULAR = {"remedies": "remedy", **{kind: kind.removesuffix("s") for kind in KINDS if kind != "remedies"}}
"""`objectives` -> `objective`, and so on."""
FIELDS = {
    "data": "datasets",
    "generator": "networks",
    "discriminator": "networks",
    "objective": "objectives",
    "latent": "latents",
    "tricks": "tricks",
    "round": "moves",
    "generator_optimizer": "optimizers",
    "discriminator_optimizer": "optimizers",
}
"""Field of a recipe -> the kind that its parts are of."""


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


def entries(kind: str) -> dict[str, Entry]:
    """Every entry of a kind.

    Args:
        kind: one of `KINDS`, or its singular: `objectives`, `objective`.

    Returns:
        Name -> entry, in the order of files and of lines in them.

    Raises:
        UsageError: there is no such kind.
    """
    return entries_of(plural(kind))


def find(kind: str, name: str) -> Any:
    """The class, recipe function or move of that name. Imports only the one file that defines it.

    Args:
        kind: one of `KINDS`, its singular, or a field of a recipe that takes such parts (`generator`).
        name: the entry's name, another that it is known by (`also`), or its class; hyphens, underscores and capitals
            do not matter. As a `generator`, `dcgan` is `dcgan-generator`.

    Raises:
        UsageError: there is no such kind, or no such name; the message says which name is nearest.
    """
    entry = _found(kind, name)
    if entry is None:
        raise UsageError(_not_found(kind, name))
    return getattr(importlib.import_module(entry.module), entry.attribute)


def has(kind: str, name: str) -> bool:
    """Whether there is an entry of that name. Raises UsageError if there is no such kind."""
    return _found(kind, name) is not None


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
    none = (dataclasses.MISSING, dataclasses.MISSING)
    if lacking := [each for each, f in known.items() if (f.default, f.default_factory) == none and each not in fields]:
        written = ", ".join(f"{each}=..." for each in lacking)
        raise UsageError(f"{name} lacks its {' and '.join(lacking)}: write {name}({written})")
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
    name = name.strip()
    if plural(kind) == "moves" or not bracket:
        return find(kind, name) if plural(kind) == "moves" else make(kind, name, {})
    if not rest.endswith(")"):
        raise UsageError(f"{text!r} lacks its closing bracket")
    order = [f.name for f in dataclasses.fields(find(kind, name))]
    fields: dict[str, Any] = {}
    for index, part in enumerate(parts(rest[:-1])):
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
    entry = next((e for e in entries_of(package.rpartition(".")[2]).values() if e.attribute == attribute), None)
    if entry is None:
        raise AttributeError(f"module {package!r} has no attribute {attribute!r}")
    return getattr(importlib.import_module(entry.module), attribute)


def exports(package: str) -> list[str]:
    """The names of the classes that `exported` gives, in alphabetical order."""
    return sorted(entry.attribute for entry in entries_of(package.rpartition(".")[2]).values())


def plural(kind: str) -> str:
    """`objective` or `objectives` -> `objectives`, `generator` -> `networks`. Raises UsageError for what is no kind."""
    word = kind.lower().replace("-", "_")
    found = next((k for k in KINDS if word in (k, SINGULAR[k])), None) or FIELDS.get(word)
    if found is None:
        raise UsageError(unknown("kinds", kind, KINDS))
    return found


def name_of(leaf: Any) -> str | None:
    """The catalogue's name of a class or function, or None for one that the catalogue does not list."""
    attribute = getattr(leaf, "__name__", None)
    for kind in KINDS:
        for entry in entries_of(kind).values():
            if (entry.module, entry.attribute) == (leaf.__module__, attribute):
                return entry.name
    return None


def unknown(what: str, name: str, names: Iterable[str]) -> str:
    """The message for a name that does not exist: what was looked for, and the nearest names or else all of them.

    Args:
        what: what it should have been, in the plural: `objectives`, `fields`.
        name: what was asked for.
        names: what there is.
    """
    names = sorted(names)
    near = [n for n in names if name and (n.startswith(f"{name}-") or n.endswith(f"_{name}"))]
    near = near or difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    every = f"; there are: {', '.join(names)}" if len(names) <= MAX_NAMED else ""
    every = "; `sparring recipes` lists them" if what == "recipes" else every
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else every
    return f"no {SINGULAR.get(what, what.removesuffix('s'))} called {name!r}{hint}"


def _found(kind: str, name: str) -> Entry | None:
    known, plain = entries(kind), _plain(name)
    wanted = (plain, plain + _plain(kind)) if plural(kind) == "networks" else (plain,)
    return known.get(name) or next(
        (e for e in known.values() if any(_plain(each) in wanted for each in (e.name, e.attribute, *e.also))), None
    )


def _not_found(kind: str, name: str) -> str:
    """The message for a name that this kind lacks: which kind has it, or which name is nearest."""
    other = next((k for k in KINDS if k != plural(kind) and has(k, name)), None)
    if other is None or not name:
        return unknown(plural(kind), name, entries(kind))
    if other[0] in "aeiou":
        return f"no {SINGULAR[plural(kind)]} called {name!r}: that is an {SINGULAR[other]}"
    return f"no {SINGULAR[plural(kind)]} called {name!r}: that is a {SINGULAR[other]}"


def _plain(name: str) -> str:
    """A name without what people write in several ways: `BCE_with-logits` is `bcewithlogits`."""
    return re.sub(r"[-_ ]", "", name.lower())


def parts(text: str) -> list[str]:
    """Split at the commas outside brackets and quotes."""
    found, depth, quote, escaped = [""], 0, "", False
    for character in text:
        if quote:
            quote = quote if escaped or character != quote else ""
            escaped = character == "\\" and not escaped
        elif character in "\"'" and found[-1].strip()[-1:] in ("", "=", "(", "[", ","):
            quote = character  # elsewhere it is an apostrophe
        else:
            depth += (character in "([") - (character in ")]")
        if character == "," and depth == 0 and not quote:
            found.append("")
        else:
            found[-1] += character
    return [p.strip() for p in found if p.strip()]


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
