"""Looks at samples while a run trains change nothing, and say what is so; what they cost is in test_evaluation_time."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import sparring.training.chores.evaluate
import sparring.training.trainer
from sparring import catalogue
from sparring.analysis.evaluator import COUNT, MAX_TRAINING, Evaluator, ranked_right
from sparring.analysis.relative import RelativeMetrics
from sparring.analysis.samples import draw, quantiles_of
from sparring.datasets._images import Images
from sparring.datasets.digits import Digits
from sparring.datasets.ring import Ring
from sparring.game.assembly import game_of, state_of
from sparring.game.game import Game, Labeled
from sparring.metrics.similarity_to_mean import MAX_RATIO
from sparring.metrics.structure import Structure
from sparring.networks.fully_connected import FullyConnected
from sparring.objectives import Objective
from sparring.recipe import Recipe, find_recipe
from sparring.record import Story
from sparring.record.story import QUANTILES
from sparring.rng import RandomStreams
from sparring.tricks import Trick
from tests.laws.test_interrupted_is_uninterrupted import assert_same, interrupted, short
from tests.laws.user_modules import PAIRS, ConvG

train = partial(sparring.training.train, threads=1)


class CountingD(nn.Module):
    """Remembers how often it was asked, in evaluation too, and answers accordingly."""

    calls: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.Tanh(), nn.Linear(8, 1))
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return self.model(x) * (1 + self.calls.sin() / 2)


@pytest.fixture
def every_log_point_is_evaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparring.training.chores.evaluate, "EVALUATION_SHARE", 1e9)
    monkeypatch.setattr(sparring.training.trainer, "BEAT_SECONDS", -1.0)  # so that a run can be left after any round


def probed(recipe: Recipe, data_dir: Path | None = None) -> tuple[Game, Evaluator]:
    game = game_of(recipe, recipe.data.open(data_dir, "cpu"))
    for _ in range(2):
        game.play()
    return game, Evaluator.of(recipe, game, data_dir)


# They change nothing.


@pytest.mark.usefixtures("every_log_point_is_evaluated")
@pytest.mark.parametrize("members", [pytest.param(1, marks=pytest.mark.slow), 3])
@pytest.mark.parametrize("what", ["ours", "batch normalization", "hidden randomness", "counting"])
def test_what_is_trained_does_not_depend_on_evaluations(what: str, members: int, tmp_path: Path) -> None:
    pairs: dict[str, Any] = {"counting": (ConvG, CountingD), **PAIRS}
    recipe = short(find_recipe("digits")).replace(seeds=members, batch=4, rounds=12, log_points=3)
    if what in pairs:
        recipe = recipe.replace(generator=pairs[what][0], discriminator=pairs[what][1])
    evaluated, without = train(recipe, tmp_path / "with"), train(recipe, tmp_path / "without", metrics=False)
    assert len(evaluated.story.evaluations[0]) == recipe.log_points
    assert not len(without.story.evaluations[0]) and without.story.real_baseline is None
    assert_same(evaluated, without)


@pytest.mark.usefixtures("every_log_point_is_evaluated")
@pytest.mark.parametrize("which", ["digits", "pattern-1010"])
def test_a_run_left_twice_has_the_metrics_of_one_never_left(which: str, data_dir: Path, tmp_path: Path) -> None:
    recipe = short(find_recipe(which))
    whole = train(recipe, tmp_path / "whole", data_dir=data_dir)
    left = interrupted(recipe, tmp_path / "left", data_dir)
    train(recipe, left.path, data_dir=data_dir)
    (rounds, metrics), (others, theirs) = whole.story.evaluations, left.story.evaluations
    assert rounds.tolist() == others.tolist() == [5, 10, 15, 20, 25]
    assert metrics.keys() == theirs.keys() and {"d_train", "d_generated", "similarity-to-mean"} <= metrics.keys()
    for name, values in metrics.items():
        np.testing.assert_array_equal(theirs[name], values, err_msg=name)
        assert np.isfinite(values).all()
    # One baseline in all: what real data scores does not change from session to session.
    baselines = [run.story.real_baseline or {} for run in (whole, left)]
    assert baselines[0]["metrics"] == baselines[1]["metrics"]
    assert sum(event["event"] == "real-baseline" for event in left.story.events) == 1


@pytest.mark.parametrize(
    "what", ["batch normalization", "dropout", "spectral normalization", "a buffer that every call replaces"]
)
def test_a_look_leaves_the_game_and_chance_as_it_found_them(what: str) -> None:
    generator, discriminator = PAIRS[what]
    recipe = find_recipe("digits").replace(generator=generator, discriminator=discriminator, seeds=2, batch=4)
    game, evaluator = probed(recipe)
    before, torch_seeds = {n: a.copy() for n, a in state_of(game).items()}, torch.get_rng_state()
    first = evaluator.evaluate(game)
    assert torch.equal(torch.get_rng_state(), torch_seeds)
    for name, array in state_of(game).items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)
    second = evaluator.evaluate(game)
    assert all(np.array_equal(first[name], second[name]) for name in first)


# They say what is so.


def digits() -> np.ndarray:
    source = Digits().open(None, "cpu")
    return source.pixels.numpy().astype(np.float32) / 255  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("name", "made", "low", "high"),
    [
        ("diversity", lambda real: real, 0.95, 1.05),
        ("diversity", lambda real: real[:1].repeat(len(real), 0), 0, 1e-3),
        ("roughness", lambda real: real, 0.95, 1.05),
        ("roughness", lambda real: np.random.default_rng(0).random(real.shape, np.float32), 1.3, 2),
        ("roughness", lambda real: np.full_like(real, 0.3), 0, 0),
        ("similarity-to-mean", lambda real: real, 0.95, 1.05),
        ("similarity-to-mean", lambda real: (real + 3 * real.mean(0)) / 4, 3, 5),
        ("similarity-to-mean", lambda real: real.mean(0, keepdims=True).repeat(len(real), 0), 10, MAX_RATIO),
        ("nearest-neighbor", lambda real: real, 0.9, 1.1),
        ("nearest-neighbor", lambda real: 1 - real, 2, 9),
    ],
)
def test_own_numbers(name: str, made: Callable[[np.ndarray], np.ndarray], low: float, high: float) -> None:
    order = np.random.default_rng(0).permutation(digits())
    training, unseen, others = order[:900], order[900:1200], order[1200:1600]
    figures = RelativeMetrics.of(Digits(), training, unseen, len(others))(np.stack([made(others), others]))
    assert low <= figures[name][0] <= high
    assert 0.9 < figures[name][1] < 1.1


@pytest.mark.parametrize(
    ("made", "low", "high"),
    [
        (lambda real: real, 0.5, 0.56),
        (lambda real: 0.01 * real, 0.5, 0.56),
        (lambda real: 0.4 + 0.01 * np.random.default_rng(0).random(real.shape, np.float32), -0.05, 0.05),
        (lambda real: np.random.default_rng(0).random(real.shape, np.float32) > 0.97, -0.05, 0.05),
        (lambda real: np.full_like(real, 0.3), 1, 1),
        (lambda real: np.broadcast_to(np.indices(real.shape[-2:]).sum(0) % 2, real.shape), -1, -0.95),
    ],
    ids=["real", "dark", "faint noise", "scattered pixels", "flat", "alternating"],
)
def test_structure_depends_on_neighbors_and_not_on_contrast(made: Callable[..., Any], low: float, high: float) -> None:
    real = digits()[:400]
    assert low <= float(Structure()(real, made(real)[None])[0]) <= high


def test_noise_like_data_has_no_structure_to_compare_with() -> None:
    noise = np.random.default_rng(0).random((300, 1, 8, 8), np.float32)
    assert "structure" not in RelativeMetrics.of(Digits(), noise[:200], noise[200:], 100).metrics


@pytest.mark.parametrize("put_aside", [True, False])
def test_copies_lie_at_no_distance_and_unseen_examples_at_1(put_aside: bool) -> None:
    order = np.random.default_rng(0).permutation(digits())
    training, unseen, others = order[:900], order[900:1300], order[1300:]
    own = RelativeMetrics.of(Digits(), training, unseen if put_aside else None, len(others))
    assert own(training[None, :100])["nearest-neighbor"] == 0
    assert 0.9 < own(others[None])["nearest-neighbor"] < 1.1


@pytest.mark.parametrize(("share", "known"), [(0.1, True), (0.45, False)])
def test_where_many_examples_are_the_same_nearness_to_one_says_nothing(share: float, known: bool) -> None:
    """Their median distance would be 0 or not by which of them were drawn."""
    real = np.random.default_rng(0).permutation(digits())[:900]
    real[: int(share * len(real))] = real[0]
    real = np.random.default_rng(1).permutation(real)
    assert ("nearest-neighbor" in RelativeMetrics.of(Digits(), real, None, 256).metrics) == known


def test_a_member_that_is_lost_has_no_figures_and_takes_none_from_others() -> None:
    game, evaluator = probed(find_recipe("digits").replace(seeds=3))
    sound = evaluator.evaluate(game)
    with torch.no_grad():
        game.G.parameters[0][1] = torch.nan
    lost = evaluator.evaluate(game)
    assert sound.keys() == lost.keys()
    for name, values in lost.items():
        if name != "d_train":  # D has not seen its samples yet
            assert np.isnan(values[1]), name
        np.testing.assert_allclose(values[[0, 2]], sound[name][[0, 2]], rtol=1e-4, err_msg=name)


@pytest.mark.parametrize("data", ["ring", "digits"])
def test_members_that_are_about_to_diverge_have_figures_or_none(data: str) -> None:
    recipe = find_recipe("digits").replace(data=catalogue.make("datasets", data, {}), seeds=3)
    game, evaluator = probed(recipe.replace(generator=FullyConnected(hidden=(8,))))
    with torch.no_grad():
        for member, factor in enumerate((1, 1e18, 1e36)):
            game.G.parameters[-1][member] *= factor
    told = evaluator.evaluate(game)
    assert np.isfinite(
        [told[name][0] for name in ("frechet-distance", "diversity", "nearest-neighbor", "d_train")]
    ).all()
    assert (told["similarity-to-mean"][1:] < 1e-6).all()


def test_figures_of_real_data_are_near_the_yardstick() -> None:
    """A generator that draws from the data itself."""
    recipe = find_recipe("digits").replace(seeds=2)
    game, evaluator = probed(recipe)
    pixels = torch.from_numpy(np.random.default_rng(5).permutation(digits())) * 2 - 1

    class Perfect:
        size = 2

        def __call__(self, latent: Tensor) -> Tensor:
            count = latent.shape[1]
            self.given = [*getattr(self, "given", ()), count]
            at = sum(self.given[:-1])
            return torch.stack([pixels[at : at + count], pixels[600 + at : 600 + at + count]])

        def train(self, mode: bool) -> None: ...

    perfect: Any = Perfect()
    perfect.parameters, perfect.state = (), dict
    game.G = perfect
    told = evaluator.evaluate(game)
    assert told["modes"].tolist() == [10, 10]
    for name in ("frechet-distance", "confidence", "diversity", "roughness", "similarity-to-mean"):
        np.testing.assert_allclose(told[name], evaluator.real_baseline[name], rtol=0.3, err_msg=name)


def test_held_out_data_is_asked_about_where_there_is_any(data_dir: Path, tmp_path: Path) -> None:
    recipe = short(find_recipe("mnist-v3.2"))
    _, without = probed(recipe, data_dir)
    assert "d_held_out" not in without.evaluate(probed(recipe, data_dir)[0])
    assert without.baseline_event()["held_out"].startswith("none: ") and "t10k" in without.baseline_event()["held_out"]
    home = tmp_path / "data"
    shutil.copytree(data_dir, home)
    shutil.copy(home / "mnist/train-images-idx3-ubyte", home / "mnist/t10k-images-idx3-ubyte")
    game, evaluator = probed(recipe, home)
    told = evaluator.evaluate(game)
    assert evaluator.baseline_event()["held_out"] == "its test split" and told["d_held_out"].shape == (2,)


def test_d_is_told_the_clusters_of_held_out_data(data_dir: Path, tmp_path: Path) -> None:
    """With the training images as held-out ones, each is of the cluster that it is there."""
    home = tmp_path / "data"
    shutil.copytree(data_dir, home)
    shutil.copy(home / "mnist/train-images-idx3-ubyte", home / "mnist/t10k-images-idx3-ubyte")
    game, evaluator = probed(short(find_recipe("mnist-v3.2")).replace(clusters=8), home)
    assert isinstance(evaluator.reals.held_out, Labeled) and isinstance(evaluator.reals.training, Labeled)
    clusters = classes_by_image(game)
    held_out = zip(evaluator.reals.held_out.x[0], evaluator.reals.held_out.classes[0], strict=True)
    assert all(torch.equal(clusters[_key(x)], one_hot) for x, one_hot in held_out)


def test_a_class_conditional_d_is_told_the_classes_of_held_out_data(data_dir: Path, tmp_path: Path) -> None:
    """With the training images as held-out ones, each has the class that it has there, and D says the same of both."""
    home, short_of_labels = tmp_path / "data", tmp_path / "short"
    for folder in (home, short_of_labels):
        shutil.copytree(data_dir, folder)
        shutil.copy(folder / "mnist/train-images-idx3-ubyte", folder / "mnist/t10k-images-idx3-ubyte")
    shutil.copy(home / "mnist/train-labels-idx1-ubyte", home / "mnist/t10k-labels-idx1-ubyte")
    recipe = short(find_recipe("mnist-v3.2")).replace(conditional=True)
    game, evaluator = probed(recipe, home)
    assert isinstance(evaluator.reals.held_out, Labeled) and isinstance(evaluator.reals.training, Labeled)
    classes = classes_by_image(game)
    for x, one_hot in zip(evaluator.reals.held_out.x[0], evaluator.reals.held_out.classes[0], strict=True):
        assert torch.equal(classes[_key(x)], one_hot)
    told = evaluator.evaluate(game)
    np.testing.assert_allclose(told["d_held_out"], told["d_train"], atol=0.02)
    _, without = probed(recipe, short_of_labels)
    assert without.reals.held_out is None and "t10k-labels" in without.baseline_event()["held_out"]


def classes_by_image(game: Game) -> dict[bytes, Tensor]:
    """The class of every training image, one-hot."""
    rng = RandomStreams((0,), game.rng.device, game.rng.dtype)
    assert isinstance(game.source, Images)
    x, classes = draw(game.source, rng, len(game.source.pixels), True)
    assert classes is not None
    return dict(zip(map(_key, x[0]), game.one_hot(classes)[0], strict=True))


def _key(x: Tensor) -> bytes:
    return x.numpy().tobytes()


def test_points_are_held_against_their_modes_and_vectors_against_themselves() -> None:
    ring = find_recipe("digits").replace(data=Ring(), generator=FullyConnected(hidden=(8,)), seeds=2)
    game, evaluator = probed(ring)
    told = evaluator.evaluate(game)
    assert {"high-quality", "reached-modes", "mode-divergence", "diversity", "d_held_out"} <= told.keys()
    assert "roughness" not in told and evaluator.real_baseline["reached-modes"] == 8
    # A generator that is fed one constant cannot be diverse, and says nothing by that.
    game, evaluator = probed(find_recipe("pattern-1010").replace(seeds=2))
    assert evaluator.evaluate(game).keys() == {
        "frechet-distance", "similarity-to-mean", "nearest-neighbor", "d_train", "d_generated", "d_held_out",
            "d_right"
    }  # fmt: skip


def test_the_yardstick_says_what_it_was_taken_with() -> None:
    _, evaluator = probed(find_recipe("digits"))
    told = evaluator.baseline_event()
    assert (told["n"], told["samples"], told["training"], told["judge"]) == (
        COUNT,
        COUNT,
        min(MAX_TRAINING, 1797),
        "digits",
    )
    assert told["searched"] == 1797 and told["metrics"]["modes"] == 10 and told["metrics"]["diversity"] == 1


def test_the_journal_has_quantiles_of_real_and_of_generated_numbers_as_networks_have_them(tmp_path: Path) -> None:
    recipe = short(find_recipe("digits")).replace(seeds=2, rounds=4, log_points=1)
    story = train(recipe, tmp_path / "run").story
    rounds, values = story.quantiles
    assert rounds.tolist() == [4] and values.shape == (1, 2, len(QUANTILES))
    assert (np.diff(values, axis=-1) >= 0).all() and values.min() >= -1 and values.max() <= 1
    assert story.real_quantiles is not None
    pixels = 2 * digits() - 1
    np.testing.assert_allclose(story.real_quantiles, np.quantile(pixels, QUANTILES), atol=0.15)
    assert story.real_quantiles[[0, -1]].tolist() == [-1, 1]


def test_quantiles_are_of_all_numbers_of_a_member_and_none_of_one_that_is_lost() -> None:
    numbers = torch.arange(3 * 1000.0).view(3, 10, 100).clone()
    numbers[1, 2, 3] = torch.nan
    values = quantiles_of(numbers)
    np.testing.assert_allclose(values[0], 999 * np.array(QUANTILES))
    assert np.isnan(values[1]).all() and values[2, 0] == 2000
    many = torch.cat([torch.zeros(1, 10**6), torch.tensor([[7.0]])], 1)
    assert quantiles_of(many)[0].tolist() == [0] * 6 + [7], "the largest is that of all, however few are drawn"


def test_players_that_are_told_classes_are_asked_with_classes() -> None:
    game, evaluator = probed(find_recipe("digits").replace(conditional=True, seeds=2))
    told = evaluator.evaluate(game)
    assert np.isfinite(told["d_train"]).all() and np.isfinite(told["modes"]).all()
    assert "d_held_out" not in told


# Old journals.


def test_a_journal_without_figures_still_opens() -> None:
    log_point = {"event": "log", "round": 10, "logged": [10], "d_loss": [[0.5]], "g_loss": [[0.5]]}
    story = Story({"seeds": [0]}, [log_point])
    assert story.evaluations[0].shape == (0,) and story.evaluations[1] == {} and story.real_baseline is None
    assert story.curve("d_gradient").shape == (1, 1) and np.isnan(story.curve("d_gradient")).all()


def test_figures_that_some_looks_lack_are_gaps() -> None:
    look: dict[str, Any] = {"event": "log", "logged": []}
    events = [look | {"round": 5, "metrics": {"diversity": [0.5, None]}}, look | {"round": 9}]
    events.append(look | {"round": 20, "metrics": {"roughness": [1.0, 2.0]}})
    rounds, figures = Story({"seeds": [0, 1]}, events).evaluations
    assert rounds.tolist() == [5, 20]
    np.testing.assert_array_equal(figures["diversity"], [[0.5, np.nan], [np.nan, np.nan]])
    np.testing.assert_array_equal(figures["roughness"], [[np.nan, np.nan], [1, 2]])


def test_every_trick_lets_samples_be_looked_at(trick: Trick) -> None:
    game, evaluator = probed(find_recipe("digits").replace(tricks=(trick,), seeds=2, batch=60))
    assert all(np.isfinite(values).all() for values in evaluator.evaluate(game).values())


def test_every_objective_lets_samples_be_looked_at(objective: Objective) -> None:
    game, evaluator = probed(find_recipe("digits").replace(objective=objective, tricks=(), seeds=2, batch=60))
    told = evaluator.evaluate(game)
    assert all(np.isfinite(told[name]).all() for name in ("d_train", "d_generated"))


def test_pairs_that_d_ranks_right_are_counted() -> None:
    """Against a count of every pair, of scores with ties and of another number of either kind."""
    rng = torch.Generator().manual_seed(0)
    real, fake = (torch.randint(0, 6, (3, n), generator=rng).double() for n in (20, 30))
    pairs = [(r, f) for r in real[1].tolist() for f in fake[1].tolist()]
    counted = sum((r > f) + 0.5 * (r == f) for r, f in pairs) / len(pairs)
    assert ranked_right(real, fake)[1] == pytest.approx(counted)
    assert ranked_right(fake + 100, fake).tolist() == [1.0] * 3 and ranked_right(fake, fake).tolist() == [0.5] * 3
    fake[0, 0] = torch.nan
    assert np.isnan(ranked_right(real, fake)).tolist() == [True, False, False]
