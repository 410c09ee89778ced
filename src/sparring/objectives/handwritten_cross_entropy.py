from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.members import shaped
from sparring.objectives import Objective

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class HandwrittenCrossEntropy(Objective):
    """Cross-entropy as often written by hand: -log(p + epsilon) and -log(1 - p + epsilon) on p = sigmoid(score).

    The same loss as `bce-with-logits` while p is not close to 0 or 1. In float32, p is exactly 1 for scores above about
    17: the loss then stays at -log(epsilon) with gradient 0, so a confident D gives G no gradient at all.
    """

    epsilon: float = 1e-8
    """Added inside the logarithm to keep it finite."""

    per_member: ClassVar[frozenset[str]] = frozenset({"epsilon"})
    equilibrium: ClassVar[float] = math.log(2)

    def d_loss_real(self, score: Tensor) -> Tensor:
        return -(score.sigmoid() + shaped(self.epsilon, score)).log()

    def d_loss_fake(self, score: Tensor) -> Tensor:
        return -(1 - score.sigmoid() + shaped(self.epsilon, score)).log()

    def g_loss(self, score: Tensor) -> Tensor:
        return -(score.sigmoid() + shaped(self.epsilon, score)).log()

    def output(self, score: Tensor) -> Tensor:
        return score.sigmoid()
