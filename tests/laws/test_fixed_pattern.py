"""A flaw at the same place in all samples is seen; what differs from image to image, or everywhere, is none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.datasets import load_digits

from sparring.metrics.fixed_pattern import FixedPattern
from sparring.rules import Range

IMAGES = load_digits().images.astype(np.float32)[:, None] / 16
ORDER = np.random.default_rng(0).permutation(len(IMAGES))
REAL, HELD_OUT, SAMPLES = IMAGES[ORDER[:256]], IMAGES[ORDER[256:512]], IMAGES[ORDER[512:768]]
HEALTHY = Range.of(FixedPattern.healthy, float(FixedPattern()(REAL, HELD_OUT[None])[0]))


def marked(rows: slice, columns: slice, level: float) -> np.ndarray:
    """Samples that have this level here, each of them."""
    made = SAMPLES.copy()
    made[..., rows, columns] = level
    return made


def marked_anywhere(samples: np.ndarray) -> np.ndarray:
    """Each sample has one bright pixel, at a place of its own."""
    made = samples.copy().reshape(len(samples), -1)
    made[np.arange(len(made)), np.random.default_rng(1).integers(made.shape[1], size=len(made))] = 1
    return made.reshape(samples.shape)


@pytest.mark.parametrize(
    "made",
    [
        marked(slice(0, 1), slice(0, 1), 0.3),
        marked(slice(0, 2), slice(0, 2), 1.0),
        marked(slice(7, 8), slice(None), 0.8),
        marked(slice(3, 4), slice(3, 4), 1.0),
    ],
    ids=["a corner", "a mark", "the last row", "a bright pixel"],
)
def test_a_flaw_at_one_place_is_seen(made: np.ndarray) -> None:
    assert not HEALTHY.contains(FixedPattern()(REAL, made[None]))[0]
    other = np.concatenate([np.ones_like(made), made], 1), np.concatenate([np.ones_like(REAL), REAL], 1)
    np.testing.assert_allclose(FixedPattern()(other[1], other[0][None]), FixedPattern()(REAL, made[None]))


@pytest.mark.parametrize(
    "change",
    [
        lambda made: made,
        lambda made: 0.7 * made + 0.2,
        marked_anywhere,
        lambda made: np.clip(made + np.random.default_rng(2).normal(0, 0.3, made.shape), 0, 1),
        lambda made: made[load_digits().target[ORDER[512:768]] != 1],
        lambda made: made[np.arange(256) % 4],
    ],
    ids=["nothing", "brightness", "another place in each", "noise", "a lost class", "four images"],
)
def test_what_is_at_no_one_place_is_none(change: Callable[[np.ndarray], np.ndarray]) -> None:
    assert HEALTHY.contains(FixedPattern()(REAL, change(SAMPLES).astype(np.float32)[None]))[0]


def test_what_cannot_be_seen_is_no_flaw() -> None:
    """Colors under an alpha of 0."""
    rng, alpha = np.random.default_rng(3), np.ones((64, 1, 8, 8))
    alpha[..., 0, 0] = 0
    real = np.concatenate([rng.random((64, 3, 8, 8)), alpha], 1)
    made = np.concatenate([rng.random((64, 3, 8, 8)), alpha], 1)
    made[:, :3, 0, 0] = 1
    assert FixedPattern()(real, made[None])[0] < 0.1
    made[:, 3, 0, 0] = 1
    assert FixedPattern()(real, made[None])[0] > 0.8
