"""Blank images and noise among samples are counted; what real images are, and what has structure, is none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.datasets import load_digits

from sparring.analysis.diagnosis import diagnosis
from sparring.metrics.outliers import Outliers
from sparring.rules import Range
from sparring.rules._stories import story

IMAGES = load_digits().images.astype(np.float32)[:, None] / 16
ORDER = np.random.default_rng(0).permutation(len(IMAGES))
REAL, HELD_OUT, SAMPLES = IMAGES[ORDER[:512]], IMAGES[ORDER[512:768]], IMAGES[ORDER[768:1024]]
HEALTHY = Range.of(Outliers.healthy, float(Outliers()(REAL, HELD_OUT[None])[0]))
WRONG = 13
"""A twentieth of the samples."""


def noise(images: np.ndarray) -> np.ndarray:
    return np.random.default_rng(1).random(images.shape, dtype=np.float32)


def share(samples: np.ndarray, real: np.ndarray = REAL) -> float:
    return float(Outliers()(real, samples[None])[0])


def some(change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Samples of which a twentieth are changed."""
    return np.concatenate([change(SAMPLES[:WRONG]), SAMPLES[WRONG:]])


@pytest.mark.parametrize(
    "change",
    [noise, np.zeros_like, np.ones_like, lambda i: 0.5 + 0.02 * i, lambda i: 0.5 + 0.1 * (noise(i) - 0.5)],
    ids=["noise", "black", "white", "faint", "faint noise"],
)
def test_a_twentieth_that_is_unlike_any_image_is_counted(change: Callable[[np.ndarray], np.ndarray]) -> None:
    assert share(some(change)) == pytest.approx(WRONG / len(SAMPLES), abs=1.5 / len(SAMPLES))
    assert not HEALTHY.contains(np.array(share(some(change))))
    in_color = [np.concatenate([images, images[:, :, ::-1], images], 1) for images in (some(change), REAL)]
    assert share(*in_color) > HEALTHY.high


@pytest.mark.parametrize(
    "made",
    [
        SAMPLES,
        SAMPLES[:, :, ::-1],
        (SAMPLES + HELD_OUT) / 2,
        0.6 * SAMPLES + 0.3,
        np.clip(SAMPLES + 0.1 * (noise(SAMPLES) - 0.5), 0, 1),
        SAMPLES[np.arange(256) % 4],
    ],
    ids=["nothing", "upside down", "means of two", "brightness", "a little noise", "four images"],
)
def test_what_has_contrast_and_structure_is_none(made: np.ndarray) -> None:
    assert HEALTHY.contains(np.array(share(made)))


def test_one_blank_image_in_the_data_hides_no_blank_samples_and_many_of_them_make_these_usual() -> None:
    real = REAL.copy()
    real[0] = 0
    assert share(some(np.zeros_like), real) == WRONG / len(SAMPLES)
    real[: len(real) // 20] = 0
    assert share(some(np.zeros_like), real) == 0
    assert share(some(noise), real) > HEALTHY.high


def test_data_that_is_noise_has_no_outliers_of_structure() -> None:
    assert share(noise(SAMPLES), noise(REAL)) == 0
    assert share(some(np.zeros_like), noise(REAL)) == WRONG / len(SAMPLES)


def test_what_cannot_be_seen_counts_nothing() -> None:
    """Colors under an alpha of 0: noise beneath it is blank, and so are data that show nothing."""
    alpha = np.ones_like(REAL)
    real = np.concatenate([REAL, REAL, REAL, alpha], 1)
    hidden = np.concatenate([noise(REAL), noise(REAL), noise(REAL), 0 * alpha], 1)
    assert share(hidden[:256], real) == 1
    half_hidden = np.concatenate([real[256:], hidden[:256]])
    assert share(hidden[256:], half_hidden) == 0


def test_of_few_images_nothing_is_said() -> None:
    assert share(noise(SAMPLES), REAL[:49]) == 0 == share(noise(SAMPLES)[:49])
    assert share(noise(SAMPLES), REAL[:50]) > 0.9


def test_it_is_for_images_of_eight_pixels_or_more() -> None:
    assert [Outliers().fits(shape) for shape in ((1, 8, 8), (4, 32, 32), (3, 7, 9), (64,), (2, 100))] == [
        *(True, True),
        *(False, False, False),
    ]


def test_a_wrong_twentieth_is_the_verdict_and_what_explains_more_comes_first() -> None:
    found = diagnosis(story(metrics={"outliers": 0.05}))
    assert found.verdict == "outliers"
    assert found.findings[0].claim.startswith(
        "Some samples are nothing like the data: 13 of 256 samples, 5%, are nearly blank, noise or of extreme contrast"
    )
    ahead = {"d_real": 0.95, "d_fake": 0.05}
    poor = {"outliers": 0.3, "frechet-distance": (40.0, 20.0, 20.0, 20.0)}
    others = {
        "discriminator-wins": diagnosis(story(ahead, poor)),
        "noise-output": diagnosis(story(metrics={**poor, "structure": 0.05, "roughness": 2.6})),
        "mode-collapse": diagnosis(story(metrics={**poor, "diversity": 0.3})),
        "wrong-colors": diagnosis(story(metrics={**poor, "colors": 1.0})),
        "fixed-pattern": diagnosis(story(metrics={**poor, "fixed-pattern": 0.5})),
        "undertrained": diagnosis(story(metrics={**poor, "frechet-distance": (60.0, 30.0, 20.0, 12.0)}, rounds=600)),
    }
    assert {name: each.verdict for name, each in others.items()} == {name: name for name in others}
    assert diagnosis(story(metrics={"outliers": 0.015})).verdict == "equilibrium"


def test_a_few_wrong_samples_do_not_make_all_of_them_bad() -> None:
    """Else a D that leads a little would count as one that G cannot follow."""
    for number in (0.06, 0.1, 0.4):
        rules = [finding.rule for finding in diagnosis(story(metrics={"outliers": number})).findings]
        assert rules == ["outliers"]
