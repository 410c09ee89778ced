"""How people name the numbers that they change while a run trains, and what becomes of its recipe.

The numbers themselves, their paths and ranges are `recipe.numbers`'s: learning rates and what else an optimizer has,
weights and rates of tricks, the batch, and how often a round has each of its moves.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import Any, cast

from sparring import catalogue
from sparring.catalogue import OwnPart
from sparring.errors import UsageError, shortened
from sparring.fields import as_int, hints_of
from sparring.recipe import Recipe
from sparring.recipe.numbers import PLAYERS, Place, check_settable, every_place, parts_of, place

Settings = dict[str, list[Any]]
"""Path of a number -> [its value before, its value after]."""
BATCH, MOVES = "batch", "round."
OF_PLAYERS = {
    **dict.fromkeys(("g", "generator"), PLAYERS[0]),
    **dict.fromkeys(("d", "discriminator"), PLAYERS[1]),
}
SAME = {
    "batch_size": "batch",
    "learning_rate": "lr",
    "swap_rate": "tricks.label-swapping.rate",
    "smoothing": "tricks.label-smoothing.real",
    "d_steps": "ratio",
}
"""What people call numbers -> their names here."""
MAX_RATIO, MAX_BATCH = 1_000, 2**31
WHOLE = (
    *("objective", "tricks", "generator", "discriminator", "data", "latent", "seeds", "conditional", "clusters"),
    "rounds",
)


def changed(recipe: Recipe, values: Mapping[str, Any]) -> tuple[Recipe, Settings]:
    """A recipe with some of its numbers changed.

    Args:
        recipe: The recipe in force.
        values: Name -> value, or its text. `lr` is the learning rate of both players, `g.lr` and `d.lr` are each one's;
            `gamma` or `r1.gamma` is a trick's; `batch`; `ratio=3` is three steps of D for each of its moves in a round;
            any path of `recipe.numbers`.

    Returns:
        The recipe, and what was asked for, by path, in the order to set it in.

    Raises:
        UsageError: There is no such number, it cannot be set, a value is not allowed, or nothing is different.
    """
    if not values:
        raise UsageError("say what to change: lr=5e-5, batch=32, gamma=1, ...")
    made, settings = recipe, Settings()
    for name, value in values.items():
        for path, new in _targets(made, name, value):
            before, made = _with(made, path, new)
            after = value_of(made, path)
            settings[path] = [settings.get(path, [before])[0], after]
    for trick in made.tricks:
        if not isinstance(trick, OwnPart):
            trick.check(made.batch, made.classes)
    if all(before == after for before, after in settings.values()):
        given = ", ".join(f"{name}={shortened(value)}" for name, value in values.items())
        raise UsageError(f"nothing changes: {given} is what the run has already")
    # What a round must still be playable with comes first: where it is not, nothing has been set yet.
    return made, dict(sorted(settings.items(), key=lambda pair: not is_structure(pair[0])))


def is_structure(path: str) -> bool:
    """Whether a number decides which computation a round is, rather than a value in it."""
    return path == BATCH or path.startswith(MOVES)


def value_of(recipe: Recipe, path: str) -> Any:
    """A number of a recipe, as plain data; a list where members differ in it."""
    if path == BATCH:
        return recipe.batch
    if path.startswith(MOVES):
        return sum(move_name(move) == path.removeprefix(MOVES) for move in recipe.round)
    where = place(parts_of(recipe), path)
    value = recipe.per_member.get(where.path, where.value(parts_of(recipe)))
    return list(value) if isinstance(value, tuple) else value


def values_of(recipe: Recipe) -> dict[str, Any]:
    """Every number that can be set, by its path, as plain data."""
    parts = parts_of(recipe)
    found: dict[str, Any] = {BATCH: recipe.batch}
    for move, _ in itertools.groupby(recipe.round, key=move_name):
        found[f"{MOVES}{move}"] = value_of(recipe, f"{MOVES}{move}")
    for where in every_place(parts):
        try:
            check_settable(parts, where)
        except UsageError:
            continue
        found[where.path] = value_of(recipe, where.path)
    return found


def move_name(move: Any) -> str:
    """The name of a move in the path of its number."""
    return move.name.rpartition(".")[2] if isinstance(move, OwnPart) else move.__name__


def _targets(recipe: Recipe, name: str, value: Any) -> list[tuple[str, Any]]:
    """The paths that a name stands for, each with the value to set."""
    key = re.sub(r"\s+", "", name)
    key = SAME.get(key.replace("-", "_").lower(), key)
    plain = key.replace("-", "_").lower()
    if plain == BATCH or plain.startswith(MOVES):
        return [(plain, _whole(value, name))]
    if plain == "ratio":
        return [(path, _whole(str(value).partition(":")[0], name)) for path in _moves_of_d(recipe, name)]
    if plain in WHOLE:
        raise UsageError(f"{name} stays while a run trains; a branch may have another: sparring branch RUN ROUND")
    if plain == "lr":
        return [(f"{player}.lr", value) for player in PLAYERS]
    of_player = re.fullmatch(r"(g|d|generator|discriminator)[._](\w+)", plain)
    if of_player and not plain.startswith(PLAYERS):
        return [(f"{OF_PLAYERS[of_player[1]]}.{of_player[2]}", value)]
    if plain.startswith((*PLAYERS, "objective.", "tricks.")):
        return [(key, value)]
    return [(_of_a_trick(recipe, key, name), value)]


def _of_a_trick(recipe: Recipe, key: str, given: str) -> str:
    """The path of a trick's number, which is named with its trick or alone."""
    trick, _, field = key.rpartition(".")
    if trick:
        return place(parts_of(recipe), f"tricks.{trick}.{field}").path
    field = field.replace("-", "_").lower()
    found = [each.path for each in every_place(parts_of(recipe)) if each.field == field and each.room != "objective"]
    if len(found) > 1:
        raise UsageError(f"{given}: this run has several; say which: {', '.join(found)}")
    if not found:
        fields = [path.rpartition(".")[2] for path in values_of(recipe) if path.startswith("tricks.")]
        short = [field for field in fields if fields.count(field) == 1]
        raise UsageError(catalogue.unknown("settings", given, ["lr", "g.lr", "d.lr", BATCH, "ratio", *short]))
    return found[0]


def _with(recipe: Recipe, path: str, value: Any) -> tuple[Any, Recipe]:
    """The value before, and the recipe with this one."""
    before = value_of(recipe, path)
    if path == BATCH:
        if not 1 <= value < MAX_BATCH:
            raise UsageError(f"batch takes a whole number from 1 to {MAX_BATCH - 1:,}, not {value:,}")
        return before, recipe.replace(batch=value)
    if path.startswith(MOVES):
        return before, _with_moves(recipe, path, value)
    parts = parts_of(recipe)
    where = place(parts, path)
    check_settable(parts, where)
    if isinstance(where.part(parts), OwnPart):
        raise UsageError(f"{path} is a part of your own; only numbers of built-in parts can be set")
    changed = where.with_value(parts, _number(where, parts, value))
    rest = {each: column for each, column in recipe.per_member.items() if each != where.path}
    return before, recipe.replace(per_member=rest, **{where.room: changed[where.room]})


def _with_moves(recipe: Recipe, path: str, count: int) -> Recipe:
    name = path.removeprefix(MOVES)
    runs = [(each, list(moves)) for each, moves in itertools.groupby(recipe.round, key=move_name)]
    if [each for each, _ in runs].count(name) != 1:
        where = "in several places of" if name in {each for each, _ in runs} else "not in"
        raise UsageError(f"{path} cannot be set: {name} is {where} the round ({', '.join(each for each, _ in runs)})")
    if not 1 <= count <= MAX_RATIO:
        raise UsageError(f"{path} takes a whole number from 1 to {MAX_RATIO:,}, not {count}")
    return recipe.replace(round=[m for each, moves in runs for m in (moves[:1] * count if each == name else moves)])


def _moves_of_d(recipe: Recipe, given: str) -> list[str]:
    names = list(dict.fromkeys(move_name(move) for move in recipe.round))
    of_d = [name for name in names if name.startswith("d_")]
    if not of_d or not all(name.startswith(("d_", "g_")) for name in names):
        own = ", ".join(f"{MOVES}{name}" for name in names)
        raise UsageError(f"{given}: the moves of this run are your own; set each: {own}")
    return [f"{MOVES}{name}" for name in of_d]


def _number(where: Place, parts: Any, value: Any) -> Any:
    """A value, or its text, as the field takes it. Raises UsageError."""
    wanted = hints_of(type(where.part(parts))).get(where.field)
    pair = isinstance(where.value(parts), tuple)
    if isinstance(value, str):
        value = _read(value, where.path, wanted)
    if pair and isinstance(value, int | float):
        value = (value, value)
    return tuple(cast(list[Any], value)) if isinstance(value, list) else value


def _read(text: str, name: str, wanted: Any) -> Any:
    if wanted is bool and text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        numbers = [float(part) for part in text.strip("()[] ").split(",") if part.strip()]
    except ValueError as error:
        raise UsageError(f"{name} takes a number, not {shortened(text)!r}") from error
    if not numbers:
        raise UsageError(f"{name} takes a number, not {shortened(text)!r}")
    whole = [int(number) if wanted is int and number.is_integer() else number for number in numbers]
    return whole[0] if len(whole) == 1 else tuple(whole)


def _whole(value: Any, name: str) -> int:
    text = value.strip() if isinstance(value, str) else value
    number = int(text) if isinstance(text, str) and text.isdecimal() and len(text) < 16 else as_int(text)
    if number is None:
        raise UsageError(f"{name} takes a whole number, not {shortened(value)!r}")
    return number
