"""Sparring, a GAN workbench: train, diagnose, compare, explore and ship generative adversarial networks.

    import sparring
    recipe = sparring.find_recipe("digits").with_(seeds=range(8))
    run = sparring.train(recipe, out="runs/digits")
    images = sparring.sample(run, count=64)            # float32 (P, 64, 1, 8, 8), data units

The names below are imported when first used, so `import sparring` costs nothing and loads no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sparring.errors import SparringError as SparringError
    from sparring.errors import UsageError as UsageError
    from sparring.recipe import Recipe as Recipe
    from sparring.recipe import find_recipe as find_recipe
    from sparring.record import Run as Run
    from sparring.train import sample as sample
    from sparring.train import train as train

__version__ = "0.1.0"

_HOMES = {
    "SparringError": "sparring.errors",
    "UsageError": "sparring.errors",
    "Recipe": "sparring.recipe",
    "find_recipe": "sparring.recipe",
    "Run": "sparring.record",
    "sample": "sparring.train",
    "train": "sparring.train",
}
__all__ = ["Recipe", "Run", "SparringError", "UsageError", "__version__", "find_recipe", "sample", "train"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sparring' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
