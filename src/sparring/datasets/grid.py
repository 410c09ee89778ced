from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, final

from sparring.datasets import Card, Dataset, Modes, Shape, Source

if TYPE_CHECKING:
    import torch

LINES = (-4.0, -2.0, 0.0, 2.0, 4.0)


@final
@dataclass(frozen=True)
class Grid(Dataset):
    """Twenty-five round Gaussians on a square grid: points in the plane, for seeing which modes a generator drops.

    Five by five from -4 to 4, standard deviation 0.05, as in the experiments of PacGAN, which judges 2,500 samples: one
    within three standard deviations of a center is of high quality, and a mode is covered that has one such.
    """

    shape: ClassVar[Shape] = (2,)
    modes: ClassVar[Modes | None] = Modes(tuple(product(LINES, LINES)), sd=0.05, reach=5.0)
    card: ClassVar[Card] = Card(
        title="2D grid: 25 Gaussians",
        examples=None,
        licence="none needed: drawn from a formula",
        source="A. Srivastava et al., VEEGAN, NIPS 2017, arXiv:1705.07761; with the numbers in the code of "
        "Z. Lin et al., PacGAN, NeurIPS 2018, arXiv:1712.04086",
    )

    def open(self, data_dir: Path | None, device: str | torch.device) -> Source:
        from sparring.datasets._mixture import Mixture

        assert self.modes is not None
        return Mixture.of(self.modes, device)
