from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.tricks import Moment, Trick

if TYPE_CHECKING:
    from torch import Tensor

    from sparring.chance import Chance


@final
@dataclass(frozen=True)
class LabelSmoothing(Trick):
    """D is told "almost real" and "almost fake", drawn for every example from a range.

    Salimans et al., "Improved techniques for training GANs", NeurIPS 2016, section 3.4, smooth the real label alone.
    A range of width 0, as (0.9, 0.9), is a fixed label.
    """

    real: tuple[float, float] = (0.9, 1.0)
    """Lowest and highest name of a real example."""
    fake: tuple[float, float] = (0.0, 0.0)
    """Lowest and highest name of a fake one."""

    touches: ClassVar[frozenset[Moment]] = frozenset({"name"})

    def __post_init__(self) -> None:
        for low, high in (self.real, self.fake):
            if not 0 <= low <= high <= 1:
                raise ValueError(f"a label range must satisfy 0 <= low <= high <= 1, not ({low}, {high})")

    def name(
        self, name: float | Tensor, truth: int, shape: tuple[int, int], chance: Chance, progress: float
    ) -> float | Tensor:
        low, high = self.real if truth == 1 else self.fake
        if low == high:
            return low
        return chance.uniform(f"label smoothing {truth}", shape[1:]) * (high - low) + low
