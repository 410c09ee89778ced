"""Types of fields: whether a value is of the type that a field is annotated with, and in words what it should be."""

from __future__ import annotations

import dataclasses
import math
import operator
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from types import UnionType
from typing import Any, Literal, SupportsFloat, Union, get_args, get_origin, get_type_hints

from sparring.errors import UsageError, shortened

MAX_SHOWN = 40
"""Characters of a wrong value that a message repeats."""


def check(kind: type[Any], args: Sequence[Any], fields: Mapping[str, Any]) -> None:
    """Check the arguments of a dataclass before its instance is made. Fields of unusual types are not checked.

    Args:
        kind: The dataclass.
        args: Arguments by position, in the order of its fields.
        fields: Arguments by name.

    Raises:
        UsageError: A value is not of its field's type; the message names the class and the field.
    """
    hints = hints_of(kind)
    for name, value in [*zip(hints, args, strict=False), *fields.items()]:
        if name in hints and (wanted := refusal(hints[name], value)) is not None:
            # A folder may be called 2024, and a path need not be text.
            if hints[name] is str and isinstance(value, int | float | os.PathLike) and not isinstance(value, bool):
                continue
            raise UsageError(f"{kind.__name__}: {name} takes {wanted}, not {described(value)}")


def refused(kind: Any, fields: Mapping[str, Any]) -> bool:
    """Whether a dataclass has no such fields, lacks one without a default, or a value is of another type."""
    hints, needed = hints_of(kind), {f.name for f in dataclasses.fields(kind) if f.default is dataclasses.MISSING}
    known = needed <= set(fields) <= set(hints)
    return not known or any(refusal(hints[name], value) is not None for name, value in fields.items())


@cache
def hints_of(kind: type[Any]) -> Mapping[str, Any]:
    """Field -> type of a dataclass, in order; empty for a class whose annotations name what cannot be found."""
    try:
        hints = get_type_hints(kind)
    except (NameError, AttributeError, TypeError, SyntaxError):  # a user's own class
        return {}
    return {f.name: hints[f.name] for f in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else {}


def refusal(wanted: Any, value: Any) -> str | None:
    """What a field of type `wanted` takes, in words, where `value` is no such thing; None where it is.

    Whole numbers may be NumPy's, and a list serves for a tuple; see `settled`.
    """
    origin, inner = get_origin(wanted), get_args(wanted)
    if origin in (UnionType, Union):
        words = [refusal(each, value) for each in inner]
        return None if None in words else " or ".join(dict.fromkeys(word for word in words if word))
    if origin is Literal:
        fits = any(type(value) is type(choice) and value == choice for choice in inner)
        return None if fits else " or ".join(map(repr, inner))
    if origin is tuple:
        return _tuple_refusal(inner, value)
    if wanted is None or wanted is type(None):
        return None if value is None else "None"
    if wanted is bool:
        return None if isinstance(value, bool) or type(value).__name__ in ("bool", "bool_") else "True or False"
    if wanted is int:
        return None if as_int(value) is not None else "a whole number"
    if wanted is float:
        return None if _as_float(value) is not None else "a number"
    if wanted is str:
        return None if isinstance(value, str) else "text"
    return None


def settled(wanted: Any, value: Any) -> Any:
    """A value that `refusal` accepts, in Python's own types: tuples, numbers and truth values, which JSON knows."""
    origin, inner = get_origin(wanted), get_args(wanted)
    if origin in (UnionType, Union):
        fitting = [each for each in inner if refusal(each, value) is None]
        return settled(fitting[0], value) if fitting else value
    if origin is tuple:
        types = [inner[0]] * len(value) if inner[-1:] == (Ellipsis,) else inner
        return tuple(settled(one, each) for one, each in zip(types, value, strict=True))
    if wanted is bool and not isinstance(value, bool):
        return bool(value)
    if wanted is int and type(value) is not int:
        return as_int(value)
    if wanted is float and type(value) not in (int, float):
        return _as_float(value)
    return value


def described(value: Any) -> str:
    """A wrong value in a message: `'abc'`, `3.5 (float)`, `a tensor of shape (3, 4)`, `the class Adam`."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if array := {"Tensor": "a tensor", "Parameter": "a tensor", "ndarray": "an array"}.get(type(value).__name__):
        return f"{array} of shape {tuple(value.shape)}"
    if value is None or isinstance(value, bool):
        return str(value)
    name = getattr(value, "__name__", None)
    if callable(value) and isinstance(name, str):
        return f"the function {name}"
    shown = " ".join(shortened(repr(value), MAX_SHOWN).split())
    return shown if type(value) is str else f"{shown} ({type(value).__name__})"


def as_int(value: Any) -> int | None:
    """A whole number of any library as Python's, or None for what is none; True is none."""
    if isinstance(value, bool):
        return None
    try:
        return operator.index(value)
    except (TypeError, ValueError, RuntimeError):  # RuntimeError: of a tensor with several numbers
        return None


def whole_numbers(name: str, values: Any) -> list[int]:
    """What an argument lists, as Python's own. Raises UsageError where that is anything but whole numbers."""
    found = (
        [as_int(value) for value in values] if isinstance(values, Iterable) and not isinstance(values, str) else [None]
    )
    if None in found:
        raise UsageError(f"{name} must be a list of whole numbers, as {name}=[0, 1], not {values!r}")
    return [value for value in found if value is not None]


def _as_float(value: Any) -> float | None:
    """A finite number of any library as Python's float, or None for what is none; text is none."""
    if isinstance(value, bool | str | bytes) or not isinstance(value, SupportsFloat):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _tuple_refusal(inner: tuple[Any, ...], value: Any) -> str | None:
    endless = inner[-1:] == (Ellipsis,)
    if isinstance(value, tuple | list):
        items = list(value)  # pyright: ignore[reportUnknownArgumentType]
        types = [inner[0]] * len(items) if endless else list(inner)
        if len(items) == len(types) and all(refusal(t, v) is None for t, v in zip(types, items, strict=True)):
            return None
    if get_origin(inner[0]) is Literal:
        return f"a tuple of {' or '.join(map(repr, get_args(inner[0])))}"
    if endless:
        return {int: "whole numbers, as (64, 32)", float: "numbers, as (0.5, 0.9)"}.get(inner[0], "a tuple")
    what = {int: "whole numbers", float: "numbers"}.get(inner[0], "values")
    return f"two {what}, as (0.5, 0.9)" if len(inner) == 2 else f"a tuple of {len(inner)} {what}"
