"""Numbers that differ from member to member: how a component declares that its own may, and computes with them.

A field of a component is a plain number while all members have it in common. Where they differ, the game gives it the
field as a tensor `(P,)`, in double precision, and `shaped` brings it into the shape of what it multiplies. Loads no
torch.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

    Number = float | Tensor
    """A number that all members have in common, or one for each, `(P,)`."""

Part = TypeVar("Part")


class Numbered:
    """A component with numbers in its fields. Which of them may differ, or change, it says itself."""

    per_member: ClassVar[frozenset[str]] = frozenset()
    """Fields in which members may differ, and which may be set while a run plays: it takes them through `shaped`."""
    at_start: ClassVar[frozenset[str]] = frozenset()
    """Fields that cannot be set while a run plays: they count before its first round only, or decide shapes."""


def varies(number: Any) -> bool:
    """Whether it is a tensor, with one number for each member, rather than a plain number."""
    return not isinstance(number, int | float)


def is_zero(number: Any) -> bool:
    """Whether it is 0 for all members, as far as that is known without reading tensors."""
    return not varies(number) and not number


def shaped(number: Number, like: Tensor) -> Number:
    """A number in the type of `like`, `(P, ...)`, and in a shape that broadcasts over it: `(P, 1, ...)`.

    A number that all members have in common stays as it is.
    """
    if isinstance(number, int | float):
        return number
    return number.to(like.dtype).view(-1, *(1,) * (like.ndim - 1))


def cast(number: Number, like: Tensor) -> Number:
    """A number in the type of `like`: once for many tensors, each of which it is then `shaped` for."""
    return number if isinstance(number, int | float) else number.to(like.dtype)


def at_most(number: Number, limit: float) -> Number:
    """The smaller of a number and a limit."""
    return np.minimum(limit, number) if isinstance(number, int | float) else number.clamp(max=limit)


def cosine(number: Number) -> Number:
    """Its cosine."""
    return np.cos(number) if isinstance(number, int | float) else number.cos()


def whole(number: Number) -> Number:
    """A number of at least 0 without its decimals."""
    return int(number) if isinstance(number, int | float) else number.floor()


def chosen(condition: Any, number: Number, otherwise: Number) -> Number:
    """One number where a condition on others holds, and another one where it does not."""
    if isinstance(condition, bool):
        return number if condition else otherwise
    import torch

    return torch.where(condition, number, otherwise)


def exact(numbers: Tensor) -> Tensor:
    """In double precision, on devices that have it."""
    return numbers if numbers.device.type == "mps" else numbers.double()


def with_fields(part: Part, fields: Mapping[str, Any]) -> Part:
    """A copy of a component with other values in some fields, which it does not check: they may be tensors."""
    made = copy.copy(part)
    for name, value in fields.items():
        object.__setattr__(made, name, value)
    return made
