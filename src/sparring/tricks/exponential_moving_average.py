from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.members import chosen, exact, shaped, varies
from sparring.tricks import Hook, Memory, Now, Trick, Who

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@final
@dataclass(frozen=True)
class ExponentialMovingAverage(Trick):
    """Samples are drawn with a running average of G's weights (EMA); training uses the weights as they are.

    average = decay * average + (1 - decay) * weights after each step of G, with decay = 2^(-1 / half-life). Early on,
    the half-life is a fraction of the steps taken so far, so that the initial weights are forgotten quickly: the
    warm-up of StyleGAN2's and EDM's code. Running statistics of batch normalization are not averaged.
    """

    half_life: float = 500.0
    """Steps of G after which a step's weight in the average has halved; a decay of 0.999 is a half-life of 693."""
    warm_up: float = 0.05
    """The half-life is at most this fraction of the steps taken so far; 0 turns the warm-up off."""

    per_member: ClassVar[frozenset[str]] = frozenset({"half_life", "warm_up"})
    also: ClassVar[tuple[str, ...]] = ("ema",)
    strength_field: ClassVar[str] = "half_life"
    hooks: ClassVar[frozenset[Hook]] = frozenset({"weights"})
    when: ClassVar[str] = "samples change much from round to round; training itself is unaffected"
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
            apart = varies(self.half_life) or varies(self.warm_up)
            share = self.share_after(exact(steps) if apart else steps[0].to(weights[0].dtype))
            for average, weight in zip(now.memory["average"], weights, strict=True):
                average.lerp_(weight, shaped(share, weight) if apart else share)
            steps += 1

    def averaged(self, memory: Memory) -> Sequence[Tensor]:
        return memory["average"]

    def share_after(self, steps: Tensor) -> Tensor:
        """1 - decay after `steps` steps of G: 0-dimensional, or `(P,)` where members differ in their settings."""
        import torch

        if varies(self.half_life) or varies(self.warm_up):
            warm = chosen(self.warm_up == 0, torch.inf, self.warm_up * steps)
            half_life = torch.minimum(torch.zeros_like(steps) + warm, torch.zeros_like(steps) + self.half_life)
        else:
            half_life = self.warm_up * steps if self.warm_up else torch.full_like(steps, self.half_life)
            half_life = half_life.clamp(max=self.half_life)
        # A half-life of 0 keeps nothing of the average: expm1(-inf) = -1.
        return -torch.expm1(-math.log(2) / half_life)
