"""Optimisers with one setting changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, cast

from sparring.errors import UsageError
from sparring.optimisers import Optimiser


def with_setting(optimiser: Optimiser, name: str, change: Callable[[Any], Any]) -> Optimiser:
    """The same optimiser with `change(value)` in place of a field's value.

    Raises UsageError for an optimiser that has no such field.
    """
    kind = type(optimiser)
    if name not in {field.name for field in dataclasses.fields(cast(Any, kind))}:
        raise UsageError(f"{kind.__name__} has no {name} for a trick to change: choose an optimiser that has one")
    return dataclasses.replace(cast(Any, optimiser), **{name: change(getattr(optimiser, name))})
