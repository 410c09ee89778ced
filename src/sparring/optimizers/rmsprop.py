# torch documents its foreach functions, and still names them as private.
# pyright: reportPrivateUsage=false, reportPrivateImportUsage=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.members import is_zero
from sparring.optimizers import Memory, Optimizer
from sparring.optimizers._lists import add, add_squares, added, scale
from sparring.optimizers._settings import refuse_outside

if TYPE_CHECKING:
    from torch import Tensor

EPS = 1e-8
"""Added to the root of the average, as in torch.optim.RMSprop."""


@final
@dataclass(frozen=True)
class RMSprop(Optimizer):
    """Steps scaled by a running average of the gradient's square: no first moment, as WGAN's authors train.

    Tieleman and Hinton, "Lecture 6.5: rmsprop", COURSERA, 2012; used by Arjovsky et al., "Wasserstein GAN", 2017.
    """

    name: ClassVar[str] = "rmsprop"
    lr: float = 5e-5
    """Learning rate."""
    alpha: float = 0.99
    """Decay of the running average of the gradient's square."""
    momentum: float = 0.0
    weight_decay: float = 0.0

    per_member: ClassVar[frozenset[str]] = frozenset({"lr", "alpha", "momentum", "weight_decay"})

    def __post_init__(self) -> None:
        refuse_outside(
            {"lr": self.lr, "weight_decay": self.weight_decay}, {"alpha": self.alpha, "momentum": self.momentum}
        )

    @property
    def keeps(self) -> tuple[str, ...]:
        return ("square",) if is_zero(self.momentum) else ("square", "momentum")

    def begin(self, parameters: Sequence[Tensor]) -> Memory:
        import torch

        return {kind: [torch.zeros_like(p) for p in parameters] for kind in self.keeps}

    def step(self, parameters: Sequence[Tensor], gradients: Sequence[Tensor], memory: Memory) -> None:
        import torch

        with torch.no_grad():
            weights, change = list(parameters), list(gradients)
            if not is_zero(self.weight_decay):
                change = added(change, weights, self.weight_decay)
            scale(memory["square"], self.alpha)
            add_squares(memory["square"], change, 1 - self.alpha)
            root = torch._foreach_sqrt(memory["square"])
            torch._foreach_add_(root, EPS)
            change = list(torch._foreach_div(change, root))
            if not is_zero(self.momentum):
                scale(memory["momentum"], self.momentum)
                add(memory["momentum"], change, 1)
                change = memory["momentum"]
            add(weights, change, -self.lr)
