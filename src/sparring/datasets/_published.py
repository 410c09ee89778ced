"""Data sets that are published as IDX files, with a test split: what MNIST and Fashion-MNIST share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from sparring.datasets import Dataset, Shape, Source
from sparring.datasets._idx import CLASSES, SIDE, Archive, images, labels
from sparring.datasets._images import Images

if TYPE_CHECKING:
    import numpy as np
    import torch


@dataclass(frozen=True)
class Published(Dataset):
    """28x28 gray images in ten classes."""

    shape: ClassVar[Shape] = (1, SIDE, SIDE)
    classes: ClassVar[int] = CLASSES
    archive: ClassVar[Archive]

    def open(self, data_dir: Path | None = None, device: str | torch.device = "cpu") -> Source:
        pixels = images(self.archive, "train", data_dir)
        return Images.of(pixels, self.span, device, read_labels=lambda: labels(self.archive, "train", data_dir))

    def held_out(self, data_dir: Path | None) -> np.ndarray | None:
        return images(self.archive, "test", data_dir)

    def held_out_classes(self, data_dir: Path | None) -> np.ndarray | None:
        return labels(self.archive, "test", data_dir)

    def content_hash(self, source: Source) -> str:
        return cast(Images, source).content_hash()
