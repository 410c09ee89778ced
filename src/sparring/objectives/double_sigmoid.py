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
class DoubleSigmoid(Objective):
    """A common bug, kept for study: G's loss is BCE *with logits* on a D that already ends in a sigmoid.

    D's own loss is the usual cross-entropy on p = sigmoid(score). G's loss is -log sigmoid(p), so the score passes
    through two sigmoids. Since p lies in [0, 1], G's loss always lies between -log sigmoid(1) = 0.313 and ln 2 = 0.693,
    and its gradient has the factor p (1 - p) (1 - sigmoid(p)), which vanishes once D is confident.
    """

    equilibrium: ClassVar[float] = math.log(2)

    def d_loss_real(self, score: Tensor) -> Tensor:
        return softplus(-score)

    def d_loss_fake(self, score: Tensor) -> Tensor:
        return softplus(score)

    def g_loss(self, score: Tensor) -> Tensor:
        return softplus(-score.sigmoid())

    def output(self, score: Tensor) -> Tensor:
        return score.sigmoid()
