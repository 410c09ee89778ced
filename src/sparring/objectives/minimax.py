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
class Minimax(Objective):
    """The game as first stated: G loses what D wins, so its loss is log(1 - D(G(z))).

    Goodfellow et al., "Generative adversarial nets", NeurIPS 2014, eq. 1. Where D is sure that a fake is fake, this
    loss is flat: G learns least when it is worst, which is why the paper itself trains with -log D(G(z)).
    """

    equilibrium: ClassVar[float] = math.log(2)

    def d_loss_real(self, score: Tensor) -> Tensor:
        return softplus(-score)

    def d_loss_fake(self, score: Tensor) -> Tensor:
        return softplus(score)

    def g_loss(self, score: Tensor) -> Tensor:
        return -softplus(score)

    def output(self, score: Tensor) -> Tensor:
        return score.sigmoid()
