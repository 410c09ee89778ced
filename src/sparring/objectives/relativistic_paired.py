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
class RelativisticPaired(Objective):
    """D learns which example of a real-fake pair is the real one; G learns to make the fake score higher.

    With d = D(x) - D(G(z)), D's loss is softplus(-d) and G's is softplus(d). Jolicoeur-Martineau, "The relativistic
    discriminator", ICLR 2019, eq. 4 and 5; Huang et al., "The GAN is dead; long live the GAN!", NeurIPS 2024 (R3GAN),
    eq. 2. Its loss landscape has no bad basins in which modes are dropped: Sun et al., "Towards a better global loss
    landscape of GANs", NeurIPS 2020. Each player's loss is computed as two halves, one per kind of example, so at
    equilibrium each half of D's is (ln 2) / 2.
    """

    equilibrium: ClassVar[float] = math.log(2) / 2
    relativistic: ClassVar[bool] = True

    def compare(self, score: Tensor, others: Tensor) -> Tensor:
        return score - others

    def d_loss_real(self, score: Tensor) -> Tensor:
        return softplus(-score) / 2

    def d_loss_fake(self, score: Tensor) -> Tensor:
        return softplus(score) / 2

    def g_loss(self, score: Tensor) -> Tensor:
        return softplus(-score) / 2

    def g_loss_real(self, score: Tensor) -> Tensor:
        return softplus(score) / 2

    def output(self, score: Tensor) -> Tensor:
        """For differences: the probability that of two examples, one of either kind, this is the real one.

        It says nothing of one example alone: the losses leave open what a constant adds to all of D's scores.
        """
        return score.sigmoid()
