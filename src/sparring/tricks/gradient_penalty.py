from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.tricks import Critic, Moment, Now, Scored, Trick
from sparring.tricks._slopes import for_each_example, refuse_no_weight, slope, weight_now

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class GradientPenalty(Trick):
    """D is held to a slope of 1 between real and generated examples, as in WGAN-GP.

    Added to its loss is weight * (||dD/dx|| - 1)^2, the slope taken at e * real + (1 - e) * fake, with e uniform on
    [0, 1] for every pair. Where players are told classes, D is told the fake's. It costs D a second look.
    """

    weight: float = 10.0
    """Lambda in the paper."""
    every: int = 1
    """Rounds from one penalty to the next; each weighs as many times more."""

    touches: ClassVar[frozenset[Moment]] = frozenset({"penalty"})
    compares: ClassVar[bool] = True
    when: ClassVar[str] = "with wasserstein, whose D must not be steeper than 1; without batch normalization in D"
    source: ClassVar[str] = "Gulrajani et al., Improved training of Wasserstein GANs, NeurIPS 2017, eq. 3"

    def __post_init__(self) -> None:
        refuse_no_weight(self.weight, self.every)

    def penalty(self, real: Scored | None, fake: Scored | None, critic: Critic, now: Now) -> Tensor | float:
        weight = weight_now(self.weight, self.every, now)
        if not (weight and real and fake):
            return 0.0
        share = for_each_example(now.rng.uniform("gradient penalty", real.score.shape[1:]), real)
        between = share * real.x.detach() + (1 - share) * fake.x.detach()
        return weight * (slope(critic(between, fake.classes)) - 1).square()
