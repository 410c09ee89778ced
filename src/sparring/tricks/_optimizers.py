"""Optimizers with one setting changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, cast

from sparring.errors import UsageError
from sparring.optimizers import Optimizer


def with_setting(optimizer: Optimizer, name: str, change: Callable[[Any], Any]) -> Optimizer:
    """The same optimizer with `change(value)` in place of a field's value.

    Raises UsageError for an optimizer that has no such field.
    """
    kind = type(optimizer)
    if name not in {field.name for field in dataclasses.fields(cast(Any, kind))}:
        raise UsageError(f"{kind.__name__} has no {name}, which this trick changes: choose an optimizer that has one")
    return dataclasses.replace(cast(Any, optimizer), **{name: change(getattr(optimizer, name))})
