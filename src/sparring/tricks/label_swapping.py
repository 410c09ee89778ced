from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.tricks import Moment, Trick

if TYPE_CHECKING:
    from torch import Tensor

    from sparring.chance import Chance


@final
@dataclass(frozen=True)
class LabelSwapping(Trick):
    """D is now and then told that a real example is fake and the reverse, ever more seldom as training goes on.

    The share of swapped labels falls linearly from `rate` to 0 at `until`, a share of the run, and stays 0.
    Noise on labels slows D down (Salimans et al., "Improved techniques for training GANs", NeurIPS 2016, section 3.4).
    """

    rate: float = 0.1
    """Share of labels swapped at the start."""
    until: float = 0.5
    """Share of the run after which none is swapped; 0 keeps the rate constant to the end."""

    touches: ClassVar[frozenset[Moment]] = frozenset({"name"})

    def __post_init__(self) -> None:
        if not (0 <= self.rate <= 1 and 0 <= self.until <= 1):
            raise ValueError(f"rate and until must lie in [0, 1], not {self.rate} and {self.until}")

    def name(
        self, name: float | Tensor, truth: int, shape: tuple[int, int], chance: Chance, progress: float
    ) -> float | Tensor:
        rate = self.rate_at(progress)
        if rate == 0:
            return name
        swapped = (chance.uniform(f"label swapping {truth}", shape[1:]) < rate).to(chance.dtype)
        return swapped * (1 - name) + (1 - swapped) * name

    def rate_at(self, progress: float) -> float:
        """Share of labels swapped when `progress` of the run has been played."""
        return self.rate if self.until == 0 else self.rate * max(0.0, 1 - progress / self.until)
