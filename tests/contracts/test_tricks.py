"""What every trick must keep, and what is refused."""

from __future__ import annotations

import dataclasses
from typing import Any, get_args

import numpy as np
import pytest
import torch
from torch import Tensor

from sparring import catalogue
from sparring.errors import UsageError
from sparring.game.assembly import AVERAGED, restore
from sparring.game.moves import MODERN, TEXTBOOK
from sparring.networks.fully_connected import FullyConnected
from sparring.optimizers.adam import Adam
from sparring.optimizers.sgd import SGD
from sparring.recipe import Recipe
from sparring.tricks import Hook, Scored, Trick
from sparring.tricks.adaptive_augmentation import AdaptiveAugmentation
from sparring.tricks.beta_schedule import BetaSchedule
from sparring.tricks.diff_augment import DiffAugment
from sparring.tricks.dragan import DRAGAN
from sparring.tricks.exponential_moving_average import ExponentialMovingAverage
from sparring.tricks.gradient_clipping import GradientClipping
from sparring.tricks.gradient_penalty import GradientPenalty
from sparring.tricks.instance_noise import InstanceNoise
from sparring.tricks.label_smoothing import LabelSmoothing
from sparring.tricks.label_swapping import LabelSwapping
from sparring.tricks.learning_rate_schedule import LearningRateSchedule
from sparring.tricks.packing import Packing
from sparring.tricks.r1 import R1
from sparring.tricks.r1_r2 import R1R2
from sparring.tricks.r2 import R2
from sparring.tricks.top_k import TopK
from sparring.tricks.two_time_scales import TwoTimeScales
from sparring.tricks.weight_clipping import WeightClipping
from tests.contracts.trick_games import SEEDS, SHAPE, SMALL, begun, kept, labels_of, now, played

LIVELY = {
    "adaptive-augmentation": {"start": 0.5},
    "exponential-moving-average": {"half_life": 3.0},
    "gradient-clipping": {"max_norm": 0.01},
}
"""Values at which a trick does something within a few rounds, where its defaults are for thousands."""


@pytest.fixture(autouse=True)
def same_numbers_every_time() -> None:
    torch.manual_seed(0)


def lively(trick: Any) -> Any:
    return dataclasses.replace(trick, **LIVELY.get(catalogue.name_of(type(trick)) or "", {}))


def test_a_trick_names_the_hooks_it_overrides_and_no_others(trick: Any) -> None:
    moments = get_args(Hook)
    assert trick.hooks
    for moment in moments:
        overrides = getattr(type(trick), moment) is not getattr(Trick, moment)
        assert overrides == (moment in trick.hooks), moment


@pytest.mark.parametrize("round", [0, 30, 90])
def test_the_mean_label_is_what_labels_average_to(trick: Any, round: int) -> None:
    moment = now(round)
    for truth in (0, 1):
        labels = torch.as_tensor(trick.label(float(truth), truth, (len(SEEDS), 20_000), moment), dtype=torch.float64)
        assert float(labels.mean()) == pytest.approx(trick.mean_label(float(truth), truth, round / 100), abs=0.01)


def test_every_hook_is_a_method_that_changes_nothing_by_itself() -> None:
    class Idle(Trick):
        hooks = frozenset[Hook]()

    for truth in (0, 1):
        assert Idle().label(truth, truth, SHAPE, now()) == truth == Idle().mean_label(truth, truth, 0.5)
    x, loss = torch.rand(*SHAPE, 4), torch.rand(SHAPE)
    assert Idle().penalty(None, None, lambda x, classes: Scored(x, loss), now()) == 0.0
    assert Idle().augment(x, now()) is x
    assert Idle().select_g_loss(loss, loss, now()) is loss
    assert Idle().step(Adam(), "G", now()) == Adam()
    methods = {m for m in vars(Trick) if not m.startswith("_") and callable(getattr(Trick, m))}
    assert methods - {"check", "begin", "shape", "averaged", "mean_label"} == set(get_args(Hook))


@pytest.mark.parametrize("truth", [0, 1])
@pytest.mark.parametrize("round", [0, 25, 49, 50, 99])
def test_labels_lie_between_fake_and_real(trick: Any, truth: int, round: int) -> None:
    labels = labels_of(trick, truth, round)
    assert labels.min() >= 0
    assert labels.max() <= 1
    assert torch.isfinite(labels).all()


@pytest.mark.parametrize("truth", [0, 1])
@pytest.mark.parametrize("round", [0, 25, 99])
def test_the_mean_label_is_the_mean_of_the_labels(trick: Any, truth: int, round: int) -> None:
    if "label" in trick.hooks:
        drawn = trick.label(float(truth), truth, (1, 20_000), now(round, seeds=(0,)))
        labels = torch.as_tensor(drawn, dtype=torch.float32).flatten()
        error = float(labels.std(correction=0)) / 20_000**0.5
        expected = trick.mean_label(float(truth), truth, round / 100)
        assert float(labels.mean()) == pytest.approx(expected, abs=5 * error + 1e-6)


@pytest.mark.parametrize("truth", [0, 1])
def test_a_members_labels_do_not_depend_on_who_else_trains(trick: Any, truth: int) -> None:
    together = labels_of(trick, truth, 3)
    for member, seed in enumerate(SEEDS):
        assert torch.equal(together[member], labels_of(trick, truth, 3, seeds=(seed,))[0])


def test_a_trick_takes_the_labels_of_the_tricks_before_it(trick: Any) -> None:
    """Given a name that is already mixed, it still answers with a name."""
    mixed = torch.full(SHAPE, 0.7)
    labels = trick.label(mixed, 1, SHAPE, now())
    assert torch.as_tensor(labels).min() >= 0
    assert torch.as_tensor(labels).max() <= 1


def test_a_trick_plays_in_a_game(trick: Any) -> None:
    rounds = [MODERN] if trick.joint_step else [MODERN, TEXTBOOK]
    for moves in rounds:
        game = begun(SMALL.replace(round=moves), trick)
        for _ in range(3):
            game.recording = True
            game.play()
        assert all(torch.isfinite(figure).all() for figures in game.logged.values() for figure in figures)


def test_a_trick_changes_the_game(trick: Any) -> None:
    plain, changed = kept(played(SMALL)), kept(played(SMALL, lively(trick)))
    shown = {name.removeprefix(AVERAGED): array for name, array in changed.items() if name.startswith(AVERAGED)}
    if shown:
        assert all(not np.array_equal(array, changed[f"G.{name}"]) for name, array in shown.items())
    else:
        assert any(changed[name].shape != plain[name].shape or (changed[name] != plain[name]).any() for name in plain)


def test_a_member_plays_the_same_alone_as_among_others(trick: Any) -> None:
    together = kept(played(SMALL, lively(trick)))
    for member, seed in enumerate(SEEDS):
        alone = kept(played(SMALL.replace(seeds=(seed,)), lively(trick)))
        assert alone.keys() == together.keys()
        for name, array in alone.items():
            if ".memory.steps" not in name:
                np.testing.assert_allclose(together[name][member], array[0], rtol=0, atol=1e-10, err_msg=name)


def test_a_game_that_was_left_goes_on_bit_for_bit(trick: Any) -> None:
    whole = kept(played(SMALL, lively(trick), rounds=7))
    saved = kept(played(SMALL, lively(trick), rounds=3))
    resumed = begun(SMALL, lively(trick))
    restore(resumed, 3, saved)
    for _ in range(4):
        resumed.play()
    again = kept(resumed)
    assert again.keys() == whole.keys()
    for name, array in whole.items():
        np.testing.assert_array_equal(again[name], array, err_msg=name)


def test_a_recipe_with_it_survives_json(trick: Any) -> None:
    recipe = SMALL.replace(tricks=(lively(trick), trick))
    assert Recipe.from_json(recipe.to_json()) == recipe
    for each in recipe.tricks:
        assert catalogue.read("tricks", catalogue.to_text(each)) == each


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"data": catalogue.read("datasets", "ring"), "generator": FullyConnected((12,))}, "images"),
        ({"conditional": True}, "classes"),
    ],
    ids=["points in the plane", "class-conditional"],
)
def test_other_games_are_played_or_refused_before_they_begin(trick: Any, changes: Any, what: str) -> None:
    refusal = ""
    try:
        game = begun(SMALL.replace(**changes), trick)
    except UsageError as error:
        refusal = str(error)
    else:
        for _ in range(2):
            game.play()
        assert all(torch.isfinite(w).all() for player in game.players.values() for w in player.networks.parameters)
    assert not refusal or (what in refusal and len(refusal.splitlines()) == 1)


def test_it_says_when_to_use_it_and_where_it_is_from(trick: Any) -> None:
    assert trick.when
    assert any(character.isdigit() for character in trick.source)


def test_a_trick_is_one_frozen_value(trick: Any) -> None:
    assert dataclasses.replace(trick) == trick
    assert hash(dataclasses.replace(trick)) == hash(trick)


@pytest.fixture
def w() -> Tensor:
    """Weights of three linear discriminators of slopes 1, 3 and 0.2, `(P, F)`."""
    raw = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    return (raw / raw.norm(dim=1, keepdim=True) * torch.tensor([[1.0], [3.0], [0.2]])).requires_grad_()


# What cannot be.


@pytest.mark.parametrize(
    ("changes", "chosen", "says"),
    [
        ({"generator_optimizer": SGD()}, BetaSchedule(), "SGD has no betas"),
        ({"data": catalogue.read("datasets", "ring")}, DiffAugment(), "diff-augment is for images"),
        ({"data": catalogue.read("datasets", "ring")}, AdaptiveAugmentation(), "adaptive-augmentation is for images"),
        ({"batch": 5}, Packing(2), "needs a batch size that is a multiple of 2, not 5"),
        ({"conditional": True}, Packing(2), "does not work with classes or clusters"),
        ({"round": TEXTBOOK}, GradientPenalty(), "use the round d_sees_both g_fools_d"),
    ],
)
def test_a_game_that_cannot_be_is_refused_before_it_begins(changes: Any, chosen: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        begun(SMALL.replace(**changes), chosen)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda: LabelSmoothing(real=(1.0, 0.9)),
        lambda: LabelSmoothing(real=(0.9, 1.1)),
        lambda: LabelSmoothing(fake=(-0.1, 0.1)),
        lambda: LabelSwapping(1.5),
        lambda: LabelSwapping(-0.1),
        lambda: LabelSwapping(0.1, until=2.0),
        lambda: R1(gamma=-1.0),
        lambda: R2(every=0),
        lambda: R1R2(until=0.0),
        lambda: GradientPenalty(weight=-1.0),
        lambda: DRAGAN(reach=0.0),
        lambda: WeightClipping(0.0),
        lambda: GradientClipping(0.0),
        lambda: ExponentialMovingAverage(half_life=0.0),
        lambda: InstanceNoise(sd=-0.1),
        lambda: DiffAugment(strength=2.0),
        lambda: catalogue.read("tricks", "diff-augment(policy=('shear',))"),
        lambda: AdaptiveAugmentation(start=2.0),
        lambda: Packing(0),
        lambda: TopK(final=0.0),
        lambda: TwoTimeScales(-1.0),
        lambda: LearningRateSchedule(warm_up=2.0),
        lambda: BetaSchedule(end=1.5),
    ],
)
def test_values_that_make_no_sense_are_refused_where_they_are_written(make: Any) -> None:
    with pytest.raises((ValueError, UsageError)) as caught:
        make()
    assert len(str(caught.value).splitlines()) == 1
