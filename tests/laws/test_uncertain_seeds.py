"""Of equal seeds, those that show little for certain do not take from what half of them show."""

from __future__ import annotations

import pytest

from sparring.analysis.diagnosis import NOT_SURE, diagnosis
from tests.laws.test_verdicts import SOUND, judged


@pytest.mark.parametrize(("sure", "verdict"), [(4, "equilibrium"), (3, NOT_SURE)])
def test_what_half_of_the_seeds_show_for_certain_the_others_need_not(sure: int, verdict: str) -> None:
    made = judged({**SOUND, "frechet-distance": 3.6})
    for event in made.events:
        if event["event"] == "log" and "errors" in event:
            event["errors"] = {"frechet-distance": [0.02] * sure + [0.5] * (8 - sure)}
    assert diagnosis(made).verdict == verdict
    for event in made.events:
        if event["event"] == "log" and "metrics" in event:
            event["metrics"]["frechet-distance"][sure:] = [4.2] * (8 - sure)
    assert diagnosis(made).verdict == NOT_SURE, "these are not healthy"
