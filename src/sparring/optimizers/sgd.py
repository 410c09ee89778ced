# torch documents its foreach functions, and names them as private.
# pyright: reportPrivateUsage=false, reportPrivateImportUsage=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from sparring.optimizers import Memory, Optimizer
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

    def __post_init__(self) -> None:
        refuse_outside({"lr": self.lr, "weight_decay": self.weight_decay}, {"momentum": self.momentum})

    def begin(self, parameters: Sequence[Tensor]) -> Memory:
        import torch

        # From v = 0 the first step is v = gradient, as in torch.optim.SGD.
        return {"momentum": [torch.zeros_like(p) for p in parameters]} if self.momentum else {}

    def step(self, parameters: Sequence[Tensor], gradients: Sequence[Tensor], memory: Memory) -> None:
        import torch

        old, change = list(parameters), list(gradients)
        with torch.no_grad():
            if self.weight_decay:
                change = list(torch._foreach_add(change, old, alpha=self.weight_decay))
            if self.momentum:
                torch._foreach_mul_(memory["momentum"], self.momentum)
                torch._foreach_add_(memory["momentum"], change)
                change = memory["momentum"]
            torch._foreach_add_(old, change, alpha=-self.lr)
