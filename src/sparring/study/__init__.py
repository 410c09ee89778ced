"""Studies: a question asked of many recipes, each trained with the same seeds, and the table that answers it.

The package can be called: `sparring.study("digits", {"objective": ["hinge", "mse"]})` is `sparring.studies.study(...)`.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sparring.study.definition import Study
    from sparring.study.factors import Factor
    from sparring.study.results import Results

__all__ = ["Factor", "Results", "Study"]

_HOMES = {"Factor": "factors", "Results": "results", "Study": "definition"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sparring.study' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"sparring.study.{_HOMES[name]}"), name)


class _Callable(ModuleType):
    """A package's name in its parent is the package itself, so this is the only way to have a function of its name."""

    def __call__(self, *args: Any, **settings: Any) -> Any:
        import sparring

        return sparring.run_study(*args, **settings)


sys.modules[__name__].__class__ = _Callable
