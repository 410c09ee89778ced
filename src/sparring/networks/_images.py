"""Depth and width of the image networks, chosen by the size of the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sparring.networks import Shape

if TYPE_CHECKING:
    from torch import nn

Output = Literal["none", "sigmoid", "tanh"]

MAX_CHANNELS, MAX_WIDENING = 512, 8
"""Channels stop doubling at the first number, or at the second times the initial width, whichever is larger."""


def sides(shape: Shape) -> tuple[int, ...]:
    """Sides of the feature maps, from the image's own down to the smallest, which is 4 to 7 pixels: 28, 14, 7.

    Raises ValueError unless the shape is that of a square image whose side is 4, 5, 6 or 7 times a power of two.
    """
    if not shape:
        raise ValueError("this network is a generator of images and cannot be a discriminator")
    found = list(shape[-1:])
    while found and found[-1] > 7 and found[-1] % 2 == 0:
        found.append(found[-1] // 2)
    if len(shape) != 3 or shape[1] != shape[2] or not 4 <= found[-1] <= 7:
        raise ValueError(
            f"images must be (C, S, S) with S 4, 5, 6 or 7 times a power of two (8, 28, 32, 48, 64, ...), not {shape}"
        )
    return tuple(found)


def maps(width: int, count: int) -> tuple[int, ...]:
    """Channels at each of `count` sides, largest side first, doubling from `width`."""
    if width < 1:
        raise ValueError(f"width must be at least 1, or 0 to choose it by the image size, not {width}")
    limit = max(MAX_CHANNELS, MAX_WIDENING * width)
    return tuple(min(width << k, limit) for k in range(count))


def width_for(side: int) -> int:
    """Channels at the image's own side: 512 / side up to 32 pixels, 2,048 / side above.

    The side is rounded up to a power of two. At a side of 4 pixels that comes to 128 channels, or 512 for large images,
    whatever the image's side (half as many at 5 to 7 pixels); large images, whose cost is that of their largest maps,
    have few channels there.
    """
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
