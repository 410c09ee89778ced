"""What samples are like while a run trains, as a person meets it: in the journal, the display, the page, as JSON."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

import sparring.training.chores.evaluate
import sparring.training.trainer
from sparring.analysis.facts import Facts
from sparring.analysis.stats import Spread
from sparring.cli.main import run
from sparring.datasets.files import loading
from sparring.datasets.folder import Folder
from sparring.datasets.ring import Ring
from sparring.recipe import find_recipe
from sparring.record import RunFolder
from sparring.report import Comparison, Live, run_text, summary, write_comparison, write_report
from sparring.report.figures.drawing import DARK, LIGHT, as_png, blank, draw_members
from sparring.report.figures.panels import evaluations, gradients
from sparring.report.figures.run import figures
from sparring.report.live.scatters import COLUMNS, ROWS, Scatters
from sparring.report.metric_names import FEW, name_of, phrases
from sparring.training import train
from tests.printed import page_of, text_of

CLASSES = ("modes", "class-divergence", "rarest-class", "class-diversity", "confidence")
JUDGED = ("frechet-distance", "coverage", "recall", "precision", *CLASSES)
OWN = (
    "diversity",
    "repeats",
    "roughness",
    "structure",
    "sharpness",
    "fixed-pattern",
    "outliers",
    "similarity-to-mean",
    "nearest-neighbor",
    "near-copies",
)


def sparring_(*arguments: object) -> int:
    return run([str(a) for a in arguments])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Five seeds of digits, looked at at every tick."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sparring.training.chores.evaluate, "EVALUATION_SHARE", 1e9)
        recipe = find_recipe("digits").replace(seeds=5, rounds=40, log_points=4, samples_per_grid=4)
        return train(recipe, tmp_path_factory.mktemp("figures") / "digits", threads=1)


def told_run(path: Path, evaluated: dict[str, Any], seeds: int = 3, real: dict[str, float] | None = None) -> RunFolder:
    """A run folder that looked at samples four times, with these figures."""
    made = RunFolder(path)
    made.create(json.dumps(find_recipe("pattern-1010").replace(seeds=seeds, rounds=200, log_points=4).to_dict()))
    made.write_text("about.json", json.dumps({"equilibrium": {"d_real": 0.5}}))
    made.journal.append("started", round=0)
    made.journal.append(
        "real-baseline", round=0, n=256, samples=256, training=9, judge=None, held_out="", metrics=real or {}
    )
    rows = {name: np.full((10, seeds), 0.3).tolist() for name in ("d_loss", "g_loss", "d_real", "d_fake")}
    for log_point in range(1, 5):
        logged = [(log_point - 1) * 50 + 5 * (k + 1) for k in range(10)]
        made.journal.append(
            "log",
            round=log_point * 50,
            seconds=log_point,
            logged=logged,
            metrics=evaluated,
            evaluation_seconds=0.1,
            **rows,
        )
    made.journal.append("finished", round=200, seconds=4)
    return made


# The journal.


def test_the_journal_tells_figures_gradients_and_what_real_data_scores(trained: RunFolder) -> None:
    story = trained.story
    rounds, evaluated = story.evaluations
    assert rounds.tolist() == [10, 20, 30, 40]
    assert list(evaluated) == [*JUDGED, *OWN, "d_train", "d_generated", "d_right"]
    assert all(values.shape == (4, 5) and np.isfinite(values).all() for values in evaluated.values())
    assert story.real_baseline is not None and story.real_baseline["judge"] == "digits"
    assert set(story.real_baseline["metrics"]) == {*JUDGED, *OWN}
    for name in ("d_gradient", "g_gradient"):
        assert story.curve(name).shape == story.curve("d_loss").shape and (story.curve(name) > 0).all()


def test_figures_can_be_left_out(tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert sparring_("train", "pattern-1010", "--rounds", 20, "--threads", 1, "--no-metrics", "--out", out) == 0
    assert "metrics" not in (out / "journal.jsonl").read_text()
    assert not (out / "metrics" / "metrics.png").exists()


def test_a_users_own_folder_has_figures_by_its_own_judge_and_is_opened_once(
    image_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    openings = loading.load_folder
    monkeypatch.setattr(loading, "load_folder", lambda *given: opened.append(given) or openings(*given))
    recipe = find_recipe("digits").replace(data=Folder(str(image_folder)), rounds=10, log_points=2, batch=8)
    told = train(recipe, tmp_path / "run", threads=1).story
    assert len(opened) == 1
    # These images are noise: there is no structure in them for generated ones to lack.
    assert set(told.evaluations[1]) >= {*OWN, "d_train", "d_generated"} - {"structure"}
    assert told.real_baseline is not None and told.real_baseline["judge"].startswith("own:")


# The numbers.


def test_show_tells_the_last_figures_of_each_member_beside_real_data(trained: RunFolder) -> None:
    told = summary(trained)
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    evaluated = told["metrics"]
    assert (evaluated["round"], evaluated["examples"], evaluated["judge"]) == (40, 256, "digits")
    for name in JUDGED:
        figure = evaluated["values"][name]
        assert len(figure["members"]) == figure["n"] == 5 and figure["real"] is not None
    assert evaluated["values"]["d_train"]["real"] is None
    assert set(told["gradients"]) == {"d_gradient", "g_gradient"} and told["gradients"]["g_gradient"]["n"] == 5
    text = text_of(run_text(trained))
    assert (
        "Fréchet distance" in text
        and "256 generated examples per seed" in text
        and "using the digits classifier's features" in text
    )


def test_a_run_without_figures_says_nothing_of_them(tmp_path: Path) -> None:
    out = train(find_recipe("pattern-1010").replace(rounds=20), tmp_path / "run", threads=1, metrics=False)
    assert summary(out)["metrics"] is None
    assert "Sample quality" not in page_of(out).said
    assert "metrics" not in figures(Facts.of(out))


# Pictures and pages.


@pytest.mark.drawn
def test_the_page_shows_the_figures_beside_real_data(trained: RunFolder) -> None:
    text = write_report(trained).read_text(encoding="utf-8")
    assert 'id="metrics"' in text and 'id="gradients"' in text
    said = page_of(trained).said
    assert "Sample quality" in said and "using the digits classifier's features" in said and "imilarity" in said
    for name in ("metrics", "gradients"):
        with Image.open(trained.path / "figures" / f"{name}.png") as picture:
            assert picture.width > 1000


def test_every_figure_has_a_panel_with_its_name_and_real_datas_level(trained: RunFolder) -> None:
    facts = Facts.of(trained)
    panels = [axes for axes in evaluations(facts, LIGHT).axes if axes.get_visible()]
    titles = [axes.get_title(loc="left") for axes in panels]
    assert titles == [*(name_of(name).title for name in (*JUDGED, *OWN, "d_right")), "D's outputs"]
    modes = panels[titles.index("modes")]
    assert any(line.get_linestyle() == "--" and set(line.get_ydata()) == {10} for line in modes.lines)
    assert panels[0].get_yscale() == "log" or np.ptp(facts.story.evaluations[1]["frechet-distance"]) < 100
    assert all(axes.get_yscale() == "log" for axes in gradients(facts, DARK).axes)


@pytest.mark.parametrize("seeds", [1, 3, 100])
@pytest.mark.parametrize("value", [0.5, None, 0.0])
def test_figures_of_any_kind_are_drawn(seeds: int, value: float | None, tmp_path: Path) -> None:
    told = {name: [value] * seeds for name in ("diversity", "d_train", "of a newer version")}
    run = told_run(tmp_path / "run", told, seeds, {"diversity": 1.0})
    panels = [axes for axes in evaluations(Facts.of(run), LIGHT).axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in panels] == ["diversity", "of a newer version", "D's outputs"]
    assert as_png(evaluations(Facts.of(run), DARK))
    assert summary(run)["metrics"]["values"]["diversity"]["n"] == (0 if value is None else seeds)
    assert "diversity" in text_of(run_text(run))


def test_compare_lays_figures_side_by_side(trained: RunFolder, tmp_path: Path) -> None:
    other = told_run(tmp_path / "other", {"diversity": [0.123, 0.123, 0.123]}, real={"diversity": 1.0})
    page = write_comparison(Comparison.of([trained.path, other.path]), tmp_path / "c.html").read_text(encoding="utf-8")
    assert "Sample quality" in page and "0.123 ± 0.000 (1)" in page


# While it trains.


def test_the_few_that_tell_most() -> None:
    one = {name: Spread.of(np.array([2.0, 4.0])) for name in reversed((*JUDGED, *OWN, "d_train"))}
    assert phrases(one, {"frechet-distance": 0.81, "modes": 10}) == [
        "Fréchet distance 3 (real 0.81)",
        "modes 3 (10)",
        "confidence 3",
        "diversity 3",
    ]
    assert len(phrases({name: one[name] for name in OWN}, {})) == FEW
    assert phrases({"diversity": Spread.of(np.array([np.nan]))}, {}) == []


def test_the_display_tells_the_newest_figures(tmp_path: Path) -> None:
    recipe = find_recipe("digits").replace(seeds=2, rounds=20, log_points=2)
    console = Console(force_terminal=True, color_system="truecolor", width=80, height=40, file=io.StringIO())
    with Live(console) as live:
        train(recipe, tmp_path / "run", watchers=[live], threads=1)
    assert isinstance(console.file, io.StringIO)
    seen = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", console.file.getvalue())
    assert re.search(r"samples +Fréchet distance [\d.]+ \(real 0\.\d+\), modes", seen)
    plain = Console(file=io.StringIO(), force_terminal=False, width=80)
    with Live(plain) as live:
        train(recipe, tmp_path / "plain", watchers=[live], threads=1)
    assert isinstance(plain.file, io.StringIO)
    assert "Fréchet distance" in plain.file.getvalue().splitlines()[-1]


def test_points_are_shown_over_their_modes_in_the_display() -> None:
    modes = Ring.modes
    assert modes is not None
    on_two = np.array([modes.centers[0], modes.centers[2], (9.0, 0.0), (np.nan, 0.0)])
    lost = np.full((4, 2), np.nan)
    text = text_of(Scatters(np.stack([on_two, lost]), modes, (7, 8), 80), 80)
    lines = text.splitlines()
    assert len(lines) == 1 + ROWS and max(map(len, lines)) <= 80
    assert lines[0].split() == ["seed", "7:", "2", "of", "8", "seed", "8:", "0", "of", "8"]
    left = [line[:COLUMNS] for line in lines[1:]]
    assert sum(line.count("○") for line in left) == 6
    assert sum(0x2800 < ord(character) < 0x2900 for line in left for character in line) == 3
    # Mode 0 lies to the right of the middle, mode 2 above it; the stray is on the right rim.
    assert 0x2800 < ord(left[ROWS // 2][-1]) < 0x2900
    assert any(0x2800 < ord(line[COLUMNS // 2]) < 0x2900 for line in left[: ROWS // 3])


def test_a_run_on_points_shows_them_while_it_trains(tmp_path: Path) -> None:
    recipe = find_recipe("digits").replace(data=Ring(), seeds=2, rounds=10, log_points=2)
    recipe = recipe.replace(generator=type(recipe.generator)(hidden=(8,)))
    console = Console(force_terminal=True, color_system="truecolor", width=100, height=40, file=io.StringIO())
    with Live(console) as live:
        train(recipe, tmp_path / "run", watchers=[live], threads=1)
    assert isinstance(console.file, io.StringIO)
    assert "seed 1: " in console.file.getvalue() and "modes reached" in console.file.getvalue()


@pytest.mark.parametrize(("evaluations", "markers"), [(1, 2), (2, 0)])
def test_a_single_evaluation_is_seen_as_dots(evaluations: int, markers: int) -> None:
    """A short run has one, and a line of one point is invisible."""
    figure = blank(LIGHT, 3.0)
    axes = figure.subplots()
    draw_members(axes, np.arange(evaluations), np.ones((evaluations, 4)), "#d55e00", LIGHT)
    assert sum(line.get_marker() == "o" for line in axes.lines) == markers
