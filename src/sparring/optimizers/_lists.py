"""Arithmetic on lists of tensors `(P, ...)`, with a factor that all members have in common or one for each.

In common, it is one call of torch's foreach functions for the whole list.
"""

# torch documents its foreach functions, and names them as private.
# pyright: reportPrivateUsage=false, reportPrivateImportUsage=false

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sparring.members import cast, shaped, varies

if TYPE_CHECKING:
    from torch import Tensor

    from sparring.members import Number


def scale(tensors: Sequence[Tensor], factor: Number) -> None:
    """Multiply each by the factor, in place."""
    import torch

    if varies(factor):
        factor = cast(factor, tensors[0])
        for tensor in tensors:
            tensor.mul_(shaped(factor, tensor))
    else:
        torch._foreach_mul_(list(tensors), factor)


def added(tensors: Sequence[Tensor], others: Sequence[Tensor], factor: Number) -> list[Tensor]:
    """Each plus factor times the other, as new tensors."""
    import torch

    if varies(factor):
        factor = cast(factor, tensors[0])
        return [one + shaped(factor, one) * other for one, other in zip(tensors, others, strict=True)]
    alpha: Any = factor
    return list(torch._foreach_add(list(tensors), list(others), alpha=alpha))


def add(tensors: Sequence[Tensor], others: Sequence[Tensor], factor: Number) -> None:
    """Add factor times the other to each, in place."""
    import torch

    if varies(factor):
        factor = cast(factor, tensors[0])
        for one, other in zip(tensors, others, strict=True):
            one.add_(shaped(factor, one) * other)
    else:
        alpha: Any = factor
        torch._foreach_add_(list(tensors), list(others), alpha=alpha)


def add_squares(tensors: Sequence[Tensor], others: Sequence[Tensor], factor: Number) -> None:
    """Add factor times the other's square to each, in place."""
    import torch

    if varies(factor):
        factor = cast(factor, tensors[0])
        for one, other in zip(tensors, others, strict=True):
            one.add_(shaped(factor, one) * other.square())
    else:
        value: Any = factor
        torch._foreach_addcmul_(list(tensors), list(others), list(others), value=value)
