from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from sparring.datasets import Card
from sparring.datasets._idx import FASHION_MNIST as ARCHIVE
from sparring.datasets._idx import Archive
from sparring.datasets._published import Published


@final
@dataclass(frozen=True)
class FashionMNIST(Published):
    """28x28 images of clothes, shoes and bags in ten classes, gray: the 60,000 training images."""

    span: tuple[float, float] = (0.0, 1.0)
    """Pixel values for black and white: (0, 1) for a G that ends in sigmoid, (-1, 1) for one that ends in tanh."""

    archive: ClassVar[Archive] = ARCHIVE
    card: ClassVar[Card] = Card(
        title="Fashion-MNIST, 28x28",
        examples=60_000,
        license="MIT",
        source="H. Xiao, K. Rasul and R. Vollgraf, Fashion-MNIST, 2017, arXiv:1708.07747",
    )
