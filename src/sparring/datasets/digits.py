from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast, final

import numpy as np

from sparring.datasets import Card, Dataset, Shape, Source

if TYPE_CHECKING:
    import torch

    from sparring.datasets._images import Images


@final
@dataclass(frozen=True)
class Digits(Dataset):
    """8x8 handwritten digits, gray, from scikit-learn: available without a download."""

    span: tuple[float, float] = (0.0, 1.0)
    """Pixel values for black and white: (0, 1) for a G that ends in sigmoid, (-1, 1) for one that ends in tanh."""

    shape: ClassVar[Shape] = (1, 8, 8)
    classes: ClassVar[int] = 10
    card: ClassVar[Card] = Card(
        title="Optical recognition of handwritten digits (test set), 8x8",
        examples=1797,
        license="CC BY 4.0",
        source="E. Alpaydin and C. Kaynak, UCI Machine Learning Repository, 1998; as shipped by scikit-learn",
    )

    def open(self, data_dir: Path | None = None, device: str | torch.device = "cpu") -> Source:
        from sklearn.datasets import load_digits  # takes a second to import

        from sparring.datasets._images import Images

        loaded = load_digits()
        ink = loaded.images  # (1797, 8, 8), 0..16
        return Images.of((ink[:, None] * (255 / 16)).round().astype(np.uint8), self.span, device, loaded.target)

    def content_hash(self, source: Source) -> str:
        return cast("Images", source).content_hash()
