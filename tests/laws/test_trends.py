"""Law: a curriculum on real examples is no sorted data, and sorted data are found however often they come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from sparring.analysis.diagnosis import diagnosis
from sparring.record import Story
from sparring.record.loop import UNORDERED
from sparring.rules._loops import SOUND, loop_story
from sparring.training.watch.moments import Moments
from sparring.training.watch.recent import Recent
from sparring.training.watch.rounds import is_close

COUNT, BATCH, CLASSES = 2_000, 64, 8


def images() -> tuple[Tensor, Tensor]:
    """Random blobs of 8 x 8 pixels of some classes, which differ in brightness and size, in no order."""
    generator = torch.Generator().manual_seed(3)
    y = torch.randint(CLASSES, (COUNT,), generator=generator)
    order = torch.tensor([3, 6, 0, 5, 1, 7, 2, 4])[y].float()[:, None, None, None]
    coarse = torch.rand(COUNT, 1, 4, 4, generator=generator)
    return F.interpolate(coarse, size=8) + 0.1 * order, y


X, Y = images()
OF_CLASS = [X[kind == Y].repeat(6, 1, 1, 1)[: COUNT // 2] for kind in range(CLASSES)]
BY_CLASS, BY_BRIGHTNESS = X[Y.argsort(stable=True)], X[X.mean((1, 2, 3)).argsort()]


def at_random(round: int, share: float) -> Tensor:
    return X[torch.randint(COUNT, (BATCH,))]


def blurred(x: Tensor, by: float) -> Tensor:
    return (1 - by) * x + by * F.avg_pool2d(F.pad(x, (1, 1, 1, 1)), 3, 1)


def cut_out(round: int, share: float) -> Tensor:
    x = at_random(round, share)
    return x * (torch.rand(BATCH, 1, 1, 1) > 0.5 * share)


def once_through(x: Tensor) -> Callable[[int, float], Tensor]:
    return lambda round, share: x[int(share * (COUNT - BATCH)) :][:BATCH]


def epochs_of(x: Tensor, rounds: int) -> Callable[[int, float], Tensor]:
    return lambda round, share: x[round % rounds * (COUNT - BATCH) // rounds :][:BATCH]


CURRICULA: dict[str, Callable[[int, float], Tensor]] = {
    "a blur that fades": lambda round, share: blurred(at_random(round, share), max(0.0, 1 - 2 * share)),
    "a blur that fades slowly": lambda round, share: blurred(at_random(round, share), 0.6 * (1 - share)),
    "cut-out that grows": cut_out,
    "brighter and brighter": lambda round, share: at_random(round, share) * (1 + share),
}
SORTED: dict[str, Callable[[int, float], Tensor]] = {
    "by class, once": once_through(BY_CLASS),
    "two classes, once": once_through(torch.cat([OF_CLASS[2], OF_CLASS[5]])),
    "by class, epochs of 40": epochs_of(BY_CLASS, 40),
    "by class, epochs of 200": epochs_of(BY_CLASS, 200),
    "by class, epochs of 64": epochs_of(BY_CLASS, 64),
    "three classes, brighter and brighter, epochs of 64": epochs_of(torch.cat([OF_CLASS[k] for k in (2, 0, 5)]), 64),
    "by brightness, epochs of 40": epochs_of(BY_BRIGHTNESS, 40),
    "by brightness, epochs of 300": epochs_of(BY_BRIGHTNESS, 300),
}


def moments_of(batch: Callable[[int, float], Tensor], seed: int, rounds: int = 1_000) -> Moments:
    torch.manual_seed(seed)
    moments = Moments()
    for round in filter(is_close, range(rounds)):
        moments.add(batch(round, round / rounds), round)
    return moments


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", CURRICULA)
def test_what_goes_one_way_is_a_schedule(name: str, seed: int) -> None:
    moments = moments_of(CURRICULA[name], seed)
    assert moments.spread is not None and moments.spread < UNORDERED < moments.trend


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", SORTED)
def test_sorted_data_are_found(name: str, seed: int) -> None:
    moments = moments_of(SORTED[name], seed)
    assert moments.spread is not None and moments.spread > UNORDERED


@pytest.mark.parametrize("seed", range(5))
def test_shuffled_data_are_neither(seed: int) -> None:
    moments = moments_of(at_random, seed)
    assert moments.spread is not None and moments.spread < UNORDERED / 2 and moments.trend < UNORDERED / 2


def test_data_that_have_not_turned_yet_are_not_called_sorted() -> None:
    """In the first rounds of a long epoch there is no saying whether it comes back."""
    moments = moments_of(epochs_of(BY_BRIGHTNESS, 1_000), 0, rounds=400)
    assert moments.spread is not None and moments.spread < UNORDERED < moments.trend


def three_classes_once(round: int, share: float) -> Tensor:
    return F.interpolate(torch.rand(BATCH, 1, 4, 4), size=8) + 0.3 * int(3 * share)


SHOWN_LAST: dict[str, tuple[Callable[[int, float], Tensor], bool]] = {
    "a blur that fades": (CURRICULA["a blur that fades"], True),
    "brighter and brighter": (CURRICULA["brighter and brighter"], False),
    "three classes, once": (three_classes_once, False),
}


@pytest.mark.parametrize("name", SHOWN_LAST)
def test_what_d_is_given_last_is_known_where_it_changes_no_more(name: str) -> None:
    """Nothing is, of sorted data: the last of their classes would stand for all of them."""
    batch, is_known = SHOWN_LAST[name]
    torch.manual_seed(0)
    recent, rounds = Recent(), 2_000
    for round in filter(is_close, range(rounds)):
        recent.add(batch(round, round / rounds), 2 * UNORDERED)
    last = recent.steady()
    assert (last is not None) == is_known
    if last is not None:
        known = {row.tobytes() for row in X.numpy()}
        assert all(row.tobytes() in known for row in last), "none is blurred"


def test_comparisons_count_from_then_on() -> None:
    data = replace(SOUND.data, trend=2 * UNORDERED, renewed=True)
    made = loop_story(good=True, data=data)
    baseline = next(event for event in made.events if event["event"] == "real-baseline")
    assert diagnosis(made).verdict == "not-sure", "all comparisons are older"
    events = [{**event, "renewed": True} if event is baseline else event for event in made.events]
    assert diagnosis(Story(made.recipe, events)).verdict == "equilibrium"


def test_nothing_is_said_of_samples_that_were_compared_with_what_d_is_given_no_more() -> None:
    steady = loop_story(good=True, data=replace(SOUND.data, total=0))
    changed = loop_story(good=True, data=replace(SOUND.data, total=0, trend=2 * UNORDERED))
    given = loop_story(good=True, data=replace(SOUND.data, total=1_000, trend=2 * UNORDERED))
    assert diagnosis(steady).verdict == diagnosis(given).verdict != "not-sure"
    found = diagnosis(changed)
    assert found.verdict == "not-sure" and found.doubt.startswith("what D is given changes as training goes on")
