from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.tricks import Memory, Moment, Now, Trick, Who

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@final
@dataclass(frozen=True)
class ExponentialMovingAverage(Trick):
    """Examples are made with a running average of G's weights; training itself goes on with the weights as they are.

    average = decay * average + (1 - decay) * weights after each step of G, with decay = 2^(-1 / half-life). Early on
    the half-life is a share of the steps taken, so the weights G was born with are forgotten within a few steps: the
    warm-up of StyleGAN2's and EDM's code. What batch normalization keeps is not averaged.
    """

    half_life: float = 500.0
    """Steps of G in which a step's share in the average halves; a decay of 0.999 is 693."""
    warm_up: float = 0.05
    """The half-life is at most this share of the steps taken before; 0 does without."""

    touches: ClassVar[frozenset[Moment]] = frozenset({"weights"})
    when: ClassVar[str] = "samples jump about from round to round; training itself does not change"
    source: ClassVar[str] = "Yazıcı et al., The unusual effectiveness of averaging in GAN training, ICLR 2019"

    def __post_init__(self) -> None:
        if self.half_life <= 0 or self.warm_up < 0:
            raise ValueError(f"half_life must be above 0 and warm_up at least 0, not {self.half_life}, {self.warm_up}")

    def begin(self, who: Mapping[Who, Sequence[Tensor]], members: int, device: torch.device) -> Memory:
        import torch

        return {
            "average": [weight.detach().clone() for weight in who["G"]],
            "steps": [torch.zeros(members, dtype=torch.int64, device=device)],
        }

    def weights(self, weights: Sequence[Tensor], who: Who, now: Now) -> None:
        import torch

        if who == "D":
            return
        with torch.no_grad():
            (steps,) = now.memory["steps"]
            share = self.share_after(steps[0].to(weights[0].dtype))
            for average, weight in zip(now.memory["average"], weights, strict=True):
                average.lerp_(weight, share)
            steps += 1

    def averaged(self, memory: Memory) -> Sequence[Tensor]:
        return memory["average"]

    def share_after(self, steps: Tensor) -> Tensor:
        """1 - decay: the share of weights in the average that G comes to after `steps` steps, 0-dimensional."""
        import torch

        half_life = self.warm_up * steps if self.warm_up else torch.full_like(steps, self.half_life)
        # No half-life at all forgets everything: expm1(-inf) = -1.
        return -torch.expm1(-math.log(2) / half_life.clamp(max=self.half_life))
