from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.objectives import Objective

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class Wasserstein(Objective):
    """D, here called a critic, scores real examples high and fake ones low; G wants its fakes scored high.

    Arjovsky et al., "Wasserstein generative adversarial networks", ICML 2017, eq. 2 and algorithm 1. Minus the sum of
    both losses estimates how far apart data and fakes lie, if D is 1-Lipschitz: without a gradient penalty, weight
    clipping or spectral normalization scores grow without end. A score has no zero, only differences mean something.
    """

    equilibrium: ClassVar[float] = 0.0

    def d_loss_real(self, score: Tensor) -> Tensor:
        return -score

    def d_loss_fake(self, score: Tensor) -> Tensor:
        return score

    def g_loss(self, score: Tensor) -> Tensor:
        return -score

    def output(self, score: Tensor) -> Tensor:
        return score
