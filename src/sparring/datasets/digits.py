from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cache
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
        from sparring.datasets._images import Images

        ink, classes = ink_and_classes()
        return Images.of((ink[:, None] * (255 / 16)).round().astype(np.uint8), self.span, device, classes)

    def content_hash(self, source: Source) -> str:
        return cast("Images", source).content_hash()


@cache
def ink_and_classes() -> tuple[np.ndarray, np.ndarray]:
    """(1797, 8, 8) from 0 to 16, and (1797,) classes.

    Read from scikit-learn's file: importing scikit-learn takes longer than all else that a short training loads but
    torch.
    """
    found = importlib.util.find_spec("sklearn")
    file = Path(found.origin if found and found.origin else "").parent / "datasets" / "data" / "digits.csv.gz"
    if not file.is_file():  # it lies elsewhere in another version
        from sklearn.datasets import load_digits

        loaded = load_digits()
        return loaded.images, loaded.target
    table = np.loadtxt(file, delimiter=",")
    return table[:, :-1].reshape(-1, 8, 8), table[:, -1].astype(np.int64)
