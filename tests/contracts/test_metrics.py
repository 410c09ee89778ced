"""What every metric must keep: real data at its best, each member by itself, within the range that it states."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest

from sparring.errors import UsageError
from sparring.metrics import Fault, Metric, Space, _neighbors, all_metrics

COUNT, KINDS, SIZE = 400, 8, 6
CENTRES = np.random.default_rng(1).normal(0, 4, (KINDS, SIZE))
RING = np.array([(np.cos(a), np.sin(a)) for a in 2 * np.pi * np.arange(KINDS) / KINDS])


VECTORS, IMAGES = (1, 2, 3), (3, 16, 16)
"""Shapes of examples: an image of the second has room for patterns, fine detail and colors."""


def space_of(metric: Any) -> str:
    """Its space, or `images` where it takes no examples but those."""
    return "images" if metric.space == "examples" and not metric.fits(VECTORS) else metric.space


def images(kind: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Waves across and down in the color of each kind, with some grain: `(count, 3, 16, 16)`."""
    count, side = len(kind), IMAGES[-1]
    at = 2 * np.pi * np.arange(side) / side
    waves = [np.sin((1 + kind % n)[:, None] * at + rng.uniform(0, 2 * np.pi, (count, 1))) for n in (2, 3)]
    hue = np.stack([np.cos(kind + shift) for shift in (0.0, 1.0, 3.0)], 1)[..., None, None]
    shades = 0.5 + 0.2 * waves[0][:, None, None] * waves[1][:, None, :, None]
    return shades + 0.2 * hue + rng.normal(0, 0.03, (count, *IMAGES))


def blurred(pictures: np.ndarray) -> np.ndarray:
    """Every pixel is the mean of nine."""
    return np.mean([np.roll(pictures, (i, j), (-2, -1)) for i in (-1, 0, 1) for j in (-1, 0, 1)], 0)


def examples(space: str, seed: int, count: int = COUNT, kinds: int = KINDS) -> np.ndarray:
    """Real data as a metric sees it: eight kinds, equally likely. `(count, D)`."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(kinds, size=count)
    if space == "images":
        return images(kind, rng)
    if space == "judged":
        return judged(examples("features", seed, count, kinds))
    if space == "agreement":  # with classes that differ
        return (rng.random((count, 1)) < 0.95).astype(float)
    if space == "classes":
        scores = 7 * np.eye(KINDS)[kind] + rng.normal(0, 0.5, (count, KINDS))
        return softmax(scores)
    centers, sd = (RING, 0.01) if space == "coordinates" else (CENTRES, 1.0)
    points = centers[kind] + sd * rng.normal(size=(count, centers.shape[1]))
    return points.reshape(-1, *VECTORS) if space == "examples" else points


def judged(points: np.ndarray) -> np.ndarray:
    """The kind that is nearest to each point, and the point: `(count, 1 + D)`."""
    kind = np.linalg.norm(points[:, None] - CENTRES, axis=-1).argmin(1)
    return np.concatenate([kind[:, None], points], 1)


def softmax(scores: np.ndarray) -> np.ndarray:
    raised = np.exp(scores - scores.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def faulty(space: str, fault: str, seen: np.ndarray) -> np.ndarray:
    """What a generator with one fault would give; `seen` is what it was trained on."""
    rng = np.random.default_rng(9)
    real = examples(space, 7)
    scale = seen.std()
    if space == "judged":
        return judged(faulty("features", fault, seen[:, 1:]))
    if fault == "ignored classes":
        return (rng.random((COUNT, 1)) < 1 / KINDS).astype(float)
    if space == "agreement":
        return real
    if fault == "collapse":
        return np.repeat(real[:1], COUNT, 0) + 1e-6 * rng.normal(size=real.shape)
    if fault == "noise":
        if space == "classes":
            return softmax(0.3 * rng.normal(size=real.shape))
        return rng.uniform(-3 * scale, 3 * scale, real.shape)
    if fault == "shift":
        return real + 2 * scale
    if fault == "lost classes":
        return examples(space, 7, kinds=KINDS // 2)
    if fault == "checkerboard":
        return real + 0.1 * (-1.0) ** np.indices(real.shape[-2:]).sum(0)
    if fault == "blur":
        return blurred(real)
    if fault == "colors":
        return real.mean(1, keepdims=True).repeat(3, 1)
    if fault == "fixed pattern":
        marked = real.copy()
        marked[..., 0, -1] = 1
        return marked
    if fault == "average":
        return np.repeat(seen.mean(0)[None], COUNT, 0) + 1e-3 * rng.normal(size=real.shape)
    assert fault == "copying"
    return seen[rng.integers(len(seen), size=COUNT)] + 1e-3 * scale * rng.normal(size=real.shape)


def scored(metric: Any, fake: np.ndarray) -> float:
    """What a generator that gives these scores, as it is reported."""
    real = examples(space_of(metric), 0)
    values = metric(real, fake[None])
    held_out = float(metric(real, examples(space_of(metric), 2)[None])[0])
    return float(metric.reported(values, held_out)[0])


def at_real(metric: Any) -> float:
    return scored(metric, examples(space_of(metric), 1))


def worse(metric: Any, value: float, real: float) -> bool:
    if metric.better == "as-real":
        return abs(np.log(max(value, 1e-9))) > 0.2 > abs(np.log(real))
    return value > real if metric.better == "lower" else value < real


def test_real_against_real_is_better_than_every_fault_it_says_it_catches(metric: Any) -> None:
    assert metric.catches
    seen = examples(space_of(metric), 0)
    best = at_real(metric)
    for fault in metric.catches:
        value = scored(metric, faulty(space_of(metric), fault, seen))
        assert worse(metric, value, best), f"{fault}: {value} beside {best}"


def test_real_against_real_is_near_the_end_of_the_range_where_there_is_one(metric: Any) -> None:
    low, high = metric.range
    best = at_real(metric)
    assert low <= best <= high
    end = low if metric.better == "lower" else high
    if metric.range == (0.0, 1.0):
        assert best == pytest.approx(end, abs=0.15)


def test_every_number_lies_in_the_stated_range(metric: Any) -> None:
    low, high = metric.range
    seen = examples(space_of(metric), 0)
    artifacts = ("checkerboard", "blur", "colors", "fixed pattern") if space_of(metric) == "images" else ()
    for fault in ("collapse", "noise", "shift", "lost classes", "copying", "average", *artifacts):
        if fault != "shift" or metric.space != "classes":
            assert low <= scored(metric, faulty(space_of(metric), fault, seen)) <= high, fault


def test_each_member_is_measured_by_itself(metric: Any) -> None:
    real = examples(space_of(metric), 0)
    fake = np.stack([examples(space_of(metric), seed) for seed in (1, 2, 3)])
    together = metric(real, fake)
    assert together.shape == (3,) and together.dtype == np.float64
    for member in range(3):
        np.testing.assert_allclose(metric(real, fake[member : member + 1])[0], together[member], rtol=1e-9, atol=1e-12)


def test_examples_in_small_parts_are_measured_as_in_one(metric: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where distances of all to all do not fit in memory."""
    real, fake = examples(space_of(metric), 0), examples(space_of(metric), 1)[None]
    whole = metric(real, fake)
    monkeypatch.setattr(_neighbors, "BLOCK", 7 * len(real))
    np.testing.assert_allclose(metric(real, fake), whole, rtol=1e-6, atol=1e-9)


def test_the_order_of_examples_does_not_matter(metric: Any) -> None:
    real, fake = examples(space_of(metric), 0), examples(space_of(metric), 1)[None]
    there, back = metric(real, fake), metric(real[::-1].copy(), fake[:, ::-1].copy())
    close = 1e-4 if metric.space == "examples" else 1e-9  # computed in float32
    np.testing.assert_allclose(there, back, rtol=close, atol=close)


def test_a_member_that_diverged_has_no_number_and_the_others_keep_theirs(metric: Any) -> None:
    real = examples(space_of(metric), 0)
    fake = np.stack([examples(space_of(metric), 1), examples(space_of(metric), 2)])
    lost = fake.copy()
    lost[0, 3, 0] = np.inf
    figures = metric(real, lost)
    assert np.isnan(figures[0])
    assert figures[1] == metric(real, fake)[1]


def test_what_it_is_told_must_fit(metric: Any) -> None:
    real, fake = examples(space_of(metric), 0), examples(space_of(metric), 1)[None]
    few = metric.min_examples - 1
    for pair in (
        (real, fake[0]),
        (np.concatenate([real, real], -1), fake),
        (real[:few], fake),
        (real, fake[:, :few]),
        (real * np.nan, fake),
    ):
        with pytest.raises(UsageError):
            metric(*pair)


def test_it_states_everything_that_others_need_to_know_of_it(metric: Any) -> None:
    assert metric.title and metric.unit and metric.source
    assert metric.better in ("lower", "higher", "as-real")
    assert metric.space in get_args(Space)
    assert metric.range[0] < metric.range[1]
    assert set(metric.catches) <= set(get_args(Fault))
    assert metric.quick == (metric.rank < Metric.rank), "a metric that is evaluated during training has its place"
    assert metric.relative == (metric.better == "as-real") <= (metric.space == "examples")
    assert type(metric)() == metric


def test_its_healthy_range_holds_real_data_and_has_an_end_where_it_is_worse(metric: Any) -> None:
    best = at_real(metric)
    low, high = metric.healthy.ends(best)
    assert low <= best <= high and metric.healthy.why
    assert np.isfinite(low) if metric.better == "higher" else np.isfinite(high)
    if metric.variety is not None:
        assert metric.variety.ends(best)[0] <= best <= metric.variety.ends(best)[1]
        assert metric.quick and "collapse" in metric.catches


def test_metrics_are_shown_in_the_order_of_their_ranks() -> None:
    ranks = [metric.rank for metric in all_metrics().values()]
    assert ranks == sorted(ranks)
    quick = [rank for rank in ranks if rank < Metric.rank]
    assert len(set(quick)) == len(quick)
