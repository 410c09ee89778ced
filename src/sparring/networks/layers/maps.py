"""Layers of image networks: residual blocks, resampling, and R3GAN's first and last layer."""

from __future__ import annotations

import math
from functools import cache
from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional


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
    """Doubles or halves the sides of feature maps with a bilinear filter: `(..., H, W)` -> `(..., H', W')`.

    The filter is [1, 3, 3, 1] / 8 in either direction, with edges repeated; doubling an even side is its transpose,
    which is what `nn.Upsample` calls bilinear. Doubling to an odd side leaves out the last row. Written as two matrix
    products, Y = A X B^T: on a CPU it takes half of that module's time, and on any device it gives the same bits at
    every call.

    Args:
        before: Height and width of the input.
        after: Height and width of the output. A side may also stay as it is.

    Raises:
        ValueError: One side is not about twice the other.
    """

    def __init__(self, before: tuple[int, int], after: tuple[int, int]):
        super().__init__()
        for one, other in zip(before, after, strict=True):
            if one != other and min(one, other) != -(-max(one, other) // 2):
                raise ValueError(f"{one} is neither half nor twice {other}")
        self.before, self.after = before, after

    def forward(self, x: Tensor) -> Tensor:
        (height, width), (new_height, new_width) = self.before, self.after
        if width != new_width:
            x = x @ _bilinear(width, new_width, x.dtype, x.device).mT
        return x if height == new_height else _bilinear(height, new_height, x.dtype, x.device) @ x


@cache
def _bilinear(before: int, after: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """The matrix `(after, before)` that resamples one side."""
    small, large = min(before, after), max(before, after)
    if after == large:
        large = 2 * small  # of which an odd side keeps all but the last row
    A = torch.zeros(small, large, dtype=dtype)
    for row in range(small):
        for weight, column in zip((1, 3, 3, 1), range(2 * row - 1, 2 * row + 3), strict=True):
            A[row, min(max(column, 0), large - 1)] += weight / 8
    return (A if after == small else 2 * A.mT[:after]).contiguous().to(device)


@final
class UpsampledConvolution(nn.Conv2d):
    """Doubles the sides of feature maps by repeating every pixel, then convolves: `(B, C, H, W)` -> `(B, C', 2H, 2W)`.

    It leaves no checkered pattern (Odena et al., "Deconvolution and checkerboard artifacts", Distill, 2016).

    Args:
        before: Channels of the input.
        after: Channels of the output.
        bias: Whether one is added.
    """

    def __init__(self, before: int, after: int, bias: bool = True):
        super().__init__(before, after, 3, padding=1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride] - named as elsewhere
        return super().forward(functional.interpolate(x, scale_factor=2.0))


@final
class GenerativeBasis(nn.Module):
    """The first layer of R3GAN's generator: scales one learned H x W map per feature. `(B, C)` -> `(B, C, H, W)`.

    Huang et al., "The GAN is dead; long live the GAN!", NeurIPS 2024 (R3GAN), and its authors' code.
    """

    def __init__(self, features: int, size: tuple[int, int]):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(features, *size))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Standard normal, so that a map's values are as large as the feature that scales them."""
        nn.init.normal_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x[..., None, None] * self.weight


@final
class DiscriminativeBasis(nn.Module):
    """The last layer of R3GAN's discriminator: how much of a learned H x W map is in each feature map.

    `(B, C, H, W)` -> `(B, C)`. The mirror image of `GenerativeBasis`, from the same source.
    """

    def __init__(self, features: int, size: tuple[int, int]):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(features, *size))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Normal with variance 1 / (H W), for a sum over H x W positions."""
        nn.init.normal_(self.weight, std=1 / math.sqrt(self.weight[0].numel()))

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.weight).sum((-2, -1))
