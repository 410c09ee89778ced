"""Loops that compute gradients with torch.func, inside which tensors are wrapped and mean nothing afterwards."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor
from torch._functorch.pyfunctorch import temporarily_clear_interpreter_stack

NOT_SEEN = (
    "gradients are computed by torch.func, where losses cannot be seen: give them with watch.losses(d=..., g=...). "
    "Mistakes in the losses themselves are not looked for"
)
_functorch: Any = torch._C._functorch  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue, reportUnknownMemberType]


def inside_transform() -> bool:
    """Whether torch.func computes a gradient right now."""
    return _functorch.maybe_current_level() is not None


def outside() -> AbstractContextManager[Any]:
    """A block that is outside of what torch.func computes."""
    return temporarily_clear_interpreter_stack()


def bare(value: Any) -> Any:
    """Tensors, alone or in lists, tuples and dicts, as they are outside."""
    if isinstance(value, Tensor):
        while _functorch.is_functorch_wrapped_tensor(value):
            value = _functorch.get_unwrapped(value)
        return value
    if isinstance(value, dict):
        return {key: bare(each) for key, each in value.items()}  # pyright: ignore[reportUnknownVariableType]
    return type(value)(map(bare, value)) if type(value) in (list, tuple) else value
