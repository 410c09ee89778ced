"""D's outputs on the same real examples and on what G makes of the same latent vectors, as histograms.

What is drawn comes from random streams of its own, and the networks are evaluated without changing them: the run
computes the same with and without.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparring.analysis.evaluator import preserving_buffers
from sparring.analysis.generators import with_classes
from sparring.analysis.samples import DRAWN_BY, draw
from sparring.game.game import Examples, Game, Labeled
from sparring.game.runtime import preserving_torch_rng
from sparring.recipe import Recipe
from sparring.record.journal import json_numbers
from sparring.rng import RandomStreams

EXAMPLES = 64
"""Of either kind, of each member."""
MAX_MEMBERS = 16
"""Members that have a histogram each; of more there is one of all together."""
BINS = 24
Outputs = tuple[Tensor, Tensor]
"""D's outputs for real and for generated examples, `(P, EXAMPLES)` each."""


class Scores:
    """D's outputs for a game of `recipe`, whenever asked."""

    def __init__(self, recipe: Recipe, game: Game):
        self._game, members = game, len(recipe.seeds)
        rng = RandomStreams(recipe.seeds, game.rng.device, game.rng.dtype)
        with torch.no_grad(), preserving_torch_rng():
            latent = recipe.latent.draw(rng, "picture", EXAMPLES)
            self._latent = with_classes(recipe, latent, game.classes_of_data(EXAMPLES))
            drawn_by = RandomStreams((DRAWN_BY,), game.rng.device, game.rng.dtype)
            x, classes = draw(game.source, drawn_by, EXAMPLES, bool(game.classes))
        self._real: Examples = x.expand(members, *x.shape[1:])
        if classes is not None:
            hot = game.one_hot(classes)
            self._real = Labeled(self._real, hot.expand(members, *hot.shape[1:]))

    def outputs(self) -> Outputs:
        """As the networks are now: G's samples, and D as `Game.outputs` reads it."""
        game = self._game
        D = game.players["D"].networks
        with torch.no_grad(), preserving_torch_rng(), game.rng.undisturbed(), preserving_buffers(game.G, D):
            game.G.train(False)
            try:
                made = game.G(self._latent)
            finally:
                game.G.train(True)
            fake: Examples = Labeled(made, self._latent[..., -game.classes :]) if game.classes else made
            return game.outputs(self._real, fake)


def histograms(*shown: Outputs) -> dict[str, Any]:
    """Outputs at one or more moments as histograms over the same bins, as plain data for JSON.

    Returns:
        `edges` of BINS bins; `real` and `fake`: for each moment a list of counts for each member (of more than
        MAX_MEMBERS members one list for all of them); `means`: the same without bins, `[real, fake]` for each moment.
    """
    arrays = [[side.detach().float().cpu().numpy() for side in pair] for pair in shown]
    finite = [values[np.isfinite(values)] for pair in arrays for values in pair]
    together = np.concatenate(finite) if finite else np.empty(0)
    low, high = (float(together.min()), float(together.max())) if together.size else (0.0, 1.0)
    low, high = (low, high) if high - low > 1e-6 * max(1.0, abs(high)) else (low - 0.5, high + 0.5)
    edges = np.linspace(low, high, BINS + 1)
    real, fake = ([_counts(pair[side], edges) for pair in arrays] for side in (0, 1))
    means = [[json_numbers(side.astype(np.float64).mean(1)[:MAX_MEMBERS]) for side in pair] for pair in arrays]
    return {"edges": json_numbers(edges), "real": real, "fake": fake, "means": means}


def _counts(values: np.ndarray, edges: np.ndarray) -> list[list[int]]:
    rows = values if len(values) <= MAX_MEMBERS else values.reshape(1, -1)
    return [np.histogram(row[np.isfinite(row)], edges)[0].tolist() for row in rows]
