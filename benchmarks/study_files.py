"""The benchmarks that are study files, and the table of them in docs/studies.md."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path

import published

from sparring.study import Study

HOME = Path(__file__).parent
FILES = {
    "ablation": "[which loss](choosing-measured.md#which-loss-and-which-penalty)",
    "ladder": "[the ladder](ladder.md)",
    "modes": "[how many modes](choosing-measured.md#how-many-modes-are-kept)",
    "networks": "[which networks](choosing-measured.md#which-networks)",
    "precision": "[half precision](speed.md#half-precision)",
    "remedies": "[remedies](diagnosis-measured.md#remedies)",
}
"""File -> where its tables are."""


def studies() -> Iterator[tuple[str, str, Callable[[], Study]]]:
    """File, function, and the function itself."""
    for name in FILES:
        module = importlib.import_module(name)
        for function, made in vars(module).items():
            own = inspect.isfunction(made) and made.__module__ == name and not function.startswith("_")
            if own and inspect.signature(made).return_annotation == "Study":
                yield name, function, made


def in_markdown() -> str:
    """A row for each study."""
    rows: list[list[str]] = []
    for name, function, made in studies():
        study = made()
        rounds = max(cell.recipe.rounds for cell in study.cells)
        numbers = [f"{len(study.cells)}", f"{len(study.seeds)}", f"{rounds:,}"]
        rows.append([f"`benchmarks/{name}.py:{function}`", *numbers, FILES[name]])
    return published.markdown(("study", "cells", "seeds", "rounds", "table"), rows)
