from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.objectives import Objective

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class MSE(Objective):
    """Mean squared error between D(x) = sigmoid(score) and the label: a first GAN whose D ends in a sigmoid.

    D's loss is (D - 1)^2 for real and D^2 for fake examples, G's is (D - 1)^2. If D cannot distinguish them, D = 1/2
    minimizes its loss, which is then 0.25. Least squares on raw scores is the objective `least-squares`.
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
