from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, TypeVar, final

from sparring.networks import Network, Shape
from sparring.networks._images import maps, only_a_score, sides, squashed, width_for

if TYPE_CHECKING:
    from torch import nn

Layer = TypeVar("Layer", "nn.Linear", "nn.Conv2d")

SLOPE = 0.2
"""Negative slope of the LeakyReLU."""
EXPANSION = 2
"""Channels inside a residual block, as a multiple of those outside."""
GROUP = 16
"""Channels per group of a 3x3 convolution, or the greatest common divisor of it and the width."""


@final
@dataclass(frozen=True)
class R3GANGenerator(Network):
    """R3GAN's generator: learned small maps weighted by the latent vector, then residual blocks at each side.

    No normalization. Sides double by bilinear interpolation. A block is a 1x1, a grouped 3x3 and a 1x1 convolution,
    wider inside than outside, with LeakyReLU(0.2) in between; its last convolution is initialized to 0 and the others
    are scaled by the number of blocks (Fixup), so that the initial network is its shortcuts. Huang et al., "The GAN is
    dead; long live the GAN!", NeurIPS 2024 (R3GAN, config E), and the authors' code.

    Parameters, from 64 latent dimensions: 156,481 for (1, 8, 8), 64,017 for (1, 28, 28), 178,163 for (3, 32, 32),
    1,901,539 for (3, 64, 64).
    """

    name: ClassVar[str] = "r3gan-generator"

    width: int = 0
    """Channels at the image's own side, doubling with each halving up to 512 (or 8 x `width`); the paper has 768 at
    every side of 32 x 32. 0 chooses by the image's side: 64 for 8 pixels, 32 up to 16, 16 up to 32; 32 up to 64, 16 up
    to 128, 8 up to 256."""
    blocks: int = 1
    """Residual blocks at each side; the paper has 2."""
    output: Literal["sigmoid", "tanh", "none"] = "sigmoid"
    """Activation of the output; the paper has none."""

    def build(self, in_shape: Shape, out_shape: Shape) -> nn.Module:
        from torch import nn

        from sparring.networks.layers import Bilinear, GenerativeBasis

        *_, smallest = sizes = sides(out_shape)
        *_, first = widths = maps(self.width or width_for(sizes[0]), len(sizes))
        depth = self.blocks * len(sizes)
        layers: list[nn.Module] = [
            _initialized(nn.Linear(in_shape[0], first, bias=False)),
            GenerativeBasis(first, smallest),
        ]
        for index in reversed(range(len(sizes))):
            layers += [_block(widths[index], depth) for _ in range(self.blocks)]
            if index > 0:
                layers += [
                    *_with_channels(widths[index], widths[index - 1]),
                    Bilinear(sizes[index], sizes[index - 1]),
                ]
        layers.append(_initialized(nn.Conv2d(widths[0], out_shape[0], 1)))
        return nn.Sequential(*layers, *squashed(self.output))


@final
@dataclass(frozen=True)
class R3GANDiscriminator(Network):
    """R3GAN's discriminator, the mirror of its generator: residual blocks at each side, halved in between; a score.

    Huang et al., NeurIPS 2024 (R3GAN, config E). Nothing in it bounds its gradient, so use it with `r1-r2`.

    Parameters: 148,481 for (1, 8, 8), 60,001 for (1, 28, 28), 170,113 for (3, 32, 32), 1,869,313 for (3, 64, 64).
    """

    name: ClassVar[str] = "r3gan-discriminator"

    width: int = 0
    """Channels, as for the generator."""
    blocks: int = 1
    """Residual blocks at each side; the paper has 2."""

    def build(self, in_shape: Shape, out_shape: Shape) -> nn.Module:
        from torch import nn

        from sparring.networks.layers import Bilinear, DiscriminativeBasis

        only_a_score(out_shape)
        *_, smallest = sizes = sides(in_shape)
        *_, last = widths = maps(self.width or width_for(sizes[0]), len(sizes))
        depth = self.blocks * len(sizes)
        layers: list[nn.Module] = [_initialized(nn.Conv2d(in_shape[0], widths[0], 1))]
        for index, width in enumerate(widths):
            layers += [_block(width, depth) for _ in range(self.blocks)]
            if index < len(widths) - 1:
                layers += [Bilinear(sizes[index], sizes[index + 1]), *_with_channels(width, widths[index + 1])]
        # The bias matters to every objective but a relativistic one.
        layers += [DiscriminativeBasis(last, smallest), _initialized(nn.Linear(last, 1)), nn.Flatten(0)]
        return nn.Sequential(*layers)


def _block(width: int, depth: int) -> nn.Module:
    from torch import nn

    from sparring.networks.layers import Residual

    # m = 3 layers in each of L = depth branches: gain x L^(-1/(2m - 2)), and 0 for the last (Zhang et al., "Fixup
    # initialization", ICLR 2019, section 3).
    wide = EXPANSION * width
    gain = math.sqrt(2 / (1 + SLOPE**2)) * depth ** (-1 / 4)
    return Residual(
        nn.Sequential(
            _initialized(nn.Conv2d(width, wide, 1), gain),
            nn.LeakyReLU(SLOPE),
            _initialized(nn.Conv2d(wide, wide, 3, padding=1, groups=wide // math.gcd(wide, GROUP)), gain),
            nn.LeakyReLU(SLOPE),
            _initialized(nn.Conv2d(wide, width, 1, bias=False), 0.0),
        )
    )


def _with_channels(before: int, after: int) -> list[nn.Module]:
    from torch import nn

    return [] if before == after else [_initialized(nn.Conv2d(before, after, 1, bias=False))]


def _initialized(layer: Layer, gain: float = 1.0) -> Layer:
    from torch import nn

    nn.init.normal_(layer.weight, std=gain / math.sqrt(layer.weight[0].numel()))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
