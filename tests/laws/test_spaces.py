"""Whether seeds learned the same space: told apart where the answer is known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch import Tensor

import sparring
from sparring.analysis.latent_tools.directions.effects import Effect
from sparring.analysis.latent_tools.directions.matching import stability
from sparring.analysis.latent_tools.spaces import Shared, Spaces, arrangement
from sparring.report.page.spaces import spaces_page

IMAGES, SIZE, SEEDS = 60, 8, 4


def normal(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def turned(seed: int) -> Tensor:
    return torch.linalg.qr(normal(seed, SIZE, SIZE)).Q


def test_a_turned_or_mirrored_space_is_the_same() -> None:
    z = normal(0, IMAGES, SIZE)
    first, second = [z @ turned(k) for k in range(1, SEEDS)], [-z @ turned(k) for k in range(5, 4 + SEEDS)]
    found, shuffled = arrangement(first, second)
    np.testing.assert_allclose(found, 1, atol=1e-5)
    assert 0 < shuffled < 0.2


def test_another_arrangement_is_none() -> None:
    first = [normal(k, IMAGES, SIZE) for k in range(SEEDS)]
    second = [z + 0.1 * normal(9 + k, IMAGES, SIZE) for k, z in enumerate(first)]
    found, shuffled = arrangement(first, second)
    apart = ~np.eye(SEEDS, dtype=bool)
    assert np.diag(found).min() > 0.9, "two searches in one seed"
    assert abs(found[apart].mean()) < 0.1 and shuffled < 0.1
    np.testing.assert_allclose(found, found.T)


def test_a_part_that_is_shared_lies_between() -> None:
    shared = normal(0, IMAGES, SIZE)
    first = [shared + normal(k, IMAGES, SIZE) for k in range(1, 1 + SEEDS)]
    found, shuffled = arrangement(first, first)
    between = found[~np.eye(SEEDS, dtype=bool)].mean()
    assert shuffled < 0.1 < between < 0.6


def test_an_interval_over_seeds_covers_the_mean_and_grows_with_their_differences() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(300):
        own = rng.normal(scale=0.1, size=6)
        pairs = 0.5 + (own[:, None] + own[None]) / 2
        found = Shared.of(pairs)
        assert found.low is not None and found.high is not None
        covered += found.low <= 0.5 <= found.high
    assert 0.9 <= covered / 300 <= 0.99
    wide = Shared.of(np.array([[1, 1, 0.2], [1, 1, 0.9], [0.2, 0.9, 1]]))
    assert wide.words == "70 % (0 to 100)"
    equal = Shared.of(np.full((4, 4), 0.7))
    assert equal.low == equal.high == pytest.approx(0.7)
    assert Shared.of(np.full((4, 4), 1.6)) == Shared(1, 1, 1) and Shared.of(np.full((2, 2), -0.1)).mean == 0, "cut"
    assert Shared.of(np.full((2, 2), 0.7)) == Shared(pytest.approx(0.7), None, None)  # type: ignore[arg-type]
    assert equal.words == "70 % (70 to 70)" and Shared(float("nan"), None, None).words == "–"


def compared(found: np.ndarray, arranged: np.ndarray, own_directions: bool) -> Spaces:
    """Four seeds with these errors and correlations, and two directions that all share or that each has for itself."""
    shape = (1, 4, 4)
    changes = [normal(k if own_directions else 0, 2, 16) for k in range(SEEDS)]
    random = [normal(20 + k, 2, 16).numpy() for k in range(SEEDS)]
    effects = tuple(tuple(Effect(row.reshape(shape), 1.0, 0.1, "brightens the top", {}) for row in c) for c in changes)
    stable = tuple(tuple(stability([c.numpy() for c in changes], random, m)) for m in range(SEEDS))
    recipe = sparring.recipe("digits").replace(seeds=tuple(range(SEEDS)))
    nearest = np.random.default_rng(0).random((SEEDS, 3, *shape)).astype(np.float32)
    rest = nearest, np.full((SEEDS, 3), 0.1), 16, found, arranged, 0.05, effects, stable
    return Spaces(recipe, nearest[0], ("a", "b", "c"), "held-out data", *rest)


def matrix(own: float, others: float) -> np.ndarray:
    return np.full((SEEDS, SEEDS), others) + (own - others) * np.eye(SEEDS)


def test_the_answer_in_words() -> None:
    same = compared(matrix(0.1, 0.15), matrix(0.5, 0.45), own_directions=False)
    assert same.says.startswith("The seeds learned the same space: they make mostly the same images, arranged mostly")
    assert same.same_directions.mean == 1 and same.same_images.mean == pytest.approx(0.85 / 0.9)
    other = compared(matrix(0.1, 0.15), matrix(0.5, 0.02), own_directions=True)
    assert "did not learn the same space" in other.says and "arranged in other ways" in other.says
    assert other.same_directions.mean < 0.5
    assert "different images" in compared(matrix(0.1, 0.9), matrix(0.5, 0.4), True).says
    collapsed = matrix(0.1, 0.5)
    collapsed[2, 2] = np.nan
    assert compared(collapsed, matrix(0.5, 0.4), True).says.startswith("All samples of seed 2 are alike")


def test_directions_are_matched_up_to_sign() -> None:
    found = compared(matrix(0.1, 0.15), matrix(0.5, 0.45), own_directions=False)
    swapped = tuple(dataclasses.replace(each, change=-each.change) for each in reversed(found.effects[1]))
    found = dataclasses.replace(found, effects=(found.effects[0], swapped, *found.effects[2:]))
    assert [k for k, _ in found.matched(0, 1)] == [1, 0]
    np.testing.assert_allclose([cosine for _, cosine in found.matched(0, 1)], -1, atol=1e-6)


def test_the_page_has_every_seed_and_loads_nothing() -> None:
    page = spaces_page(compared(matrix(0.1, 0.15), matrix(0.5, 0.45), own_directions=False))
    assert "Did the seeds learn the same space?" in page and "The seeds learned the same space" in page
    assert all(f"seed {seed}" in page for seed in range(SEEDS))
    assert "http" not in page.replace("http-equiv", "")
