"""Sparring, a GAN workbench: train, diagnose, compare, explore and ship generative adversarial networks.

    import sparring
    from sparring import objectives, tricks
    recipe = sparring.recipe("digits").replace(objective=objectives.Hinge(), tricks=[tricks.R1(gamma=1)], seeds=8)
    run = sparring.train(recipe, out="runs/digits")
    images = sparring.sample(run, count=64)            # float32 (P, 64, 1, 8, 8), data units

    with sparring.watch(G, D, opt_G, opt_D, data=loader, out="runs/mine"):     # a loop of one's own
        ...

The names below are imported when first used, so `import sparring` is fast and loads no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sparring.game.runtime import limit_openmp_spinning

if TYPE_CHECKING:
    from sparring.analysis.diagnosis import Diagnosis, diagnose
    from sparring.analysis.generators import explorable, sample
    from sparring.analysis.generators import latents as latent_vectors
    from sparring.analysis.query.database import query
    from sparring.catalogue import read as leaf
    from sparring.errors import SparringError, UsageError
    from sparring.interface import Curves, Run, measure, train
    from sparring.recipe import Recipe, find_recipe
    from sparring.recipe import find_recipe as recipe
    from sparring.report import write_report
    from sparring.studies import StudyRun
    from sparring.studies import study as run_study
    from sparring.study import Factor, Results, Study
    from sparring.training.watch.session import Watch as watch  # noqa: N813  (called like a function: `with sparring.watch(...)`)

limit_openmp_spinning()  # before anything loads torch

__version__ = "0.1.0"

__all__ = [
    "Curves",
    "Diagnosis",
    "Factor",
    "Recipe",
    "Results",
    "Run",
    "SparringError",
    "Study",
    "StudyRun",
    "UsageError",
    "__version__",
    "diagnose",
    "explorable",
    "find_recipe",
    "latent_vectors",
    "leaf",
    "measure",
    "query",
    "recipe",
    "run_study",
    "sample",
    "train",
    "watch",
    "write_report",
]

_HOMES = {
    "Diagnosis": "sparring.analysis.diagnosis:Diagnosis",
    "Recipe": "sparring.recipe:Recipe",
    "Curves": "sparring.interface:Curves",
    "Run": "sparring.interface:Run",
    "SparringError": "sparring.errors:SparringError",
    "UsageError": "sparring.errors:UsageError",
    "diagnose": "sparring.analysis.diagnosis:diagnose",
    "explorable": "sparring.analysis.generators:explorable",
    "latent_vectors": "sparring.analysis.generators:latents",
    "find_recipe": "sparring.recipe:find_recipe",
    "leaf": "sparring.catalogue:read",
    "Factor": "sparring.study:Factor",
    "Results": "sparring.study:Results",
    "Study": "sparring.study:Study",
    "StudyRun": "sparring.studies:StudyRun",
    "measure": "sparring.interface:measure",
    "query": "sparring.analysis.query.database:query",
    "run_study": "sparring.studies:study",
    "sample": "sparring.analysis.generators:sample",
    "train": "sparring.interface:train",
    "watch": "sparring.training.watch.session:Watch",
    "write_report": "sparring.report:write_report",
}
_PACKAGES = ("datasets", "latents", "metrics", "networks", "objectives", "optimizers", "recipe", "study", "tricks")


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return importlib.import_module(f"sparring.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'sparring' has no attribute {name!r}")
    home, _, attribute = _HOMES[name].partition(":")
    return getattr(importlib.import_module(home), attribute)


def __dir__() -> list[str]:
    return sorted({*__all__, *_PACKAGES})
