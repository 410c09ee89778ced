"""A run that nobody evaluated while it trained, and measured when it had ended, is diagnosed by what was measured."""

from __future__ import annotations

from typing import Any

import pytest

from sparring.analysis.diagnosis import diagnosis, rules
from sparring.record import Story
from sparring.rules._stories import BASELINE, story

OF_SAMPLES = (
    "mode-collapse",
    "noise-output",
    "average-image",
    "checkerboard",
    "blur",
    "wrong-colors",
    "fixed-pattern",
    "outliers",
    "memorization",
)
"""Rules that need no more than the samples at the end."""


def measured_afterwards(made: Story) -> Story:
    """The same run without evaluations, its last one taken for a measurement."""
    last = [event["metrics"] for event in made.log_points if "metrics" in event][-1]
    samples = {name: values for name, values in last.items() if name in BASELINE["metrics"]}
    event: dict[str, Any] = {
        "event": "measured",
        "round": made.round,
        "n": 1_000,
        "judge": "digits",
        "seeds": made.seeds,
        "metrics": {n: {"members": v, "real": BASELINE["metrics"][n], "spread": 28.0} for n, v in samples.items()},
    }
    rest = [
        {name: value for name, value in each.items() if name != "metrics"}
        for each in made.events
        if each["event"] != "real-baseline"
    ]
    return Story(made.recipe, [*rest, event])


@pytest.mark.parametrize("name", OF_SAMPLES)
def test_what_samples_show_is_found_in_a_measurement(name: str) -> None:
    sick = rules()[name].sick()
    assert name in {finding.rule for finding in diagnosis(sick).findings}
    found = {finding.rule: finding for finding in diagnosis(measured_afterwards(sick)).findings}
    assert name in found and found[name].members == tuple(sick.seeds)


def test_a_measured_g_that_stands_still_is_called_so() -> None:
    curves = {"d_loss": (0.69, 0.01), "g_loss": (0.7, 6.0), "d_real": (0.5, 0.99), "d_fake": (0.5, 0.01)}
    stuck = {"frechet-distance": 50.0, "diversity": 0.001, "structure": 0.1, "modes": 1.0, "roughness": 0.8}
    first = diagnosis(measured_afterwards(story(curves, stuck))).findings[0]
    assert first.rule == "discriminator-wins"
    assert first.claim.startswith("G does not train: its images have no structure, one speckled picture")


def test_a_measured_good_run_keeps_its_verdict() -> None:
    assert diagnosis(measured_afterwards(story())).verdict == "equilibrium"


@pytest.mark.parametrize(("real", "verdict"), [(0.25, "equilibrium"), (0.9, "not-sure")])
def test_a_metric_in_which_real_data_scores_little_says_nothing(real: float, verdict: str) -> None:
    """Of a table of few distinct rows the neighbors of a row are the row again."""
    made = measured_afterwards(story())
    made.events[-1]["metrics"]["recall"] = {"members": [0.1] * len(made.seeds), "real": real}
    assert diagnosis(Story(made.recipe, made.events)).verdict == verdict


def test_a_metric_of_a_newer_version_says_nothing() -> None:
    made = measured_afterwards(story())
    made.events[-1]["metrics"]["from-tomorrow"] = {"members": [9.0] * len(made.seeds), "real": 1.0}
    assert diagnosis(Story(made.recipe, made.events)).verdict == "equilibrium"


@pytest.mark.parametrize(("accuracy", "ignored"), [(0.1, True), (0.95, False)])
def test_classes_of_which_a_measurement_alone_knows_may_be_ignored(accuracy: float, ignored: bool) -> None:
    """A watched loop knows no classes of samples while it runs."""
    made = story()
    event = measured_afterwards(made).events[-1]
    event["metrics"]["class-accuracy"] = {"members": [accuracy] * len(made.seeds), "real": 0.97}
    found = diagnosis(Story(made.recipe, [*made.events, event]))
    assert ("ignored-classes" in {finding.rule for finding in found.findings}) == ignored
    assert (found.verdict == "equilibrium") != ignored
