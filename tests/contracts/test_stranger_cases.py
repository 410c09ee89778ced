"""The second bench of the diagnosis: its halves are fair, its verdicts exist, and its truth tells good from bad."""

from __future__ import annotations

import importlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparring import catalogue
from sparring.analysis.diagnosis import NOT_SURE

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")


def part(name: str) -> Any:
    return importlib.import_module(f"stranger_cases.{name}")


def test_both_halves_have_as_many_cases_of_every_kind_and_every_state() -> None:
    every = part("cases").cases()
    assert len(every) >= 60
    for attribute in ("kind", "state"):
        counted = Counter((getattr(case, attribute), case.part) for case in every)
        for value in {value for value, _ in counted}:
            assert counted[value, "tune"] == counted[value, "report"] > 0, value


def test_every_expected_verdict_is_a_rule() -> None:
    known = {*catalogue.entries("rules"), NOT_SURE}
    assert {verdict for case in part("cases").cases() for verdict in case.right} <= known


@pytest.mark.parametrize("name", ["tinted", "shapes", "textures", "photographs"])
def test_a_number_is_always_the_same_picture(name: str) -> None:
    pictures = part("data").Pictures(name, 3, 16)
    assert np.array_equal(pictures.others(2), pictures.others(2))
    assert not np.array_equal(pictures.others(1), pictures.others(1, 1))


def test_the_truth_of_real_data_is_near_1_and_that_of_one_repeated_picture_is_far_from_it() -> None:
    times_real, pictures = part("truth").times_real, part("data").Pictures("textures", 3, 16)
    real, others, fresh = (pictures.others(200, begin) for begin in (0, 200, 400))
    assert 0.3 < times_real(fresh, real, others) < 3
    assert times_real(np.repeat(fresh[:1], 200, 0), real, others) > 10
    assert times_real(np.full_like(fresh, np.nan), real, others) == float("inf")


@pytest.mark.parametrize(("written", "count"), [("new", 28), ("new2", 14)])
def test_of_the_new_cases_a_sound_one_that_came_to_nothing_is_left_out_and_nothing_is_corrected(
    written: str, count: int
) -> None:
    tables, corrections = part("tables"), part("corrections")
    near, far = (
        {"part": written, "state": "sound", "right": ["equilibrium"], "times_real": [x, x]} for x in (3.0, 5.0)
    )
    assert tables.counts(near, {}) and not tables.counts(far, {})
    assert corrections.expected(far).right == ("equilibrium",)
    every = [case for case in part("cases").cases() if case.part == written]
    assert all(tables.is_in(written, case.name, case.part) for case in every) and len(every) == count
    assert not any(tables.is_in(other, case.name, case.part) for case in every for other in ("seen", "fresh", "tune"))


def test_a_half_is_counted_by_its_own_cases(tmp_path: Path) -> None:
    """Of two sound runs one is called sick; a sick one is called healthy; another mistake broke nothing."""
    tables, tune = part("tables"), [case for case in part("cases").cases() if case.part == "tune"]
    sound = [case for case in tune if case.state == "sound" and case.data.kind == "textures"][:2]
    sick = [case for case in tune if case.state == "sick" and case.kind == "networks"][:2]
    verdicts = ("equilibrium", "mode-collapse", "equilibrium", "equilibrium")
    entries = {
        case.name: {
            "part": case.part,
            "kind": case.kind,
            "state": case.state,
            "right": list(case.right),
            "drawn": "textures",
            "verdict": verdict,
            "times_real": [far, far],
        }
        for case, verdict, far in zip((*sound, *sick), verdicts, (2.0, 2.5, 9.0, 2.1), strict=True)
    }
    results = tmp_path / "results.json"
    results.write_text(json.dumps(entries))
    said = tables.score_in_words("tune", results)
    assert said.startswith("Cases `tune`: 1 of 3 verdicts are correct (33%). Of 1 sick GANs, 0 verdicts name exactly")
    assert "1 GANs are wrongly called healthy. 1 of 2 sound or merely unfinished GANs are called sick. 1 more" in said
    assert tables.score_in_words("report", results) == "Of the cases `report` none was run."


def entry(state: str, right: tuple[str, ...], verdict: str, *times: float) -> dict[str, Any]:
    known = {"state": state, "right": list(right), "verdict": verdict, "times_real": list(times)}
    return known | {"part": "tune", "drawn": "textures"}


def test_a_sound_recipe_that_came_to_nothing_must_not_be_called_healthy() -> None:
    """A correction can only be stricter about that: samples nine times as far as real ones are not like the data."""
    tables = part("tables")
    for verdict, first, corrected in (
        ("equilibrium", "right", "CALLED HEALTHY"),
        ("not-sure", "wrong", "right"),
        ("mode-collapse", "CALLED SICK", "wrong"),
    ):
        far = entry("sound", ("equilibrium",), verdict, 9.0, 8.0)
        assert (tables.mark(far, corrected=False), tables.mark(far)) == (first, corrected)
        near = entry("sound", ("equilibrium",), verdict, 3.0, 2.0)
        assert tables.mark(near, corrected=False) == tables.mark(near), "it came to a good end"


def test_few_pictures_that_are_not_copied_count_only_where_samples_are_spoiled() -> None:
    tables = part("tables")
    few = ("overfitting-discriminator", "memorization")
    sound, copied = entry("sound", ("equilibrium",), "equilibrium", 3.0), entry("sick", few, "not-sure", 12.0)
    as_good = entry("sick", few, "not-sure", 3.5)
    every = {"sound": sound, "copied": copied, "as good": as_good}
    assert [tables.counts(each, every) for each in every.values()] == [True, True, False]
    assert [tables.counts(each, every, corrected=False) for each in every.values()] == [True, True, True]


def test_fresh_cases_are_cases() -> None:
    names = {case.name: case.part for case in part("cases").cases()}
    fresh = part("corrections").FRESH
    assert len(fresh) == 25 and {names[name] for name in fresh} == {"tune"}
