"""Training: a clock with its chores, in one process or distributed over many.

`train` is imported when it is first used, so that a worker process can run a module of this package as its program.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sparring.training.start import is_main_process, train
    from sparring.training.trainer import Trainer

__all__ = ["Trainer", "is_main_process", "train"]

_MODULES = {
    "Trainer": "sparring.training.trainer",
    "is_main_process": "sparring.training.start",
    "train": "sparring.training.start",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'sparring.training' has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)
