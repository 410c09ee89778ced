from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.objectives import Objective

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class Wasserstein(Objective):
    """WGAN: D (the critic) maximizes real scores minus fake scores; G maximizes its own scores.

    Arjovsky et al., "Wasserstein generative adversarial networks", ICML 2017, eq. 2 and algorithm 1. If D is
    1-Lipschitz, minus the sum of D's two losses estimates the Wasserstein distance between data and samples. Without a
    gradient penalty, weight clipping or spectral normalization the scores grow without bound. Only differences of
    scores have a meaning.
    """

    equilibrium: ClassVar[float] = 0.0
    also: ClassVar[tuple[str, ...]] = ("wgan",)

    def d_loss_real(self, score: Tensor) -> Tensor:
        return -score

    def d_loss_fake(self, score: Tensor) -> Tensor:
        return score

    def g_loss(self, score: Tensor) -> Tensor:
        return -score

    def output(self, score: Tensor) -> Tensor:
        return score
