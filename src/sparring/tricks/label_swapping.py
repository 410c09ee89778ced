from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.members import at_most, chosen, shaped, varies
from sparring.tricks import Hook, Now, Trick

if TYPE_CHECKING:
    from torch import Tensor

    from sparring.members import Number


@final
@dataclass(frozen=True)
class LabelSwapping(Trick):
    """A random fraction of D's labels is flipped, real to fake and fake to real, fading over the run.

    The fraction falls linearly from `rate` to 0 at `until`, a fraction of the run, and stays 0.
    """

    rate: float = 0.1
    """Fraction of labels flipped at the start."""
    until: float = 0.5
    """Fraction of the run after which none is flipped; 0 keeps the rate constant to the end."""

    per_member: ClassVar[frozenset[str]] = frozenset({"rate", "until"})
    strength_field: ClassVar[str] = "rate"
    hooks: ClassVar[frozenset[Hook]] = frozenset({"label"})
    when: ClassVar[str] = "D learns too fast early on: label noise slows it down"
    source: ClassVar[str] = "Chintala et al., How to train a GAN?, 2016, item 6"

    def __post_init__(self) -> None:
        if not (0 <= self.rate <= 1 and 0 <= self.until <= 1):
            raise ValueError(f"rate and until must lie in [0, 1], not {self.rate} and {self.until}")

    @property
    def scheduled(self) -> bool:
        return self.rate > 0 and self.until > 0

    def label(self, label: float | Tensor, truth: int, shape: tuple[int, int], now: Now) -> float | Tensor:
        rate = self.rate_at(now.progress)
        if not varies(rate) and rate == 0:
            return label
        drawn = now.rng.uniform(f"label swapping {truth}", shape[1:])
        swapped = (drawn < shaped(rate, drawn)).to(now.rng.dtype)
        return swapped * (1 - label) + (1 - swapped) * label

    def mean_label(self, label: float, truth: int, progress: float) -> float:
        rate = float(self.rate_at(progress))
        return rate * (1 - label) + (1 - rate) * label

    def rate_at(self, progress: float) -> Number:
        """Fraction of labels flipped when this fraction of the run is completed."""
        if varies(self.until):
            return self.rate * chosen(self.until == 0, 1.0, 1 - at_most(progress / self.until, 1.0))
        return self.rate if self.until == 0 else self.rate * max(0.0, 1 - progress / self.until)
