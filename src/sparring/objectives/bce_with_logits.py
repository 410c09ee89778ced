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
class BCEWithLogits(Objective):
    """Binary cross-entropy of D(x) = sigmoid(score) with the label; for G the non-saturating loss -log D(G(z)).

    Goodfellow et al., "Generative adversarial nets", NeurIPS 2014, eq. 1 and section 3. Computed on logits: -log
    sigmoid(s) = softplus(-s) and -log(1 - sigmoid(s)) = softplus(s), which neither overflow nor lose precision as a
    sigmoid followed by a logarithm does. At D(x) = 1/2 the loss is ln 2 = 0.693 nats.
    """

    equilibrium: ClassVar[float] = math.log(2)
    also: ClassVar[tuple[str, ...]] = ("bce", "non-saturating")

    def d_loss_real(self, score: Tensor) -> Tensor:
        return softplus(-score)

    def d_loss_fake(self, score: Tensor) -> Tensor:
        return softplus(score)

    def g_loss(self, score: Tensor) -> Tensor:
        return softplus(-score)

    def output(self, score: Tensor) -> Tensor:
        return score.sigmoid()
