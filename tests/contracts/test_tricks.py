"""What every trick must keep."""

from __future__ import annotations

import dataclasses
from typing import Any, get_args

import pytest
import torch
from torch import Tensor

from sparring.chance import Chance
from sparring.errors import UsageError
from sparring.recipe import find_recipe
from sparring.tricks import Moment, Trick
from sparring.tricks.label_smoothing import LabelSmoothing
from sparring.tricks.label_swapping import LabelSwapping

SHAPE = (3, 400)
SEEDS = (4, 0, 99)


def names(trick: Any, truth: int, round: int = 0, rounds: int = 100, seeds: tuple[int, ...] = SEEDS) -> Tensor:
    """What D is told in a round, `(P, B)`."""
    chance = Chance(seeds)
    chance.begin(round)
    told = trick.name(truth, truth, (len(seeds), SHAPE[1]), chance, round / rounds)
    return torch.as_tensor(told, dtype=torch.float32).expand(len(seeds), SHAPE[1])


def test_a_trick_declares_every_moment_it_touches_and_no_other(trick: Any) -> None:
    moments = get_args(Moment)
    assert trick.touches
    for moment in moments:
        overrides = getattr(type(trick), moment) is not getattr(Trick, moment)
        assert overrides == (moment in trick.touches), moment


def test_every_moment_of_the_game_is_a_method_that_changes_nothing_by_itself() -> None:
    class Idle(Trick):
        pass

    for truth in (0, 1):
        assert Idle().name(truth, truth, SHAPE, Chance(SEEDS), 0.5) == truth
    assert Idle().penalty(None, None) == 0.0
    assert {m for m in vars(Trick) if not m.startswith("_") and callable(getattr(Trick, m))} == set(get_args(Moment))


@pytest.mark.parametrize("truth", [0, 1])
@pytest.mark.parametrize("round", [0, 25, 49, 50, 99])
def test_names_lie_between_fake_and_real(trick: Any, truth: int, round: int) -> None:
    told = names(trick, truth, round)
    assert told.min() >= 0
    assert told.max() <= 1
    assert torch.isfinite(told).all()


@pytest.mark.parametrize("truth", [0, 1])
def test_what_a_member_is_told_does_not_depend_on_who_else_plays(trick: Any, truth: int) -> None:
    together = names(trick, truth, 3)
    for member, seed in enumerate(SEEDS):
        assert torch.equal(together[member], names(trick, truth, 3, seeds=(seed,))[0])


def test_a_trick_hears_the_tricks_before_it(trick: Any) -> None:
    """Given a name that is already mixed, it still answers with a name."""
    mixed = torch.full(SHAPE, 0.7)
    told = trick.name(mixed, 1, SHAPE, Chance(SEEDS), 0.0)
    assert torch.as_tensor(told).min() >= 0
    assert torch.as_tensor(told).max() <= 1


def test_a_penalty_is_a_number_for_every_example(trick: Any) -> None:
    examples = torch.rand(3, 5, 4)
    for real, fake in ((examples, None), (None, examples), (examples, examples)):
        penalty = torch.as_tensor(trick.penalty(real, fake))
        assert penalty.shape in ((), (3, 5))


def test_a_trick_plays_in_a_game(trick: Any, data_dir: Any) -> None:
    from sparring.assembly import game_of

    recipe = find_recipe("digits").with_(seeds=2, tricks=(trick,), batch=4)
    game = game_of(recipe, recipe.data.open(data_dir, "cpu"))
    game.watched = True
    for _ in range(3):
        game.play()
    assert all(torch.isfinite(figure).all() for figures in game.notes.values() for figure in figures)


def test_a_trick_is_one_frozen_value(trick: Any) -> None:
    assert dataclasses.replace(trick) == trick
    assert hash(dataclasses.replace(trick)) == hash(trick)


# Each trick's own promise.


def test_smoothed_labels_lie_in_their_ranges_and_fill_them() -> None:
    trick = LabelSmoothing(real=(0.7, 1.0), fake=(0.0, 0.3))
    real, fake = names(trick, 1), names(trick, 0)
    assert 0.7 <= real.min() < 0.72
    assert 0.98 < real.max() <= 1.0
    assert 0 <= fake.min() < 0.02
    assert 0.28 < fake.max() <= 0.3


def test_a_range_of_no_width_is_a_fixed_label() -> None:
    assert torch.equal(names(LabelSmoothing(real=(0.9, 0.9)), 1), torch.full(SHAPE, 0.9))
    assert torch.equal(names(LabelSmoothing(real=(0.9, 0.9)), 0), torch.zeros(SHAPE))


@pytest.mark.parametrize("truth", [0, 1])
@pytest.mark.parametrize(
    ("swapping", "round", "share"),
    [
        (LabelSwapping(0.4, until=0.5), 0, 0.4),
        (LabelSwapping(0.4, until=0.5), 25, 0.2),
        (LabelSwapping(0.4, until=0.5), 50, 0.0),
        (LabelSwapping(0.4, until=0.5), 99, 0.0),
        (LabelSwapping(0.4, until=1.0), 50, 0.2),
        (LabelSwapping(0.4, until=0.0), 99, 0.4),
        (LabelSwapping(1.0, until=0.0), 99, 1.0),
        (LabelSwapping(0.0, until=0.5), 0, 0.0),
    ],
)
def test_swapped_labels_fall_to_none_by_the_stated_share_of_the_run(
    swapping: LabelSwapping, round: int, share: float, truth: int
) -> None:
    swapped = (names(swapping, truth, round) != truth).float().mean()
    slack = 5 * (share * (1 - share) / (SHAPE[0] * SHAPE[1])) ** 0.5  # five standard errors of a share
    assert abs(float(swapped) - share) <= slack
    assert swapping.rate_at(round / 100) == pytest.approx(share)


@pytest.mark.parametrize(
    "make",
    [
        lambda: LabelSmoothing(real=(1.0, 0.9)),
        lambda: LabelSmoothing(real=(0.9, 1.1)),
        lambda: LabelSmoothing(fake=(-0.1, 0.1)),
        lambda: LabelSwapping(1.5),
        lambda: LabelSwapping(-0.1),
        lambda: LabelSwapping(0.1, until=2.0),
    ],
)
def test_values_that_make_no_sense_are_refused_where_they_are_written(make: Any) -> None:
    with pytest.raises((ValueError, UsageError)) as caught:
        make()
    assert len(str(caught.value).splitlines()) == 1
