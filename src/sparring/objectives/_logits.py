"""Softplus, of which cross-entropy on logits is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def softplus(x: Tensor) -> Tensor:
    """log(1 + exp(x)) for every element, without overflow; -log sigmoid(s) is softplus(-s). Loads torch."""
    from torch.nn.functional import softplus

    return softplus(x)
