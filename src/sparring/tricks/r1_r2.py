from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.members import is_zero
from sparring.tricks import Critic, Hook, Now, Scored, Trick
from sparring.tricks._slopes import refuse_no_weight, squared_slope, weight_now, weighted

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class R1R2(Trick):
    """Gradient penalty on real and on generated examples, R1 and R2 together with the same gamma.

    gamma / 2 * ||dD/dx||^2 is added to D's loss for either kind. The paper finds that with a relativistic objective and
    R1 alone, D's gradient on generated examples explodes. R3GAN reduces gamma to a tenth early in the run: final=0.1.
    """

    gamma: float = 1.0
    """Weight of each of the two. The authors' code uses 2 for faces of 64 x 64 pixels and 150 for 256 x 256."""
    every: int = 1
    """Apply the penalty every so many rounds, with as many times the weight (lazy regularization)."""
    final: float = 1.0
    """Factor on gamma at `until`; 1 keeps gamma constant."""
    until: float = 1.0
    """Fraction of the run after which gamma has fallen to it, along a cosine."""

    per_member: ClassVar[frozenset[str]] = frozenset({"gamma", "final", "until"})
    strength_field: ClassVar[str] = "gamma"
    hooks: ClassVar[frozenset[Hook]] = frozenset({"penalty"})
    when: ClassVar[str] = "with the objective relativistic-paired, as in R3GAN"
    source: ClassVar[str] = "Huang et al., The GAN is dead; long live the GAN!, NeurIPS 2024, section 2 (R3GAN)"

    def __post_init__(self) -> None:
        refuse_no_weight(self.gamma, self.every, self.final, self.until)

    @property
    def scheduled(self) -> bool:
        return self.final != 1

    def penalty(self, real: Scored | None, fake: Scored | None, critic: Critic, now: Now) -> Tensor | float:
        gamma = weight_now(self.gamma, self.every, now, self.final, self.until)
        if is_zero(gamma):
            return 0.0
        return sum((weighted(gamma / 2, squared_slope(side)) for side in (real, fake) if side), 0.0)
