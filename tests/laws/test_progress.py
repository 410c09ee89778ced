"""What is said of the time that work takes, where there is no terminal."""

from __future__ import annotations

import re

import pytest

from sparring import progress


class Clock:
    """Seconds that pass as the test says."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


@pytest.mark.parametrize("pieces", [20, 1_000])
def test_a_first_piece_that_takes_long_is_no_measure_of_the_rest(
    pieces: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    with progress.progress("training a judge", pieces, with_estimate=True) as advance:
        for done in range(1, pieces + 1):
            clock.now += 20.0 if done == 1 else 0.1
            advance(done)
    said = re.findall(r"training a judge: about (\d+) s\n", capsys.readouterr().err)
    assert len(said) == 1 and float(said[0]) == pytest.approx(0.1 * pieces, rel=0.5)


def test_work_of_one_piece_is_said_without_an_estimate(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.progress("training a judge", 1, with_estimate=True) as advance:
        advance(1)
    assert capsys.readouterr().err == "training a judge\n"
