# torch documents its foreach functions, and still spells them as private.
# pyright: reportPrivateUsage=false, reportPrivateImportUsage=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from sparring.tricks import Memory, Moment, Now, Trick, Who


@final
@dataclass(frozen=True)
class ExponentialMovingAverage(Trick):
    """Examples are made with a running average of G's weights; training itself goes on with the weights as they are.

    average = decay * average + (1 - decay) * weights after each step of G, with decay = 2^(-1 / half-life). Early on
    the half-life is a share of the steps taken, so the weights G was born with are forgotten within a few steps: the
    warm-up of StyleGAN2's and EDM's code. What batch normalisation keeps is not averaged.
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
        # Steps are counted on the processor, where reading the count makes no device wait.
        return {
            "average": [weight.detach().clone() for weight in who["G"]],
            "steps": [torch.zeros(members, dtype=torch.int64)],
        }

    @torch.no_grad()
    def weights(self, weights: Sequence[Tensor], who: Who, now: Now) -> None:
        if who == "G":
            steps = now.memory["steps"][0]
            share = 1 - self.decay_after(int(steps[0]))
            torch._foreach_lerp_(now.memory["average"], list(weights), share)
            steps += 1

    def averaged(self, memory: Memory) -> Sequence[Tensor]:
        return memory["average"]

    def decay_after(self, steps: int) -> float:
        """The average's share in the next one, when G has taken `steps` steps."""
        half_life = min(self.half_life, self.warm_up * steps) if self.warm_up else self.half_life
        return 0.5 ** (1 / half_life) if half_life else 0.0
