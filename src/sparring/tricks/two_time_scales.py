from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.tricks import Moment, Now, Trick, Who
from sparring.tricks._optimizers import with_setting

if TYPE_CHECKING:
    from sparring.optimizers import Optimizer


@final
@dataclass(frozen=True)
class TwoTimeScales(Trick):
    """D learns at a faster rate than G, in place of several steps of D for one of G.

    Where D is nearly at its best for every G on the way, both converge.
    """

    factor: float = 4.0
    """D's learning rate is multiplied by it."""

    touches: ClassVar[frozenset[Moment]] = frozenset({"step"})
    when: ClassVar[str] = (
        "D is too weak to teach (it answers the same to everything) and more steps of it cost too much"
    )
    source: ClassVar[str] = (
        "Heusel et al., GANs trained by a two time-scale update rule, NeurIPS 2017, eq. 1 and theorem 1"
    )

    def __post_init__(self) -> None:
        if self.factor <= 0:
            raise ValueError(f"factor must be above 0, not {self.factor}")

    def step(self, optimizer: Optimizer, who: Who, now: Now) -> Optimizer:
        return with_setting(optimizer, "lr", lambda lr: lr * self.factor) if who == "D" else optimizer
