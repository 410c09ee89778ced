from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.members import is_zero
from sparring.optimizers import Memory, Optimizer
from sparring.optimizers._lists import add, added, scale
from sparring.optimizers._settings import refuse_outside

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent: new = old - lr * gradient; with momentum m, v = m * v + gradient and new = old - lr * v."""

    lr: float = 0.01
    """Learning rate."""
    momentum: float = 0.0
    """Decay of the running sum of gradients."""
    weight_decay: float = 0.0
    """L2 regularization: weight_decay * weight is added to the gradient."""

    per_member: ClassVar[frozenset[str]] = frozenset({"lr", "momentum", "weight_decay"})

    def __post_init__(self) -> None:
        refuse_outside({"lr": self.lr, "weight_decay": self.weight_decay}, {"momentum": self.momentum})

    @property
    def keeps(self) -> tuple[str, ...]:
        return () if is_zero(self.momentum) else ("momentum",)

    def begin(self, parameters: Sequence[Tensor]) -> Memory:
        import torch

        # From v = 0 the first step is v = gradient, as in torch.optim.SGD.
        return {kind: [torch.zeros_like(p) for p in parameters] for kind in self.keeps}

    def step(self, parameters: Sequence[Tensor], gradients: Sequence[Tensor], memory: Memory) -> None:
        import torch

        old, change = list(parameters), list(gradients)
        with torch.no_grad():
            if not is_zero(self.weight_decay):
                change = added(change, old, self.weight_decay)
            if not is_zero(self.momentum):
                scale(memory["momentum"], self.momentum)
                add(memory["momentum"], change, 1)
                change = memory["momentum"]
            add(old, change, -self.lr)
