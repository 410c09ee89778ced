"""Fields of a recipe and of its parts by a path: `objective`, `tricks.r1.gamma`, `generator.hidden`, `optimizer.lr`."""

from __future__ import annotations

import ast
import dataclasses
from typing import Any, cast

from sparring import catalogue
from sparring.errors import UsageError
from sparring.fields import hints_of, refusal, settled
from sparring.recipe import KIND_OF, Recipe
from sparring.recipe.changing import LENGTHS, SAME
from sparring.tricks import Trick

PLAYERS = {"G": "generator", "D": "discriminator"}
BOTH = {"optimizer": ("generator_optimizer", "discriminator_optimizer")}
ALIASES = ("lr", "optimizer", *SAME, *LENGTHS)
"""What `Recipe.replace` knows beside the fields of a recipe."""
PRESENT, ABSENT = ("on", "yes", "true"), ("off", "no", "none", "false")
REMEDY, TRICKS = "remedy", "tricks"


def is_path(path: str) -> bool:
    """Whether a text names a field of a recipe, as far as can be known without one."""
    head = path.partition(".")[0]
    return PLAYERS.get(head, head) in (*_fields(), *ALIASES, REMEDY)


def check_path(path: str) -> None:
    """Raises UsageError for a path that no recipe has."""
    head, _, rest = path.partition(".")
    if not is_path(path):
        known = [*_fields(), "lr", "optimizer", "recipe", REMEDY]
        raise UsageError(catalogue.unknown("recipe fields", head, known))
    if head in (TRICKS, REMEDY) and rest:
        catalogue.find("tricks" if head == TRICKS else "remedies", rest.partition(".")[0])


def set_field(recipe: Recipe, path: str, value: Any) -> Recipe:
    """The recipe with one field at another value.

    Args:
        recipe: What is changed.
        path: A field of the recipe, or after a dot of its part. `tricks.NAME.FIELD` adds the trick where the recipe
            lacks it, and leaves it out at the value 0 where that means the same; `tricks.NAME` and `remedy.NAME` take
            `on` and `off`.
        value: The value, or its text.

    Raises:
        UsageError: There is no such field, or the value does not fit.
    """
    check_path(path)
    head, _, rest = path.partition(".")
    head = PLAYERS.get(head, head)
    if head == TRICKS and rest:
        name, _, field = rest.partition(".")
        return _with_trick(recipe, name, field, value)
    if head == REMEDY:
        return _with_remedy(recipe, rest, value)
    if not rest:
        return recipe.replace(**{head: _read(head, value)})
    for field in BOTH.get(head, (head,)):
        part = getattr(recipe, SAME.get(field, field))
        recipe = recipe.replace(**{field: _with_field(part, rest, value)})
    return recipe


def _fields() -> list[str]:
    return [field.name for field in dataclasses.fields(Recipe)]


def _read(field: str, value: Any) -> Any:
    """A recipe's field from text; numbers and truth values are literals, several tricks are joined by `+`."""
    if not isinstance(value, str):
        return value
    if field == TRICKS:
        return [] if value.strip() in ABSENT else [part.strip() for part in _split(value)]
    if SAME.get(field, field) in KIND_OF or field == "optimizer":
        return value
    return _literal(value)


def _split(text: str) -> list[str]:
    """At the plus signs outside brackets: `r1(gamma=1)+ema`."""
    return catalogue.parts(
        "".join(c if c != "+" or text[:i].count("(") > text[:i].count(")") else "," for i, c in enumerate(text))
    )


def _with_field(part: Any, field: str, value: Any) -> Any:
    """A part with one of its fields at another value."""
    called = catalogue.to_text(part).partition("(")[0]
    known = hints_of(type(part)) if dataclasses.is_dataclass(part) and not isinstance(part, type) else {}
    if field not in known:
        raise UsageError(f"{called}: {catalogue.unknown('fields', field, known)}")
    value = _literal(value) if isinstance(value, str) else value
    if (takes := refusal(known[field], value)) is not None:
        raise UsageError(f"{called}: {field} takes {takes}, not {value!r}")
    try:
        return dataclasses.replace(cast(Any, part), **{field: settled(known[field], value)})
    except (ValueError, TypeError) as error:
        raise UsageError(f"{called}: {error}") from error


def _with_trick(recipe: Recipe, name: str, field: str, value: Any) -> Recipe:
    kind: type[Trick] = catalogue.find("tricks", name)
    value = _literal(value) if isinstance(value, str) else value
    mine = [each for each in recipe.tricks if type(each) is kind]
    others = [each for each in recipe.tricks if type(each) is not kind]
    if _is_absent(kind, field, value):
        return recipe.replace(tricks=others)
    if not field and not (value is True or value in PRESENT):
        raise UsageError(f"tricks.{name} takes on or off, and its fields values, as tricks.{name}.FIELD=...")
    changed = _with_field(mine[0] if mine else kind(), field, value) if field else mine[0] if mine else kind()
    if not mine:
        return recipe.replace(tricks=[*others, changed])
    return recipe.replace(tricks=[changed if each is mine[0] else each for each in recipe.tricks])


def _is_absent(kind: type[Trick], field: str, value: Any) -> bool:
    if value is None or value is False or value in ABSENT:
        return True
    return bool(field) and field == kind.strength_field and isinstance(value, int | float) and not value


def _with_remedy(recipe: Recipe, name: str, value: Any) -> Recipe:
    if not name:
        raise UsageError(
            "say which remedy is varied, as remedy.adam-for-sgd=off,on (`sparring diagnose` proposes some)"
        )
    if value in ABSENT or value is False or value is None:
        return recipe
    if not (value in PRESENT or value is True):
        raise UsageError(f"remedy.{name} takes on or off, not {value!r}")
    changed = catalogue.make("remedies", name, {})(recipe)
    if changed is None:
        raise UsageError(f"the remedy {name} has nothing to change in this recipe")
    return changed


def _literal(text: str) -> Any:
    word = text.strip()
    if word.lower() in ("true", "false", "on", "off"):
        return word.lower() in ("true", "on")
    try:
        return ast.literal_eval(word)
    except (ValueError, SyntaxError):
        return word
