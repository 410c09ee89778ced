"""Whether D's scores, without a gradient of their own, weigh what has one: as a reward does."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

WEIGHT = "weight"
"""What kinds of tensors have besides that were weighed so."""
JOINING = frozenset({
    "add", "add_", "sub", "sub_", "rsub", "__add__", "__radd__", "__iadd__", "__sub__", "__rsub__", "__isub__",
    "cat", "concat", "concatenate", "stack", "hstack", "vstack", "column_stack",
})  # fmt: skip
"""Functions after which a term that sends no gradient back is still one by itself."""


def weighed(name: str, scores: Sequence[Tensor], made: Tensor) -> frozenset[str]:
    """The kind of what a function made of these scores and other tensors, if it is one; empty if not."""
    is_one = made.requires_grad and bool(scores) and name not in JOINING
    return frozenset({WEIGHT}) if is_one and not any(each.requires_grad for each in scores) else frozenset()
