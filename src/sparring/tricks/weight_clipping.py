from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

from sparring.members import shaped
from sparring.tricks import Hook, Now, Trick, Who

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class WeightClipping(Trick):
    """After each step of D, all its weights are clipped to [-limit, limit], as in the original WGAN.

    Bounded weights bound D's gradient. It is a crude method: weights gather at the two limits, and D learns overly
    simple functions (Gulrajani et al., NeurIPS 2017, section 3).
    """

    limit: float = 0.01
    """Largest absolute value of a weight, biases and normalization gains included."""

    per_member: ClassVar[frozenset[str]] = frozenset({"limit"})
    hooks: ClassVar[frozenset[Hook]] = frozenset({"weights"})
    when: ClassVar[str] = "with the objective wasserstein, as in the original paper; gradient-penalty works better"
    source: ClassVar[str] = "Arjovsky et al., Wasserstein generative adversarial networks, ICML 2017, algorithm 1"

    def __post_init__(self) -> None:
        if self.limit <= 0:
            raise ValueError(f"limit must be above 0, not {self.limit}")

    def weights(self, weights: Sequence[Tensor], who: Who, now: Now) -> None:
        import torch

        if who == "D":
            with torch.no_grad():
                for weight in weights:
                    limit: Any = shaped(self.limit, weight)
                    weight.clamp_(-limit, limit)
