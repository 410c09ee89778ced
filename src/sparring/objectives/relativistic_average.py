from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.objectives import Objective
from sparring.objectives._logits import softplus

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class RelativisticAverage(Objective):
    """D estimates whether an example is more realistic than the average one of the other kind; G the reverse.

    Jolicoeur-Martineau, "The relativistic discriminator", ICLR 2019, eq. 8 to 11 with the cross-entropy. The losses
    take D(x) minus the mean of D over the batch's examples of the other kind.
    """

    equilibrium: ClassVar[float] = math.log(2)
    relativistic: ClassVar[bool] = True

    def compare(self, score: Tensor, others: Tensor) -> Tensor:
        return score - others.mean(1, keepdim=True)

    def d_loss_real(self, score: Tensor) -> Tensor:
        return softplus(-score)

    def d_loss_fake(self, score: Tensor) -> Tensor:
        return softplus(score)

    def g_loss(self, score: Tensor) -> Tensor:
        return softplus(-score)

    def g_loss_real(self, score: Tensor) -> Tensor:
        return softplus(score)

    def output(self, score: Tensor) -> Tensor:
        """For differences: the probability that an example is more realistic than the average one of the other kind.

        It says nothing of one example alone: the losses leave open what a constant adds to all of D's scores.
        """
        return score.sigmoid()
