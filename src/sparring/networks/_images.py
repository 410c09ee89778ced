"""Depth and width of the image networks, chosen by the size of the image, which may be any and need not be square."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from sparring.networks import Shape

if TYPE_CHECKING:
    from torch import nn

Output = Literal["none", "sigmoid", "tanh"]
Size = tuple[int, int]
"""Height and width of an image or a feature map, in pixels."""

MAX_CHANNELS, MAX_WIDENING = 512, 8
"""Channels stop doubling at the first number, or at the second times the initial width, whichever is larger."""
SMALLEST = 7
"""A side is halved until it has at most so many pixels."""


def sides(shape: Shape) -> tuple[Size, ...]:
    """Sizes of the feature maps, from the image's own down to the smallest: (28, 28), (14, 14), (7, 7).

    Height and width are halved, an odd one rounded up, until they are 4 to 7 pixels; one that is so small from the
    start stays: (100, 30), (50, 15), (25, 8), (13, 4), (7, 4). Raises ValueError unless the shape is (C, H, W).
    """
    if not shape:
        raise ValueError("this network is a generator of images and cannot be a discriminator")
    if len(shape) != 3:
        raise ValueError(f"this network is for images (C, H, W), not for examples of {shape}: use fully-connected")
    found: list[Size] = [(shape[1], shape[2])]
    while max(found[-1]) > SMALLEST:
        height, width = found[-1]
        found.append((_halved(height), _halved(width)))
    return tuple(found)


def _halved(side: int) -> int:
    return -(-side // 2) if side > SMALLEST else side


def halving(large: Size, small: Size) -> dict[str, Any]:
    """Settings of a convolution from maps of one size to the next smaller one of `sides`, by axis.

    The kernel is 4 pixels wide, and 3 along a side that stays as it is. A transposed convolution with the same settings
    and with `cropping` as its output padding leads back.
    """
    axes = tuple(zip(large, small, strict=True))
    return {
        "kernel_size": tuple(3 if before == after else 4 for before, after in axes),
        "stride": tuple(1 if before == after else 2 for before, after in axes),
        # An odd side needs one pixel more, at its end.
        "padding": tuple(1 if before == after else 1 + before % 2 for before, after in axes),
    }


def cropping(large: Size, small: Size) -> Size:
    """The output padding of a transposed convolution with the settings of `halving`.

    Torch cuts two pixels off either end where an odd side is doubled, and this gives back the one too many.
    """
    height, width = (0 if before == after else before % 2 for before, after in zip(large, small, strict=True))
    return height, width


def maps(width: int, count: int) -> tuple[int, ...]:
    """Channels at each of `count` sides, largest side first, doubling from `width`."""
    if width < 1:
        raise ValueError(f"width must be at least 1, or 0 to choose it by the image size, not {width}")
    limit = max(MAX_CHANNELS, MAX_WIDENING * width)
    return tuple(min(width << k, limit) for k in range(count))


def width_for(size: Size) -> int:
    """Channels at the image's own size: 512 / side up to 32 pixels, 2,048 / side above.

    The side is that of a square of as many pixels, rounded up to a power of two. At a side of 4 pixels that comes to
    128 channels, or 512 for large images, whatever the image's side (half as many at 5 to 7 pixels); large images,
    whose cost is that of their largest maps, have few channels there.
    """
    side = math.isqrt(math.prod(size) - 1) + 1
    rounded = 1 << (side - 1).bit_length()
    return max(1, (2048 if rounded > 32 else 512) // rounded)


def only_a_score(out_shape: Shape) -> None:
    """Raises ValueError unless the output is a score."""
    if out_shape:
        raise ValueError(f"this network is a discriminator, whose output is a score, and cannot give {out_shape}")


def squashed(output: Output) -> list[nn.Module]:
    """The layer that keeps a generator's images in range, or none."""
    from torch import nn

    if output == "none":
        return []
    return [nn.Sigmoid() if output == "sigmoid" else nn.Tanh()]


def spectral(layer: nn.Linear | nn.Conv2d) -> nn.Module:
    """A layer under spectral normalization, with its weight as initialized; its bias is not normalized."""
    from sparring.networks.layers import SpectralNorm

    layer.register_parameter("bias", None)
    return SpectralNorm(layer)
