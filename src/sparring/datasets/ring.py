from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, final

from sparring.datasets import Card, Dataset, Modes, Shape, Source

if TYPE_CHECKING:
    import torch

COUNT = 8
ANGLES = tuple(2 * math.pi * k / COUNT for k in range(COUNT))


@final
@dataclass(frozen=True)
class Ring(Dataset):
    """Eight round Gaussians on a circle in the plane, to measure which modes a generator drops.

    Radius 1, standard deviation 0.01, as in the experiments of PacGAN. There, 2,500 samples are evaluated: one within
    three standard deviations of a center is of high quality, and a mode with at least one such sample is covered.
    """

    shape: ClassVar[Shape] = (2,)
    modes: ClassVar[Modes | None] = Modes(tuple((math.cos(a), math.sin(a)) for a in ANGLES), sd=0.01, reach=1.5)
    card: ClassVar[Card] = Card(
        title="2D ring: 8 Gaussians",
        examples=None,
        license="none needed: sampled from a formula",
        source="A. Srivastava et al., VEEGAN, NeurIPS 2017, arXiv:1705.07761; constants from the code of "
        "Z. Lin et al., PacGAN, NeurIPS 2018, arXiv:1712.04086",
    )

    def open(self, data_dir: Path | None = None, device: str | torch.device = "cpu") -> Source:
        from sparring.datasets._mixture import Mixture

        assert self.modes is not None
        return Mixture.of(self.modes, device)
