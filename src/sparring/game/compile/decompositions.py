# torch documents its foreach functions, but their names are private.
# pyright: reportPrivateUsage=false, reportPrivateImportUsage=false
"""Fused operations written out as single ones, which the compiler fuses into one loop with their neighbors.

A GPU has kernels for fused operations, and each single one would cost a launch, so these stay as they are there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from sparring.game.compile.errors import UncompilableError

aten = torch.ops.aten

SMALL_PRODUCT = 128
"""Multiplications in one member's matrix product up to which the product is written out, so that it can be fused."""
LANES = 8
"""The shortest sum that the compiler computes once, rather than wherever its result is used."""


def _adam(
    weights: Sequence[Tensor],
    gradients: Sequence[Tensor],
    averages: Sequence[Tensor],
    squares: Sequence[Tensor],
    largest: Sequence[Tensor],
    steps: Sequence[Tensor],
    *,
    lr: float | Tensor,
    beta1: float | Tensor,
    beta2: float | Tensor,
    weight_decay: float,
    eps: float,
    amsgrad: bool,
    maximize: bool,
    **scales: Any,
) -> None:
    if amsgrad or maximize:
        raise UncompilableError("its optimizer has no decomposition")
    for weight, gradient, average, square, count in zip(weights, gradients, averages, squares, steps, strict=True):
        if isinstance(weight_decay, Tensor) or weight_decay:
            gradient = gradient + weight_decay * weight
        average.copy_(average + (1 - beta1) * (gradient - average))
        square.copy_(beta2 * square + (1 - beta2) * (gradient * gradient))
        size = _computed_once(lr / _bias_correction(beta1, count), weight.dtype)
        scale = _computed_once(1 / _bias_correction(beta2, count).sqrt(), weight.dtype)
        weight.copy_(weight - size * average / (square.sqrt() * scale + eps))


def _adam_on_gpu(weights: list[Tensor], *rest: Any, lr: Any, **settings: Any) -> None:
    """torch's fused kernel takes a learning rate from the GPU's memory, but no other setting."""
    if any(isinstance(each, Tensor) for each in settings.values()):
        _adam(weights, *rest, lr=lr, **settings)
        return
    if isinstance(lr, Tensor) and weights[0].is_cuda:
        lr = lr.to(torch.float32)
    torch._fused_adam_(weights, *rest, lr=lr, **settings)


def _bias_correction(beta: float | Tensor, steps: Tensor) -> Tensor:
    """1 - beta^steps, without the cancellation that this formula suffers where beta is close to 1."""
    if isinstance(beta, Tensor):
        return -torch.expm1(steps * beta.log())
    return -torch.expm1(steps.double() * math.log(beta)) if beta else torch.ones_like(steps, dtype=torch.float64)


def _computed_once(number: Tensor, dtype: torch.dtype) -> Tensor:
    # The compiler repeats a formula wherever its value is used, here at every weight, but not sums and the like.
    return number.to(dtype).expand(LANES).amax()


def _add(tensors: Sequence[Tensor], others: Sequence[Tensor], *, alpha: Tensor) -> list[Tensor]:
    return [one + alpha * other for one, other in zip(tensors, others, strict=True)]


def _add_in_place(tensors: Sequence[Tensor], others: Sequence[Tensor], *, alpha: Tensor) -> None:
    for one, other in zip(tensors, others, strict=True):
        one.copy_(one + alpha * other)


def _lerp_in_place(tensors: Sequence[Tensor], others: Sequence[Tensor], weight: Tensor) -> None:
    for one, other in zip(tensors, others, strict=True):
        one.copy_(one + weight * (other - one))


def _lerp_one_in_place(tensor: Tensor, other: Tensor, weight: Tensor) -> Tensor:
    return tensor.copy_(tensor + weight * (other - tensor))


def _lerp(start: Tensor, end: Tensor, weight: Tensor) -> Tensor:
    if not weight.dim():
        weight = _computed_once(weight, start.dtype)
    return start + weight * (end - start)


def _product(a: Tensor, b: Tensor) -> Tensor:
    if a.shape[1] * a.shape[2] * b.shape[2] > SMALL_PRODUCT:
        return NotImplemented
    return (a.unsqueeze(-1) * b.unsqueeze(1)).sum(2)


def _product_and_sum(c: Tensor, a: Tensor, b: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    if beta != 1 or alpha != 1 or a.shape[1] * a.shape[2] * b.shape[2] > SMALL_PRODUCT:
        return NotImplemented
    return c + (a.unsqueeze(-1) * b.unsqueeze(1)).sum(2)


WITH_TENSORS: dict[Any, Callable[..., Any]] = {
    torch._fused_adam_: _adam,
    torch._foreach_add: _add,
    torch._foreach_add_: _add_in_place,
    torch._foreach_lerp_: _lerp_in_place,
    torch.Tensor.lerp_: _lerp_one_in_place,
}
"""Functions that take a plain number -> the same computation with a 0-dimensional tensor in its place."""


def _decompositions() -> dict[Any, Callable[..., Any]]:
    from torch._decomp import get_decompositions

    ours = {
        aten._fused_adam_.default: _adam,
        aten.lerp.Tensor: _lerp,
        aten.bmm.default: _product,
        aten.baddbmm.default: _product_and_sum,
    }
    # Its schema does not declare that it changes running statistics in place.
    return {**get_decompositions([aten.native_batch_norm.default]), **ours}


DECOMPOSITIONS = _decompositions()
"""Operations of torch -> the function that writes them out; NotImplemented leaves one as it is."""
FUSED_WITH_TENSORS = {**WITH_TENSORS, torch._fused_adam_: _adam_on_gpu}
FUSED_DECOMPOSITIONS: dict[Any, Callable[..., Any]] = {aten.lerp.Tensor: _lerp}
"""Likewise for a GPU: a learned `lerp` takes no weight of another type than its tensors."""
