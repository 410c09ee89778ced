from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from sparring.datasets import Card
from sparring.datasets._idx import MNIST as ARCHIVE
from sparring.datasets._idx import Archive
from sparring.datasets._published import Published


@final
@dataclass(frozen=True)
class MNIST(Published):
    """28x28 handwritten digits, gray: the 60,000 training images."""

    span: tuple[float, float] = (0.0, 1.0)
    """Pixel values for black and white: (0, 1) for a G that ends in sigmoid, (-1, 1) for one that ends in tanh."""

    archive: ClassVar[Archive] = ARCHIVE
    card: ClassVar[Card] = Card(
        title="MNIST handwritten digits, 28x28",
        examples=60_000,
        license="CC BY-SA 3.0",
        source="Y. LeCun, C. Cortes and C. J. C. Burges, The MNIST database of handwritten digits, 1998",
    )
