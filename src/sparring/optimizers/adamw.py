from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.members import is_zero, with_fields
from sparring.optimizers import Memory, Optimizer
from sparring.optimizers._lists import scale
from sparring.optimizers._settings import refuse_outside
from sparring.optimizers.adam import Adam

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class AdamW(Optimizer):
    """Adam with weight decay that is decoupled from the gradient: the weights shrink by lr * weight_decay a step.

    Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithm 2.
    """

    name: ClassVar[str] = "adamw"
    lr: float = 1e-4
    """Learning rate."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Decay of the running averages of the gradient and of its square."""
    weight_decay: float = 0.01
    """Share of each weight, times the learning rate, that a step takes away."""

    per_member: ClassVar[frozenset[str]] = frozenset({"lr", "betas", "weight_decay"})

    def __post_init__(self) -> None:
        refuse_outside({"lr": self.lr, "weight_decay": self.weight_decay}, {"betas": self.betas})

    @property
    def keeps(self) -> tuple[str, ...]:
        return Adam().keeps

    def begin(self, parameters: Sequence[Tensor]) -> Memory:
        return self._adam.begin(parameters)

    def step(self, parameters: Sequence[Tensor], gradients: Sequence[Tensor], memory: Memory) -> None:
        import torch

        with torch.no_grad():
            if not is_zero(self.weight_decay):
                scale(parameters, 1 - self.lr * self.weight_decay)
            self._adam.step(parameters, gradients, memory)

    @property
    def _adam(self) -> Adam:
        return with_fields(Adam(), {"lr": self.lr, "betas": self.betas})
