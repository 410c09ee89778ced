"""Which function limited a tensor's values: by its name, written by hand, or by what became of the values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

SQUASHING = {
    "sigmoid": "sigmoid", "sigmoid_": "sigmoid", "tanh": "tanh", "tanh_": "tanh", "relu": "relu", "relu_": "relu",
    "clamp": "clamp", "clamp_": "clamp", "softmax": "softmax", "softplus": "softplus", "leaky_relu": "leaky-relu",
    "hardtanh": "clamp", "hardsigmoid": "sigmoid",
}  # fmt: skip
"""Functions that limit values, as they are called in the catalogue of facts."""
PROBABILITIES = frozenset({"sigmoid", "softmax"})
"""Functions whose values are probabilities."""
EXP, EXP_AND_1 = "exp", "exp and 1"
"""Parts of a sigmoid that is written by hand, in the order in which they are computed."""
PLUS = frozenset({"add", "add_", "__add__", "__radd__"})
INVERTING = frozenset({"reciprocal", "reciprocal_", "__rdiv__", "__rtruediv__"})
DIVIDING = frozenset({"div", "true_divide", "divide", "__truediv__", "__div__"})
NEAR = 1e-4
"""What is added to keep a logarithm finite is smaller."""


def are_unchanged(made_of: tuple[float, float] | None, ends: tuple[float, float] | None) -> bool:
    """Whether scores with these ends are D's outputs with those, or 1 less them, but for NEAR."""
    if made_of is None or ends is None:
        return True
    return np.allclose(ends, made_of, atol=NEAR) or np.allclose(ends, (1 - made_of[1], 1 - made_of[0]), atol=NEAR)


def ends_of(values: Tensor) -> tuple[float, float] | None:
    """Smallest and largest number; None where there are none, or one is not finite."""
    if not values.numel():
        return None
    low, high = (float(end) for end in values.detach().aminmax())
    return (low, high) if np.isfinite((low, high)).all() else None


def widened(ends: tuple[float, float] | None, before: tuple[float, float] | None) -> tuple[float, float] | None:
    """The range of both."""
    if ends is None or before is None:
        return ends or before
    return min(ends[0], before[0]), max(ends[1], before[1])


def are_probabilities(
    squashed: str, raw: bool, made_of: tuple[float, float] | None, ends: tuple[float, float] | None
) -> bool:
    """Whether scores have passed a sigmoid: by its name, or since all lie from 0 to 1 and D's outputs did not.

    Args:
        squashed: The function that limited them.
        raw: Whether nothing but arithmetic has been done to D's outputs.
        made_of: Smallest and largest of these outputs.
        ends: Smallest and largest of the scores.
    """
    if squashed in PROBABILITIES:
        return True
    if raw or made_of is None or ends is None:
        return False
    return _from_0_to_1(ends) and not _from_0_to_1(made_of)


def sigmoid_by_hand(name: str, squashed: Sequence[str]) -> str:
    """How far 1 / (1 + exp(-x)) or exp(x) / (1 + exp(x)) has come with this function of what was squashed so."""
    if name == "exp":
        return EXP
    if name in PLUS and squashed == [EXP]:
        return EXP_AND_1
    whole = (name in INVERTING and squashed == [EXP_AND_1]) or (name in DIVIDING and squashed == [EXP, EXP_AND_1])
    return "sigmoid" if whole else ""


def _from_0_to_1(ends: tuple[float, float]) -> bool:
    return ends[0] >= 0 and ends[1] <= 1
