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
    """Twenty-five round Gaussians on a 5 x 5 grid in the plane, to measure which modes a generator drops.

    Centers from -4 to 4, standard deviation 0.05, as in the experiments of PacGAN. There, 2,500 samples are evaluated:
    one within three standard deviations of a center is of high quality, and a mode with at least one such sample is
    covered.
    """

    shape: ClassVar[Shape] = (2,)
    modes: ClassVar[Modes | None] = Modes(tuple(product(LINES, LINES)), sd=0.05, reach=5.0)
    card: ClassVar[Card] = Card(
        title="2D grid: 25 Gaussians",
        examples=None,
        license="none needed: sampled from a formula",
        source="A. Srivastava et al., VEEGAN, NeurIPS 2017, arXiv:1705.07761; constants from the code of "
        "Z. Lin et al., PacGAN, NeurIPS 2018, arXiv:1712.04086",
    )

    def open(self, data_dir: Path | None = None, device: str | torch.device = "cpu") -> Source:
        from sparring.datasets._mixture import Mixture

        assert self.modes is not None
        return Mixture.of(self.modes, device)
