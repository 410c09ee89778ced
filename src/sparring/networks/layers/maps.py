"""Layers of image networks: residual blocks, bilinear resampling, and R3GAN's first and last layer."""

from __future__ import annotations

from functools import cache
from typing import final

import torch
from torch import Tensor, nn


@final
class Residual(nn.Module):
    """y = main(x) + shortcut(x).

    He et al., "Deep residual learning for image recognition", CVPR 2016, eq. 1.
    """

    def __init__(self, main: nn.Module, shortcut: nn.Module | None = None):
        super().__init__()
        self.main = main
        self.shortcut = nn.Identity() if shortcut is None else shortcut

    def forward(self, x: Tensor) -> Tensor:
        return self.main(x) + self.shortcut(x)


@final
class Bilinear(nn.Module):
    """Doubles or halves the side of square feature maps with a bilinear filter: `(..., S, S)` -> `(..., T, T)`.

    The filter is [1, 3, 3, 1] / 8 in either direction, with edges repeated; doubling is its transpose, which is what
    `nn.Upsample` calls bilinear. Written as two matrix products, Y = A X A^T: on a CPU it takes half of that module's
    time, and on any device it gives the same bits at every call.

    Args:
        before: Side of the input, S.
        after: Side of the output, T.

    Raises:
        ValueError: One side is not twice the other.
    """

    def __init__(self, before: int, after: int):
        super().__init__()
        if max(before, after) != 2 * min(before, after):
            raise ValueError(f"{before} is neither half nor twice {after}")
        self.before, self.after = before, after

    def forward(self, x: Tensor) -> Tensor:
        A = _bilinear(self.before, self.after, x.dtype, x.device)
        return A @ (x @ A.mT)


@cache
def _bilinear(before: int, after: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    small, large = sorted((before, after))
    A = torch.zeros(small, large, dtype=dtype)
    for row in range(small):
        for weight, column in zip((1, 3, 3, 1), range(2 * row - 1, 2 * row + 3), strict=True):
            A[row, min(max(column, 0), large - 1)] += weight / 8
    return (A if after == small else 2 * A.mT).contiguous().to(device)


@final
class GenerativeBasis(nn.Module):
    """The first layer of R3GAN's generator: scales one learned S x S map per feature. `(B, C)` -> `(B, C, S, S)`.

    Huang et al., "The GAN is dead; long live the GAN!", NeurIPS 2024 (R3GAN), and its authors' code.
    """

    def __init__(self, features: int, side: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(features, side, side))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Standard normal, so that a map's values are as large as the feature that scales them."""
        nn.init.normal_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x[..., None, None] * self.weight


@final
class DiscriminativeBasis(nn.Module):
    """The last layer of R3GAN's discriminator: how much of a learned S x S map is in each feature map.

    `(B, C, S, S)` -> `(B, C)`. The mirror image of `GenerativeBasis`, from the same source.
    """

    def __init__(self, features: int, side: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(features, side, side))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Normal with standard deviation 1 / S, for a sum over S x S positions."""
        nn.init.normal_(self.weight, std=1 / self.weight.shape[-1])

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.weight).sum((-2, -1))
