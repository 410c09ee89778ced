from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.tricks import Critic, Moment, Now, Scored, Trick
from sparring.tricks._slopes import refuse_no_weight, squared_slope, weight_now

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class R1R2(Trick):
    """D pays for being steep anywhere: R1 and R2 together, with one gamma.

    Added to its loss is gamma / 2 * ||dD/dx||^2 at real and at generated examples. The paper finds that with a
    relativistic objective R1 alone lets D's slope at fakes explode. R3GAN lets gamma fall to a tenth in the first part
    of the run: final=0.1.
    """

    gamma: float = 1.0
    """Weight of either half. The authors' code takes 2 for faces of 64 x 64 pixels and 150 for 256 x 256."""
    every: int = 1
    """Rounds from one penalty to the next; each weighs as many times more."""
    final: float = 1.0
    """Share of gamma that is left at `until`; 1 keeps it constant."""
    until: float = 1.0
    """Share of the run in which gamma falls so far, along a cosine."""

    touches: ClassVar[frozenset[Moment]] = frozenset({"penalty"})
    when: ClassVar[str] = "with relativistic-paired, as R3GAN does"
    source: ClassVar[str] = "Huang et al., The GAN is dead; long live the GAN!, NeurIPS 2024, section 2 (R3GAN)"

    def __post_init__(self) -> None:
        refuse_no_weight(self.gamma, self.every, self.final, self.until)

    def penalty(self, real: Scored | None, fake: Scored | None, critic: Critic, now: Now) -> Tensor | float:
        gamma = weight_now(self.gamma, self.every, now, self.final, self.until)
        return sum((gamma / 2 * squared_slope(side) for side in (real, fake) if gamma and side), 0.0)
