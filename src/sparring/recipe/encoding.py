"""How the parts of a recipe are written as plain data, and read back.

A part of the catalogue is `{"is": "adam", "lr": 0.001, ...}`, a move is its name. A part that a user wrote is
`{"yours": its Python name, "sha256": a hash of its source}`, with the fields of a dataclass beside these, or with `as`,
the text of any other object.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Mapping
from typing import Any, cast

from sparring import catalogue
from sparring.catalogue import OwnPart
from sparring.recipe.own_source import digest_of, without_addresses


def encode(value: Any) -> Any:
    """Plain data for a recipe's field: numbers, strings, lists and dicts."""
    if isinstance(value, tuple | list):
        return [encode(v) for v in value]  # pyright: ignore[reportUnknownVariableType]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, dict):
        return {str(k): encode(v) for k, v in cast(dict[Any, Any], value).items()}
    if isinstance(value, OwnPart):
        return {"yours": value.name, "sha256": value.sha256, **value.fields}
    if inspect.isfunction(value) or inspect.isclass(value):
        return catalogue.name_of(value) or _encode_own(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: encode(getattr(value, f.name)) for f in dataclasses.fields(value)}
        name = catalogue.name_of(type(value))
        return {"is": name, **fields} if name else {**_encode_own(type(value)), **fields}
    part = value.func if isinstance(value, functools.partial) else type(value)
    state = sorted(vars(value).items()) if type(value).__repr__ is object.__repr__ else value
    return {**_encode_own(part), "as": without_addresses(str(state))}


def decode(kind: str | None, value: Any) -> Any:
    """The inverse of `encode` for a field whose parts are of this kind of the catalogue; None for a plain field.

    A user's own part comes back as an `OwnPart`. Raises UsageError for a name, a field or a value that does not exist.
    """
    if isinstance(value, list):
        return tuple(decode(kind, v) for v in cast(list[Any], value))
    if kind and isinstance(value, dict):
        part = cast(dict[str, Any], value)
        if "yours" in part:
            fields = {k: v for k, v in part.items() if k not in ("yours", "sha256")}
            return OwnPart(str(part["yours"]), str(part.get("sha256", "")), fields)
        return catalogue.make(kind, part.get("is", ""), {k: decode(None, v) for k, v in part.items() if k != "is"})
    if isinstance(value, dict):
        return {k: decode(None, v) for k, v in cast(dict[str, Any], value).items()}
    return catalogue.find(kind, value) if kind == "moves" else value


def own_part(value: Any) -> str | None:
    """The name of the first user's own part in an encoded field, or None where every part is the catalogue's."""
    parts = cast(list[Any], value) if isinstance(value, list) else [value]
    return next((str(part["yours"]) for part in parts if isinstance(part, Mapping) and "yours" in part), None)


def _encode_own(part: Any) -> dict[str, str]:
    return {"yours": part.__qualname__, "sha256": digest_of(part)}
