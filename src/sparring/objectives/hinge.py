from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.objectives import Objective

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class Hinge(Objective):
    """Hinge loss: D's loss is 0 for real scores above 1 and fake scores below -1; G maximizes its scores.

    Lim and Ye, "Geometric GAN", 2017, eq. 17 to 19; Miyato et al., "Spectral normalization for generative adversarial
    networks", ICLR 2018, eq. 16 and 17. At the undecided score 0 the loss of either kind is 1.
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
