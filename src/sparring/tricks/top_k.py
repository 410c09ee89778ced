from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.tricks import Hook, Now, Trick
from sparring.tricks._schedules import refuse_no_share

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class TopK(Trick):
    """G learns only from the samples of a batch that D scores highest.

    Gradients of poor samples may point away from the data. All samples count at the start, when D is untrained; the
    fraction that counts then falls by a constant factor per round to `final`.
    """

    final: float = 0.5
    """Fraction of the batch that counts from `until` on."""
    until: float = 0.5
    """Fraction of the run after which `final` is reached."""

    hooks: ClassVar[frozenset[Hook]] = frozenset({"select_g_loss"})
    when: ClassVar[str] = "too many samples lie between the modes of the data"
    source: ClassVar[str] = "Sinha et al., Top-k training of GANs, NeurIPS 2020"

    def __post_init__(self) -> None:
        if not 0 < self.final <= 1:
            raise ValueError(f"final must lie in (0, 1], not {self.final}")
        refuse_no_share(until=self.until)

    @property
    def scheduled(self) -> bool:
        return self.final != 1

    def select_g_loss(self, loss: Tensor, score: Tensor, now: Now) -> Tensor:
        count = max(1, round(self.share_at(now.progress) * score.shape[1]))
        return loss if count == score.shape[1] else loss.gather(1, score.detach().topk(count, 1).indices)

    def share_at(self, progress: float) -> float:
        """Fraction of the batch that counts when this fraction of the run is completed."""
        return self.final ** min(1.0, progress / self.until)
