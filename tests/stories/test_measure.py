"""A run measured: from Python, from the command line, on the page."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sparring import catalogue
from sparring.cli import FAILED, OK, WRONG_USAGE, run
from sparring.measure import measure, real_data
from sparring.record import Run

SMALL = ("--rounds", "3", "--ticks", "1", "--batch", "8", "--generator", "fully-connected(hidden=(9,), output=sigmoid)")


def sparring(*arguments: object, expect: int = OK) -> None:
    assert run([str(a) for a in arguments]) == expect


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("measure") / "run"
    sparring("train", "digits", *SMALL, "--seeds", 3, "--out", out)
    return out


def test_every_figure_stands_beside_real_data(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sparring("measure", trained, "--count", 200, "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["judge"] == "digits" and told["n"] == 200 and told["seeds"] == [0, 1, 2] and told["round"] == 3
    through = {n: catalogue.find("metrics", n).through for n in catalogue.cards("metrics")}
    assert set(told["metrics"]) == {name for name, how in through.items() if how != "coordinates"}
    for name, figure in told["metrics"].items():
        leaf = catalogue.find("metrics", name)
        assert {"members", "real", "better", "n"} <= set(figure)
        assert len(figure["members"]) == 3 and figure["n"] == 200 and figure["better"] == leaf.better
        low, high = leaf.range
        assert all(low <= value <= high for value in (figure["real"], *figure["members"]))
    # Three rounds of training make noise.
    for name in ("frechet-distance", "kernel-distance", "confidence", "density", "coverage"):
        figure = told["metrics"][name]
        worst = max if figure["better"] == "lower" else min
        assert worst([figure["real"], *figure["members"]]) != figure["real"]


def test_the_same_run_measured_again_gives_the_same_figures_and_one_seed_its_own(trained: Path) -> None:
    once, again, alone = measure(trained, 100), measure(trained, 100), measure(trained, 100, seeds=[1])
    assert once.plain() == again.plain()
    for name, figure in alone.figures.items():
        assert figure.real == once.figures[name].real
        np.testing.assert_allclose(figure.members[0], once.figures[name].members[1], rtol=1e-4, atol=1e-6)


def test_words_and_the_page_show_the_distance_from_real(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sparring("measure", trained, "--count", 100)
    said = capsys.readouterr().out
    assert "Fréchet distance ↓" in said and "real data" in said and "through the judge digits" in said
    assert json.loads((trained / "measures.json").read_text())["n"] == 100
    page = (trained / "report.html").read_text()
    assert "Measured beside real data" in page and "Vendi score ↑" in page and "seed 2" in page


def test_a_page_of_a_run_that_was_not_measured_says_nothing_of_it(tmp_path: Path) -> None:
    sparring("train", "digits", *SMALL, "--out", tmp_path / "run")
    assert "Measured beside" not in (tmp_path / "run" / "report.html").read_text()


def test_numbers_without_a_judge_are_measured_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sparring("train", "pattern-1010", "--rounds", 20, "--ticks", 1, "--seeds", 2, "--out", tmp_path / "run")
    capsys.readouterr()
    sparring("measure", tmp_path / "run", "--count", 50, "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["judge"] is None
    assert {"frechet-distance", "precision", "support-size"} <= set(told["metrics"])
    assert not {"confidence", "copying", "modes", "reached-modes"} & set(told["metrics"])
    sparring("measure", tmp_path / "run", "--count", 50)
    assert "without a judge" in capsys.readouterr().out


def test_points_with_known_modes_are_measured_by_their_modes(tmp_path: Path) -> None:
    out = tmp_path / "run"
    generator, latent = "fully-connected(hidden=(9,), output=none)", "normal(2)"
    sparring(
        *("train", "digits", *SMALL[:6], "--data", "ring", "--generator", generator, "--latent", latent),
        *("--discriminator", "fully-connected(hidden=(9,), output=none)", "--out", out),
    )
    figures = measure(Run.open(out), 300).figures
    assert figures["high-quality"].real == pytest.approx(0.989, abs=0.03)
    assert figures["reached-modes"].real == 8
    assert figures["reached-modes"].members[0] <= 8
    assert "confidence" not in figures


def test_a_measurement_of_a_member_that_diverged_is_null_and_counted(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import sparring.measure as room

    def lost(*given: object, **how: object) -> np.ndarray:
        made = np.random.default_rng(0).uniform(size=(3, 50, 1, 8, 8)).astype(np.float32)
        made[1] = np.nan
        return made

    monkeypatch.setattr(room, "sample", lost)
    sparring("measure", trained, "--count", 50, "--json")
    told = json.loads(capsys.readouterr().out)
    assert all(f["members"][1] is None and f["members"][0] is not None for f in told["metrics"].values())
    sparring("measure", trained, "--count", 50)
    assert "1 of 3 seeds diverged" in capsys.readouterr().out


def test_both_sides_of_real_data_are_other_examples(data_dir: Path) -> None:
    from sparring.datasets.digits import Digits
    from sparring.datasets.pattern_1010 import Pattern1010

    for data in (Digits(), Pattern1010()):
        real = real_data(data, 5_000, data_dir)
        assert len(real.reference) == len(real.held_out)
        both = np.concatenate([real.reference, real.held_out]).reshape(2 * len(real.reference), -1)
        assert len(np.unique(both, axis=0)) == len(both)
    assert len(real_data(Digits(), 5_000).reference) == 898


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["nowhere"], FAILED, "nowhere does not exist"),
        (["{run}", "--count", "3"], WRONG_USAGE, "count must be at least 16"),
        (["{run}", "--judge", "fashion"], WRONG_USAGE, "no judge called 'fashion'"),
        (["{run}", "--judge", "mnist"], WRONG_USAGE, "looks at (1, 28, 28) images"),
        (["{run}", "--seeds", "7"], WRONG_USAGE, "no seed 7"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(
    arguments: list[str], status: int, words: str, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sparring("measure", *(a.format(run=trained) for a in arguments), expect=status)
    said = capsys.readouterr()
    assert words in said.err and len(said.err.strip().splitlines()) == 1 and said.out == ""
