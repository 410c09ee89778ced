from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeVar, final

from sparring.networks import Network, Shape
from sparring.networks._images import Size, maps, only_a_score, sides, spectral, squashed, width_for

if TYPE_CHECKING:
    from torch import nn

Layer = TypeVar("Layer", "nn.Linear", "nn.Conv2d")


@final
@dataclass(frozen=True)
class SNGANGenerator(Network):
    """SNGAN's generator: residual blocks with batch normalization and ReLU, each doubling the side of the maps.

    Upsampling repeats pixels. The smallest maps have a side of 4 to 7 pixels. Miyato et al., "Spectral normalization
    for generative adversarial networks", ICLR 2018, appendix B, with channels that halve from block to block as for
    STL-10; weights are initialized uniform after Glorot and Bengio, times the square root of 2 inside a block, as in
    the authors' code.

    Parameters, from 64 latent dimensions: 252,993 for (1, 8, 8), 241,425 for (1, 28, 28), 290,163 for (3, 32, 32),
    3,060,451 for (3, 64, 64).
    """

    width: int = 0
    """Channels at the image's own side, doubling with each halving up to 512 (or 8 x `width`); the paper has 64 for 48
    x 48 and for 128 x 128. 0 chooses by the image's side: 64 for 8 pixels, 32 up to 16, 16 up to 32; 32 up to 64, 16 up
    to 128, 8 up to 256."""
    output: Literal["sigmoid", "tanh"] = "sigmoid"
    """Activation of the output: sigmoid for data in [0, 1], tanh for data in [-1, 1]."""

    def build(self, in_shape: Shape, out_shape: Shape) -> nn.Module:
        from torch import nn

        *_, (height, width) = sizes = sides(out_shape)
        *_, first = widths = maps(self.width or width_for(sizes[0]), len(sizes))
        layers = [
            _initialized(nn.Linear(in_shape[0], first * height * width)),
            nn.Unflatten(1, (first, height, width)),
        ]
        channels = pairwise(reversed(widths))
        layers += [_generator_block(*both, size) for both, size in zip(channels, reversed(sizes[:-1]), strict=True)]
        layers += [nn.BatchNorm2d(widths[0]), nn.ReLU(), _initialized(nn.Conv2d(widths[0], out_shape[0], 3, padding=1))]
        return nn.Sequential(*layers, *squashed(self.output))


@final
@dataclass(frozen=True)
class SNGANDiscriminator(Network):
    """SNGAN's discriminator: residual blocks that halve the maps by average pooling, under spectral normalization.

    A last block keeps the side; ReLU, a sum over positions and a linear layer give the score. Every layer is under
    spectral normalization. Miyato et al., ICLR 2018, appendix B; weights are initialized as the generator's.

    Parameters: 156,929 for (1, 8, 8), 39,937 for (1, 28, 28), 159,425 for (3, 32, 32), 2,537,345 for (3, 64, 64).
    """

    width: int = 0
    """Channels at half the image's side, otherwise as for the generator."""

    def build(self, in_shape: Shape, out_shape: Shape) -> nn.Module:
        from torch import nn

        only_a_score(out_shape)
        *_, smallest = sizes = sides(in_shape)
        *_, last = widths = maps(self.width or width_for(sizes[0]), len(sizes))
        shrinking = (*pairwise(sizes), None)
        layers = [
            _discriminator_block(before, after, shrinking[index], first=index == 0)
            for index, (before, after) in enumerate(pairwise((in_shape[0], *widths)))
        ]
        summed = nn.AvgPool2d(smallest, divisor_override=1)
        score = spectral(_initialized(nn.Linear(last, 1)))
        return nn.Sequential(*layers, nn.ReLU(), summed, nn.Flatten(), score, nn.Flatten(0))


def _generator_block(before: int, after: int, size: Size) -> nn.Module:
    from torch import nn

    from sparring.networks.layers import Residual

    # No biases: the next normalization would remove them. A 1x1 convolution and nearest-neighbor upsampling commute,
    # and this order is four times cheaper.
    main = nn.Sequential(
        nn.BatchNorm2d(before),
        nn.ReLU(),
        nn.Upsample(size),
        _initialized(nn.Conv2d(before, after, 3, padding=1, bias=False), math.sqrt(2)),
        nn.BatchNorm2d(after),
        nn.ReLU(),
        _initialized(nn.Conv2d(after, after, 3, padding=1, bias=False), math.sqrt(2)),
    )
    return Residual(main, nn.Sequential(_initialized(nn.Conv2d(before, after, 1, bias=False)), nn.Upsample(size)))


def _discriminator_block(before: int, after: int, shrinks: tuple[Size, Size] | None, first: bool) -> nn.Module:
    """`shrinks` are the sizes of the maps before and after it, where it shrinks them."""
    from torch import nn

    from sparring.networks.layers import Residual

    # The first block has no ReLU before the image and widens at once. Pooling comes before the shortcut's 1x1
    # convolution, with which it commutes.
    hidden = after if first else before
    pool: list[nn.Module] = []
    if shrinks:
        height, width = (1 if large == small else 2 for large, small in zip(*shrinks, strict=True))
        pool.append(nn.AvgPool2d((height, width), ceil_mode=True))  # the last of an odd side by itself
    main = [
        *([] if first else [nn.ReLU()]),
        spectral(_initialized(nn.Conv2d(before, hidden, 3, padding=1), math.sqrt(2))),
        nn.ReLU(),
        spectral(_initialized(nn.Conv2d(hidden, after, 3, padding=1), math.sqrt(2))),
        *pool,
    ]
    shortcut = nn.Sequential(*pool, spectral(_initialized(nn.Conv2d(before, after, 1))))
    return Residual(nn.Sequential(*main), shortcut if shrinks or before != after else None)


def _initialized(layer: Layer, gain: float = 1.0) -> Layer:
    from torch import nn

    nn.init.xavier_uniform_(layer.weight, gain)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
