"""Images moved by matrices: differentiable twice, as gradient penalties need, and the same from run to run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sparring.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor


def refuse_no_image(shape: Sequence[int], name: str) -> None:
    """Raises UsageError unless one example is an image, (C, H, W)."""
    if len(shape) != 3:
        raise UsageError(f"{name} is for images (channels, height, width); these examples are {tuple(shape)}: drop it")


def reflected(places: Tensor, size: int) -> Tensor:
    """Places along an axis of `size` pixels, beyond its ends mirrored at the center of the last pixel."""
    last = size - 1
    return last - (places % (2 * last) - last).abs() if last else places.new_zeros(places.shape)


def signals(places: Tensor, size: int) -> Tensor:
    """Matrices `(P, B, n, size)` that read an axis of `size` pixels at `places`, `(P, B, n)`.

    Between two pixels they mix both linearly; beyond the ends there is 0.
    """
    import torch

    return (1 - (places.unsqueeze(-1) - torch.arange(size, device=places.device)).abs()).clamp_(min=0)


def read(x: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Images `(P, B, C, H, W)` read with a matrix for their rows and one for their columns."""
    return rows.unsqueeze(2) @ x @ columns.unsqueeze(2).mT


def over_images(drawn: Tensor) -> Tensor:
    """One number for each example, `(P, B)`, to multiply images with."""
    return drawn[..., None, None, None]
