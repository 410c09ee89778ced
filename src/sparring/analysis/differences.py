"""Recipes as people write them: a field's value, a recipe's parts, and how two recipes differ. Loads no torch."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from sparring import catalogue
from sparring.analysis.history import start_text
from sparring.analysis.wording import listed
from sparring.languages import Text
from sparring.recipe import KIND_OF

BOOKKEEPING = ("name", "origin", "seeds", "log_points", "samples_per_grid", "cluster_sizes")
"""Fields that name a run or say how it is recorded; they do not change what a member learns."""
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
"""Field of a recipe -> what it is called in a table of the recipe's parts."""
MAX_VALUES = 6
"""Of a number in which members differ, that are written out."""
FOUND = "found_"
"""Prefix of fields whose values were found in the data rather than chosen: its shape, a hash of it."""
LISTED = 16
"""Consecutive seeds that are listed one by one; more are a range."""
BOTH = {
    ("generator", "discriminator"): Text("both networks"),
    ("generator optimizer", "discriminator optimizer"): Text("both optimizers"),
}


def recipe_parts(recipe: Mapping[str, Any]) -> dict[str, str]:
    """The parts of a recipe, given as plain data: name of the part -> its value as text."""
    return {name: field_text(field, recipe[field]) for field, name in PARTS.items() if field in recipe}


def recipe_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """How one recipe differs from another, both given as plain data.

    Returns:
        A phrase for each field that differs, such as `batch: 1 → 2`. A change that both networks or both optimizers
        share is one phrase.
    """
    old, new = {"clusters": 0, **old}, {"clusters": 0, **new}
    fields = [field for field in dict.fromkeys((*new, "start_from", "per_member")) if field not in BOOKKEEPING]
    steps = {field: _steps(field, old.get(field), new.get(field)) for field in fields}
    changes = {field.replace("_", " "): Text.joined(step, ", ") for field, step in steps.items() if step}
    for (first, second), both in BOTH.items():
        if first in changes and changes[first] == changes.get(second):
            del changes[second]
            changes = {both if name == first else name: step for name, step in changes.items()}
    return [Text("{field}: {change}", field=name, change=step) for name, step in changes.items()]


def field_changes(field: str, old: Any, new: Any) -> list[str]:
    """How one field's value differs from another, a phrase for each part: `generator optimizer lr 0.01 → 0.1`."""
    return [Text.joined([field.replace("_", " "), step], " ") for step in _steps(field, old, new)]


def field_text(field: str, value: Any) -> str:
    """The value of a recipe's field, given as plain data, as people write it.

    A leaf is written `adam(lr=0.001)`, a part of the user's own by its name in angle brackets.
    """
    kind = KIND_OF.get(field)
    if field == "start_from":
        return start_text(value)
    if field == "seeds" and len(value) > LISTED and value == list(range(value[0], value[0] + len(value))):
        return f"{value[0]}-{value[-1]}"  # as `--seeds` takes them
    if field == "per_member":
        return _per_member_text(value or {})
    if isinstance(value, dict):
        return _leaf_text(kind, value)
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int):
        return f"{value:,}"
    if not isinstance(value, list):
        return _value_text(value)
    if not value:
        return Text("none")
    texts = [_leaf_text(kind, each) if isinstance(each, dict) else _value_text(each) for each in value]
    return f"({', '.join(_collapsed(texts))})" if kind else _value_text(value)


def _per_member_text(columns: Mapping[str, list[Any]]) -> str:
    """The numbers in which members differ: `tricks.r1.gamma of 0, 1 and 10`."""
    distinct = {path: list(dict.fromkeys(map(_value_text, values))) for path, values in columns.items()}
    shown = [
        f"{path} of {listed(each)}" if len(each) <= MAX_VALUES else f"{path} of {len(each):,} values"
        for path, each in distinct.items()
    ]
    return "; ".join(shown) or Text("none")


def _steps(field: str, old: Any, new: Any) -> list[str]:
    """The values that differ within one leaf; where the leaf itself differs, the whole of it."""
    if old == new:
        return []
    if isinstance(old, dict) and isinstance(new, dict) and old.get("is") and old.get("is") == new.get("is"):
        defaults = _defaults(KIND_OF.get(field), new["is"])  # a run of an older version may lack a field
        pairs = [(key, old.get(key, defaults.get(key)), new.get(key, defaults.get(key))) for key in {**old, **new}]
        return [
            Text.joined([Text.joined([key, _value_text(before)], " "), _value_text(after)], " → ")
            for key, before, after in pairs
            if before != after
        ]
    before, after = field_text(field, old), field_text(field, new)
    if before == after:
        return [Text("{part}, whose code changed", part=after)]
    return [Text.joined([before, after], " → ")]


def _leaf_text(kind: str | None, value: Mapping[str, Any]) -> str:
    """A leaf with its first field, which is its main setting, and with every field that differs from its default."""
    name = value.get("is")
    if name is None:
        return f"<{value.get('yours')}>"
    defaults = _defaults(kind, name)
    fields = [key for key in value if key != "is"]
    kept = [key for key in fields[:1] if not isinstance(value[key], list) or value[key]]
    kept += [key for key in fields[1:] if key not in defaults or defaults[key] != value[key]]
    settings = ", ".join(f"{key}={_value_text(value[key])}" for key in kept if not key.startswith(FOUND))
    return f"{name}({settings})" if settings else name


def _collapsed(texts: list[str]) -> list[str]:
    """Equal neighbors as one: `g_fools_d × 200`."""
    groups = [(name, len(list(same))) for name, same in groupby(texts)]
    return [f"{name} × {times}" if times > 1 else name for name, times in groups]


def _value_text(value: Any) -> str:
    if isinstance(value, dict):
        return _leaf_text(None, value)
    if isinstance(value, list):
        return f"({', '.join(map(_value_text, value))})" if value else Text("none")
    return str(value)


def _defaults(kind: str | None, name: str) -> dict[str, Any]:
    """A leaf's default values as they come back from JSON; empty for a leaf that the catalogue does not have."""
    known = catalogue.defaults(kind, name) if kind and name in catalogue.entries(kind) else {}
    return {key: _plain(value) for key, value in known.items()}


def _plain(default: Any) -> Any:
    return [_plain(each) for each in default] if isinstance(default, tuple | list) else default
