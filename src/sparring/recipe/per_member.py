"""Populations whose members differ in numbers: a recipe's `per_member`, its cells, and one recipe made of several.

A cell is the members that have all numbers in common. It is a plain recipe with some seeds, and the population of
several cells is trained as one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from sparring.errors import UsageError
from sparring.fields import described
from sparring.recipe.numbers import ROOMS, Parts, Place, check_may_differ, every_place, parts_of, place, places
from sparring.record.members import label_of

if TYPE_CHECKING:
    from sparring.recipe.definition import Recipe

Values = tuple[Any, ...]
"""A number, or two of them, for each member."""


@dataclass(frozen=True)
class Cell:
    """The members of a population that have the same numbers."""

    members: tuple[int, ...]
    """Their places among the seeds."""
    seeds: tuple[int, ...]
    numbers: Mapping[str, Any] = dataclasses.field(hash=False)
    """Path -> what these members have there; empty where no member differs from another."""

    @property
    def label(self) -> str:
        """Its numbers, in words: `generator lr 0.001, r1 gamma 10`; empty where no member differs from another."""
        return label_of(self.numbers)


def settled(parts: Parts, seeds: Sequence[int], given: Any) -> tuple[dict[str, Values], dict[str, Any]]:
    """What a recipe's `per_member` comes to, and its components.

    Args:
        parts: The components, by field.
        seeds: One for each member.
        given: Path -> a value for each member, in the order of the seeds.

    Returns:
        The numbers in which members differ, in the order of their paths; and the components, which have the first
        member's numbers. What all members have in common is in the components alone.

    Raises:
        UsageError: A path or a value does not fit, members may not differ in it, or two members are the same.
    """
    if not isinstance(given, Mapping):
        raise UsageError(f"per_member takes a path and a value for each member, not {described(given)}")
    columns: dict[str, Values] = {}
    for path, values in cast(Mapping[Any, Any], given).items():
        if not isinstance(path, str):
            raise UsageError(f"per_member takes paths such as 'tricks.r1.gamma', not {described(path)}")
        for where in _named(parts, path):
            if where.path in columns:
                raise UsageError(f"per_member: {where.path} is given twice")
            columns[where.path] = _column(path, values, len(seeds))
    columns = dict(sorted(columns.items()))
    changed = dict(parts)
    for path, values in columns.items():
        where = place(parts, path)
        if len(set(values)) > 1:
            check_may_differ(parts, where)
        changed = where.with_value(changed, values[0])
        columns[path] = _as_the_component_has_it(changed, path, values)
    columns = {path: values for path, values in columns.items() if len(set(values)) > 1}
    _check_members(changed, columns)
    return columns, changed


def check_distinct(seeds: Sequence[int], columns: Mapping[str, Values]) -> None:
    """Raises UsageError where two members have the same seed and the same numbers."""
    members = list(zip(seeds, *columns.values(), strict=True))
    if not seeds or len(set(members)) != len(members):
        numbers = " where no number differs" if columns else ""
        raise UsageError(f"seeds must be distinct{numbers} and at least one, not {list(seeds)}")


def cells_of(recipe: Recipe) -> tuple[Cell, ...]:
    """The cells of a recipe, in the order of their first members."""
    columns = recipe.per_member
    found: dict[Values, list[int]] = {}
    for member in range(len(recipe.seeds)):
        found.setdefault(tuple(values[member] for values in columns.values()), []).append(member)
    return tuple(
        Cell(tuple(members), tuple(recipe.seeds[m] for m in members), dict(zip(columns, numbers, strict=True)))
        for numbers, members in found.items()
    )


def selected(recipe: Recipe, members: Iterable[int]) -> Recipe:
    """The recipe of some members; see `Recipe.select`."""
    chosen = list(members)
    if not chosen or not all(0 <= member < len(recipe.seeds) for member in chosen):
        raise UsageError(f"members are counted from 0 to {len(recipe.seeds) - 1}, and at least one: not {chosen}")
    columns = {path: tuple(values[m] for m in chosen) for path, values in recipe.per_member.items()}
    return dataclasses.replace(recipe, seeds=tuple(recipe.seeds[m] for m in chosen), per_member=columns)


def together(recipes: Sequence[Recipe]) -> Recipe:
    """One recipe of several that differ in nothing but their seeds and numbers, to be trained as one population.

    Args:
        recipes: They may have cells of their own. Their order is that of the members.

    Returns:
        A recipe whose members are theirs; `select` gives them back.

    Raises:
        UsageError: They differ in something else, or in a number that all members must have in common.
    """
    if not recipes:
        raise UsageError("there is no recipe to train together")
    first, columns = recipes[0], dict[str, list[Any]]()
    differing = [w.path for w in every_place(parts_of(first)) if _differs(recipes, w.path)]
    for path in differing:
        for recipe in recipes:
            common = (place(parts_of(recipe), path).value(parts_of(recipe)),) * len(recipe.seeds)
            columns.setdefault(path, []).extend(recipe.per_member.get(path, common))
    made = [_with_numbers_of(first, recipe) for recipe in recipes]
    for other in made[1:]:
        _check_alike(made[0], other)
    seeds = tuple(seed for recipe in recipes for seed in recipe.seeds)
    return dataclasses.replace(first, seeds=seeds, per_member={p: tuple(v) for p, v in columns.items()})


def _named(parts: Parts, path: str) -> list[Place]:
    try:
        return places(parts, path)
    except UsageError as error:
        raise UsageError(f"per_member: {error}") from error


def _column(path: str, values: Any, members: int) -> Values:
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise UsageError(f"per_member: {path} takes a value for each member, not {described(values)}")
    column = tuple(
        tuple(cast(list[Any], each)) if isinstance(each, list) else each for each in cast(Iterable[Any], values)
    )
    if len(column) != members:
        raise UsageError(
            f"per_member: {path} has {len(column)} values for {members} seeds, and takes one for each member; "
            "give seeds and per_member together, or take some members with select"
        )
    return column


def _as_the_component_has_it(parts: Parts, path: str, values: Values) -> Values:
    """Values in Python's own types, each accepted by the component."""
    where = place(parts, path)
    known: dict[Any, Any] = {}
    for value in values:
        try:
            if value not in known:
                known[value] = where.value(where.with_value(parts, value))
        except TypeError as error:
            raise UsageError(f"per_member: {path} takes numbers, not {described(value)}") from error
    return tuple(known[value] for value in values)


def _check_members(parts: Parts, columns: Mapping[str, Values]) -> None:
    """Raises UsageError for numbers that a component refuses side by side."""
    for numbers in dict.fromkeys(zip(*columns.values(), strict=True)):
        changed = dict(parts)
        for path, value in zip(columns, numbers, strict=True):
            changed = place(changed, path).with_value(changed, value)


def _differs(recipes: Sequence[Recipe], path: str) -> bool:
    def values(recipe: Recipe) -> Any:
        parts = parts_of(recipe)
        known = {each.path: each for each in every_place(parts)}
        return recipe.per_member.get(path) or (known[path].value(parts) if path in known else None)

    return any(values(recipe) != values(recipes[0]) or path in recipe.per_member for recipe in recipes)


def _with_numbers_of(first: Recipe, other: Recipe) -> Recipe:
    """The other recipe with the first one's numbers, seeds and name, where it has such numbers."""
    parts = parts_of(other)
    known = {each.path for each in every_place(parts)}
    for where in every_place(parts_of(first)):
        if where.path in known and type(where.part(parts)) is type(where.part(parts_of(first))):
            parts = where.with_value(parts, where.value(parts_of(first)))
    same = {"seeds": first.seeds[:1], "per_member": {}, "name": first.name, "origin": first.origin}
    return dataclasses.replace(other, **{room: parts[room] for room in ROOMS}, **same)


def _check_alike(first: Recipe, other: Recipe) -> None:
    mine, theirs = first.to_dict(), other.to_dict()
    different = [field for field in mine if mine[field] != theirs.get(field)]
    if different:
        raise UsageError(
            f"recipes that differ in {' and '.join(different)} cannot be trained as one population, which may differ "
            "in numbers alone"
        )
