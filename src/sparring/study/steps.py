"""The fields that differ between two recipes, as the factors of a stepwise study."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sparring.analysis.differences import FOUND, field_text
from sparring.errors import UsageError, shortened
from sparring.recipe import Recipe
from sparring.recipe.encoding import encode
from sparring.study.factors import Factor, Level

NOT_STEPS = ("name", "origin", "seeds", "log_points", "samples_per_grid")
"""Fields that do not change what a member learns."""
WHOLE = ("tricks", "round", "start_from")
"""Fields that change at once."""


def factors_between(
    start: Recipe, end: Recipe, together: Iterable[Sequence[str]], labels: Mapping[str, str]
) -> tuple[Factor, ...]:
    """A factor of two levels for each field that differs, or for each group of fields that change together.

    Raises UsageError where the recipes do not differ, or a group names a field that does not.
    """
    differing = _differing(start, end)
    if not differing:
        raise UsageError(f"{start.name} and {end.name} do not differ in what they compute: there are no steps between")
    groups: list[tuple[str, ...]] = [(path,) for path in differing]
    for group in together:
        names = tuple(group)
        if unknown := [name for name in names if name not in differing]:
            raise UsageError(f"{unknown[0]} does not differ between the two recipes; these do: {', '.join(differing)}")
        groups = [each for each in groups if each[0] not in names[1:]]
        groups[groups.index((names[0],))] = names
    return tuple(_factor(group, differing, labels) for group in groups)


def _differing(start: Recipe, end: Recipe) -> dict[str, tuple[Any, Any]]:
    """Path -> value in the first and in the last recipe."""
    found: dict[str, tuple[Any, Any]] = {}
    for field in dataclasses.fields(Recipe):
        before, after = getattr(start, field.name), getattr(end, field.name)
        if field.name in NOT_STEPS or _plain(before) == _plain(after):
            continue
        if _same_kind(before, after) and field.name not in WHOLE:
            for part in dataclasses.fields(before):
                values = getattr(before, part.name), getattr(after, part.name)
                if values[0] != values[1] and not part.name.startswith(FOUND):
                    found[f"{field.name}.{part.name}"] = values
        else:
            found[field.name] = before, after
    return found


def _plain(value: Any) -> Any:
    """A field's value as plain data, which can be compared."""
    return dataclasses.asdict(value) if type(value).__name__ == "StartFrom" else encode(value)


def _same_kind(before: Any, after: Any) -> bool:
    return type(before) is type(after) and dataclasses.is_dataclass(before) and not isinstance(before, type)


def _factor(paths: Sequence[str], differing: Mapping[str, tuple[Any, Any]], labels: Mapping[str, str]) -> Factor:
    name = labels.get(paths[0], " and ".join(paths))
    texts = [", ".join(_text(path, differing[path][side]) for path in paths) for side in (0, 1)]
    if texts[0] == texts[1]:
        texts = [f"{texts[0]} before", f"{texts[1]} after"]
    before, after = ({path: differing[path][side] for path in paths} for side in (0, 1))
    if name == paths[0]:
        return Factor(name, [Level(texts[0], before[name]), Level(texts[1], after[name])])
    return Factor(name, [Level(texts[0], before), Level(texts[1], after)])


def _text(path: str, value: Any) -> str:
    return shortened(field_text(path, encode(value)))
