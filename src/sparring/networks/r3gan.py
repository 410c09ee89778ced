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
"""Of the leaky ReLU below zero."""
EXPANSION = 2
"""How many times wider a block is within than without."""
GROUP = 16
"""Maps that a 3x3 convolution mixes, or the greatest divisor of them that a width allows."""


@final
@dataclass(frozen=True)
class R3GANGenerator(Network):
    """Learnt 4x4 maps (up to 7x7), weighed by the latent vector; residual blocks without normalization at each side.

    Sides double by bilinear interpolation. A block is 1x1, grouped 3x3 and 1x1 convolution, wider within than without,
    with LeakyReLU(0.2) between; its last convolution is born zero and the others scaled by the number of blocks
    (fix-up), so that a network is born as its shortcuts. Huang et al., "The GAN is dead; long live the GAN!", NeurIPS
    2024 (R3GAN, config E), and its authors' code.

    Weights, from 64 latent numbers: 156,481 for (1, 8, 8), 64,017 for (1, 28, 28), 178,163 for (3, 32, 32),
    1,901,539 for (3, 64, 64).
    """

    also: ClassVar[tuple[str, ...]] = ("r3gan-generator",)

    width: int = 0
    """Maps at the image's own side, doubling with each halving up to 512 (or 8 x `width`); the paper has 768 at every
    side of 32 x 32. 0 is by the image's side: 64 for 8 pixels, 32 up to 16, 16 up to 32; 32 up to 64, 16 up to 128, 8
    up to 256."""
    blocks: int = 1
    """Residual blocks at each side; the paper has 2."""
    output: Literal["sigmoid", "tanh", "none"] = "sigmoid"
    """The paper squashes nothing."""

    def build(self, takes: Shape, gives: Shape) -> nn.Module:
        from torch import nn

        from sparring.networks.layers import Bilinear, GenerativeBasis

        *_, side = heights = sides(gives)
        *_, first = widths = maps(self.width or width_for(heights[0]), len(heights))
        depth = self.blocks * len(heights)
        layers: list[nn.Module] = [_drawn(nn.Linear(takes[0], first, bias=False)), GenerativeBasis(first, side)]
        for index in reversed(range(len(heights))):
            layers += [_block(widths[index], depth) for _ in range(self.blocks)]
            if index > 0:
                layers += [*_widened(widths[index], widths[index - 1]), Bilinear(heights[index], heights[index - 1])]
        layers.append(_drawn(nn.Conv2d(widths[0], gives[0], 1)))
        return nn.Sequential(*layers, *squashed(self.output))


@final
@dataclass(frozen=True)
class R3GANDiscriminator(Network):
    """The mirror of `R3GANGenerator`: residual blocks at each side, halved in between; learnt 4x4 maps; a score.

    Huang et al., NeurIPS 2024 (R3GAN, config E). It is meant to be played with R1 and R2, for nothing in it bounds its
    slope.

    Weights: 148,481 for (1, 8, 8), 60,001 for (1, 28, 28), 170,113 for (3, 32, 32), 1,869,313 for (3, 64, 64).
    """

    also: ClassVar[tuple[str, ...]] = ("r3gan-discriminator",)

    width: int = 0
    """As the generator's."""
    blocks: int = 1
    """Residual blocks at each side; the paper has 2."""

    def build(self, takes: Shape, gives: Shape) -> nn.Module:
        from torch import nn

        from sparring.networks.layers import Bilinear, DiscriminativeBasis

        only_a_score(gives)
        *_, side = heights = sides(takes)
        *_, last = widths = maps(self.width or width_for(heights[0]), len(heights))
        depth = self.blocks * len(heights)
        layers: list[nn.Module] = [_drawn(nn.Conv2d(takes[0], widths[0], 1))]
        for index, width in enumerate(widths):
            layers += [_block(width, depth) for _ in range(self.blocks)]
            if index < len(widths) - 1:
                layers += [Bilinear(heights[index], heights[index + 1]), *_widened(width, widths[index + 1])]
        # A relative objective does not see the bias of a score; any other does.
        layers += [DiscriminativeBasis(last, side), _drawn(nn.Linear(last, 1)), nn.Flatten(0)]
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
            _drawn(nn.Conv2d(width, wide, 1), gain),
            nn.LeakyReLU(SLOPE),
            _drawn(nn.Conv2d(wide, wide, 3, padding=1, groups=wide // math.gcd(wide, GROUP)), gain),
            nn.LeakyReLU(SLOPE),
            _drawn(nn.Conv2d(wide, width, 1, bias=False), 0.0),
        )
    )


def _widened(before: int, after: int) -> list[nn.Module]:
    from torch import nn

    return [] if before == after else [_drawn(nn.Conv2d(before, after, 1, bias=False))]


def _drawn(layer: Layer, gain: float = 1.0) -> Layer:
    from torch import nn

    nn.init.normal_(layer.weight, std=gain / math.sqrt(layer.weight[0].numel()))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
