from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.members import is_zero
from sparring.tricks import Critic, Hook, Now, Scored, Trick
from sparring.tricks._slopes import for_each_example, refuse_no_weight, slope, weight_now, weighted

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class GradientPenalty(Trick):
    """WGAN-GP's penalty: weight * (||dD/dx|| - 1)^2 between real and generated examples is added to D's loss.

    The gradient is taken at e * real + (1 - e) * fake, with e uniform on [0, 1] for every pair. In class-conditional
    training, D is given the class of the generated example there. It costs one more forward and backward pass of D.
    """

    weight: float = 10.0
    """Weight of the penalty, lambda in the paper."""
    every: int = 1
    """Apply the penalty every so many rounds, with as many times the weight (lazy regularization)."""

    per_member: ClassVar[frozenset[str]] = frozenset({"weight"})
    also: ClassVar[tuple[str, ...]] = ("wgan-gp",)
    strength_field: ClassVar[str] = "weight"
    hooks: ClassVar[frozenset[Hook]] = frozenset({"penalty"})
    joint_step: ClassVar[bool] = True
    when: ClassVar[str] = (
        "with the objective wasserstein, which needs a 1-Lipschitz D; not with batch normalization in D"
    )
    source: ClassVar[str] = "Gulrajani et al., Improved training of Wasserstein GANs, NeurIPS 2017, eq. 3"

    def __post_init__(self) -> None:
        refuse_no_weight(self.weight, self.every)

    def penalty(self, real: Scored | None, fake: Scored | None, critic: Critic, now: Now) -> Tensor | float:
        weight = weight_now(self.weight, self.every, now)
        if is_zero(weight) or not (real and fake):
            return 0.0
        share = for_each_example(now.rng.uniform("gradient penalty", real.score.shape[1:]), real)
        between = share * real.x.detach() + (1 - share) * fake.x.detach()
        return weighted(weight, (slope(critic(between, fake.classes)) - 1).square())
