"""Judges of data that no network is trained on: they see what coordinates alone do not, and are the same every time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from sparring.analysis.judge_choice import choose_judge
from sparring.analysis.samples import one_pass, real_examples
from sparring.datasets.in_memory import InMemory
from sparring.datasets.ring import Ring
from sparring.judges.fixed import fixed_judge
from sparring.metrics import Healthy
from sparring.metrics.density_and_coverage import Coverage
from sparring.metrics.frechet_distance import FrechetDistance
from sparring.metrics.precision_and_recall import Precision, Recall
from tests.laws.rows import Rows

TIME = np.arange(128) / 128
COUNT = 250
METRICS = (FrechetDistance(), Coverage(), Recall(), Precision())


def parabola(rng: np.random.Generator, count: int = COUNT) -> np.ndarray:
    """A table of two columns, of which one is the square of the other."""
    x = rng.uniform(-1, 1, count)
    return np.stack([x, x * x], 1)


def sines(rng: np.random.Generator, count: int = COUNT, noise: float = 0.0) -> np.ndarray:
    """Signals of 128 numbers."""
    pitch, phase = rng.uniform(2, 5, (count, 1)), rng.uniform(size=(count, 1))
    return 0.5 + 0.4 * np.sin(2 * np.pi * (pitch * TIME + phase)) + noise * rng.standard_normal((count, 128))


def independent(rng: np.random.Generator) -> np.ndarray:
    """Each column as in the table, but neither tells of the other."""
    return np.stack([parabola(rng)[:, 0], parabola(rng)[:, 1]], 1)


def ends(healthy: Healthy, real: float, spread: float) -> tuple[float, float]:
    return healthy.ends(real, spread)


def is_healthy(real: np.ndarray, unseen: np.ndarray, samples: np.ndarray) -> bool:
    """Whether every number of a judge lies in its healthy range."""
    judge = fixed_judge(real.astype(np.float32))
    reference, held_out, made = (judge(x.astype(np.float32)).features for x in (real, unseen, samples))
    for metric in METRICS:
        baseline, value = (float(metric(reference, side[None])[0]) for side in (held_out, made))
        low, high = ends(metric.healthy, baseline, metric.spread(reference))
        if not low <= value <= high:
            return False
    return True


@pytest.mark.parametrize("data", [parabola, sines], ids=["table", "signals"])
def test_other_real_examples_are_healthy(data: Callable[..., np.ndarray]) -> None:
    for seed in range(3):
        rng = np.random.default_rng(seed)
        assert is_healthy(data(rng), data(rng), data(rng))


@pytest.mark.parametrize(
    ("data", "spoilt"),
    [
        (parabola, independent),
        (parabola, lambda rng: 0.7 * parabola(rng)),
        (parabola, lambda rng: parabola(rng) + 0.1 * rng.standard_normal((COUNT, 2))),
        (parabola, lambda rng: parabola(rng)[rng.integers(0, 10, COUNT)]),
        (sines, lambda rng: sines(rng, noise=0.05)),
        (sines, lambda rng: (sines(rng) + sines(rng)) / 2),
        (sines, lambda rng: sines(rng)[rng.integers(0, 10, COUNT)]),
        (sines, lambda rng: np.repeat(sines(rng, noise=0.02)[:, ::2], 2, 1)),
        (lambda rng: sines(rng, noise=0.02), sines),
        (lambda rng: sines(rng, noise=0.02), lambda rng: sines(rng, noise=0.36)),
    ],
    ids=[
        *("independent columns", "a smaller range", "a thick curve", "ten rows"),
        *("noise", "two pitches", "ten signals", "steps", "no noise", "18 times the noise"),
    ],
)
def test_spoilt_examples_are_not(data: Callable[..., np.ndarray], spoilt: Callable[..., np.ndarray]) -> None:
    for seed in range(3):
        rng = np.random.default_rng(seed)
        assert not is_healthy(data(rng), data(rng), spoilt(rng))


def test_the_same_examples_give_the_same_judge_and_others_another() -> None:
    first, again, other = (fixed_judge(sines(np.random.default_rng(s)).astype(np.float32)) for s in (0, 0, 1))
    assert first.name == again.name != other.name and first.name.startswith("fixed:")
    x = sines(np.random.default_rng(2)).astype(np.float32)
    np.testing.assert_array_equal(first(x).features, again(x).features)
    assert first(x).features.shape == (COUNT, first.features) and first(x).probabilities is None
    assert 40 < float((first(x).features ** 2).sum(1).mean()) < 90, "about 64, as with judges that are trained"


@pytest.mark.parametrize(
    "examples",
    [
        np.ones((64, 5)),
        np.eye(4)[np.arange(64) % 4],
        np.random.default_rng(0).normal(size=(32, 1)),
        np.random.default_rng(0).normal(size=(40, 2, 16)),
        np.random.default_rng(0).uniform(size=(64, 1, 4, 4)),
        1e6 + np.random.default_rng(0).normal(size=(64, 3)),
    ],
    ids=["one value", "categories", "one number", "two channels", "tiny images", "far from 0"],
)
def test_features_of_any_examples_are_finite(examples: np.ndarray) -> None:
    judge = fixed_judge(examples.astype(np.float32))
    wild = np.concatenate([examples, -1e30 * np.ones_like(examples[:1])]).astype(np.float32)
    assert judge.accepts(examples.shape[1:]) and np.isfinite(judge(wild).features).all()


# What it is made of, and compared with.


def test_finite_data_drawn_in_passes_is_known_by_its_repeats() -> None:
    rows = Rows()
    once = one_pass(rows, rows.open(None, "cpu"))
    assert once is not None and len(once) == 300 == len(np.unique(once, axis=0))
    real = real_examples(rows, rows.open(None, "cpu"), 256, None)
    both = np.concatenate([real.reference, real.held_out])
    assert len(both) == 300 == len(np.unique(both, axis=0)), "no example is on both sides"
    assert real.unseen is None and len(real.some_training) == 300


def test_a_row_that_is_there_twice_ends_no_pass() -> None:
    rows = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    data = InMemory.of(np.concatenate([rows, rows[:1]]))
    real = real_examples(data, data.open(None, "cpu"), 1_000, None, everything=True)
    assert real.training is not None and len(real.training) == 201 and len(real.reference) == len(real.held_out) == 100
    assert len(np.unique(np.concatenate([real.reference, real.held_out]), axis=0)) >= 199


class Categories(Rows):
    """Drawn without end, from four values."""

    shape = (4,)  # pyright: ignore[reportAssignmentType]

    def open(self, data_dir: object = None, device: object = "cpu") -> object:  # pyright: ignore[reportIncompatibleMethodOverride]
        class Drawn:
            def draw(self, rng: object, count: int) -> Tensor:
                chosen = np.random.default_rng(rng.round).integers(4, size=(1, count))  # pyright: ignore[reportAttributeAccessIssue]
                return torch.from_numpy(np.eye(4, dtype=np.float32)[chosen])

        return Drawn()


def test_data_drawn_without_end_is_no_pass_however_few_values_it_has() -> None:
    assert one_pass(Ring(), Ring().open(None, "cpu")) is None
    assert one_pass(Categories(), Categories().open()) is None  # pyright: ignore[reportArgumentType]


def test_the_judge_of_rows_is_made_of_the_half_that_samples_are_compared_with() -> None:
    rows = Rows()
    choice = choose_judge(rows)
    assert choice.judge is not None and "150 real examples" in choice.judge.words and not choice.missing
    assert choose_judge(Ring()).judge is None, "modes that are known say how near samples are"
