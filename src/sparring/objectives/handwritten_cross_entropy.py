from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.objectives import Objective

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class HandwrittenCrossEntropy(Objective):
    """Cross-entropy as first written by hand: -log(p + epsilon) and -log(1 - p + epsilon) on p = sigmoid(score).

    The same loss as BCE with logits while p is away from 0 and 1. In float32 p is exactly 1 from a score of about 17
    on: the loss then stops at -log(epsilon) and its gradient is 0, so a D that is sure teaches G nothing at all.
    """

    epsilon: float = 1e-8
    """Keeps the logarithm finite."""

    equilibrium: ClassVar[float] = math.log(2)

    def d_loss_real(self, score: Tensor) -> Tensor:
        return -(score.sigmoid() + self.epsilon).log()

    def d_loss_fake(self, score: Tensor) -> Tensor:
        return -(1 - score.sigmoid() + self.epsilon).log()

    def g_loss(self, score: Tensor) -> Tensor:
        return -(score.sigmoid() + self.epsilon).log()

    def output(self, score: Tensor) -> Tensor:
        return score.sigmoid()
