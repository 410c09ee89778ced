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
    """The original zero-sum game: G minimizes log(1 - D(G(z))), which is minus D's loss on fakes.

    Goodfellow et al., "Generative adversarial nets", NeurIPS 2014, eq. 1. This loss is flat where D is confident that
    an example is fake, so G learns most slowly when its samples are worst; the paper therefore trains G with -log
    D(G(z)), here `bce-with-logits`.
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
