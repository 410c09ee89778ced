from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.objectives import Objective

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class Hinge(Objective):
    """D is content with scores beyond 1 for real and -1 for fake; G wants scores as high as they get.

    Lim and Ye, "Geometric GAN", 2017, eq. 17 to 19; in Miyato et al., "Spectral normalization for generative
    adversarial networks", ICLR 2018, eq. 16 and 17. Each side's loss is 1 at the undecided score 0.
    """

    equilibrium: ClassVar[float] = 1.0

    def d_loss_real(self, score: Tensor) -> Tensor:
        return (1 - score).relu()

    def d_loss_fake(self, score: Tensor) -> Tensor:
        return (1 + score).relu()

    def g_loss(self, score: Tensor) -> Tensor:
        return -score

    def output(self, score: Tensor) -> Tensor:
        return score
