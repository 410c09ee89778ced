from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor
from torch.optim.sgd import sgd

from sparring.optimisers import Memory, Optimiser


@final
@dataclass(frozen=True)
class SGD(Optimiser):
    """Gradient descent: new = old - rate * gradient; with momentum m, v = m * v + gradient and new = old - rate * v."""

    rate: float = 0.01
    """Learning rate."""
    momentum: float = 0.0
    weight_decay: float = 0.0

    def begin(self, parameters: Sequence[Tensor]) -> Memory:
        # From v = 0 the first step is v = gradient, as in torch.optim.SGD.
        return {"momentum": [torch.zeros_like(p) for p in parameters]} if self.momentum else {}

    @torch.no_grad()
    def step(self, parameters: Sequence[Tensor], gradients: Sequence[Tensor], memory: Memory) -> None:
        sgd(
            list(parameters),
            list(gradients),
            [*memory["momentum"]] if self.momentum else [],
            foreach=True,
            weight_decay=self.weight_decay,
            momentum=self.momentum,
            lr=self.rate,
            dampening=0.0,
            nesterov=False,
            maximize=False,
        )
