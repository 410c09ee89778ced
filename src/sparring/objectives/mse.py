from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.objectives import Objective

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class MSE(Objective):
    """Mean squared error between sigmoid(score) and the label, as in a first GAN whose D ends in a sigmoid.

    D = sigmoid(s); real: (D - 1)^2, fake: D^2, fool: (D - 1)^2. With both classes equally likely D = 1/2 minimises
    D's loss when it cannot tell, and the loss is then 0.25. Least squares on raw scores is another objective
    (Mao et al., "Least squares generative adversarial networks", ICCV 2017, eq. 2).
    """

    equilibrium: ClassVar[float] = 0.25

    def d_loss_real(self, score: Tensor) -> Tensor:
        return (score.sigmoid() - 1).square()

    def d_loss_fake(self, score: Tensor) -> Tensor:
        return score.sigmoid().square()

    def g_loss(self, score: Tensor) -> Tensor:
        return (score.sigmoid() - 1).square()

    def output(self, score: Tensor) -> Tensor:
        return score.sigmoid()
