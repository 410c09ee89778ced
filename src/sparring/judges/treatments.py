"""Treatments of images that a judge learns to recognize: rotations, blur, noise and others (self-supervised learning).

A network that recognizes how an image was treated knows what an untreated one looks like: which way up, in one piece,
sharp, clean, in its own colors. Gidaris, Singh and Komodakis, "Unsupervised representation learning by predicting image
rotations", ICLR 2018; Jenni and Favaro, "Self-supervised feature learning by learning to spot artifacts", CVPR 2018.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

Treatment = Callable[[Tensor, Tensor, torch.Generator], Tensor]
"""Images `(B, C, H, W)` in data units, as many other images, and a random generator -> the treated images."""
NOISE = 0.1
"""Standard deviation, in data units."""
BLENDED = 0.35
"""Share of another image."""


def treatments(shape: tuple[int, ...]) -> list[Treatment]:
    """Those that images `(C, H, W)` can be given. The first leaves them as they are."""
    channels, height, width = shape
    square = [_quarter, _three_quarters] if height == width else []
    colored = [_colors_exchanged] if channels > 1 else []
    return [_untouched, _upside_down, _half, *square, _halves, _through, _blurred, _noisy, _paler, *colored]


def treated(images: Tensor, which: Tensor, rng: torch.Generator) -> Tensor:
    """Each image of `(B, C, H, W)` after its treatment: `which` is `(B,)`, indices into `treatments`."""
    result = images.clone()
    for number, treatment in enumerate(treatments(tuple(images.shape[1:]))):
        chosen = (which == number).nonzero().squeeze(1)
        if len(chosen):
            others = torch.randint(len(images), (len(chosen),), generator=rng)
            result[chosen] = treatment(images[chosen], images[others], rng)
    return result


def _untouched(images: Tensor, others: Tensor, rng: torch.Generator) -> Tensor:
    return images


def _upside_down(images: Tensor, others: Tensor, rng: torch.Generator) -> Tensor:
    return images.flip(2)


def _half(images: Tensor, others: Tensor, rng: torch.Generator) -> Tensor:
    return images.rot90(2, (2, 3))


def _quarter(images: Tensor, others: Tensor, rng: torch.Generator) -> Tensor:
    return images.rot90(1, (2, 3))


def _three_quarters(images: Tensor, others: Tensor, rng: torch.Generator) -> Tensor:
    return images.rot90(3, (2, 3))


def _halves(images: Tensor, others: Tensor, rng: torch.Generator) -> Tensor:
    """The upper half of one, the lower half of another."""
    middle = images.shape[2] // 2
    return torch.cat([images[:, :, :middle], others[:, :, middle:]], 2)


def _through(images: Tensor, others: Tensor, rng: torch.Generator) -> Tensor:
    return torch.lerp(images, others, BLENDED)


def _blurred(images: Tensor, others: Tensor, rng: torch.Generator) -> Tensor:
    """The mean of 3x3 pixels."""
    return functional.avg_pool2d(functional.pad(images, (1, 1, 1, 1), mode="replicate"), 3, 1)


def _noisy(images: Tensor, others: Tensor, rng: torch.Generator) -> Tensor:
    # A judge clips values outside [0, 1].
    return (images + NOISE * torch.randn(images.shape, generator=rng)).clamp(0, 1)


def _paler(images: Tensor, others: Tensor, rng: torch.Generator) -> Tensor:
    return 0.3 + 0.7 * images


def _colors_exchanged(images: Tensor, others: Tensor, rng: torch.Generator) -> Tensor:
    return images.roll(1, 1)
