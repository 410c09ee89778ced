from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.members import is_zero, shaped
from sparring.tricks import Hook, Now, Trick
from sparring.tricks._schedules import moved, refuse_no_share

if TYPE_CHECKING:
    from torch import Tensor

    from sparring.members import Number


@final
@dataclass(frozen=True)
class InstanceNoise(Trick):
    """Gaussian noise, fading over the run, on every example that D gets, real or generated.

    Noise makes the two distributions overlap, so that D cannot separate them perfectly and its gradient still points G
    towards the data. Its standard deviation falls linearly to 0.
    """

    sd: float = 0.1
    """Standard deviation at the start, in the units of the networks' inputs."""
    until: float = 0.5
    """Fraction of the run after which there is no noise."""

    per_member: ClassVar[frozenset[str]] = frozenset({"sd", "until"})
    strength_field: ClassVar[str] = "sd"
    hooks: ClassVar[frozenset[Hook]] = frozenset({"augment"})
    when: ClassVar[str] = "D separates real from generated examples perfectly from the start"
    source: ClassVar[str] = "Sønderby et al., Amortised MAP inference for image super-resolution, ICLR 2017"

    def __post_init__(self) -> None:
        if self.sd < 0:
            raise ValueError(f"sd must be at least 0, not {self.sd}")
        refuse_no_share(until=self.until)

    @property
    def scheduled(self) -> bool:
        return self.sd > 0

    def augment(self, x: Tensor, now: Now) -> Tensor:
        sd = self.sd_at(now.progress)
        return x if is_zero(sd) else x + shaped(sd, x) * now.rng.normal("instance noise", x.shape[1:])

    def sd_at(self, progress: float) -> Number:
        """Standard deviation when this fraction of the run is completed."""
        return moved(self.sd, 0.0, progress / self.until, "linear")
