"""The numbers themselves: closed forms where there are any, and other people's implementations to 1e-3."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pytest
import torch
from scipy import linalg, ndimage
from scipy.spatial.distance import cdist
from torch import Tensor, nn

from sparring.analysis.samples import views
from sparring.datasets.digits import Digits
from sparring.judges import judge
from sparring.metrics._neighbors import nearest, nearest_and_kth, radii
from sparring.metrics.classes import ClassDivergence, ClassDiversity, Confidence, Modes, RarestClass
from sparring.metrics.colors import Colors
from sparring.metrics.copying import Copying
from sparring.metrics.density_and_coverage import Coverage, Density
from sparring.metrics.frechet_distance import FrechetDistance
from sparring.metrics.kernel_distance import KernelDistance
from sparring.metrics.near_copies import NearCopies
from sparring.metrics.points import HighQuality, HighQualityPerAxis, ModeDivergence, ReachedModes
from sparring.metrics.precision_and_recall import Precision, Recall
from sparring.metrics.support_size import SupportSize
from sparring.metrics.vendi_score import VendiScore

CLOSE = 1e-3


def gaussian(count: int, size: int, seed: int, mean: float = 0.0, sd: float = 1.0) -> np.ndarray:
    return mean + sd * np.random.default_rng(seed).normal(size=(count, size))


def whitened(count: int, size: int, seed: int) -> np.ndarray:
    """Points whose mean is exactly 0 and whose covariance is exactly the identity."""
    x = gaussian(count, size, seed)
    x -= x.mean(0)
    return x @ np.linalg.inv(np.linalg.cholesky(np.cov(x, rowvar=False))).T


class AsGiven(nn.Module):
    """For metrics that insist on looking at pictures: features `(N, 1, 1, D)` as they are."""

    def __init__(self, size: int):
        super().__init__()
        self.num_features = size

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)


def through(metric: Any, real: np.ndarray, fake: np.ndarray) -> Any:
    for features, is_real in ((real, True), (fake, False)):
        metric.update(torch.from_numpy(features)[:, None, None], real=is_real)
    return metric.compute()


# Distances between features.


def test_the_frechet_distance_of_gaussians_is_its_closed_form() -> None:
    """|m|^2 + D (a - b)^2 for means m apart and standard deviations a and b."""
    real, fake = whitened(500, 8, 0), 0.5 + 3 * whitened(400, 8, 1)
    assert FrechetDistance()(real, fake[None])[0] == pytest.approx(8 * 0.25 + 8 * 4, rel=1e-9)
    assert FrechetDistance()(real, real[None])[0] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("size", [2, 64])
def test_the_frechet_distance_agrees_with_torchmetrics_and_with_scipy(size: int) -> None:
    from torchmetrics.image.fid import FrechetInceptionDistance

    mix = gaussian(size, size, 9)
    real, fake = gaussian(700, size, 0) @ mix, gaussian(600, size, 1, 0.3, 1.4)
    ours = FrechetDistance()(real, fake[None])[0]
    theirs = FrechetInceptionDistance(AsGiven(size), input_img_size=(1, 1, size)).set_dtype(torch.float64)
    assert ours == pytest.approx(float(through(theirs, real, fake)), rel=CLOSE)
    one, other = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    root = np.trace(np.real(linalg.sqrtm(one @ other)))
    plain = ((real.mean(0) - fake.mean(0)) ** 2).sum() + np.trace(one) + np.trace(other) - 2 * root
    assert ours == pytest.approx(plain, rel=CLOSE)


def test_with_more_features_than_examples_the_frechet_distance_is_the_same() -> None:
    """Covariances are singular then; their product's eigenvalues, found by scipy, tell the trace of its root."""
    mix = gaussian(90, 90, 9)
    real, fake = gaussian(70, 90, 0) @ mix, gaussian(60, 90, 1, 0.3, 1.4) @ mix
    one, other = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    values = linalg.eigvals(one @ other).real
    shared = np.sqrt(np.clip(values, 0, None)).sum()
    plain = ((real.mean(0) - fake.mean(0)) ** 2).sum() + np.trace(one) + np.trace(other) - 2 * shared
    assert FrechetDistance()(real, fake[None])[0] == pytest.approx(plain, rel=CLOSE)
    assert FrechetDistance()(real, real[None])[0] == pytest.approx(0, abs=1e-6)


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance` will save:UserWarning")
def test_the_kernel_distance_agrees_with_torchmetrics() -> None:
    from torchmetrics.image.kid import KernelInceptionDistance

    real, fake = gaussian(300, 16, 0), gaussian(300, 16, 1, 0.4, 1.2)
    theirs = KernelInceptionDistance(AsGiven(16), subsets=1, subset_size=300).set_dtype(torch.float64)
    ours = KernelDistance()(real, fake[None])[0]
    assert ours == pytest.approx(float(through(theirs, real, fake)[0]), rel=CLOSE)


def test_the_kernel_distance_is_unbiased() -> None:
    """Within four standard errors of 0 over 200 pairs of samples of one law, at only 20 examples each."""
    scores = [KernelDistance()(gaussian(20, 4, k), gaussian(20, 4, 1000 + k)[None])[0] for k in range(200)]
    assert abs(np.mean(scores)) < 4 * np.std(scores) / 200**0.5


# Neighbors.


@pytest.mark.parametrize("k", [3, 5])
def test_precision_recall_density_and_coverage_agree_with_prdc(k: int) -> None:
    from prdc import compute_prdc

    real, fake = gaussian(300, 5, 0), gaussian(250, 5, 1, 0.5, 0.8)
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = compute_prdc(real, fake, nearest_k=k)
    for metric in (Precision(k), Recall(k), Density(k), Coverage(k)):
        assert metric(real, fake[None])[0] == pytest.approx(theirs[metric.title], rel=CLOSE), metric.title


@pytest.mark.parametrize("k", [2, 5])
def test_the_coverage_expected_of_real_data_is_one_minus_two_to_the_minus_k(k: int) -> None:
    scores = [Coverage(k)(gaussian(400, 3, s), gaussian(400, 3, 100 + s)[None])[0] for s in range(10)]
    assert np.mean(scores) == pytest.approx(1 - 2.0**-k, abs=0.02)


def test_the_density_expected_of_real_data_is_one() -> None:
    scores = [Density()(gaussian(400, 3, s), gaussian(400, 3, 100 + s)[None])[0] for s in range(10)]
    assert np.mean(scores) == pytest.approx(1, abs=0.02)


# Classes.


def chances(classes: np.ndarray, sure: float = 1.0, total: int = 4) -> np.ndarray:
    rest = (1 - sure) / (total - 1)
    return np.where(np.eye(total)[classes] > 0, sure, rest)


def test_modes_divergence_and_confidence_by_hand() -> None:
    real = chances(np.repeat([0, 1, 2, 3], 25))
    fake = chances(np.repeat([0, 1], [60, 20]), 0.7)[None]
    assert Modes()(real, fake)[0] == 2
    assert ClassDivergence()(real, fake)[0] == pytest.approx(0.75 * np.log(3) + 0.25 * np.log(1))
    assert Confidence()(real, fake)[0] == pytest.approx(0.7)


def test_the_rarest_class_is_that_whose_share_fell_most_among_those_that_are_known() -> None:
    real = chances(np.repeat([0, 1, 2, 3], [50, 25, 20, 5]))
    fake = chances(np.repeat([0, 1, 2], [20, 20, 10]))[None]  # 3 has too few real examples
    assert RarestClass()(real, fake)[0] == pytest.approx((20 / 50) / (50 / 100))
    assert RarestClass()(real, chances(np.repeat([0, 1], 25))[None])[0] == 0
    assert np.isnan(RarestClass(common=60)(real, fake)[0])


@pytest.mark.parametrize("missing", range(10))
def test_a_class_of_ten_that_is_never_generated_takes_the_rarest_class_out_of_its_range(missing: int) -> None:
    source: Any = Digits().open(None, "cpu")
    by: Any = judge("digits")
    images, labels = source.pixels.numpy().astype(np.float32) / 255, source.classes
    real, rest = np.arange(256), np.arange(256, len(images))
    of = lambda chosen: by(images[chosen]).probabilities  # noqa: E731
    stands, without = of(rest[:256]), of(rest[labels[rest] != missing][:256])
    baseline = float(RarestClass()(of(real), stands[None])[0])
    low, _ = RarestClass.healthy.ends(baseline)
    assert RarestClass()(of(real), without[None])[0] < low < baseline


@pytest.mark.parametrize("copied", range(10))
def test_a_class_of_ten_that_is_always_the_same_takes_the_class_diversity_out_of_its_range(copied: int) -> None:
    source: Any = Digits().open(None, "cpu")
    images, labels = source.pixels.numpy().astype(np.float32) / 255, source.classes
    of = lambda chosen: views(images[chosen], judge("digits"), 3)["judged"]  # noqa: E731
    real, others = of(np.arange(256)), np.arange(256, 512)
    alike = np.where(labels[others] == copied, others[labels[others] == copied][0], others)
    baseline = float(ClassDiversity()(real, of(others)[None])[0])
    assert ClassDiversity.variety is not None
    low, _ = ClassDiversity.variety.ends(baseline)
    assert ClassDiversity()(real, of(alike)[None])[0] < low < 0.6 < baseline
    assert np.isnan(ClassDiversity(common=100)(real, of(others)[None])[0])


def test_a_class_that_no_real_example_shows_leaves_the_divergence_finite() -> None:
    figure = ClassDivergence()(chances(np.zeros(50, int)), chances(np.ones(50, int))[None])[0]
    assert np.isfinite(figure) and figure > 4


# Variety and copies.


def test_the_vendi_score_is_the_number_of_kinds_and_agrees_with_the_definition() -> None:
    kinds = np.repeat(np.eye(7), 10, 0)
    assert VendiScore()(kinds, kinds[None])[0] == pytest.approx(7)
    assert VendiScore()(kinds, np.ones((1, 30, 7)))[0] == pytest.approx(1)
    for size in (9, 200):
        x = gaussian(120, size, 0)
        unit = x / np.linalg.norm(x, axis=1, keepdims=True)
        values = linalg.eigvalsh(unit @ unit.T / 120)
        values = values[values > 1e-12]
        assert VendiScore()(x, x[None])[0] == pytest.approx(np.exp(-(values * np.log(values)).sum()), rel=CLOSE)


def test_colors_of_images_with_alpha_count_as_far_as_they_are_seen() -> None:
    real = np.random.default_rng(0).uniform(size=(2, 200, 4, 8, 8)) * np.array([1.0, 0.5, 0.2, 1.0])[:, None, None]
    real[:, :, 3] = real[:, :, 3] > 0.5
    same, gray, hidden, opaque = (real[1].copy() for _ in range(4))
    gray[:, :3] = gray[:, :3].mean(1, keepdims=True)
    hidden[:, :3] = np.where(hidden[:, 3:] > 0, hidden[:, :3], 1.0)  # a color where nothing is seen
    opaque[:, 3] = 1.0
    values = Colors()(real[0], np.stack([same, gray, hidden, opaque]))
    assert values[0] == pytest.approx(values[2], abs=1e-9) and values[0] < 0.01
    assert values[1] > 0.3 and values[3] > 0.3


@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
def test_near_copies_are_the_share_that_was_copied(share: float) -> None:
    """Of images with a twin, too; an image that is new, or between two others, is no copy."""
    rng, count = np.random.default_rng(0), 200
    real = rng.uniform(size=(600, 3, 8, 8))
    real[1:40:2] = real[:40:2]  # the same image twice
    fake = rng.uniform(size=(count, 3, 8, 8))
    fake[: int(share * count)] = real[: int(share * count)] + rng.normal(0, 0.02, (int(share * count), 3, 8, 8))
    assert NearCopies()(real, fake[None])[0] == share
    assert NearCopies()(real, (real[200:300] + real[300:400])[None] / 2)[0] == 0
    assert NearCopies().leave_one_out(real[40:], 256) == 0


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 64, 48), (3, 8, 20)])
def test_copies_that_were_moved_by_a_pixel_are_near_copies(shape: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(0)
    real = ndimage.gaussian_filter(rng.uniform(size=(400, *shape)), (0, 0, 2, 2))
    fake = ndimage.gaussian_filter(rng.uniform(size=(100, *shape)), (0, 0, 2, 2))
    fake[:20], fake[20:40] = np.roll(real[:20], 1, -1), np.roll(real[20:40], (-1, 1), (-2, -1))
    assert NearCopies()(real, fake[None])[0] == pytest.approx(0.4, abs=0.02)
    by = -(-max(shape) // 32)  # images are compared at this size of pixels
    variants = np.concatenate([real, np.roll(real, by, -1)])  # of each image one that is moved: both are one image
    assert NearCopies()(variants, fake[None])[0] == pytest.approx(0.4, abs=0.02)
    assert NearCopies()(real, np.roll(real[None, :100], 6, -1))[0] == 0  # too far to be found


@pytest.mark.parametrize(("shape", "times"), [((1, 4, 256), 1), ((3, 2, 100), 1), ((1, 12, 12), 12)])
def test_near_copies_of_flat_images_and_of_such_as_come_many_times(shape: tuple[int, int, int], times: int) -> None:
    rng = np.random.default_rng(0)
    real, fake = rng.uniform(size=(60, *shape)).repeat(times, 0), rng.uniform(size=(100, *shape))
    assert NearCopies()(real, fake[None])[0] == 0
    fake[:20] = real[::times][:20]
    assert NearCopies()(real, fake[None])[0] == 0.2


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_copying_is_the_share_that_was_copied(share: float) -> None:
    real, count = gaussian(2_000, 20, 0), 1_000
    fake = gaussian(count, 20, 1)
    fake[: int(share * count)] = real[: int(share * count)]
    assert Copying()(real, fake[None])[0] == pytest.approx(share, abs=0.025)


def test_samples_that_are_smoother_than_the_data_are_no_copies() -> None:
    """They lie nearer to training examples than unseen data do, but to many alike."""
    real, unseen = gaussian(2_000, 20, 0), gaussian(1_000, 20, 1)
    assert Copying()(real, 0.8 * unseen[None])[0] < 0.06
    noise = gaussian(1_000, 20, 2)
    near = np.median(nearest(unseen, real)) / 20**0.5
    assert Copying()(real, (real[:1_000] + 0.4 * near * noise)[None])[0] > 0.95


def test_copies_of_examples_that_come_twice_are_copies() -> None:
    real, fake = gaussian(1_000, 20, 0), gaussian(1_000, 20, 1)
    fake[:500] = real[:500]
    twice = np.concatenate([real, real[:20]])
    assert Copying()(twice, fake[None])[0] == pytest.approx(0.5, abs=0.025)
    assert Copying()(np.concatenate([real[:300], real[:300]]), fake[None])[0] == 0, "what is seen again is not copied"
    assert Copying()(real[:2].repeat(10, 0), fake[None])[0] == 0


@pytest.mark.parametrize("share", [0.1, 1.0])
def test_copies_of_examples_with_a_near_twin_are_copies(share: float) -> None:
    """As neighboring frames of a film are: of unseen ones as many lie near to one alone."""
    real, noise = gaussian(4_000, 20, 0), gaussian(4_000, 20, 1)
    twins = int(share / 2 * len(real))
    real[len(real) - twins :] = real[:twins] + 0.1 * noise[:twins]
    fake = real[::4] + 0.01 * noise[::4]
    assert Copying()(real, fake[None])[0] > 0.95


def test_nearest_neighbors_are_those_of_scipy_and_a_copy_is_at_zero() -> None:
    points, others = gaussian(50, 30, 0, 100), gaussian(80, 30, 1, 100)
    np.testing.assert_allclose(nearest(points, others), cdist(points, others).min(1), rtol=CLOSE)
    assert nearest(others[:20], others).max() == 0
    both = np.sort(cdist(points, others), 1)[:, [0, 4]]
    np.testing.assert_allclose(nearest_and_kth(points, others, 5), both, rtol=3e-3)
    own = np.where(np.arange(80) % 2, np.arange(80), -1)
    among = np.sort(cdist(others, others), 1)
    expected = np.where((own >= 0)[:, None], among[:, [1, 5]], among[:, [0, 4]])
    np.testing.assert_allclose(nearest_and_kth(others, others, 5, own), expected, rtol=3e-3, atol=1e-9)
    many = gaussian(6_000, 3, 2)  # more than are searched one by one
    both = np.sort(cdist(points[:, :3] - 100, many), 1)[:, [0, 4]]
    np.testing.assert_allclose(nearest_and_kth(points[:, :3] - 100, many, 5), both, rtol=3e-3)
    np.testing.assert_allclose(radii(points, 3), np.sort(cdist(points, points), 1)[:, 3], rtol=CLOSE)


def test_a_support_of_few_examples_is_found() -> None:
    """400 draws from 60 different examples: the estimate is within a fifth of 60."""
    kinds = gaussian(60, 20, 0)
    fake = kinds[np.random.default_rng(1).integers(60, size=400)]
    assert SupportSize()(gaussian(400, 20, 2), fake[None])[0] == pytest.approx(60, rel=0.2)


# Points in the plane.


def test_real_points_score_what_gaussians_must() -> None:
    """1 - exp(-9/2) by distance and erf(3 / sqrt 2)^2 per axis, within four standard errors."""
    count, centers = 100_000, ((0.0, 0.0), (1.0, 0.0))
    rng = np.random.default_rng(0)
    points = np.array(centers)[rng.integers(2, size=count)] + 0.01 * rng.normal(size=(count, 2))
    for metric, share in ((HighQuality, 1 - np.exp(-4.5)), (HighQualityPerAxis, 0.9973002**2)):
        figure = metric(centers, 0.01)(points, points[None])[0]
        assert figure == pytest.approx(share, abs=4 * (share * (1 - share) / count) ** 0.5)


def test_the_corner_of_the_square_is_outside_the_circle() -> None:
    corner = np.full((1, 20, 2), 0.025)
    real = np.zeros((20, 2))
    assert HighQuality(((0.0, 0.0),))(real, corner)[0] == 0
    assert HighQualityPerAxis(((0.0, 0.0),))(real, corner)[0] == 1


def test_reached_modes_and_their_divergence_by_hand() -> None:
    centers = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0))
    real = np.repeat(centers, 10, 0)
    fake = np.repeat([centers[0], centers[3], (0.5, 0.5)], [30, 10, 60], 0)[None]
    assert ReachedModes(centers)(real, fake)[0] == 2
    assert ModeDivergence(centers)(real, fake)[0] == pytest.approx(0.75 * np.log(3))
    assert ModeDivergence(centers)(real, fake[:, 40:])[0] == np.inf
