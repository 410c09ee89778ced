from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.tricks import Critic, Moment, Now, Scored, Trick
from sparring.tricks._slopes import for_each_example, refuse_no_weight, slope, weight_now

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class DRAGAN(Trick):
    """D is held to a slope of 1 near real examples.

    Added to its loss is weight * (||dD/dx|| - 1)^2. The paper adds Gaussian noise to real examples. This is the
    authors' code: x + a * reach * SD * u, with SD that of the batch over all its numbers, u uniform on [0, 1) for every
    number, and a for every example. It costs D a second look.
    """

    weight: float = 10.0
    """Lambda in the paper."""
    reach: float = 0.5
    """How far from real examples D is looked at, in standard deviations of the data."""
    every: int = 1
    """Rounds from one penalty to the next; each weighs as many times more."""

    touches: ClassVar[frozenset[Moment]] = frozenset({"penalty"})
    mingles: ClassVar[bool] = True
    when: ClassVar[str] = "as gradient-penalty, where D sees real examples and fakes in steps of their own"
    source: ClassVar[str] = "Kodali et al., On convergence and stability of GANs, 2017, and the authors' code"

    def __post_init__(self) -> None:
        refuse_no_weight(self.weight, self.every)
        if self.reach <= 0:
            raise ValueError(f"reach must be above 0, not {self.reach}")

    def penalty(self, real: Scored | None, fake: Scored | None, critic: Critic, now: Now) -> Tensor | float:
        weight = weight_now(self.weight, self.every, now)
        if not (weight and real):
            return 0.0
        x = real.x.detach()
        spread = x.flatten(1).std(1, correction=0).view(-1, *(1,) * (x.ndim - 1))
        share = for_each_example(now.rng.uniform("dragan share", real.score.shape[1:]), real)
        near = x + share * self.reach * spread * now.rng.uniform("dragan", x.shape[1:])
        return weight * (slope(critic(near, real.classes)) - 1).square()
