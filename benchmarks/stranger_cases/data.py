"""Folders of pictures and data sets of rows that the cases train on, and held-out examples to compare with."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, final

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from sparring.datasets import Card, Dataset
from sparring.datasets.folder import Folder
from sparring.rng import RandomStreams
from stranger_cases import drawing

SPAN = (-1.0, 1.0)
HELD_OUT = 100_000
"""From this number on, pictures are held out."""
ROWS = 2_000
"""Rows of a table, and signals, that a run is trained on."""


@dataclass(frozen=True)
class Pictures:
    """A folder of pictures that is drawn when it is first needed."""

    kind: str
    """One of `drawing.KINDS`."""
    count: int
    side: int

    def folder(self, root: Path) -> Path:
        """The folder below `root`."""
        return root / f"{self.kind}-{self.side}-{self.count}"

    def make(self, root: Path) -> Path:
        """Draw it, unless it is there, and return its path."""
        return drawn_once(self.folder(root), self.count, lambda number: drawing.KINDS[self.kind](number, self.side))

    def data(self, root: Path, span: tuple[float, float] = SPAN) -> Folder:
        """As a recipe has it."""
        return Folder(str(self.make(root)), span=span)

    def others(self, count: int, begin: int = 0) -> np.ndarray:
        """Held-out ones of the same kind, float32 `(count, 3, side, side)` in [0, 1]."""
        drawn = [drawing.KINDS[self.kind](HELD_OUT + begin + number, self.side) for number in range(count)]
        return np.stack(drawn).transpose(0, 3, 1, 2).astype(np.float32) / 255


def drawn_once(folder: Path, count: int, draw: Callable[[int], np.ndarray]) -> Path:
    """The folder with its pictures, uint8 `(H, W)` or `(H, W, 3)` each, which are drawn unless they are there."""
    if not folder.exists():
        making = folder.with_name(f".{folder.name}-{os.getpid()}")
        making.mkdir(parents=True)
        for number in range(count):
            Image.fromarray(draw(number)).save(making / f"{number:05}.png")
        try:
            making.rename(folder)
        except OSError:  # another process was faster
            if not folder.exists():
                raise
    return folder


class Drawn:
    """A source of rows, in any order."""

    def __init__(self, rows: np.ndarray, device: str | torch.device):
        self.rows = torch.from_numpy(rows).to(device)

    def draw(self, rng: RandomStreams, count: int) -> Tensor:
        """`(P, count, K)`."""
        return self.rows[rng.shuffled("real", len(self.rows), count)].to(rng.dtype)


@final
@dataclass(frozen=True)
class Rows(Dataset):
    """A table or signals of one's own: rows of numbers."""

    kind: str
    """One of `ROW_KINDS`."""
    card: ClassVar[Card] = Card("rows of one's own", ROWS, "own", "own")

    @property
    def shape(self) -> tuple[int, ...]:  # pyright: ignore[reportIncompatibleVariableOverride] - read alike
        return rows_of(self.kind, 2, 0).shape[1:]

    def open(self, data_dir: Path | None = None, device: str | torch.device = "cpu") -> Drawn:
        return Drawn(rows_of(self.kind, ROWS, 0), device)

    def others(self, count: int, begin: int = 0) -> np.ndarray:
        """Held-out ones of the same distribution, float32 `(count, K)`."""
        return rows_of(self.kind, begin + count, 1)[begin:]


ROW_KINDS = {
    "waves": lambda count, seed: drawing.waves(count, 128, seed),
    "pulses": lambda count, seed: drawing.pulses(count, 64, seed),
    "parabola": drawing.parabola,
    "moons": drawing.moons,
    "clients": drawing.clients,
    "standardized-clients": lambda count, seed: drawing.standardized(drawing.clients(count, seed)),
}


def rows_of(kind: str, count: int, seed: int) -> np.ndarray:
    """Rows of a kind, float32 `(count, K)`."""
    return ROW_KINDS[kind](count, seed)
