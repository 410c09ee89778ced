from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.tricks import Moment, Now, Trick
from sparring.tricks._schedules import moved, refuse_no_share

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class InstanceNoise(Trick):
    """D sees every example, real or generated, through Gaussian noise that fades as training goes on.

    Noise makes both kinds overlap, so that D cannot tell all of them apart and its answers still slope towards the
    data. Its standard deviation falls linearly to 0.
    """

    sd: float = 0.1
    """Standard deviation at the start, in the units that the networks see."""
    until: float = 0.5
    """Share of the run after which there is no noise."""

    touches: ClassVar[frozenset[Moment]] = frozenset({"augment"})
    when: ClassVar[str] = "D is sure of everything from the start, as with data on thin manifolds"
    source: ClassVar[str] = "Sønderby et al., Amortised MAP inference for image super-resolution, ICLR 2017"

    def __post_init__(self) -> None:
        if self.sd < 0:
            raise ValueError(f"sd must be at least 0, not {self.sd}")
        refuse_no_share(until=self.until)

    def augment(self, x: Tensor, now: Now) -> Tensor:
        sd = self.sd_at(now.progress)
        return x + sd * now.rng.normal("instance noise", x.shape[1:]) if sd else x

    def sd_at(self, progress: float) -> float:
        """When `progress` of the run has been played."""
        return moved(self.sd, 0.0, progress / self.until, "linear")
