"""What D is reported to say is what it says in the game: with its batches' own statistics, and without dropout."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from sparring.analysis.evaluator import preserving_buffers
from sparring.datasets.digits import Digits
from sparring.game.assembly import game_of
from sparring.game.game import Game
from sparring.game.moves import Move, d_sees_mixture, g_fools_d
from sparring.recipe import find_recipe

EXAMPLES = 16


class Normalized(nn.Module):
    """A user's own D, whose layers are no plain chain."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.normalize, self.last = nn.Linear(64, 8), nn.BatchNorm1d(8), nn.Linear(8, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.normalize(self.first(x.flatten(1))).relu())


def layers() -> nn.Module:
    """The same, as a chain of layers."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))


def played(discriminator: object, seeds: tuple[int, ...], *moves: Move) -> Game:
    """A game after some rounds, so that averages over batches differ from any batch's statistics."""
    recipe = find_recipe("digits").replace(discriminator=discriminator, seeds=seeds, batch=EXAMPLES, rounds=50)
    recipe = recipe.replace(round=moves) if moves else recipe
    game = game_of(recipe, Digits().open())
    game.play_to(5, 2**62)
    return game


@pytest.mark.parametrize("discriminator", [layers, Normalized])
@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
def test_batch_statistics_are_the_batchs_own(discriminator: object, seeds: tuple[int, ...]) -> None:
    game = played(discriminator, seeds)
    D, real = game.players["D"].networks, torch.rand(len(seeds), EXAMPLES, 1, 8, 8)
    fake = real - 1
    with torch.no_grad(), preserving_buffers(D):
        in_the_game = [game.objective.output(D(x)) for x in (real, fake)]
    before = {name: tensor.clone() for name, tensor in D.state().items()}
    with preserving_buffers(D):
        said = game.outputs(real, fake)
    for ours, theirs in zip(said, in_the_game, strict=True):
        torch.testing.assert_close(ours, theirs)
    assert all(torch.equal(tensor, before[name]) for name, tensor in D.state().items())
    with torch.no_grad(), preserving_buffers(D):  # afterwards D goes on as in training
        torch.testing.assert_close(game.objective.output(D(real)), in_the_game[0])


def test_a_batch_of_both_kinds_is_read_with_the_averages() -> None:
    game = played(layers, (0, 1), d_sees_mixture, g_fools_d)
    D, real = game.players["D"].networks, torch.rand(2, EXAMPLES, 1, 8, 8)
    D.train(False)
    with torch.no_grad():
        averaged = game.objective.output(D(real))
    D.train(True)
    torch.testing.assert_close(game.outputs(real, real - 1)[0], averaged)
    with torch.no_grad(), preserving_buffers(D):
        assert not torch.allclose(game.objective.output(D(real)), averaged, atol=1e-3)


@pytest.mark.parametrize("discriminator", [layers, Normalized])
def test_a_single_example_is_read_with_the_averages(discriminator: object) -> None:
    """As the last one of a data set may be: one example has no statistics."""
    game = played(discriminator, (0, 1))
    D, real = game.players["D"].networks, torch.rand(2, 1, 1, 8, 8)
    said = game.outputs(real, real)[0]
    D.train(False)
    with torch.no_grad():
        torch.testing.assert_close(said, game.objective.output(D(real)))
    D.train(True)


def test_dropout_is_off() -> None:
    def with_dropout() -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.Dropout(0.9), nn.Linear(8, 1))

    game = played(with_dropout, (0, 1))
    real = torch.rand(2, EXAMPLES, 1, 8, 8)
    torch.testing.assert_close(game.outputs(real, real)[0], game.outputs(real, real)[1])
