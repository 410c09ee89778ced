from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.objectives import Objective

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class LeastSquares(Objective):
    """LSGAN: half the squared distance of a raw score from 1 for real and from 0 for fake examples; G aims at 1.

    Mao et al., "Least squares generative adversarial networks", ICCV 2017, eq. 2 with a = 0 and b = c = 1. There is no
    sigmoid to saturate, so G gets a gradient even where D is confident. At the undecided score 1/2 the loss is 1/8.
    """

    equilibrium: ClassVar[float] = 0.125
    undecided: ClassVar[float] = 0.5
    also: ClassVar[tuple[str, ...]] = ("lsgan",)

    def d_loss_real(self, score: Tensor) -> Tensor:
        return (score - 1).square() / 2

    def d_loss_fake(self, score: Tensor) -> Tensor:
        return score.square() / 2

    def g_loss(self, score: Tensor) -> Tensor:
        return (score - 1).square() / 2

    def output(self, score: Tensor) -> Tensor:
        return score
