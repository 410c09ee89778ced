"""Networks that compute in bfloat16 play the same game, with two to three digits.

Weights, optimizers, losses and random draws stay in float32, and every other law holds as it does there.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import sparring.training.trainer
from sparring.analysis.generators import sample
from sparring.errors import UsageError
from sparring.game import chain as layers
from sparring.game.assembly import game_of
from sparring.game.compile.aot import compiler
from sparring.game.compile.compiled import CompiledGame
from sparring.game.game import Game
from sparring.latents.normal import Normal
from sparring.recipe import Recipe, find_recipe
from sparring.training import train
from tests.laws.test_interrupted_is_uninterrupted import assert_same, interrupted, short
from tests.laws.test_population_is_its_solo_runs import canceling_bias, distance, played, weights
from tests.laws.user_modules import PAIRS
from tests.miniature import miniature

SOME = ("digits", "fashion-fc", "mnist", "mnist-fast", "mnist-reference", "ring")
"""Linear layers, convolutions both ways, batch normalization, dropout, penalties, classes."""
NEAR = 0.2
"""Of the largest number a network gives: how far bfloat16 may lead it from float32 (measured: 0.11, where a score is
next to nothing; else up to 0.04)."""
TOGETHER = 1e-3
"""How far members may be from their solo runs after ROUNDS, of a tensor's largest number (measured: 1e-7)."""
ROUNDS = 2


def half(name: str, seeds: int = 1) -> Recipe:
    return miniature(find_recipe(name)).replace(precision="bfloat16", seeds=seeds)


def begun(recipe: Recipe, data_dir: Path) -> Game:
    return game_of(recipe, recipe.data.open(data_dir, "cpu"))


@pytest.mark.parametrize("which", SOME)
def test_networks_answer_nearly_as_in_float32(which: str, data_dir: Path) -> None:
    mine, theirs = (begun(half(which).replace(precision=p), data_dir) for p in ("bfloat16", "float32"))
    answers = []
    for game in (mine, theirs):
        game.rng.begin(0)
        fake = game.fake()
        answers.append((fake if isinstance(fake, torch.Tensor) else fake.x, game.D(fake)))
    for one, other in zip(*answers, strict=True):
        assert one.dtype == other.dtype == torch.float32
        assert distance(one.detach(), other.detach()) <= NEAR
    assert not torch.equal(answers[0][0], answers[1][0]), "it is float32 after all"


@pytest.mark.parametrize("which", SOME)
def test_everything_that_is_kept_stays_in_float32_and_moves(which: str, data_dir: Path) -> None:
    game = begun(half(which), data_dir)
    before = {who: [w.detach().clone() for w in player.networks.parameters] for who, player in game.players.items()}
    game.recording = True
    game.play()
    kept = {t.dtype for t in game.tensors if t.is_floating_point()}
    assert kept == {torch.float32}
    assert all(torch.isfinite(t).all() for t in game.tensors if t.is_floating_point())
    assert all(figure.dtype == torch.float32 for figures in game.logged.values() for figure in figures)
    for who, player in game.players.items():
        plateau = [torch.equal(*pair) for pair in zip(player.networks.parameters, before[who], strict=True)]
        assert plateau.count(True) <= 1  # what D adds to every score, where the objective compares


@pytest.mark.parametrize("which", ["digits", "mnist"])
def test_members_are_their_solo_runs(which: str, data_dir: Path) -> None:
    together = weights(played(half(which).replace(seeds=(3, 7)), data_dir, ROUNDS, torch.float32))
    plateau = canceling_bias(half(which), together)
    for member, seed in enumerate((3, 7)):
        alone = weights(played(half(which).replace(seeds=(seed,)), data_dir, ROUNDS, torch.float32))
        for name, tensor in alone.items():
            if name != plateau:
                assert distance(together[name][member], tensor[0]) <= TOGETHER, name


@pytest.mark.parametrize("what", PAIRS)
def test_a_users_own_modules_take_part(what: str, data_dir: Path) -> None:
    generator, discriminator = PAIRS[what]
    recipe = find_recipe("digits").replace(
        generator=generator, discriminator=discriminator, latent=Normal(32), batch=6, seeds=2, precision="bfloat16"
    )
    game = begun(recipe, data_dir)
    before = [t.detach().clone() for t in game.G.parameters]
    game.play()
    assert all(torch.isfinite(t).all() for t in game.tensors if t.is_floating_point())
    assert not all(torch.equal(t, b) for t, b in zip(game.G.parameters, before, strict=True))


def test_a_run_left_twice_is_the_run_never_left(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sparring.training.trainer, "BEAT_SECONDS", -1.0)
    recipe = short(half("digits"))
    whole = train(recipe, tmp_path / "whole", data_dir=data_dir)
    interrupted(recipe, tmp_path / "left", data_dir)
    assert_same(train(recipe, tmp_path / "left", data_dir=data_dir), whole)
    assert sample(whole, 2).dtype.name == "float32"


def test_a_precision_that_there_is_not_is_refused() -> None:
    with pytest.raises(UsageError, match="precision is float32 or bfloat16, not float16"):
        find_recipe("digits").replace(precision="float16")


def test_on_a_gpu_convolutions_in_half_precision_have_channels_last(
    monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    """With the CPU in the GPU's place: images in color are laid out anew, and D answers the same."""
    plain, other = begun(half("mnist"), data_dir), begun(half("mnist"), data_dir)
    images = torch.rand(2, 3, 8, 8)
    for game in (plain, other):
        game.rng.begin(0)
    with torch.autocast("cpu", torch.bfloat16):
        assert layers.laid_out(images) is images
    expected = plain.D(plain.real())
    monkeypatch.setattr(layers, "CHANNELS_LAST", ("cpu",))
    with torch.autocast("cpu", torch.bfloat16):
        laid_out = layers.laid_out(images)
    assert laid_out.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(laid_out, images)
    assert layers.laid_out(images) is images, "in float32 they stay as they are"
    assert distance(other.D(other.real()).detach(), expected.detach()) <= NEAR


@pytest.mark.slow
@pytest.mark.skipif(compiler() is None, reason="there is no C++ compiler")
@pytest.mark.parametrize("which", ["fashion-fc", "mnist-reference"])
def test_compiled_code_is_made_of_it_and_agrees(which: str, data_dir: Path) -> None:
    game = begun(half(which), data_dir)
    CompiledGame(game).play_to(1, 1)  # it is refused where it parts company with the game
    assert all(torch.isfinite(t).all() for t in game.tensors if t.is_floating_point())
