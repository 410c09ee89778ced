"""How steep D is, and when that is penalised: what gradient penalties are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparring.tricks import Now, Scored
from sparring.tricks._schedules import moved, refuse_no_share

if TYPE_CHECKING:
    from torch import Tensor


def squared_slope(shown: Scored) -> Tensor:
    """||dD/dx||^2 for every score, `(P, B)`, itself open to differentiation.

    Where one score is of several examples, it is over all of them.
    """
    return _gradient(shown).square().sum(-1)


def slope(shown: Scored) -> Tensor:
    """||dD/dx|| for every score, `(P, B)`, itself open to differentiation; where it is 0, with derivative 0."""
    import torch

    return torch.linalg.vector_norm(_gradient(shown), dim=-1)


def _gradient(shown: Scored) -> Tensor:
    import torch

    (gradient,) = torch.autograd.grad(shown.score.sum(), shown.x, create_graph=True)
    return gradient.reshape(*shown.score.shape, -1)


def for_each_example(drawn: Tensor, shown: Scored) -> Tensor:
    """One number for each score, `(P, S)`, as one for each example that it is of, to multiply `shown.x` with."""
    each = drawn.repeat_interleave(shown.x.shape[1] // drawn.shape[1], 1)
    return each.view(*each.shape, *(1,) * (shown.x.ndim - 2))


def weight_now(weight: float, every: int, now: Now, final: float = 1.0, until: float = 1.0) -> float:
    """Of a penalty that is applied in every so many rounds, then that many times as heavy; 0 in the others.

    Lazy regularization: Karras et al., "Analyzing and improving the image quality of StyleGAN", CVPR 2020, section 3.1.
    The weight falls to `final` times itself at `until`, a share of the run.
    """
    return 0.0 if now.round % every else every * moved(weight, weight * final, now.progress / until)


def refuse_no_weight(weight: float, every: int, final: float = 1.0, until: float = 1.0) -> None:
    """Raises ValueError for values that `weight_now` can make nothing of."""
    if weight < 0 or final < 0 or every < 1:
        raise ValueError(
            f"a penalty has a weight of at least 0 ({weight}), final at least 0 ({final}) and every ≥ 1 ({every})"
        )
    refuse_no_share(until=until)
