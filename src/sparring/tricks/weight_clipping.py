from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.tricks import Moment, Now, Trick, Who

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class WeightClipping(Trick):
    """After each of its steps every weight of D is cut off at -most and most.

    Weights that are bounded bound the slope. It is crude: D tends to use only the two ends, and learns simple functions
    (Gulrajani et al., NeurIPS 2017, section 3).
    """

    most: float = 0.01
    """Largest size of a weight, biases and gains of normalization included."""

    touches: ClassVar[frozenset[Moment]] = frozenset({"weights"})
    when: ClassVar[str] = "with wasserstein, to see the original; gradient-penalty came to replace it"
    source: ClassVar[str] = "Arjovsky et al., Wasserstein generative adversarial networks, ICML 2017, algorithm 1"

    def __post_init__(self) -> None:
        if self.most <= 0:
            raise ValueError(f"most must be above 0, not {self.most}")

    def weights(self, weights: Sequence[Tensor], who: Who, now: Now) -> None:
        import torch

        if who == "D":
            with torch.no_grad():
                for weight in weights:
                    weight.clamp_(-self.most, self.most)
