"""Whether arithmetic on whole numbers of 8 bits went round at 256, or was a division that leaves 0 and 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

WRAPPING = frozenset({"mul", "add", "sub", "subtract", "__rsub__", "rsub", "neg"})
"""Functions whose result may leave 0 to 255."""
IN_PLACE = frozenset({"mul_", "add_", "sub_"})
"""The same where what they were given is gone afterwards: it cannot be computed again."""
DIVIDING = frozenset({"floor_divide", "__floordiv__"})
MANY_PIXELS = 48
"""Numbers from which on a tensor of bytes is taken for an image."""
WHITE = 255


def goes_round(func: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], made: Tensor) -> bool:
    """Whether a function that was called so made another tensor of bytes than whole numbers without an end have."""
    if made.dtype != torch.uint8 or made.numel() <= MANY_PIXELS:
        return False
    name = getattr(func, "__name__", "")
    if name in DIVIDING:  # by a smaller number it makes fewer levels on purpose
        by = args[1] if len(args) > 1 else None
        return isinstance(by, int | float | Tensor) and bool(torch.as_tensor(by).min() >= WHITE)
    if name in IN_PLACE or (name in WRAPPING and "out" in kwargs):
        return True
    if name not in WRAPPING:
        return False
    wide = func(*map(_widened, args), **{key: _widened(value) for key, value in kwargs.items()})
    return not torch.equal(wide, made.to(wide.dtype))


def _widened(value: Any) -> Any:
    return value.int() if isinstance(value, Tensor) and value.dtype == torch.uint8 else value
