"""Intervals of a study contain the truth in 93 to 97 % of simulated studies, and Holm keeps the family's error."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SIMULATIONS = 1_000
LOW, HIGH = 0.93, 0.97
SCENARIOS = ("normal", "paired", "skewed", "doubled", "gamma", "heavy")


@pytest.fixture
def coverage(monkeypatch: pytest.MonkeyPatch) -> Any:
    """benchmarks/coverage.py."""
    pytest.importorskip("statsmodels")
    spec = importlib.util.spec_from_file_location("benchmark_of_coverage", ROOT / "benchmarks" / "coverage.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize("n", [4, 6, 8, 16])
@pytest.mark.parametrize("name", SCENARIOS)
def test_intervals_of_differences_cover_the_truth(coverage: Any, name: str, n: int) -> None:
    scenario = next(each for each in coverage.SCENARIOS if each.name == name)
    assert scenario.promised
    assert LOW <= coverage.t_coverage(scenario, n, SIMULATIONS, seed=1) <= HIGH


@pytest.mark.slow
@pytest.mark.parametrize("n", [6, 8, 16])
@pytest.mark.parametrize("shift", [0.0, 0.7, 1.5, 3.0])
def test_intervals_of_the_probability_of_improvement_cover_the_truth(coverage: Any, shift: float, n: int) -> None:
    """Where nearly all runs are better, values of few seeds jump, and an interval that is not too short covers more."""
    found = coverage.improvement_coverage(shift, n, SIMULATIONS)
    assert LOW <= found["score"] <= 0.985
    assert found["bootstrap"] < found["score"] or n == 16


@pytest.mark.slow
@pytest.mark.parametrize("tests", [3, 10])
def test_holm_keeps_the_error_of_the_family(coverage: Any, tests: int) -> None:
    """Two standard errors of 1,000 simulations are 1.4 %."""
    found = coverage.family_error(tests, 8, SIMULATIONS)
    assert found["holm"] <= 0.05 + 0.014 < found["uncorrected"]


def test_published_coverage_keeps_the_promise() -> None:
    """The table in docs/studies.md, of 4,000 simulations."""
    stored = json.loads((ROOT / "benchmarks" / "results" / "coverage.json").read_text(encoding="utf-8"))
    for name in SCENARIOS:
        assert all(LOW <= share <= HIGH for share in stored["intervals"][name]["t"].values()), name
    assert all(row["holm"] <= 0.065 for row in stored["family"].values())
