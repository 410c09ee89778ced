from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, final

from sparring.members import at_most, is_zero
from sparring.tricks import Hook, Now, Trick, Who
from sparring.tricks._optimizers import with_setting
from sparring.tricks._schedules import moved, refuse_no_share

if TYPE_CHECKING:
    from sparring.members import Number
    from sparring.optimizers import Optimizer


@final
@dataclass(frozen=True)
class LearningRateSchedule(Trick):
    """The learning rate warms up linearly, if asked to, and decays over the run.

    The optimizer's own rate is multiplied by two factors: one that grows linearly to 1, and one that falls from 1 to
    `final`.
    """

    course: Literal["constant", "linear", "cosine"] = "cosine"
    """Shape of the decay."""
    final: float = 0.0
    """Factor on the rate at `until`."""
    until: float = 1.0
    """Fraction of the run after which `final` is reached."""
    warm_up: float = 0.0
    """Fraction of the run over which the rate warms up; the first round's rate is above 0 already."""
    player: Literal["both", "G", "D"] = "both"
    """Whose optimizer: both, G or D."""

    per_member: ClassVar[frozenset[str]] = frozenset({"final", "until", "warm_up"})
    hooks: ClassVar[frozenset[Hook]] = frozenset({"step"})
    when: ClassVar[str] = "to settle at the end of a run; with a warm-up where the first steps do damage"
    source: ClassVar[str] = "Loshchilov and Hutter, SGDR, ICLR 2017, eq. 5; as in Huang et al., NeurIPS 2024 (R3GAN)"

    def __post_init__(self) -> None:
        refuse_no_share(until=self.until)
        if self.final < 0 or not 0 <= self.warm_up <= 1:
            raise ValueError(f"final must be at least 0 and warm_up lie in [0, 1], not {self.final} and {self.warm_up}")

    @property
    def scheduled(self) -> bool:
        return self.warm_up > 0 or (self.course != "constant" and self.final != 1)

    def step(self, optimizer: Optimizer, who: Who, now: Now) -> Optimizer:
        if self.player not in ("both", who):
            return optimizer
        return with_setting(optimizer, "lr", lambda lr: lr * self.factor_at(now))

    def factor_at(self, now: Now) -> Number:
        """The product of the two factors."""
        grown = 1.0
        if not is_zero(self.warm_up):  # divided by 0, where only some members have no warm-up, it is infinite
            grown = at_most((now.round + 1) / (self.warm_up * now.rounds), 1.0)
        if self.course == "constant":
            return grown
        return grown * moved(1.0, self.final, now.progress / self.until, self.course)
