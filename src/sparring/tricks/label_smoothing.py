from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.members import shaped, varies
from sparring.tricks import Hook, Now, Trick

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class LabelSmoothing(Trick):
    """D's labels are drawn from a range instead of being exactly 1 for real and 0 for generated examples.

    Every example draws its own label. The paper smooths the real label only, with a fixed value: a range of width 0, as
    (0.9, 0.9), is a fixed label.
    """

    real: tuple[float, float] = (0.9, 1.0)
    """Lowest and highest label of a real example."""
    fake: tuple[float, float] = (0.0, 0.0)
    """Lowest and highest label of a generated example."""

    per_member: ClassVar[frozenset[str]] = frozenset({"real", "fake"})
    hooks: ClassVar[frozenset[Hook]] = frozenset({"label"})
    when: ClassVar[str] = "D is overconfident, with a loss on probabilities"
    source: ClassVar[str] = "Salimans et al., Improved techniques for training GANs, NeurIPS 2016, section 3.4"

    def __post_init__(self) -> None:
        for low, high in (self.real, self.fake):
            if not 0 <= low <= high <= 1:
                raise ValueError(f"a label range must satisfy 0 <= low <= high <= 1, not ({low}, {high})")

    def label(self, label: float | Tensor, truth: int, shape: tuple[int, int], now: Now) -> float | Tensor:
        low, high = self.real if truth == 1 else self.fake
        if not (varies(low) or varies(high)) and low == high:
            return low
        drawn = now.rng.uniform(f"label smoothing {truth}", shape[1:])
        return drawn * shaped(high - low, drawn) + shaped(low, drawn)

    def mean_label(self, label: float, truth: int, progress: float) -> float:
        # A label that an earlier trick gave is drawn anew, so nothing of it is left.
        return sum(self.real if truth == 1 else self.fake) / 2
