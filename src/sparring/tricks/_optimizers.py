"""Optimizers with one setting changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, cast

from sparring.errors import UsageError
from sparring.members import varies, with_fields
from sparring.optimizers import Optimizer


def with_setting(optimizer: Optimizer, name: str, change: Callable[[Any], Any]) -> Optimizer:
    """The same optimizer with `change(value)` in place of a field's value.

    Raises UsageError for an optimizer that has no such field.
    """
    kind = type(optimizer)
    if name not in {field.name for field in dataclasses.fields(cast(Any, kind))}:
        raise UsageError(f"{kind.__name__} has no {name}, which this trick changes: choose an optimizer that has one")
    value = change(getattr(optimizer, name))
    if any(map(varies, value if isinstance(value, tuple) else (value,))) or _varies(optimizer):
        return with_fields(optimizer, {name: value})
    return dataclasses.replace(cast(Any, optimizer), **{name: value})


def _varies(optimizer: Optimizer) -> bool:
    """Whether members have settings of their own, which no check takes."""
    values = [getattr(optimizer, name) for name in optimizer.per_member]
    return any(any(map(varies, each if isinstance(each, tuple) else (each,))) for each in values)
