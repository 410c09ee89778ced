from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.tricks import Critic, Moment, Now, Scored, Trick
from sparring.tricks._slopes import refuse_no_weight, squared_slope, weight_now

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class R2(Trick):
    """D pays for being steep at generated examples.

    Added to its loss is gamma / 2 * ||dD/dx||^2. R1 does the same at real examples. The slope is that of the raw score,
    at the example as it was before other tricks showed it to D.
    """

    gamma: float = 10.0
    """Weight."""
    every: int = 1
    """Rounds from one penalty to the next; each weighs as many times more."""
    final: float = 1.0
    """Share of gamma that is left at `until`; 1 keeps it constant."""
    until: float = 1.0
    """Share of the run in which gamma falls so far, along a cosine."""

    touches: ClassVar[frozenset[Moment]] = frozenset({"penalty"})
    when: ClassVar[str] = "to compare with r1; to use both, take r1-r2"
    source: ClassVar[str] = "Mescheder et al., Which training methods for GANs do actually converge?, ICML 2018, eq. 10"

    def __post_init__(self) -> None:
        refuse_no_weight(self.gamma, self.every, self.final, self.until)

    def penalty(self, real: Scored | None, fake: Scored | None, critic: Critic, now: Now) -> Tensor | float:
        gamma = weight_now(self.gamma, self.every, now, self.final, self.until)
        return gamma / 2 * squared_slope(fake) if gamma and fake else 0.0
