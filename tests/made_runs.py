"""Folders of runs, written in milliseconds: the numbers of a synthetic story with sample grids, and no training."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sparring.record import RunFolder
from sparring.record.grid import save_grid
from sparring.rules._stories import story

SIDE = 8
"""Pixels of a sample."""


def made_run(
    path: Path, members: int = 8, samples: bool = True, scores: bool = True, until: int | None = None, **changes: Any
) -> RunFolder:
    """Write a run.

    Args:
        path: Its folder.
        members: How many seeds; with more than eight the curves of the first eight are repeated.
        samples: Whether it has sample grids.
        scores: Whether its evaluations have histograms of D's outputs.
        until: The last round, for a run that is not finished.
        changes: Of `story`.
    """
    made = story(recipe={"seeds": list(range(members)), **changes.pop("recipe", {})}, **changes)
    run = RunFolder(path)
    run.create(json.dumps(made.recipe))
    rng = np.random.default_rng(0)
    for event in made.events:
        if until is not None and event.get("round", 0) > until:
            break
        event = of_members(event, members)
        if event["event"] == "log" and samples:
            event["picture"] = f"samples/round-{event['round']:09d}.png"
            pixels = rng.random((members, 4, 1, SIDE, SIDE)).astype(np.float32)
            save_grid(pixels, path / event["picture"], range(members))
        if event["event"] == "log" and scores:
            event["scores"] = histograms(rng, members)
        kind, fields = event.pop("event"), {k: v for k, v in event.items() if k != "at"}
        run.journal.append(kind, **fields)
    return run


def of_members(event: Mapping[str, Any], members: int) -> dict[str, Any]:
    """An event of the eight members of a synthetic story, as of any number."""

    def row(values: list[Any]) -> list[Any]:
        return (values * -(-members // len(values)))[:members]

    changed = dict(event)
    for name, values in event.items():
        if name in ("d_loss", "g_loss", "d_real", "d_fake", "d_gradient", "g_gradient"):
            changed[name] = [row(each) for each in values]
        elif name == "quantiles" and isinstance(values[0], list):
            changed[name] = row(values)
    if event["event"] == "log" and "metrics" in event:
        changed["metrics"] = {name: row(values) for name, values in event["metrics"].items()}
    return changed


def histograms(rng: np.random.Generator, members: int) -> dict[str, Any]:
    """As an evaluation writes them."""
    edges = np.linspace(0, 1, 25)
    own = min(members, 16)
    counts = [[np.histogram(rng.beta(a, b, 64), edges)[0].tolist() for _ in range(own)] for a, b in ((5, 2), (2, 5))]
    return {"edges": edges.round(4).tolist(), "real": [counts[0]], "fake": [counts[1]]}
