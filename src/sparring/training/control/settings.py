"""Which settings of a recipe can be changed while a run trains, how people name them, and what they may be.

They are the numbers of a recipe: learning rates and what else an optimizer has, weights and rates of tricks, the batch,
and how many steps each player has in a round. Networks, objective, data and which tricks there are stay.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, cast

from sparring import catalogue
from sparring.catalogue import OwnPart
from sparring.errors import SparringError, UsageError, shortened
from sparring.fields import described, hints_of, refusal, settled
from sparring.recipe import Recipe
from sparring.recipe.changing import OPTIMIZERS
from sparring.recipe.reading import read_field

Settings = dict[str, list[Any]]
"""Path in the recipe as plain data -> [its value before, its value after]."""
NUMBERS = (int, float, int | None, float | None, tuple[float, float])
"""Types of fields that are numbers."""
PLAYERS = {"generator": "generator_optimizer", "g": "generator_optimizer", "discriminator": "discriminator_optimizer"}
PLAYERS |= {"d": "discriminator_optimizer"}
SAME = {
    "batch_size": "batch",
    "learning_rate": "lr",
    "swap_rate": "label_swapping.rate",
    "label_swap_rate": "label_swapping.rate",
    "smoothing": "label_smoothing.real",
    "d_steps": "ratio",
    "moves": "round",
}
"""What people call settings -> their names here."""
MAX_RATIO = 1_000
BRANCH = "branch to change it: sparring branch RUN ROUND --set ..."


def settings_of(recipe: Recipe) -> dict[str, Any]:
    """Every setting that can be changed, by its path, with its value as plain data."""
    found: dict[str, Any] = {"batch": recipe.batch, "round": _plain(recipe, "round")}
    for field in OPTIMIZERS:
        found |= {f"{field}.{name}": value for name, value in _numbers(getattr(recipe, field)).items()}
    for index, trick in enumerate(recipe.tricks):
        found |= {f"tricks.{index}.{name}": value for name, value in _numbers(trick).items()}
    return found


def changed(recipe: Recipe, values: Mapping[str, Any]) -> tuple[Recipe, Settings]:
    """A recipe with some of its numbers changed.

    Args:
        recipe: The recipe in force.
        values: Name -> value, or its text. `lr` is the learning rate of both players, `g.lr` and `d.lr` are each one's;
            `gamma` or `r1.gamma` is a trick's; `batch`; `ratio=3` is three steps of D for each round of G's; `round`
            lists the moves.

    Returns:
        The recipe, and what is different in it.

    Raises:
        UsageError: There is no such setting, a value is not allowed, or nothing is different.
    """
    if not values:
        raise UsageError("say what to change: lr=5e-5, batch=32, gamma=1, ...")
    made = recipe
    for name, value in values.items():
        try:
            made = _with(made, name, value)
        except (ValueError, TypeError) as error:
            raise UsageError(f"{name}: {error}") from error
    _check(made)
    settings = differences(recipe, made)
    if not settings:
        given = ", ".join(f"{name}={shortened(value)}" for name, value in values.items())
        raise UsageError(f"nothing changes: {given} is what the run has already")
    return made, settings


def differences(before: Recipe, after: Recipe) -> Settings:
    """What is different in a recipe with the same parts, numbers only."""
    old, new = settings_of(before), settings_of(after)
    return {path: [old[path], value] for path, value in new.items() if old.get(path) != value}


def _with(recipe: Recipe, name: str, value: Any) -> Recipe:
    key = re.sub(r"[\s-]+", "_", name.strip()).lower()
    key = SAME.get(key, key)
    whose = re.fullmatch(r"(g|d|generator|discriminator)[_.](\w+)", key)
    if whose and whose[2] != "optimizer" and whose[1] in PLAYERS:
        return _with_number(recipe, PLAYERS[whose[1]], whose[2], value, name)
    if key == "lr":
        for field in OPTIMIZERS:
            recipe = _with_number(recipe, field, "lr", value, name)
        return recipe
    if key == "batch":
        return recipe.replace(batch=_number(int, value, name))
    if key == "ratio":
        return recipe.replace(round=_moves(recipe, value, name))
    if key == "round":
        return recipe.replace(round=read_field("round", value))
    place, _, field = key.rpartition(".")
    if place in OPTIMIZERS:
        return _with_number(recipe, place, field, value, name)
    return _with_trick(recipe, place, field, value, name)


def _with_number(recipe: Recipe, field: str, name: str, value: Any, given: str) -> Recipe:
    part = getattr(recipe, field)
    return recipe.replace(**{field: _replaced(part, name, value, given, recipe)})


def _with_trick(recipe: Recipe, place: str, field: str, value: Any, given: str) -> Recipe:
    """A setting of a trick, which may be named with its trick, by its index, or alone where one trick has it."""
    of = place.removeprefix("tricks.")
    found: list[int] = []
    for index, trick in enumerate(recipe.tricks):
        name = (catalogue.name_of(type(trick)) or type(trick).__name__).replace("-", "_")
        also = [each.replace("-", "_").lower() for each in getattr(type(trick), "also", ())]
        named = of in (str(index), name.lower(), *also) or not of
        if named and field in _numbers(trick):
            found.append(index)
    if len(found) > 1:
        names = ", ".join(f"tricks.{index}.{field}" for index in found)
        raise UsageError(f"{given}: several tricks of this run have it; say which: {names}")
    if not found:
        raise UsageError(_unknown(recipe, given, of or field))
    tricks = list(recipe.tricks)
    tricks[found[0]] = _replaced(tricks[found[0]], field, value, given, recipe)
    return recipe.replace(tricks=tricks)


def _replaced(part: Any, name: str, value: Any, given: str, recipe: Recipe) -> Any:
    if isinstance(part, OwnPart) or not dataclasses.is_dataclass(part):
        raise UsageError(f"{given}: {catalogue.to_text(part)} is your own; only settings of built-in parts change")
    if name not in _numbers(part):
        raise UsageError(_unknown(recipe, given, name))
    wanted = hints_of(cast(type[Any], type(part)))[name]
    return dataclasses.replace(cast(Any, part), **{name: _number(wanted, value, given)})


def _number(wanted: Any, value: Any, given: str) -> Any:
    """A value, or its text, as a field of this type takes it. Raises UsageError."""
    if isinstance(value, str):
        try:
            numbers = [float(part) for part in value.strip("()[] ").split(",") if part.strip()]
        except ValueError as error:
            raise UsageError(f"{given} takes a number, not {value!r}") from error
        whole = wanted in (int, int | None)
        numbers = [int(number) if whole and number == int(number) else number for number in numbers if number == number]
        if not numbers:
            raise UsageError(f"{given} takes a number, not {value!r}")
        value = numbers[0] if len(numbers) == 1 else tuple(numbers)
    if wanted == tuple[float, float] and isinstance(value, int | float):
        value = (value, value)
    value = tuple(cast(list[Any], value)) if isinstance(value, list) else value
    if (takes := refusal(wanted, value)) is not None:
        raise UsageError(f"{given} takes {takes}, not {described(value)}")
    return settled(wanted, value)


def _moves(recipe: Recipe, value: Any, given: str) -> tuple[Any, ...]:
    """The moves of a round with so many steps of D for each of G."""
    text = str(value).partition(":")[0]
    times = _number(int, text if isinstance(value, str) else value, given)
    if not 1 <= times <= MAX_RATIO:
        raise UsageError(f"{given} takes 1 to {MAX_RATIO:,} steps of D for each of G, not {times}")
    once = tuple(dict.fromkeys(recipe.round))
    d = [move for move in once if player_of(move) == "D"]
    g = [move for move in once if player_of(move) == "G"]
    if not d or len(d) + len(g) < len(once):
        raise UsageError(f"{given}: the moves of this run are your own; list them as round=MOVE,MOVE,...")
    return (*d * times, *g)


def player_of(move: Any) -> str:
    """Who learns in a move of the catalogue: G or D; empty for one that is not of it."""
    name = move.name if isinstance(move, OwnPart) else catalogue.name_of(move) or ""
    return name[:1].upper() if name.startswith(("d_", "g_")) else ""


def _numbers(part: Any) -> dict[str, Any]:
    """The numbers among a part's fields, as plain data."""
    if isinstance(part, OwnPart) or not dataclasses.is_dataclass(part) or catalogue.name_of(type(part)) is None:
        return {}
    if getattr(part, "reshapes", False):  # D is built for what it gives
        return {}
    hints = hints_of(cast(type[Any], type(part)))
    numbers = {name: getattr(part, name) for name, wanted in hints.items() if wanted in NUMBERS}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in numbers.items()}  # pyright: ignore[reportUnknownArgumentType]


def _plain(recipe: Recipe, field: str) -> Any:
    return recipe.to_dict()[field]


def _check(recipe: Recipe) -> None:
    """Raises UsageError where a trick does not work with the batch."""
    for trick in recipe.tricks:
        if not isinstance(trick, OwnPart):
            trick.check(recipe.batch, recipe.classes)


def _unknown(recipe: Recipe, given: str, name: str) -> str:
    known = sorted({path.rpartition(".")[2] for path in settings_of(recipe)} | {"ratio"})
    if given in {f.name for f in dataclasses.fields(recipe)}:
        return f"{given} cannot be changed while a run trains; {BRANCH}"
    try:
        return f"{given}: {catalogue.unknown('settings of this run', name, known)}"
    except SparringError as error:
        return str(error)
