"""Gradients of D's score with respect to its input, which gradient penalties are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparring.members import shaped
from sparring.tricks import Now, Scored
from sparring.tricks._schedules import moved, refuse_no_share

if TYPE_CHECKING:
    from torch import Tensor

    from sparring.members import Number


def squared_slope(scored: Scored) -> Tensor:
    """The squared norm ||dD/dx||^2 for every score, `(P, B)`, itself differentiable.

    Where one score belongs to several examples, as with packing, the norm is over all of them.
    """
    return _gradient(scored).square().sum(-1)


def slope(scored: Scored) -> Tensor:
    """The norm ||dD/dx|| for every score, `(P, B)`, itself differentiable; where it is 0, with gradient 0."""
    import torch

    return torch.linalg.vector_norm(_gradient(scored), dim=-1)


def _gradient(scored: Scored) -> Tensor:
    import torch

    (gradient,) = torch.autograd.grad(scored.score.sum(), scored.x, create_graph=True)
    return gradient.reshape(*scored.score.shape, -1)


def for_each_example(drawn: Tensor, scored: Scored) -> Tensor:
    """One number per score, `(P, S)`, repeated for each example of the score, to broadcast over `scored.x`."""
    each = drawn.repeat_interleave(scored.x.shape[1] // drawn.shape[1], 1)
    return each.view(*each.shape, *(1,) * (scored.x.ndim - 2))


def weighted(weight: Number, terms: Tensor) -> Tensor:
    """A penalty's terms `(P, B)`, times its weight in this round."""
    return shaped(weight, terms) * terms


def weight_now(weight: float, every: int, now: Now, final: float = 1.0, until: float = 1.0) -> Number:
    """The weight of a penalty in this round.

    With lazy regularization, a penalty is applied in every `every`-th round only, with `every` times the weight: Karras
    et al., "Analyzing and improving the image quality of StyleGAN", CVPR 2020, section 3.1. The weight falls to `final`
    times itself at `until`, a fraction of the run.
    """
    return 0.0 if now.round % every else every * moved(weight, weight * final, now.progress / until)


def refuse_no_weight(weight: float, every: int, final: float = 1.0, until: float = 1.0) -> None:
    """Raises ValueError for values that `weight_now` does not take."""
    if weight < 0:
        raise ValueError(f"a penalty needs a weight of at least 0, not {weight}")
    if final < 0:
        raise ValueError(f"a penalty needs a final of at least 0, not {final}")
    if every < 1:
        raise ValueError(f"a penalty needs an every of at least 1, not {every}")
    refuse_no_share(until=until)
