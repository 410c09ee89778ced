from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, final

from sparring.tricks import Hook, Now, Trick, Who
from sparring.tricks._optimizers import with_setting
from sparring.tricks._schedules import moved, refuse_no_share

if TYPE_CHECKING:
    from sparring.optimizers import Optimizer


@final
@dataclass(frozen=True)
class BetaSchedule(Trick):
    """Adam's second beta rises along a cosine: short averages while gradients change quickly, longer ones later.

    It replaces the optimizer's own second beta from the first round on.
    """

    start: float = 0.9
    """The second beta in the first round."""
    end: float = 0.99
    """The second beta from `until` on."""
    until: float = 1.0
    """Fraction of the run after which `end` is reached."""
    player: Literal["both", "G", "D"] = "both"
    """Whose optimizer: both, G or D."""

    per_member: ClassVar[frozenset[str]] = frozenset({"start", "end", "until"})
    hooks: ClassVar[frozenset[Hook]] = frozenset({"step"})
    when: ClassVar[str] = "with Adam and the R3GAN settings"
    source: ClassVar[str] = "Huang et al., The GAN is dead; long live the GAN!, NeurIPS 2024 (R3GAN)"

    def __post_init__(self) -> None:
        refuse_no_share(until=self.until)
        if not (0 <= self.start <= 1 and 0 <= self.end <= 1):
            raise ValueError(f"a beta lies in [0, 1], not {self.start} and {self.end}")

    @property
    def scheduled(self) -> bool:
        return self.start != self.end

    def step(self, optimizer: Optimizer, who: Who, now: Now) -> Optimizer:
        if self.player not in ("both", who):
            return optimizer
        beta = moved(self.start, self.end, now.progress / self.until)
        return with_setting(optimizer, "betas", lambda betas: (betas[0], beta))
