from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.tricks import Moment, Now, Trick
from sparring.tricks._schedules import refuse_no_share

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class TopK(Trick):
    """G learns from those of its fakes alone that D finds most real.

    Gradients of the worst ones may point away from the data. All count at the start, when D knows little; the share
    that counts falls by a constant factor a round to `least`.
    """

    least: float = 0.5
    """Share of the batch that counts in the end."""
    until: float = 0.5
    """Share of the run after which it is reached."""

    touches: ClassVar[frozenset[Moment]] = frozenset({"select_g_loss"})
    when: ClassVar[str] = "too many samples lie between the modes"
    source: ClassVar[str] = "Sinha et al., Top-k training of GANs, NeurIPS 2020"

    def __post_init__(self) -> None:
        if not 0 < self.least <= 1:
            raise ValueError(f"least must lie in (0, 1], not {self.least}")
        refuse_no_share(until=self.until)

    def select_g_loss(self, loss: Tensor, score: Tensor, now: Now) -> Tensor:
        count = max(1, round(self.share_at(now.progress) * score.shape[1]))
        return loss if count == score.shape[1] else loss.gather(1, score.detach().topk(count, 1).indices)

    def share_at(self, progress: float) -> float:
        """Of the batch that counts when `progress` of the run has been played."""
        return self.least ** min(1.0, progress / self.until)
