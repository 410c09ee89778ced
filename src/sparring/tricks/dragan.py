from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.members import is_zero, shaped
from sparring.tricks import Critic, Hook, Now, Scored, Trick
from sparring.tricks._slopes import for_each_example, refuse_no_weight, slope, weight_now, weighted

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class DRAGAN(Trick):
    """Gradient penalty near real examples: weight * (||dD/dx|| - 1)^2 at noisy copies of them is added to D's loss.

    The paper adds Gaussian noise; this follows the authors' code: x + a * reach * SD * u, where SD is the standard
    deviation over the whole batch, u is uniform on [0, 1) for every number and a for every example. It costs one more
    forward and backward pass of D.
    """

    weight: float = 10.0
    """Weight of the penalty, lambda in the paper."""
    reach: float = 0.5
    """Largest distance of the noisy copies, in standard deviations of the data."""
    every: int = 1
    """Apply the penalty every so many rounds, with as many times the weight (lazy regularization)."""

    per_member: ClassVar[frozenset[str]] = frozenset({"weight", "reach"})
    strength_field: ClassVar[str] = "weight"
    hooks: ClassVar[frozenset[Hook]] = frozenset({"penalty"})
    mixes_examples: ClassVar[bool] = True
    when: ClassVar[str] = "as gradient-penalty, where D takes separate steps on real and on generated examples"
    source: ClassVar[str] = "Kodali et al., On convergence and stability of GANs, 2017, and the authors' code"

    def __post_init__(self) -> None:
        refuse_no_weight(self.weight, self.every)
        if self.reach <= 0:
            raise ValueError(f"reach must be above 0, not {self.reach}")

    def penalty(self, real: Scored | None, fake: Scored | None, critic: Critic, now: Now) -> Tensor | float:
        weight = weight_now(self.weight, self.every, now)
        if is_zero(weight) or not real:
            return 0.0
        x = real.x.detach()
        spread = x.flatten(1).std(1, correction=0).view(-1, *(1,) * (x.ndim - 1))
        share = for_each_example(now.rng.uniform("dragan share", real.score.shape[1:]), real)
        near = x + share * shaped(self.reach, share) * spread * now.rng.uniform("dragan", x.shape[1:])
        return weighted(weight, (slope(critic(near, real.classes)) - 1).square())
