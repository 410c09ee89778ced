from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, final

import numpy as np

from sparring.tricks import Moment, Now, Trick, Who
from sparring.tricks._optimizers import with_setting
from sparring.tricks._schedules import moved, refuse_no_share

if TYPE_CHECKING:
    from sparring.optimizers import Optimizer


@final
@dataclass(frozen=True)
class LearningRateSchedule(Trick):
    """The learning rate grows from 0 at first, if wanted, and falls later.

    The optimizer's own rate is multiplied by both: by one that grows linearly to 1, and one that falls from 1 to
    `final`.
    """

    course: Literal["constant", "linear", "cosine"] = "cosine"
    """How it falls."""
    final: float = 0.0
    """Share of the rate that is left at `until`."""
    until: float = 1.0
    """Share of the run in which it falls so far."""
    warm_up: float = 0.0
    """Share of the run in which the rate grows; the first round has a step already."""
    player: Literal["both", "G", "D"] = "both"
    """Whose rate it is."""

    touches: ClassVar[frozenset[Moment]] = frozenset({"step"})
    when: ClassVar[str] = "the end of a run should settle; a warm-up where the first steps do damage"
    source: ClassVar[str] = "Loshchilov and Hutter, SGDR, ICLR 2017, eq. 5; as in Huang et al., NeurIPS 2024 (R3GAN)"

    def __post_init__(self) -> None:
        refuse_no_share(until=self.until)
        if self.final < 0 or not 0 <= self.warm_up <= 1:
            raise ValueError(f"final must be at least 0 and warm_up lie in [0, 1], not {self.final} and {self.warm_up}")

    def step(self, optimizer: Optimizer, who: Who, now: Now) -> Optimizer:
        if self.player not in ("both", who):
            return optimizer
        return with_setting(optimizer, "lr", lambda lr: lr * self.factor_at(now))

    def factor_at(self, now: Now) -> float:
        """What the optimizer's own rate is multiplied by."""
        grown = np.minimum(1.0, (now.round + 1) / (self.warm_up * now.rounds)) if self.warm_up else 1.0
        if self.course == "constant":
            return grown
        return grown * moved(1.0, self.final, now.progress / self.until, self.course)
