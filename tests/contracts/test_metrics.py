"""What every metric must keep: real data at its best, each member by itself, within the range that it states."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sparring.errors import UsageError
from sparring.metrics import _neighbors

COUNT, KINDS, SIZE = 400, 8, 6
CENTRES = np.random.default_rng(1).normal(0, 4, (KINDS, SIZE))
RING = np.array([(np.cos(a), np.sin(a)) for a in 2 * np.pi * np.arange(KINDS) / KINDS])


def examples(through: str, seed: int, count: int = COUNT, kinds: int = KINDS) -> np.ndarray:
    """Real data as a metric sees it: eight kinds, equally likely. `(count, D)`."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(kinds, size=count)
    if through == "classes":
        scores = 7 * np.eye(KINDS)[kind] + rng.normal(0, 0.5, (count, KINDS))
        return softmax(scores)
    centers, sd = (RING, 0.01) if through == "coordinates" else (CENTRES, 1.0)
    return centers[kind] + sd * rng.normal(size=(count, centers.shape[1]))


def softmax(scores: np.ndarray) -> np.ndarray:
    raised = np.exp(scores - scores.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def faulty(through: str, fault: str, seen: np.ndarray) -> np.ndarray:
    """What a generator with one fault would give; `seen` is what it was trained on."""
    rng = np.random.default_rng(9)
    real = examples(through, 7)
    scale = seen.std()
    if fault == "collapse":
        return np.repeat(real[:1], COUNT, 0) + 1e-6 * rng.normal(size=real.shape)
    if fault == "noise":
        if through == "classes":
            return softmax(0.3 * rng.normal(size=real.shape))
        return rng.uniform(-3 * scale, 3 * scale, real.shape)
    if fault == "shift":
        return real + 2 * scale
    if fault == "lost classes":
        return examples(through, 7, kinds=KINDS // 2)
    assert fault == "copying"
    return seen[rng.integers(len(seen), size=COUNT)] + 1e-3 * scale * rng.normal(size=real.shape)


def at_real(metric: Any) -> float:
    return float(metric(examples(metric.through, 0), examples(metric.through, 1)[None])[0])


def test_real_against_real_is_better_than_every_fault_it_says_it_catches(metric: Any) -> None:
    assert metric.catches
    seen = examples(metric.through, 0)
    best = at_real(metric)
    for fault in metric.catches:
        worse = float(metric(seen, faulty(metric.through, fault, seen)[None])[0])
        assert worse > best if metric.better == "lower" else worse < best, f"{fault}: {worse} beside {best}"


def test_real_against_real_is_near_the_end_of_the_range_where_there_is_one(metric: Any) -> None:
    low, high = metric.range
    best = at_real(metric)
    assert low <= best <= high
    end = low if metric.better == "lower" else high
    if metric.range == (0.0, 1.0):
        assert best == pytest.approx(end, abs=0.15)


def test_every_number_lies_in_the_stated_range(metric: Any) -> None:
    low, high = metric.range
    seen = examples(metric.through, 0)
    for fault in ("collapse", "noise", "shift", "lost classes", "copying"):
        if fault != "shift" or metric.through != "classes":
            figure = float(metric(seen, faulty(metric.through, fault, seen)[None])[0])
            assert low <= figure <= high, fault


def test_each_member_is_measured_by_itself(metric: Any) -> None:
    real = examples(metric.through, 0)
    fake = np.stack([examples(metric.through, seed) for seed in (1, 2, 3)])
    together = metric(real, fake)
    assert together.shape == (3,) and together.dtype == np.float64
    for member in range(3):
        np.testing.assert_allclose(metric(real, fake[member : member + 1])[0], together[member], rtol=1e-9, atol=1e-12)


def test_examples_in_small_parts_are_measured_as_in_one(metric: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where distances of all to all do not fit in memory."""
    real, fake = examples(metric.through, 0), examples(metric.through, 1)[None]
    whole = metric(real, fake)
    monkeypatch.setattr(_neighbors, "BLOCK", 7 * len(real))
    np.testing.assert_allclose(metric(real, fake), whole, rtol=1e-6, atol=1e-9)


def test_the_order_of_examples_does_not_matter(metric: Any) -> None:
    real, fake = examples(metric.through, 0), examples(metric.through, 1)[None]
    there, back = metric(real, fake), metric(real[::-1].copy(), fake[:, ::-1].copy())
    np.testing.assert_allclose(there, back, rtol=1e-9, atol=1e-9)


def test_a_member_that_diverged_has_no_number_and_the_others_keep_theirs(metric: Any) -> None:
    real = examples(metric.through, 0)
    fake = np.stack([examples(metric.through, 1), examples(metric.through, 2)])
    lost = fake.copy()
    lost[0, 3, 0] = np.inf
    figures = metric(real, lost)
    assert np.isnan(figures[0])
    assert figures[1] == metric(real, fake)[1]


def test_what_it_is_told_must_fit(metric: Any) -> None:
    real, fake = examples(metric.through, 0), examples(metric.through, 1)[None]
    for pair in ((real, fake[0]), (real[:, :1], fake), (real[:3], fake), (real, fake[:, :3]), (real * np.nan, fake)):
        with pytest.raises(UsageError):
            metric(*pair)


def test_it_says_what_it_is(metric: Any) -> None:
    assert metric.title and metric.source
    assert metric.better in ("lower", "higher")
    assert metric.through in ("features", "classes", "pixels", "coordinates")
    assert metric.range[0] < metric.range[1]
    assert set(metric.catches) <= {"collapse", "noise", "shift", "lost classes", "copying"}
    assert type(metric)() == metric
