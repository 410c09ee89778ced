from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.tricks import Critic, Moment, Now, Scored, Trick
from sparring.tricks._slopes import refuse_no_weight, squared_slope, weight_now

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class R1(Trick):
    """D pays for being steep at real examples.

    Added to its loss is gamma / 2 * ||dD/dx||^2. At equilibrium D has nothing to say about real data, and a D that is
    flat there lets G rest where it is right: the paper proves that training then converges from nearby. The slope is
    that of the raw score, at the example as it was before other tricks showed it to D.
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
    when: ClassVar[str] = "losses swing or D is far ahead: the first penalty to try with any objective"
    source: ClassVar[str] = "Mescheder et al., Which training methods for GANs do actually converge?, ICML 2018, eq. 9"

    def __post_init__(self) -> None:
        refuse_no_weight(self.gamma, self.every, self.final, self.until)

    def penalty(self, real: Scored | None, fake: Scored | None, critic: Critic, now: Now) -> Tensor | float:
        gamma = weight_now(self.gamma, self.every, now, self.final, self.until)
        return gamma / 2 * squared_slope(real) if gamma and real else 0.0
