"""Real data in a generator's place is at its best: through the judge that is shipped, and as the docs tell of it."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparring.analysis.samples import views
from sparring.datasets.digits import Digits
from sparring.judges import judge
from sparring.metrics import all_metrics

ROOT = Path(__file__).parents[2]
COUNT = 400


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    sys.modules.pop("real_against_real", None)
    return importlib.import_module("real_against_real")


def faulty(fault: str, fresh: np.ndarray, training: np.ndarray) -> np.ndarray:
    """Pictures that a generator with one fault would draw, `(N, 1, 8, 8)` in data units."""
    rng = np.random.default_rng(0)
    if fault == "collapse":
        return np.repeat(fresh[:1], len(fresh), 0) + rng.uniform(0, 1e-3, fresh.shape)
    if fault == "noise":
        return rng.uniform(size=fresh.shape)
    if fault == "shift":
        return 1 - fresh
    if fault == "lost classes":
        few = fresh[judge("digits")(fresh).probabilities.argmax(1) < 5]
        return few[rng.integers(len(few), size=len(fresh))] + rng.uniform(0, 0.02, fresh.shape)
    assert fault == "copying"
    return training[rng.integers(len(training), size=len(fresh))]


def test_real_digits_score_better_than_every_faulty_picture(metric: Any, script: Any) -> None:
    if metric.space in ("coordinates", "examples", "agreement") or not metric.fits(Digits().shape):
        pytest.skip("of points, tables or class-conditional runs, or evaluated during training only")
    by = judge("digits")
    reference, fresh, training = script.drawn(Digits(), COUNT, None, draw=0)
    against = {"pixels": training.reshape(len(training), -1)} if metric.all_training else views(reference, by)

    def score(pictures: np.ndarray) -> float:
        return float(metric(against[metric.space], views(pictures, by)[metric.space][None])[0])

    best = score(fresh)
    for fault in metric.catches:
        worse = score(faulty(fault, fresh, training).astype(np.float32))
        assert worse > best if metric.better == "lower" else worse < best, f"{fault}: {worse} beside {best}"


def test_both_sides_of_a_draw_are_other_examples_and_so_is_the_next_draw(script: Any) -> None:
    reference, fresh, training = script.drawn(Digits(), COUNT, None, 0)
    assert reference.shape == fresh.shape == (COUNT, 1, 8, 8)
    seen, unseen = ({picture.tobytes() for picture in side} for side in (training, fresh))
    assert not seen & unseen and {picture.tobytes() for picture in reference} <= seen
    assert len(training) + len(fresh) == Digits.card.examples
    assert not np.array_equal(script.drawn(Digits(), COUNT, None, 1)[1], fresh)


def test_the_figures_in_the_docs_are_of_the_judges_that_are_shipped(script: Any) -> None:
    held = script.json.loads(script.RESULTS.read_text())
    assert set(held) == set(script.COUNTS)
    for name, told in held.items():
        assert told["judge"] is None or told["weights"] == script.weights_of(told["judge"]), f"measure {name} again"
    assert {metric for told in held.values() for metric in told["figures"]} == {
        name for name, metric in all_metrics().items() if metric.space not in ("examples", "agreement")
    }


def test_the_figures_in_the_docs_are_what_the_script_measures(script: Any) -> None:
    """One draw, anew: features may differ in their last bits elsewhere, so a neighbor or two may."""
    held, anew = script.json.loads(script.RESULTS.read_text()), script.measured("digits", None, 1)
    assert anew["n"] == held["digits"]["n"]
    assert anew["figures"].keys() == held["digits"]["figures"].keys()
    for metric, (figure,) in anew["figures"].items():
        assert figure == pytest.approx(held["digits"]["figures"][metric][0], rel=0.01, abs=0.005), metric


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([10.0, 10.0], "10"),
        ([0.9, 1.1], "1.00 ± 0.14"),
        ([-0.0011, 0.0009], "−0.0001 ± 0.0014"),
        ([-1e-6, -2e-6], "0.0000 ± 0.0000"),
        ([10_000.0, 90_000.0], "50,000 ± 57,000"),
        (None, ""),
    ],
)
def test_a_cell_shows_two_digits_of_the_spread(script: Any, values: list[float] | None, shown: str) -> None:
    assert script._cell(values) == shown
