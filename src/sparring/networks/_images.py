"""What the families of image networks share: how deep and how wide they are for a size of image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sparring.networks import Shape

if TYPE_CHECKING:
    from torch import nn

Output = Literal["none", "sigmoid", "tanh"]

MOST_MAPS, MOST_DOUBLINGS = 512, 8
"""Maps stop doubling at the first, or at the second times those that they began with, whichever is more."""


def sides(shape: Shape) -> tuple[int, ...]:
    """Of the maps from the image's own down to the smallest, 4 to 7 pixels: 28, 14, 7.

    Raises ValueError for what is no square image whose side is 4, 5, 6 or 7 times a power of two.
    """
    if not shape:
        raise ValueError("this network makes images and cannot score them")
    found = list(shape[-1:])
    while found and found[-1] > 7 and found[-1] % 2 == 0:
        found.append(found[-1] // 2)
    if len(shape) != 3 or shape[1] != shape[2] or not 4 <= found[-1] <= 7:
        raise ValueError(
            f"images must be (C, S, S) with S 4, 5, 6 or 7 times a power of two (8, 28, 32, 48, 64, ...), not {shape}"
        )
    return tuple(found)


def maps(width: int, count: int) -> tuple[int, ...]:
    """How many there are at each of `count` sides, doubling from `width` at the largest."""
    if width < 1:
        raise ValueError(f"width must be at least 1, or 0 for one that suits the image, not {width}")
    most = max(MOST_MAPS, MOST_DOUBLINGS * width)
    return tuple(min(width << k, most) for k in range(count))


def width_for(side: int) -> int:
    """Maps at an image's own side: 512 over the side, which is rounded up to a power of two, and above 32 pixels 2,048.

    So maps of 4 pixels are 128, or 512, whatever the image's side (of 5 to 7 pixels half as many), and a large image,
    which costs by its largest maps, has the fewer of those.
    """
    rounded = 1 << (side - 1).bit_length()
    return max(1, (2048 if rounded > 32 else 512) // rounded)


def only_a_score(gives: Shape) -> None:
    """Raises ValueError where a discriminator is asked for anything else."""
    if gives:
        raise ValueError(f"this network scores images and cannot give {gives}")


def squashed(output: Output) -> list[nn.Module]:
    """The layer that keeps a generator's images in range, if one does."""
    from torch import nn

    if output == "none":
        return []
    return [nn.Sigmoid() if output == "sigmoid" else nn.Tanh()]


def spectral(layer: nn.Linear | nn.Conv2d) -> nn.Module:
    """A layer, its bias apart, under spectral normalization, its weight as it was drawn."""
    from sparring.networks.layers import SpectralNorm

    layer.register_parameter("bias", None)
    return SpectralNorm(layer)
