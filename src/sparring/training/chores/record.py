"""Curves and sample grids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from sparring.analysis.generators import classes_of_z_seeds, generate, with_classes
from sparring.record.grid import save_grid
from sparring.record.journal import json_numbers
from sparring.record.members import names_of
from sparring.record.plots import Numbers
from sparring.record.story import CURVES, GRADIENTS
from sparring.rng import RandomStreams
from sparring.training.chores import Chore

if TYPE_CHECKING:
    from sparring.game.game import Logged
    from sparring.training.trainer import Trainer

MAX_OUTPUT_SIZE = 16
"""Values per example up to which the journal contains an example itself."""


REAL_PLOTTED = 400
"""Real examples in plots of numbers."""


class Record(Chore):
    """Adds the curves since the last log event, and at log points draws the same latent vectors again as a grid."""

    def __init__(self) -> None:
        self._points: list[Logged] = []
        """Not logged yet."""
        self._gradients: set[str] = set()
        """Names of gradient norms that this run has; a log event without points has their keys too."""

    def begin(self, trainer: Trainer) -> None:
        recipe, game = trainer.recipe, trainer.game
        rng = RandomStreams(recipe.seeds, game.rng.device, game.rng.dtype)
        latent = recipe.latent.draw(rng, "picture", recipe.samples_per_grid)
        self._names = names_of(recipe.to_dict())
        self._grid_latent = with_classes(recipe, latent, classes_of_z_seeds(recipe, range(recipe.samples_per_grid)))
        self._numbers: Numbers | None = None
        if recipe.data.is_plotted:  # drawn by streams of their own: training must not depend on pictures
            real = game.source.draw(rng, REAL_PLOTTED)[0]
            rows = recipe.data.in_own_units(recipe.data.in_data_units(real).cpu().numpy())
            self._numbers = Numbers(rows.reshape(len(rows), -1), recipe.data.column_names)

    def after_turn(self, trainer: Trainer, points: Sequence[Logged]) -> None:
        self._points += points
        trainer.latest.recent.extend(means for _, means in points)

    def log_fields(self, trainer: Trainer) -> dict[str, Any]:
        fields = self._curves(trainer)
        return fields | self._samples(trainer) if trainer.at_log_point else fields

    def rewound(self, trainer: Trainer) -> None:
        self._points.clear()

    def end(self, trainer: Trainer) -> None:
        if self._points:
            trainer.log()

    def _curves(self, trainer: Trainer) -> dict[str, Any]:
        """One transfer from the device for all points of a curve."""
        members = len(trainer.recipe.seeds)
        fields: dict[str, Any] = {"logged": [round for round, _ in self._points]}
        self._gradients |= {name for _, means in self._points for name in means if name in GRADIENTS}
        for name in (*CURVES, *(name for name in GRADIENTS if name in self._gradients)):
            points = [means.get(name, torch.full((members,), torch.nan)) for _, means in self._points]
            rows = torch.stack(points).cpu().numpy() if points else np.empty((0, members))
            fields[name] = json_numbers(rows)
            if points:
                trainer.latest.curves[name] = rows[-1]
        self._points.clear()
        return fields

    def _samples(self, trainer: Trainer) -> dict[str, Any]:
        recipe, game = trainer.recipe, trainer.game
        with game.with_averaged_weights():
            trainer.latest.picture = examples = generate(game.G, self._grid_latent, recipe)
        name = f"samples/round-{game.round:09d}.png"
        modes = recipe.data.modes
        shown = recipe.data.in_own_units(examples)
        trainer.run.write(name, lambda path: save_grid(shown, path, self._names, None, modes, self._numbers))
        outputs = shown[:, 0]
        # One point in the plane says nothing of a distribution.
        is_telling = outputs[0].size <= MAX_OUTPUT_SIZE and modes is None
        return {"picture": name} | ({"outputs": json_numbers(outputs)} if is_telling else {})
