"""Samples that are the same as another are counted; what is dense, or the same in the data, is not unhealthy."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from sparring.analysis.diagnosis import diagnosis
from sparring.metrics.repeats import Repeats
from sparring.record import Story
from sparring.rules import Range
from sparring.rules._stories import story

IMAGES = load_digits().images.astype(np.float32)[:, None] / 16
ORDER = np.random.default_rng(0).permutation(len(IMAGES))
REAL, HELD_OUT, SAMPLES = IMAGES[ORDER[:512]], IMAGES[ORDER[512:768]], IMAGES[ORDER[768:1768]]
MEASURED = len(SAMPLES)


def share(samples: np.ndarray, real: np.ndarray = REAL) -> float:
    return float(Repeats()(real, samples[None])[0])


def highest(real: np.ndarray, held_out: np.ndarray) -> float:
    return Range.of(Repeats.healthy, share(held_out, real)).high


def some(samples: np.ndarray, one_in: int = 10) -> np.ndarray:
    """Every tenth is the first of all."""
    made = samples.copy()
    made[::one_in] = made[0]
    return made


def noise(samples: np.ndarray, sd: float) -> np.ndarray:
    return sd * samples.std() * np.random.default_rng(1).normal(size=samples.shape).astype(np.float32)


@pytest.mark.parametrize("count", [256, MEASURED])
def test_a_tenth_that_is_the_same_is_counted_with_few_samples_and_with_many(count: int) -> None:
    sound = SAMPLES[:count]
    assert share(sound) == 0 == share(HELD_OUT)
    same = some(sound)
    assert share(same) == pytest.approx(0.1, abs=0.003)
    assert share(same + noise(same, 1 / 50)) == pytest.approx(0.1, abs=0.003)
    assert share(some(sound, 20)) > highest(REAL, HELD_OUT)


def test_a_few_images_repeated_are_found_in_whatever_order_they_come() -> None:
    kinds = np.arange(MEASURED) % 250
    for order in (kinds, np.sort(kinds), np.random.default_rng(2).permutation(kinds)):
        assert share(SAMPLES[order]) > 0.3


def test_members_that_are_dense_have_no_repeats() -> None:
    """Points of modes that are narrower than the data's lie near one another, each somewhere else."""
    rng = np.random.default_rng(3)
    angle = rng.integers(8, size=2_000) * np.pi / 4
    centers, away = np.stack([np.cos(angle), np.sin(angle)], 1), rng.normal(size=(2_000, 2))
    real, narrow = (centers + 0.05 * away)[:512], (centers + 0.01 * away)[512:1_512]
    assert share(narrow, real) < 0.02 > share(narrow[:256], real)
    assert share(some(narrow), real) == pytest.approx(0.1, abs=0.02)
    assert share(1e4 + some(narrow), 1e4 + real) == pytest.approx(0.1, abs=0.02)


def test_data_that_repeats_itself_makes_repeats_usual() -> None:
    rng = np.random.default_rng(4)
    rows = rng.poisson((1, 2, 1), (2_000, 3)).astype(np.float32)
    real, held_out, samples = rows[:512], rows[512:768], rows[768:1_768]
    assert share(held_out, real) > 0.5
    assert share(samples, real) < highest(real, held_out) > share(samples[:256], real)
    assert share(samples, real) == pytest.approx(share(samples[:256], real), abs=0.04)
    one = np.ones((512, 1, 4, 4), np.float32)
    assert share(one[:256], one) == 1


def test_of_fewer_real_rows_as_many_samples_are_compared_at_a_time() -> None:
    assert share(SAMPLES, REAL[:75]) == 0
    assert share(some(SAMPLES), REAL[:75]) == pytest.approx(0.1, abs=0.003)


def test_it_is_found_and_said_of_some_samples_where_all_together_are_varied() -> None:
    found = diagnosis(story(metrics={"repeats": 26 / 256}))
    assert found.verdict == "mode-collapse" and len(found.findings) == 1
    assert found.findings[0].claim.startswith(
        "Some samples are the same: 26 of 256 samples, 10%, are all but the same as another (healthy: at most 4%)"
    )
    assert diagnosis(story(metrics={"repeats": 0.02})).verdict == "equilibrium"
    most = diagnosis(story(metrics={"repeats": 0.6})).findings[0].claim
    assert most.startswith("Most samples repeat one another: 153 of 256 samples, 60%")
    collapsed = diagnosis(story(metrics={"repeats": 0.6, "diversity": 0.2, "modes": 2.0})).findings[0].claim
    assert collapsed.startswith("The samples lack variety: they cover 2 of 10 classes")


def test_a_measurement_says_more_than_the_last_evaluations() -> None:
    """Of 1,000 samples, where evaluations saw none that are the same, or too many."""
    for evaluated, measured in ((0.0, 0.1), (0.1, 0.0)):
        made = story(metrics={"repeats": evaluated})
        of_samples = {"repeats": {"members": [measured] * len(made.seeds), "real": 0.0}}
        event = {"event": "measured", "round": made.round, "n": 1_000, "judge": "digits", "seeds": made.seeds}
        found = diagnosis(Story(made.recipe, [*made.events, {**event, "metrics": of_samples}]))
        if measured:
            assert found.findings[0].claim.startswith("Some samples are the same: 100 of 1,000 samples, 10%")
        else:
            assert found.verdict == "equilibrium"


def test_what_explains_that_samples_are_the_same_comes_first() -> None:
    others = {
        "outliers": {"outliers": 0.1},
        "memorization": {"nearest-neighbor": 0.1},
        "noise-output": {"structure": 0.05, "roughness": 2.6, "frechet-distance": (40.0, 20.0, 20.0)},
    }
    found = {name: diagnosis(story(metrics={"repeats": 0.1, **each})).verdict for name, each in others.items()}
    assert found == {name: name for name in others}


def test_a_g_that_can_make_but_few_examples_is_not_laid_to_d() -> None:
    """A latent vector of three coin flips: D cannot tell eight good signals from the data, nor teach it a ninth."""
    outputs = {"d_loss": 0.69, "g_loss": 0.69, "d_real": 0.505, "d_fake": 0.5}
    far = {"frechet-distance": 90.0, "recall": 0.0, "coverage": 0.0}
    assert diagnosis(story(outputs, {**far, "repeats": 1.0})).verdict == "mode-collapse"
    assert diagnosis(story(outputs, {**far, "repeats": 0.01})).verdict == "weak-discriminator"
