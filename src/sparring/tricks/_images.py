"""Images resampled by matrices: twice differentiable, as gradient penalties need, and deterministic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sparring.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor


def refuse_no_image(shape: Sequence[int], name: str) -> None:
    """Raises UsageError unless the shape of one example is that of an image, (C, H, W)."""
    if len(shape) != 3:
        raise UsageError(
            f"{name} is for images (channels, height, width), not examples of shape {tuple(shape)}: drop it"
        )


def reflected(places: Tensor, size: int) -> Tensor:
    """Positions on an axis of `size` pixels; those beyond an end are reflected at the center of the last pixel."""
    last = size - 1
    return last - (places % (2 * last) - last).abs() if last else places.new_zeros(places.shape)


def signals(places: Tensor, size: int) -> Tensor:
    """Matrices `(P, B, n, size)` that sample an axis of `size` pixels at `places`, `(P, B, n)`.

    Between two pixels they interpolate linearly; beyond the ends they give 0.
    """
    import torch

    return (1 - (places.unsqueeze(-1) - torch.arange(size, device=places.device)).abs()).clamp_(min=0)


def read(x: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Images `(P, B, C, H, W)` resampled with one matrix along rows and one along columns."""
    return rows.unsqueeze(2) @ x @ columns.unsqueeze(2).mT


def over_images(drawn: Tensor) -> Tensor:
    """One number per example, `(P, B)`, in a shape that broadcasts over images."""
    return drawn[..., None, None, None]
