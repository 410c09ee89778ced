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
class R2(Trick):
    """Gradient penalty on generated examples: gamma / 2 * ||dD/dx||^2 is added to D's loss.

    R1 does the same at real examples. The gradient is that of the raw score, with respect to the example before other
    tricks change it for D.
    """

    gamma: float = 10.0
    """Weight of the penalty."""
    every: int = 1
    """Apply the penalty every so many rounds, with as many times the weight (lazy regularization)."""
    final: float = 1.0
    """Factor on gamma at `until`; 1 keeps gamma constant."""
    until: float = 1.0
    """Fraction of the run after which gamma has fallen to it, along a cosine."""

    per_member: ClassVar[frozenset[str]] = frozenset({"gamma", "final", "until"})
    strength_field: ClassVar[str] = "gamma"
    hooks: ClassVar[frozenset[Hook]] = frozenset({"penalty"})
    when: ClassVar[str] = "to compare with r1; to use both, take r1-r2"
    source: ClassVar[str] = "Mescheder et al., Which training methods for GANs do actually converge?, ICML 2018, eq. 10"

    def __post_init__(self) -> None:
        refuse_no_weight(self.gamma, self.every, self.final, self.until)

    @property
    def scheduled(self) -> bool:
        return self.final != 1

    def penalty(self, real: Scored | None, fake: Scored | None, critic: Critic, now: Now) -> Tensor | float:
        gamma = weight_now(self.gamma, self.every, now, self.final, self.until)
        return weighted(gamma / 2, squared_slope(fake)) if not is_zero(gamma) and fake else 0.0
