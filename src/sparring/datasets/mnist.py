from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast, final

from sparring.datasets import Card, Dataset, Shape, Source
from sparring.datasets._idx import MNIST as ARCHIVE
from sparring.datasets._idx import images, labels
from sparring.datasets._images import Images

if TYPE_CHECKING:
    import numpy as np
    import torch


@final
@dataclass(frozen=True)
class MNIST(Dataset):
    """28x28 handwritten digits, gray: the 60,000 training images."""

    span: tuple[float, float] = (0.0, 1.0)
    """Pixel values for black and white: (0, 1) for a G that ends in sigmoid, (-1, 1) for one that ends in tanh."""

    shape: ClassVar[Shape] = (1, 28, 28)
    classes: ClassVar[int] = 10
    card: ClassVar[Card] = Card(
        title="MNIST handwritten digits, 28x28",
        examples=60_000,
        license="CC BY-SA 3.0",
        source="Y. LeCun, C. Cortes and C. J. C. Burges, The MNIST database of handwritten digits, 1998",
    )

    def open(self, data_dir: Path | None = None, device: str | torch.device = "cpu") -> Source:
        pixels = images(ARCHIVE, "train", data_dir)
        return Images.of(pixels, self.span, device, read_labels=lambda: labels(ARCHIVE, "train", data_dir))

    def held_out(self, data_dir: Path | None) -> np.ndarray | None:
        return images(ARCHIVE, "test", data_dir)

    def held_out_classes(self, data_dir: Path | None) -> np.ndarray | None:
        return labels(ARCHIVE, "test", data_dir)

    def content_hash(self, source: Source) -> str:
        return cast(Images, source).content_hash()
