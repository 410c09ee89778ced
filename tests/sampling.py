"""Which cases of a test with many the fast suite takes; `-m slow` has the others.

`@pytest.mark.sampled` on a test that takes a recipe: those recipes that have every component between them, chosen anew
from the catalogue each time, so a component added tomorrow is tried. `@pytest.mark.sampled(every=3)`: every third case.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from itertools import groupby
from typing import Any

import pytest

from sparring import catalogue

ALWAYS = ("digits", "auto", "mnist-fast")
"""What the pages begin with, and what is trained most."""
UNLIKE = ("name", "origin")
"""Fields of a recipe in which every one differs."""


def mark_those_left_out(items: Sequence[pytest.Item]) -> None:
    """Mark as slow what the fast suite leaves out of its sampled tests."""
    sampled = [item for item in items if item.get_closest_marker("sampled")]
    for _, cases in groupby(sampled, lambda item: item.nodeid.partition("[")[0]):
        for number, case in enumerate(cases):
            if not _is_taken(case, number):
                case.add_marker(pytest.mark.slow)


def _is_taken(case: pytest.Item, number: int) -> bool:
    marker, callspec = case.get_closest_marker("sampled"), getattr(case, "callspec", None)
    assert marker is not None and callspec is not None, f"{case.nodeid} has no cases to take a part of"
    if "every" in marker.kwargs:
        return number % marker.kwargs["every"] == 0
    return callspec.params["recipe"] in recipes_of_every_component()


@cache
def recipes_of_every_component() -> tuple[str, ...]:
    """A few recipes that have every component and every kind of setting that any recipe has."""
    names = catalogue.entries("recipes")
    components = {name: _components("", json.loads(catalogue.find("recipes", name)().to_json())) for name in names}
    chosen = list[str](ALWAYS)
    missing = set().union(*components.values()) - set().union(*(components[name] for name in chosen))
    while missing:
        chosen.append(max(components, key=lambda name: len(components[name] & missing)))
        missing -= components[chosen[-1]]
    return tuple(chosen)


def _components(field: str, value: Any) -> set[str]:
    """Names of leaves and moves, words and truth values of settings, and which numbers are 0."""
    if isinstance(value, dict):
        return set[str]().union(*(_components(name, each) for name, each in value.items() if name not in UNLIKE))
    if isinstance(value, list):
        return set[str]().union(*(_components(field, each) for each in value))
    return {f"{field} = {value}" if isinstance(value, str | bool) else f"{field}: {bool(value)}"}
