"""What D says is compared within a class: a relativistic loss leaves it open what a whole class scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from sparring.analysis.evaluator import COUNT, Evaluator, ranked_right
from sparring.game.assembly import game_of
from sparring.game.game import Game, Labeled
from sparring.objectives import RelativisticPaired
from sparring.recipe import find_recipe


@pytest.mark.parametrize("changes", [{"conditional": True}, {"clusters": 12}], ids=str)
def test_what_d_says_of_a_class_is_compared_within_that_class(changes: dict[str, Any]) -> None:
    """A relativistic loss leaves it open what a class scores; D may put all of one class above all of another."""
    recipe = find_recipe("digits").replace(objective=RelativisticPaired(), seeds=2, **changes)
    game = game_of(recipe, recipe.data.open(None, "cpu"))
    for _ in range(2):
        game.play()
    evaluator = Evaluator.of(recipe, game, None)
    reals = evaluator.reals.training
    assert isinstance(reals, Labeled)
    wanted = evaluator.latent[..., -game.classes :]
    assert torch.equal(reals.classes, wanted) and len({x.numpy().tobytes() for x in reals.x[0]}) == COUNT
    before = evaluator.evaluate(game)
    of_class = torch.arange(game.classes, dtype=game.rng.dtype) * 100

    def scores(real: Labeled, fake: Labeled) -> tuple[Tensor, Tensor]:
        plain = Game.scores(game, real, fake)
        return plain[0] + real.classes @ of_class, plain[1] + fake.classes @ of_class

    game.scores = scores  # pyright: ignore[reportAttributeAccessIssue]
    after = evaluator.evaluate(game)
    for name in ("d_train", "d_generated", "d_right"):
        np.testing.assert_allclose(after[name], before[name], atol=1e-3)


def test_pairs_of_one_class_alone_are_ranked() -> None:
    rng = torch.Generator().manual_seed(0)
    real, fake = (torch.rand(2, 9, generator=rng).double() for _ in range(2))
    classes = torch.tensor([0, 1, 2, 0, 1, 2, 0, 0, 2])
    pairs = [(r, f) for r in range(9) for f in range(9) if classes[r] == classes[f]]
    counted = sum(bool(real[1, r] > fake[1, f]) for r, f in pairs) / len(pairs)
    assert ranked_right(real, fake, classes)[1] == pytest.approx(counted)
