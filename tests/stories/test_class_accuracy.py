"""Class-conditional runs say whether samples are of the classes that G was asked for."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import sparring
from sparring.analysis.measure import measure
from sparring.datasets._images import Images
from sparring.recipe import Recipe, find_recipe
from sparring.record import RunFolder

NAME = "class-accuracy"
SHORT = find_recipe("digits").replace(rounds=20, log_points=1)


class Pictures(nn.Module):
    """A G that draws a training picture of the class it is asked for, or of the one `apart` from it."""

    def __init__(self, apart: int = 0):
        super().__init__()
        source = SHORT.data.open(None, "cpu")
        assert isinstance(source, Images) and source.classes is not None
        some = np.stack([np.flatnonzero(source.classes == (kind + apart) % 10)[:20] for kind in range(10)])
        low, high = SHORT.data.span
        pictures = low + (high - low) * source.pixels[torch.from_numpy(some)].float() / 255
        self.drawn = nn.Parameter(pictures.flatten(2))

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        kinds = z[:, -10:] @ self.drawn.flatten(1)
        chosen = torch.nn.functional.one_hot((100 * z[:, 0].abs()).long() % 20, 20).to(z.dtype)
        return (chosen[..., None] * kinds.view(-1, 20, 64)).sum(1).view(-1, 1, 8, 8)


def metrics_of(run: RunFolder) -> dict[str, float]:
    """The last value of each metric, of the first seed."""
    return {name: float(rows[-1, 0]) for name, rows in run.story.evaluations[1].items()}


def trained(recipe: Recipe, folder: Path) -> RunFolder:
    return RunFolder.open(sparring.train(recipe, folder, threads=1, compile=False).path)


@pytest.mark.parametrize(("apart", "low", "high"), [(0, 0.9, 1.0), (1, 0.0, 0.1)], ids=["asked for", "another"])
def test_samples_are_compared_with_the_classes_asked_for(apart: int, low: float, high: float, tmp_path: Path) -> None:
    recipe = SHORT.replace(conditional=True, generator=partial(Pictures, apart), lr=0.0)
    run = trained(recipe, tmp_path / "run")
    assert low <= metrics_of(run)[NAME] <= high
    assert (run.story.real_baseline or {})["metrics"][NAME] > 0.9
    measured = measure(run, 200, recipe=recipe)
    assert measured.independent is not None
    for scores in (measured.scores, measured.independent.scores):
        assert low <= scores[NAME].members[0] <= high and scores[NAME].real > 0.9


@pytest.mark.parametrize("changes", [{}, {"clusters": 8}], ids=["neither", "clusters"])
def test_nothing_is_said_of_classes_where_none_is_asked_for(changes: dict[str, int], tmp_path: Path) -> None:
    run = trained(SHORT.replace(**changes), tmp_path / "run")
    assert "confidence" in metrics_of(run) and NAME not in metrics_of(run)
    assert NAME not in measure(run, 200).scores
