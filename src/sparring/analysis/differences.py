"""Recipes as people write them: a part, how two recipes differ, and all that one is made of. Loads no torch."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from sparring import catalogue
from sparring.recipe import KIND_OF

WATCHED = ("name", "origin", "seeds", "log_points", "samples_per_grid")
"""Fields that name or watch a run and do not change what a member learns."""
PARTS = {
    "data": "data",
    "generator": "G",
    "discriminator": "D",
    "objective": "objective",
    "latent": "latent",
    "round": "round",
    "generator_optimizer": "G's optimizer",
    "discriminator_optimizer": "D's optimizer",
    "tricks": "tricks",
    "batch": "batch",
    "rounds": "rounds",
}
"""What a reader wants to know of a recipe, and how it is called."""
FOUND = "found_"
"""What begins so was found in the data, not chosen: its shape, a hash of it."""
BOTH = {
    ("generator", "discriminator"): "both networks",
    ("generator optimizer", "discriminator optimizer"): "both optimizers",
}


def parts(recipe: Mapping[str, Any]) -> dict[str, str]:
    """What a recipe, as plain data, is made of: the name of a part -> how people write it."""
    return {called: part(field, recipe[field]) for field, called in PARTS.items() if field in recipe}


def between(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What a recipe does differently from another, in words; what both players do alike is told once."""
    steps = {field: _steps(field, old.get(field), new[field]) for field in new if field not in WATCHED}
    told = {field.replace("_", " "): ", ".join(step) for field, step in steps.items() if step}
    for (first, second), both in BOTH.items():
        if first in told and told[first] == told.get(second):
            del told[second]
            told = {both if called == first else called: step for called, step in told.items()}
    return [f"{called}: {step}" for called, step in told.items()]


def differences(field: str, old: Any, new: Any) -> list[str]:
    """What a change of one field comes to, each part of it with the field's name before it."""
    return [f"{field.replace('_', ' ')} {step}" for step in _steps(field, old, new)]


def _steps(field: str, old: Any, new: Any) -> list[str]:
    """For the same leaf with other values, those values; else the whole."""
    if old == new:
        return []
    if isinstance(old, dict) and isinstance(new, dict) and old.get("is") and old.get("is") == new.get("is"):
        usual = _usual(KIND_OF.get(field), new["is"])  # a run of an older version may lack a field
        pairs = [(key, old.get(key, usual.get(key)), new.get(key, usual.get(key))) for key in {**old, **new}]
        return [f"{key} {_value(before)} → {_value(after)}" for key, before, after in pairs if before != after]
    before, after = part(field, old), part(field, new)
    return [f"{before} → {after}" if before != after else f"{after}, whose code changed"]


def part(field: str, value: Any) -> str:
    """A field of a recipe: a leaf is `adam(lr=0.001)`, a user's own part its name in brackets."""
    shelf = KIND_OF.get(field)
    if isinstance(value, dict):
        return _leaf(shelf, value)
    if isinstance(value, int):
        return f"{value:,}"
    if not isinstance(value, list):
        return _value(value)
    if not value:
        return "none"
    told = [_leaf(shelf, each) if isinstance(each, dict) else _value(each) for each in value]
    return f"({', '.join(_collapsed(told))})" if shelf else _value(value)


def _leaf(shelf: str | None, value: Mapping[str, Any]) -> str:
    """A leaf with its first field, which says how much of it there is, and with what differs from its defaults."""
    name = value.get("is")
    if name is None:
        return f"<{value.get('yours')}>"
    usual = _usual(shelf, name)
    fields = [key for key in value if key != "is"]
    kept = [key for key in fields[:1] if not isinstance(value[key], list) or value[key]]
    kept += [key for key in fields[1:] if key not in usual or usual[key] != value[key]]
    kept = [key for key in kept if not key.startswith(FOUND)]
    told = ", ".join(f"{key}={_value(value[key])}" for key in kept)
    return f"{name}({told})" if told else name


def _collapsed(told: list[str]) -> list[str]:
    """Runs of equal moves as one: `g_fools_d × 200`."""
    runs = [(name, len(list(same))) for name, same in groupby(told)]
    return [f"{name} × {times}" if times > 1 else name for name, times in runs]


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return _leaf(None, value)
    if isinstance(value, list):
        return f"({', '.join(map(_value, value))})" if value else "none"
    return str(value)


def _usual(shelf: str | None, name: str) -> dict[str, Any]:
    """A leaf's defaults as JSON gives them back; none of a leaf that the catalogue does not have."""
    known = catalogue.defaults(shelf, name) if shelf and name in catalogue.entries(shelf) else {}
    return {key: _plain(value) for key, value in known.items()}


def _plain(default: Any) -> Any:
    """A default as JSON gives it back."""
    return [_plain(each) for each in default] if isinstance(default, tuple | list) else default
