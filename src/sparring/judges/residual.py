"""The independent judges' network: residual blocks, and beside them fixed statistics of color and texture.

It shares nothing with the judges that settings are chosen by (`network.py`): strides in place of pooling, residual
blocks (He et al., "Deep residual learning for image recognition", CVPR 2016), a mean over the image in place of a layer
that knows positions, and statistics in the manner of Portilla and Simoncelli, "A parametric texture model based on
joint statistics of complex wavelet coefficients", IJCV 2000, in their simplest form.
"""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from sparring.errors import UsageError
from sparring.judges.network import MIN_SIDE, patch_of

WIDTHS = (24, 48, 64)
LEARNED = WIDTHS[-1]
"""Features that are learned."""
SCALES = 3
"""Octaves at which texture is measured; small images have room for fewer."""
MIN_TEXTURE_SIDE = 4
"""Pixels along the side of the smallest image of an octave."""
ENERGY_FLOOR = 1e-4
"""Added to an energy before its logarithm: differences of a hundredth of the range cannot be seen."""
FAR = 3.0
"""Standard deviations up to which a statistic counts: one odd one does not outweigh all that is learned."""
MIN_SPREAD = 0.02
"""Standard deviation below which a statistic of real images is not scaled up further."""


@final
class ResidualNetwork(nn.Module):
    """Images `(B, C, H, W)` in data units -> features `(B, 64 + statistics)` and class scores `(B, classes)`."""

    center: Tensor
    spread: Tensor
    scale: Tensor

    def __init__(self, shape: tuple[int, ...], classes: int):
        super().__init__()
        if len(shape) != 3 or min(shape[1:]) < MIN_SIDE:
            raise UsageError(f"a judge takes images of at least {MIN_SIDE}x{MIN_SIDE} pixels, not {shape}")
        patch = patch_of(shape)
        stem = nn.Conv2d(shape[0], WIDTHS[0], 2 * patch + 3, stride=2 * patch, padding=2, bias=False)
        blocks = [_Block(before, out) for before, out in zip((WIDTHS[0], *WIDTHS), WIDTHS, strict=False)]
        self.trunk = nn.Sequential(stem, *blocks, nn.BatchNorm2d(LEARNED), nn.SiLU())
        self.name = nn.Linear(LEARNED, classes)
        count = statistics(torch.zeros(1, *shape)).shape[1]
        self.features = LEARNED + count
        self.register_buffer("center", torch.zeros(count))
        self.register_buffer("spread", torch.ones(count))
        self.register_buffer("scale", torch.ones(()))

    def learned(self, x: Tensor) -> Tensor:
        """The learned features `(B, 64)`, unscaled."""
        return self.trunk(x).mean((2, 3))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        learned = self.learned(x)
        standardized = (statistics(x) - self.center) / self.spread
        bounded = FAR * (standardized / FAR).tanh()
        return torch.cat([learned * self.scale, bounded], 1), self.name(learned)

    @torch.no_grad()
    def standardize(self, images: Tensor) -> ResidualNetwork:
        """Scale features by its training images, uint8 `(N, C, H, W)`: learned ones to a mean square of 1, as other
        judges' are, and each statistic to mean 0 and variance 1."""
        parts = [part.float() / 255 for part in images.split(1_000)]
        measured = torch.cat([statistics(part) for part in parts])
        self.center.copy_(measured.mean(0))
        self.spread.copy_(measured.std(0).clamp(min=MIN_SPREAD))
        square = torch.cat([self.learned(part).square().mean(1) for part in parts]).mean()
        self.scale.copy_(square.rsqrt())
        return self


class _Block(nn.Module):
    """x + f(x), with normalization first; halves the sides where the width grows."""

    def __init__(self, before: int, out: int):
        super().__init__()
        stride = 1 if before == out else 2
        self.change = nn.Sequential(
            nn.BatchNorm2d(before),
            nn.SiLU(),
            nn.Conv2d(before, out, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(out),
            nn.SiLU(),
            nn.Conv2d(out, out, 3, padding=1, bias=False),
        )
        self.keep = nn.Identity() if stride == 1 else nn.Conv2d(before, out, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.keep(x) + self.change(x)


def statistics(images: Tensor) -> Tensor:
    """Color and texture of images `(B, C, H, W)` in data units, one row of numbers each.

    Means, standard deviations and correlations of the channels; and for each octave the logarithm of the mean square
    of differences between neighbors: across, down, and along both diagonals.
    """
    count, channels = images.shape[:2]
    flat = images.flatten(2)
    deviations = flat.std(2)
    columns = [flat.mean(2), deviations]
    if channels > 1:
        centered = (flat - flat.mean(2, keepdim=True)) / (deviations[..., None] + MIN_SPREAD)
        correlations = centered @ centered.mT / flat.shape[2]
        first, second = torch.triu_indices(channels, channels, 1)
        columns.append(correlations[:, first, second])
    octave = images.mean(1)
    for scale in range(SCALES):
        if scale and min(octave.shape[1:]) < 2 * MIN_TEXTURE_SIDE:
            break
        octave = functional.avg_pool2d(octave[:, None], 2)[:, 0] if scale else octave
        differences = (
            octave[:, :, 1:] - octave[:, :, :-1],
            octave[:, 1:] - octave[:, :-1],
            octave[:, 1:, 1:] - octave[:, :-1, :-1],
            octave[:, 1:, :-1] - octave[:, :-1, 1:],
        )
        energies = [difference.square().flatten(1).mean(1) for difference in differences]
        columns.append((torch.stack(energies, 1) + ENERGY_FLOOR).log())
    return torch.cat(columns, 1).view(count, -1)
