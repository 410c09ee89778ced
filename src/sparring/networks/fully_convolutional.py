from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, final

from sparring.networks import Network, Shape

if TYPE_CHECKING:
    from torch import nn


@final
@dataclass(frozen=True)
class FullyConvolutional(Network):
    """Convolutions alone, from a large array of random numbers to an image: a generator.

    The latent vector is laid out as one square map, which the first convolution halves until it has the image's size;
    the others keep it. A latent of 56 x 56 = 3,136 numbers makes an image of 28 x 28.
    """

    channels: tuple[int, ...] = (16, 32, 16)
    """Feature maps of each convolution but the last."""
    kernel: int = 3
    """Side of every kernel, in pixels; odd."""
    slope: float = 0.2
    """Of the leaky ReLU below zero; 0 is a ReLU."""
    output: Literal["sigmoid", "tanh"] = "sigmoid"

    def build(self, takes: Shape, gives: Shape) -> nn.Module:
        from torch import nn

        if len(gives) != 3:
            raise ValueError(f"convolutions give images (C, H, W), not {gives}")
        colors, height, width = gives
        side = math.isqrt(takes[0])
        if side * side != takes[0] or height != width or side != 2 * height:
            raise ValueError(f"an image of {height} x {width} wants a latent of {2 * height} x {2 * width} numbers")
        layers: list[nn.Module] = [nn.Unflatten(1, (1, side, side))]
        for index, (before, after) in enumerate(zip((1, *self.channels), (*self.channels, colors), strict=True)):
            layers.append(
                nn.Conv2d(before, after, self.kernel, stride=2 if index == 0 else 1, padding=self.kernel // 2)
            )
            layers.append(nn.LeakyReLU(self.slope))
        layers[-1] = nn.Sigmoid() if self.output == "sigmoid" else nn.Tanh()
        return nn.Sequential(*layers)
