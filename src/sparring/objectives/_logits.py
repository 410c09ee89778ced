"""The building block of cross-entropy on logits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def softplus(x: Tensor) -> Tensor:
    """log(1 + exp(x)) for every element, without overflow; -log sigmoid(s) is softplus(-s). Torch is loaded here."""
    from torch.nn.functional import softplus

    return softplus(x)
