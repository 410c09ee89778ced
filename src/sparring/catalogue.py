"""Find leaves by looking: what lies in a shelf's files is what there is, and no list is kept anywhere.

A shelf is a folder of leaf files (or one file). Looking parses the source without running it, so listing every recipe
loads neither torch nor the leaves. A leaf is

- in a folder of leaves: a public frozen dataclass, named by its class name in kebab case (`BCEWithLogits` is
  `bce-with-logits`);
- in `recipes/`: a function under `@recipe("name", ...)`, whose decorator says where it comes from;
- in `game.py`: a move, that is a public function of `game`; its name is the function's.

Files that begin with an underscore hold what several leaves share and are never leaves.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from sparring.errors import UsageError

PACKAGE = Path(__file__).parent
SHELVES = ("objectives", "tricks", "networks", "datasets", "optimisers", "latent", "recipes", "moves")


@dataclass(frozen=True)
class Card:
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
    """Literal arguments of the leaf's decorator."""


def kebab(name: str) -> str:
    """`FashionMNIST` -> `fashion-mnist`, `Pattern1010` -> `pattern-1010`, `R1` -> `r1`."""
    return "-".join(re.findall(r"[A-Z]+\d*(?![a-z])|[A-Z][a-z]+|\d+", name)).lower()


@cache
def cards(shelf: str) -> dict[str, Card]:
    """Every leaf on `shelf`, by name, in the order of files and of lines in them."""
    if shelf == "moves":
        files = [PACKAGE / "game.py"]
    else:
        files = sorted(p for p in (PACKAGE / shelf).glob("*.py") if not p.name.startswith("_"))
    found: dict[str, Card] = {}
    for file in files:
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            card = _card(shelf, file, node)
            if card is None:
                continue
            if card.name in found:
                raise RuntimeError(f"two leaves called {card.name!r}: {found[card.name].module} and {card.module}")
            found[card.name] = card
    return found


def find(shelf: str, name: str) -> Any:
    """The leaf itself: a class, a recipe function or a move. Imports the one file that holds it.

    Raises UsageError when there is no such leaf, with the nearest name there is.
    """
    card = cards(shelf).get(name)
    if card is None:
        raise UsageError(unknown(shelf, name, cards(shelf)))
    return getattr(importlib.import_module(card.module), card.attribute)


def name_of(leaf: Any) -> str | None:
    """The catalogue name of a leaf class or function, or None for one that is not ours."""
    attribute = leaf.__name__
    for shelf in SHELVES:
        for card in cards(shelf).values():
            if (card.module, card.attribute) == (leaf.__module__, attribute):
                return card.name
    return None


def unknown(what: str, name: str, names: Iterable[str]) -> str:
    """One line for a name that does not exist: the nearest one, else all of them."""
    names = sorted(names)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names)}"
    singular = what.removesuffix("s")
    return f"no {singular} called {name!r}; {hint}"


def _card(shelf: str, file: Path, node: ast.stmt) -> Card | None:
    if not isinstance(node, ast.ClassDef | ast.FunctionDef) or node.name.startswith("_"):
        return None
    module = "sparring.game" if shelf == "moves" else f"sparring.{shelf}.{file.stem}"
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
        name = kebab(node.name)
    return Card(name, shelf, module, node.name, summary, text, facts)


def _called(decorator: ast.expr) -> str:
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    return target.id if isinstance(target, ast.Name) else getattr(target, "attr", "")
