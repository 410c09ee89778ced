"""The numbers in a recipe's components: what each is called, which may differ between members, and their ranges.

A number has a path: `generator_optimizer.lr`, `tricks.r1.gamma`, `tricks.r1:2.gamma` for the second of two such tricks.
All of this is read from the components themselves: their fields, what they declare of them, and what they refuse.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from sparring import catalogue
from sparring.catalogue import OwnPart
from sparring.errors import UsageError
from sparring.fields import described, hints_of, refusal, settled
from sparring.members import Numbered

PLAYERS = ("generator_optimizer", "discriminator_optimizer")
ROOMS = (*PLAYERS, "objective", "tricks")
"""Fields of a recipe whose components have numbers that may differ, or be set."""
BUILT_IN = {
    "generator": "the networks are built with it",
    "discriminator": "the networks are built with it",
    "data": "all members see the same data",
    "latent": "all members have the same latent distribution",
}
"""Fields of a recipe that are built before the first round, and why their numbers stay as they are."""
IN_COMMON = {
    "batch": "batches have one size for all members",
    "rounds": "all members train for as long",
    "round": "all members play the same moves",
}
"""Fields of a recipe that all members have in common, and why."""
NUMERIC = (float, int, bool, tuple[float, float])
"""Types of fields that hold numbers."""
Parts = Mapping[str, Any]
"""Field of a recipe, of `ROOMS` -> its component; a sequence of them for `tricks`."""


@dataclass(frozen=True)
class Place:
    """Where a number is."""

    room: str
    """One of `ROOMS`."""
    index: int
    """Among the tricks; else 0."""
    field: str
    path: str
    """How the number is called."""

    def part(self, parts: Parts) -> Any:
        """The component that has it."""
        found = parts[self.room]
        return found[self.index] if self.room == "tricks" else found

    def value(self, parts: Parts) -> Any:
        """Its value: a number, or two of them."""
        part = self.part(parts)
        if isinstance(part, OwnPart):
            value = part.fields.get(self.field)
            return tuple(cast(list[Any], value)) if isinstance(value, list) else value
        return getattr(part, self.field)

    def with_part(self, parts: Parts, part: Any) -> dict[str, Any]:
        """The components with another one in this place."""
        if self.room != "tricks":
            return {**parts, self.room: part}
        tricks = list(parts["tricks"])
        tricks[self.index] = part
        return {**parts, "tricks": tuple(tricks)}

    def with_value(self, parts: Parts, value: Any) -> dict[str, Any]:
        """The components with another value here. Raises UsageError for one that the component refuses."""
        return self.with_part(parts, self.changed(parts, value))

    def changed(self, parts: Parts, value: Any) -> Any:
        """The component with this value, in Python's own types. Raises UsageError for one that it refuses."""
        part = self.part(parts)
        if isinstance(part, OwnPart):
            plain = list(cast(Sequence[Any], value)) if isinstance(value, tuple) else value
            return dataclasses.replace(part, fields={**part.fields, self.field: plain})
        wanted = hints_of(type(part)).get(self.field)
        if (takes := refusal(wanted, value)) is not None:
            raise UsageError(f"{self.path} takes {takes}, not {described(value)}")
        try:
            return dataclasses.replace(part, **{self.field: settled(wanted, value)})
        except ValueError as error:
            raise UsageError(f"{self.path}: {error}") from error


def parts_of(recipe: Any) -> Parts:
    """The components of a recipe, by field."""
    return {room: getattr(recipe, room) for room in ROOMS}


def places(parts: Parts, path: str) -> list[Place]:
    """The number of this path; both players' where only a field of optimizers is named, as `lr`.

    Raises:
        UsageError: There is no such number; the message says what there is.
    """
    path = path.strip()
    if path in IN_COMMON:
        raise UsageError(f"{path} cannot differ between members: {IN_COMMON[path]}")
    if "." not in path:
        return [place(parts, f"{player}.{path}") for player in PLAYERS]
    return [place(parts, path)]


def place(parts: Parts, path: str) -> Place:
    """The number of this path. Raises UsageError as `places`."""
    room, _, rest = path.strip().partition(".")
    room = room.replace("-", "_")
    if room in BUILT_IN:
        raise UsageError(f"{path} cannot differ between members, nor be set while a run plays: {BUILT_IN[room]}")
    if room in IN_COMMON:
        raise UsageError(f"{path} cannot differ between members: {IN_COMMON[room]}")
    if room not in ROOMS:
        names = ", ".join(each.path for each in every_place(parts))
        raise UsageError(f"there is no number {path!r} in this recipe; there are: {names}")
    name, _, field = rest.rpartition(".")
    index = _index(parts["tricks"], name, path) if room == "tricks" else 0
    made = Place(room, index, field.replace("-", "_"), "")
    part = made.part(parts)
    fields = numeric_fields(part)
    if made.field not in fields and not isinstance(part, OwnPart):
        called = catalogue.to_text(part).partition("(")[0]
        raise UsageError(f"{path}: {catalogue.unknown(f'numbers of {called}', field, fields)}")
    return dataclasses.replace(made, path=_path(parts, made))


def every_place(parts: Parts) -> list[Place]:
    """All numbers of these components."""
    found: list[Place] = []
    for room in ROOMS:
        several = parts[room] if room == "tricks" else (parts[room],)
        for index, part in enumerate(several):
            found += [Place(room, index, field, "") for field in numeric_fields(part)]
    return [dataclasses.replace(each, path=_path(parts, each)) for each in found]


def numeric_fields(part: Any) -> tuple[str, ...]:
    """The fields of a component that hold numbers."""
    if isinstance(part, OwnPart):
        return tuple(part.fields)
    if not dataclasses.is_dataclass(part):
        return ()
    return tuple(name for name, wanted in hints_of(type(part)).items() if wanted in NUMERIC)


def may_differ(parts: Parts, where: Place) -> bool:
    """Whether members may differ in it. A part of a user's own whose code is not at hand was asked when it was."""
    part = where.part(parts)
    return isinstance(part, OwnPart) or (isinstance(part, Numbered) and where.field in part.per_member)


def check_may_differ(parts: Parts, where: Place) -> None:
    """Raises UsageError, in one line, for a number that all members have in common."""
    if may_differ(parts, where):
        return
    part = where.part(parts)
    name = catalogue.to_text(part).partition("(")[0]
    can = sorted(part.per_member) if isinstance(part, Numbered) else []
    others = f"only in its {' and '.join(can)}" if can else "in none of its fields"
    raise UsageError(
        f"{where.path} cannot differ between members: they may differ {others} ({name}); train a run for each value"
    )


def check_settable(parts: Parts, where: Place) -> None:
    """Raises UsageError, in one line, for a number that cannot be set while a run plays."""
    part = where.part(parts)
    if isinstance(part, Numbered) and where.field in part.at_start:
        raise UsageError(
            f"{where.path} cannot be set while a run plays: it counts before the first round only; start a run with it"
        )


@dataclass(frozen=True)
class Range:
    """What a number may be."""

    low: float | None
    """Its lower end; None where there is none."""
    high: float | None
    includes_low: bool
    includes_high: bool
    whole: bool
    """Whether it is a whole number."""

    @property
    def words(self) -> str:
        """`a number of at least 0`, `a number in [0, 1)`."""
        kind = "a whole number" if self.whole else "a number"
        if self.low is None:
            return kind
        if self.high is None:
            return f"{kind} {'of at least' if self.includes_low else 'above'} {self.low:g}"
        opens, closes = "[" if self.includes_low else "(", "]" if self.includes_high else ")"
        return f"{kind} in {opens}{self.low:g}, {self.high:g}{closes}"


def range_of(parts: Parts, where: Place) -> Range | Literal["true or false"]:
    """What a number may be, found out by asking its component which it refuses; of each of two, for a pair."""
    wanted = hints_of(type(where.part(parts))).get(where.field)
    if wanted is bool:
        return "true or false"
    whole, pair = wanted is int, wanted not in (int, float)

    def takes(number: float) -> bool:
        value = int(number) if whole else number
        try:
            where.changed(parts, (value, value) if pair else value)
        except UsageError:
            return False
        return True

    large, small = (10**6, 0) if whole else (1e12, 1e-12)
    low = None if takes(-large) else next((end for end in (-1, 0, 1) if takes(end) or takes(end + small)), None)
    high = 1 if not takes(large) and (takes(1) or takes(1 - small)) else None
    return Range(low, high, low is not None and takes(low), high is not None and takes(high), whole)


@dataclass(frozen=True)
class Setting:
    """A number that can be set while a run plays."""

    path: str
    value: Any
    """In the recipe: a number, true or false, or two numbers."""
    range: str
    """What it may be, in words; of a pair, each of the two."""
    low: float | None
    high: float | None
    whole: bool
    per_member: bool
    """Whether each member may have a value of its own; then setting it again costs nothing in compiled play."""
    help: str
    """What it is, from the docstring of its field."""


def settings_of(recipe: Any) -> list[Setting]:
    """All numbers of a recipe that `Game.set_number` takes: of its components, its batch size, and its moves."""
    parts = parts_of(recipe)
    found = [_setting(parts, where) for where in every_place(parts) if _settable(parts, where)]
    found.append(Setting("batch", recipe.batch, "a whole number of at least 1", 1, None, True, False, "Batch size."))
    runs = [(move, len(list(same))) for move, same in itertools.groupby(move.__name__ for move in recipe.round)]
    for move, count in runs:
        if [each for each, _ in runs].count(move) == 1:
            says = f"How often a round has the move {move}, in a row."
            found.append(Setting(f"round.{move}", count, "a whole number of at least 0", 0, None, True, False, says))
    return found


def _setting(parts: Parts, where: Place) -> Setting:
    part, range_ = where.part(parts), range_of(parts, where)
    package, _, module = type(part).__module__.partition(".")
    says = catalogue.field_docs(module, type(part).__name__).get(where.field, "") if package == "sparring" else ""
    if isinstance(range_, str):
        low, high, whole, words = None, None, False, range_
    else:
        low, high, whole, words = range_.low, range_.high, range_.whole, range_.words
    return Setting(where.path, where.value(parts), words, low, high, whole, may_differ(parts, where), says)


def _settable(parts: Parts, where: Place) -> bool:
    part = where.part(parts)
    return not isinstance(part, OwnPart) and not (isinstance(part, Numbered) and where.field in part.at_start)


def _index(tricks: Sequence[Any], name: str, path: str) -> int:
    wanted, _, nth = name.partition(":")
    names = [_name(trick) for trick in tricks]
    if catalogue.has("tricks", wanted):
        wanted = catalogue.name_of(catalogue.find("tricks", wanted)) or wanted
    found = [index for index, each in enumerate(names) if each == wanted]
    number = int(nth) if nth.isdecimal() else 1
    if not found or not 1 <= number <= len(found):
        known = ", ".join(dict.fromkeys(names)) or "it has none"
        raise UsageError(f"{path}: this recipe has no such trick; its tricks: {known}")
    return found[number - 1]


def _name(part: Any) -> str:
    """A component's name in a path."""
    if isinstance(part, OwnPart):
        return catalogue.kebab(part.name.rpartition(".")[2])
    return catalogue.name_of(type(part)) or catalogue.kebab(type(part).__name__)


def _path(parts: Parts, where: Place) -> str:
    if where.room != "tricks":
        return f"{where.room}.{where.field}"
    names = [_name(trick) for trick in parts["tricks"]]
    name = names[where.index]
    nth = names[: where.index].count(name) + 1
    return f"tricks.{name}{f':{nth}' if nth > 1 else ''}.{where.field}"
