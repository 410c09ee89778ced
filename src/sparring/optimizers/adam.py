from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.members import cast, exact, is_zero, shaped, varies
from sparring.optimizers import Memory, Optimizer
from sparring.optimizers._settings import refuse_outside

if TYPE_CHECKING:
    from torch import Tensor


EPS = 1e-8
"""Added to the root of the average, as in torch.optim.Adam."""


@final
@dataclass(frozen=True)
class Adam(Optimizer):
    """Steps scaled by running averages of the gradient and of its square.

    Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1.
    """

    lr: float = 1e-4
    """Learning rate."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Decay of the running averages of the gradient and of its square."""
    weight_decay: float = 0.0
    """L2 regularization: weight_decay * weight is added to the gradient."""

    per_member: ClassVar[frozenset[str]] = frozenset({"lr", "betas", "weight_decay"})

    def __post_init__(self) -> None:
        refuse_outside({"lr": self.lr, "weight_decay": self.weight_decay}, {"betas": self.betas})

    @property
    def keeps(self) -> tuple[str, ...]:
        return "average", "square", "steps"

    def begin(self, parameters: Sequence[Tensor]) -> Memory:
        import torch

        return {
            "average": [torch.zeros_like(p) for p in parameters],
            "square": [torch.zeros_like(p) for p in parameters],
            "steps": [torch.zeros((), device=p.device) for p in parameters],
        }

    def step(self, parameters: Sequence[Tensor], gradients: Sequence[Tensor], memory: Memory) -> None:
        import torch
        from torch.optim.adam import adam

        with torch.no_grad():
            if any(map(varies, (self.lr, *self.betas, self.weight_decay))):
                self._step_apart(parameters, gradients, memory)
                return
            adam(
                list(parameters),
                [_laid_like(p, g) for p, g in zip(parameters, gradients, strict=True)],
                memory["average"],
                memory["square"],
                [],
                memory["steps"],
                # One pass over memory instead of ten: at small batches the memory is what takes the time.
                fused=True,
                amsgrad=False,
                beta1=self.betas[0],
                beta2=self.betas[1],
                lr=self.lr,
                weight_decay=self.weight_decay,
                eps=EPS,
                maximize=False,
            )

    def _step_apart(self, parameters: Sequence[Tensor], gradients: Sequence[Tensor], memory: Memory) -> None:
        """The same step where members have settings of their own, which the fused kernel does not take."""
        beta1, beta2 = self.betas
        for steps in memory["steps"]:
            steps.add_(1)
        steps, like = exact(memory["steps"][0]), parameters[0]
        # As in the paper's section 2, end: the second bias correction is moved into the step size and epsilon.
        root_correction = (1 - beta2**steps).sqrt()
        size, eps = cast(-self.lr * root_correction / (1 - beta1**steps), like), cast(EPS * root_correction, like)
        rest1, rest2, decay = (cast(each, like) for each in (1 - beta1, 1 - beta2, self.weight_decay))
        each = zip(parameters, gradients, memory["average"], memory["square"], strict=True)
        for weight, gradient, average, square in each:
            if not is_zero(self.weight_decay):
                gradient = gradient + shaped(decay, weight) * weight
            average.lerp_(gradient, shaped(rest1, weight))
            square.lerp_(gradient.square(), shaped(rest2, weight))
            weight.addcdiv_(shaped(size, weight) * average, square.sqrt().add_(shaped(eps, weight)))


def _laid_like(parameter: Tensor, gradient: Tensor) -> Tensor:
    """A gradient with its parameter's strides: the fused kernel reads both as flat memory, in the same order."""
    if gradient.stride() == parameter.stride():
        return gradient
    import torch

    return torch.empty_like(parameter).copy_(gradient)
