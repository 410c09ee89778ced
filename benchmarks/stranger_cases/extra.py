"""Cases on a folder of images that someone has: in neither half, since nobody else can run them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sparring.datasets._images import Images
from sparring.datasets.folder import Folder
from stranger_cases.case import CHECKERBOARD, NOISE, NOT_SURE, UNDERTRAINED, Case, auto
from stranger_cases.data import SPAN


@dataclass(frozen=True)
class Given:
    """A folder of images that is there."""

    path: str

    @property
    def kind(self) -> str:
        """Its name."""
        return Path(self.path).stem

    def make(self, root: Path) -> Path:
        """Nothing is to be drawn."""
        return Path(self.path)

    def data(self, root: Path, span: tuple[float, float] = SPAN) -> Folder:
        """As a recipe has it."""
        return Folder(self.path, span=span)

    def others(self, count: int, begin: int = 0) -> np.ndarray:
        """Its own images, in an order that has nothing to do with their names: float32 `(N, C, H, W)` in [0, 1]."""
        source = Folder(self.path).open()
        assert isinstance(source, Images)
        order = np.random.default_rng(0).permutation(len(source.pixels))
        count = min(count, len(order) // 2)
        return source.pixels.numpy()[order[:count] if begin == 0 else order[-count:]].astype(np.float32) / 255


def extra_cases(path: Path) -> Iterator[Case]:
    """What `auto` makes of a folder in far fewer rounds than its own 12,000."""
    given = Given(str(path.resolve()))
    early = (UNDERTRAINED, NOT_SURE, CHECKERBOARD, NOISE)
    yield Case(f"{given.kind}, auto, 400 rounds", "short runs", "unfinished", early[:1], given, auto(400), part="extra")
    yield Case(f"{given.kind}, auto, 3,000 rounds", "short runs", "sick", early, given, auto(3_000), part="extra")
