from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, final

from sparring.tricks import Moment, Now, Trick, Who
from sparring.tricks._optimizers import with_setting
from sparring.tricks._schedules import moved, refuse_no_share

if TYPE_CHECKING:
    from sparring.optimizers import Optimizer


@final
@dataclass(frozen=True)
class BetaSchedule(Trick):
    """Adam's second beta moves along a cosine: it forgets quickly early on, when gradients change much, and less later.

    It replaces the optimizer's own second beta from the first round on.
    """

    start: float = 0.9
    end: float = 0.99
    until: float = 1.0
    """Share of the run in which it moves so far."""
    player: Literal["both", "G", "D"] = "both"
    """Whose beta it is."""

    touches: ClassVar[frozenset[Moment]] = frozenset({"step"})
    when: ClassVar[str] = "with Adam and the R3GAN settings"
    source: ClassVar[str] = "Huang et al., The GAN is dead; long live the GAN!, NeurIPS 2024 (R3GAN)"

    def __post_init__(self) -> None:
        refuse_no_share(until=self.until)
        if not (0 <= self.start <= 1 and 0 <= self.end <= 1):
            raise ValueError(f"a beta lies in [0, 1], not {self.start} and {self.end}")

    def step(self, optimizer: Optimizer, who: Who, now: Now) -> Optimizer:
        if self.player not in ("both", who):
            return optimizer
        beta = moved(self.start, self.end, now.progress / self.until)
        return with_setting(optimizer, "betas", lambda betas: (betas[0], beta))
