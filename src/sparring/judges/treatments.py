"""What can be done to a picture so that it no longer looks like one of its kind: what a judge without classes learns.

Who can tell what was done to a picture knows what an untouched one looks like: which way up, whole, sharp, clean, in
its own colors. Gidaris, Singh and Komodakis, "Unsupervised representation learning by predicting image rotations",
ICLR 2018; Jenni and Favaro, "Self-supervised feature learning by learning to spot artifacts", CVPR 2018.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

Treatment = Callable[[Tensor, Tensor, torch.Generator], Tensor]
"""Pictures `(B, C, H, W)` in data units, as many others, and chance -> the pictures treated."""
NOISE = 0.1
"""Standard deviation, in data units."""
SHINING_THROUGH = 0.35
"""Share of another picture."""


def treatments(shape: tuple[int, ...]) -> list[Treatment]:
    """Those that pictures `(C, H, W)` can be given. The first leaves them as they are."""
    channels, height, width = shape
    square = [_quarter, _three_quarters] if height == width else []
    colored = [_colors_exchanged] if channels > 1 else []
    return [_untouched, _upside_down, _half, *square, _halves, _through, _blurred, _noisy, _paler, *colored]


def treated(pictures: Tensor, which: Tensor, rng: torch.Generator) -> Tensor:
    """Each picture of `(B, C, H, W)` given its treatment: `which` is `(B,)`, numbers in `treatments`."""
    made = pictures.clone()
    for number, treatment in enumerate(treatments(tuple(pictures.shape[1:]))):
        chosen = (which == number).nonzero().squeeze(1)
        if len(chosen):
            others = torch.randint(len(pictures), (len(chosen),), generator=rng)
            made[chosen] = treatment(pictures[chosen], pictures[others], rng)
    return made


def _untouched(pictures: Tensor, others: Tensor, rng: torch.Generator) -> Tensor:
    return pictures


def _upside_down(pictures: Tensor, others: Tensor, rng: torch.Generator) -> Tensor:
    return pictures.flip(2)


def _half(pictures: Tensor, others: Tensor, rng: torch.Generator) -> Tensor:
    return pictures.rot90(2, (2, 3))


def _quarter(pictures: Tensor, others: Tensor, rng: torch.Generator) -> Tensor:
    return pictures.rot90(1, (2, 3))


def _three_quarters(pictures: Tensor, others: Tensor, rng: torch.Generator) -> Tensor:
    return pictures.rot90(3, (2, 3))


def _halves(pictures: Tensor, others: Tensor, rng: torch.Generator) -> Tensor:
    """The upper half of one, the lower half of another."""
    middle = pictures.shape[2] // 2
    return torch.cat([pictures[:, :, :middle], others[:, :, middle:]], 2)


def _through(pictures: Tensor, others: Tensor, rng: torch.Generator) -> Tensor:
    return torch.lerp(pictures, others, SHINING_THROUGH)


def _blurred(pictures: Tensor, others: Tensor, rng: torch.Generator) -> Tensor:
    """The mean of 3x3 pixels."""
    return functional.avg_pool2d(functional.pad(pictures, (1, 1, 1, 1), mode="replicate"), 3, 1)


def _noisy(pictures: Tensor, others: Tensor, rng: torch.Generator) -> Tensor:
    # A judge sees what lies outside [0, 1] at the bound.
    return (pictures + NOISE * torch.randn(pictures.shape, generator=rng)).clamp(0, 1)


def _paler(pictures: Tensor, others: Tensor, rng: torch.Generator) -> Tensor:
    return 0.3 + 0.7 * pictures


def _colors_exchanged(pictures: Tensor, others: Tensor, rng: torch.Generator) -> Tensor:
    return pictures.roll(1, 1)
