"""What a person sees of a run: its page, its pictures and its words in a terminal."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sparring.analysis.diagnosis import diagnosis
from sparring.analysis.facts import Facts
from sparring.analysis.stats import Spread
from sparring.analysis.wording import named_seeds, plus_minus
from sparring.recipe import find_recipe
from sparring.record import RunFolder, Story
from sparring.record.grid import grid
from sparring.report import run_text, save_figures, summary
from sparring.report.figures.drawing import LIGHT, MAX_LINES
from sparring.report.figures.run import curves, ends, outputs
from sparring.report.page.run import MAX_PICTURES
from sparring.report.terminal.diagnosis import diagnosis_text
from sparring.rules import moving_mean
from tests.printed import page_of, text_of, written

TARGET = [0.9, 0.1, 0.9, 0.1]
ABOUT = {
    "id": "0123456789ab",
    "threads": 1,
    "device": "cpu",
    "equilibrium": {"d_loss": 0.25, "g_loss": 0.25, "d_real": 0.5, "d_fake": 0.5},
    "target": TARGET,
    "changed": {"rounds": [10000, 200]},
}
POINTS = 10


def told_run(
    path: Path,
    seeds: int = 3,
    log_points: int = 4,
    lost: Sequence[int] = (),
    away: Sequence[int] = (),
    name: str = "pattern-1010",
    end: str | None = "finished",
) -> RunFolder:
    """A run folder as training leaves it, told rather than trained. Members in `lost` diverge after the second tick."""
    recipe = find_recipe("pattern-1010").replace(seeds=seeds, rounds=200, log_points=log_points or 1)
    run = RunFolder(path)
    run.create(json.dumps(recipe.to_dict() | {"name": name}))
    run.write_text("about.json", json.dumps(ABOUT))
    torch_seeds, journal = np.random.default_rng(0), run.journal
    journal.append("started", round=0)
    for log_point in range(log_points + 1):
        gone = set(lost) if log_point > 2 else set()
        logged = [] if log_point == 0 else [(log_point - 1) * 50 + 5 * (k + 1) for k in range(POINTS)]
        rows = {c: 0.25 + 0.02 * torch_seeds.standard_normal((len(logged), seeds)) for c in ("d_loss", "g_loss")}
        rows |= {c: 0.5 + 0.02 * torch_seeds.standard_normal((len(logged), seeds)) for c in ("d_real", "d_fake")}
        spelled = {c: [[None if m in gone else v for m, v in enumerate(row)] for row in r] for c, r in rows.items()}
        example = np.array([[0.5] * 4 if m in away else TARGET for m in range(seeds)])
        picture = f"samples/round-{log_point * 50:09d}.png"
        run.write(picture, lambda p, e=example: grid(e[:, None], range(seeds)).save(p, format="PNG"))
        drawn = [[None] * 4 if m in gone else e.tolist() for m, e in enumerate(example)]
        journal.append(
            "log",
            round=log_point * 50,
            seconds=log_point * 0.5,
            logged=logged,
            picture=picture,
            outputs=drawn,
            **spelled,
        )
        if log_point == 3 and lost:
            journal.append("diverged", round=150, members=list(lost))
    if end:
        journal.append(end, round=log_points * 50, seconds=log_points * 0.5)
    return run


# The page.


def test_page_fetches_nothing(tmp_path: Path) -> None:
    seen = written(told_run(tmp_path / "run"))
    for tag, attributes in seen.tags:
        for key in ("src", "srcset", "href", "action", "data", "poster"):
            value = attributes.get(key)
            assert value is None or value.startswith("data:"), f"<{tag} {key}={value[:60]!r}>"
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest|https?://", seen.text)
    assert any("default-src 'none'" in (meta.get("content") or "") for meta in seen.all("meta"))


def test_samples_come_first_and_the_verdict_above_them(tmp_path: Path) -> None:
    run = told_run(tmp_path / "run")
    said = page_of(run).said
    order = [said.index(words) for words in ("equilibrium: 3 of 3", "Samples", "Diagnosis", "Final values")]
    assert order == sorted(order)


def test_a_phone_shows_each_cell_of_a_table_with_its_title(tmp_path: Path) -> None:
    cells = page_of(told_run(tmp_path / "run")).all("td")
    assert {cell["data-label"] for cell in cells} >= {"mean ± SD", "median", "min", "max", "n", "at equilibrium"}


def test_a_printed_page_has_all_that_is_collapsed_on_the_screen(tmp_path: Path, browser: Any) -> None:
    path = tmp_path / "page.html"
    path.write_text(page_of(told_run(tmp_path / "run", seeds=5)).text, encoding="utf-8")
    page = browser.new_page(viewport={"width": 700, "height": 900})
    page.goto(path.as_uri())
    opened = "document.querySelectorAll('details[open]').length"
    page.evaluate("window.opened = []; addEventListener('beforeprint', () => window.opened.push(" + opened + "))")
    page.pdf()
    assert page.evaluate("window.opened[0]") == page.locator("details").count() > 0 == page.evaluate(opened)
    page.emulate_media(media="print")
    assert page.evaluate("[...document.querySelectorAll('.table')].every((e) => e.scrollWidth <= e.clientWidth)")
    page.close()


def test_page_holds_every_figure_and_says_what_each_shows(tmp_path: Path) -> None:
    run = told_run(tmp_path / "run")
    seen = written(run)
    assert {f["id"] for f in seen.all("figure") if f.get("id")} == {"ends", "outputs", "curves", "scores"}
    assert sorted(p.name for p in (run.path / "figures").iterdir()) == [
        "curves.png",
        "ends.png",
        "outputs.png",
        "scores.png",
    ]
    assert all(image.get("alt") for image in seen.all("img"))
    assert seen.all("html") == [{"lang": "en"}] and len(seen.all("h1")) == 1
    # For each picture one in the dark and one for phones; findings have one each, and samples are in themselves light.
    figures = 4 + len(Facts.of(run).diagnosis.findings)
    media = [source["media"] for source in seen.all("source")]
    assert media == ["(max-width: 40rem)", "(prefers-color-scheme: dark)"] * figures


def test_page_tells_numbers_beside_the_equilibrium_and_the_verdict(tmp_path: Path) -> None:
    seen = page_of(told_run(tmp_path / "run", seeds=5, away=[1, 3]))
    assert "3 of 5 seeds ended within 0.2 of [0.9, 0.1, 0.9, 0.1]" in seen.said
    assert "Off target: 2 seeds" in seen.said
    assert "at equilibrium" in seen.said and "±" in seen.said
    assert "D's output is 0.5" in seen.said and "write-up 002" in seen.said
    assert "rounds 10,000 → 200" in seen.said


def test_page_shows_at_most_a_few_pictures_of_training_the_first_and_the_last_among_them(tmp_path: Path) -> None:
    seen = page_of(told_run(tmp_path / "run", log_points=40))
    samples = [image for image in seen.all("img") if "data-round" in image]
    assert len(samples) == MAX_PICTURES
    assert samples[0]["data-round"] == "0" and samples[-1]["data-round"] == "2,000"
    assert [("hidden" in image) for image in samples] == [True] * (MAX_PICTURES - 1) + [False]


def test_diverged_members_are_counted_and_named(tmp_path: Path) -> None:
    run = told_run(tmp_path / "run", seeds=6, lost=[2, 4])
    seen = page_of(run)
    assert "2 of 6 seeds diverged (seeds 2 and 4)" in seen.said
    assert "n leaves out 2 seeds" in seen.said
    told = summary(run)
    assert told["diverged"] == {"2": 150, "4": 150}
    assert told["curves"]["d_loss"]["n"] == 4
    assert told["curves"]["d_loss"]["members"][2] is None
    assert "diverged at round 150" in text_of(run_text(run))


def test_a_run_whose_members_all_diverged_has_a_page(tmp_path: Path) -> None:
    run = told_run(tmp_path / "run", seeds=4, lost=range(4), end="diverged-all")
    assert "4 of 4 seeds diverged" in written(run).said
    assert summary(run)["curves"]["g_loss"]["mean"] is None
    assert "4 diverged" in text_of(run_text(run))


def test_a_run_of_tick_zero_alone_has_a_page(tmp_path: Path) -> None:
    run = told_run(tmp_path / "run", log_points=0, end=None)
    assert "No round has been played yet." in written(run).said
    assert "No round has been played yet." in text_of(run_text(run))
    assert summary(run)["round"] == 0 and summary(run)["rounds_per_second"] is None


def test_an_interrupted_run_says_that_its_numbers_are_not_final(tmp_path: Path) -> None:
    assert "has reached round 100 of 200" in page_of(told_run(tmp_path / "run", log_points=2, end="stopped")).said


def test_a_hostile_name_stays_text(tmp_path: Path) -> None:
    name = "</title><script>alert('x')</script><img src=http://evil.example/x onerror=alert(1)>\"&"
    seen = page_of(told_run(tmp_path / "a<b>&c", name=name))
    assert len(seen.all("script")) == 1 and "onerror" not in {k for _, a in seen.tags for k in a}
    assert not any((image.get("src") or "").startswith("http") for image in seen.all("img"))
    assert name in seen.said
    text_of(run_text(told_run(tmp_path / "b", name="[bold]x[/nothing]")))


def test_a_run_without_about_json_has_a_page(tmp_path: Path) -> None:
    run = told_run(tmp_path / "run")
    (run.path / "about.json").unlink()
    assert "D's loss ends at" in page_of(run).said
    assert summary(run)["equilibrium"] is None


# Figures.


@pytest.mark.drawn
@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("seeds", [1, 5, 100, 64])
def test_figures_of_any_number_of_seeds(tmp_path: Path, seeds: int) -> None:
    run = told_run(tmp_path / "run", seeds=seeds)
    for name in save_figures(run):
        with Image.open(run.path / name) as picture:
            assert picture.width > 1000 and len(picture.convert("L").getcolors() or ()) > 8
    facts = Facts.of(run)
    panels = [axes for axes in outputs(facts, LIGHT).axes if axes.get_visible() and axes.get_title(loc="left")]
    assert len(panels) == min(seeds, 16)
    labels = [text.get_text() for text in curves(facts, LIGHT).legends[0].get_texts()]
    assert any(f"{seeds} seeds" in label or label.startswith("seed 0") for label in labels)
    assert ("each seed" in labels) == (1 < seeds <= MAX_LINES)


def test_figures_label_the_equilibrium_and_their_units(tmp_path: Path) -> None:
    facts = Facts.of(told_run(tmp_path / "run", lost=[0]))
    left, right = curves(facts, LIGHT).axes
    assert left.get_xlabel() == "round" and left.get_ylabel() == right.get_ylabel() == "mean loss per example (MSE)"
    assert left.texts[0].get_text().startswith("0.25:")
    assert any("diverged: 1 of 3" in t.get_text() for t in left.figure.legends[0].get_texts())
    assert "2 of 3" in ends(facts, LIGHT).axes[0].get_title(loc="left")


def test_smoothing_is_a_mean_that_keeps_gaps() -> None:
    values = np.array([[1.0], [2.0], [3.0], [np.nan], [5.0]])
    assert moving_mean(values, 3)[:, 0].tolist()[:3] == [1.5, 2.0, 2.5]
    assert np.isnan(moving_mean(values, 3)[3, 0]) and moving_mean(values, 3)[4, 0] == 5.0
    ramp = np.arange(20.0)[:, None]
    np.testing.assert_allclose(moving_mean(ramp, 5)[2:-2], ramp[2:-2])


# Numbers.


def test_summary_is_plain_json_and_loads_no_torch(tmp_path: Path) -> None:
    run = told_run(tmp_path / "run", seeds=20, lost=[3], away=[7])
    code = (
        "import json, sys; from sparring.record import RunFolder; from sparring import report;"
        "run = RunFolder.open(sys.argv[1]); report.run_text(run);"
        "print(json.dumps(report.summary(run), allow_nan=False));"
        "assert not {'torch', 'matplotlib'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(run.path)], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert told["status"] == "finished" and told["equilibrium"] == 0.25 and told["seeds"] == list(range(20))
    assert told["ends"]["near"] == 18 and [a["seed"] for a in told["ends"]["away"]] == [3, 7]
    assert len(told["curves"]["d_fake"]["members"]) == 20


def test_words_of_many_seeds_list_only_those_that_stand_out(tmp_path: Path) -> None:
    text = text_of(run_text(told_run(tmp_path / "run", seeds=40, away=[11, 31])))
    assert "outliers: 2 of 40 seeds" in text and "\n11 " in text and "\n31 " in text and "\n12 " not in text
    assert "38 of 40 seeds ended within 0.2" in text


def test_words_of_few_seeds_list_each(tmp_path: Path) -> None:
    run = told_run(tmp_path / "run", seeds=3)
    run.write_text("report.html", "")
    text = text_of(run_text(run))
    assert all(f"\n{seed}  " in text for seed in range(3))
    assert str(run.path) in text.replace("\n", "") and "report.html" in text.replace("\n", "")


def test_how_numbers_are_written() -> None:
    assert plus_minus(Spread.of(np.array([0.25, 0.27, np.nan]))) == "0.260 ± 0.014"
    assert plus_minus(Spread.of(np.array([0.0021, 0.0025]))) == "0.0023 ± 0.0003"
    assert plus_minus(Spread.of(np.array([380.0, 400.0]))) == "390 ± 14"
    assert plus_minus(Spread.of(np.array([400.0, 400.0]))) == "400 ± 0"
    assert plus_minus(Spread.of(np.array([0.25]))) == "0.250"
    assert plus_minus(Spread.of(np.array([np.nan]))) == "–"
    assert named_seeds([4]) == "seed 4" and named_seeds([1, 2, 5]) == "seeds 1, 2 and 5"
    assert named_seeds(range(1000), max_names=2) == "seeds 0, 1 and 998 more"


@pytest.mark.parametrize(("width", "scale"), [(80, 1.0), (80, -123_456.789), (60, 1.0)])
def test_no_number_is_cut_in_a_narrow_terminal(tmp_path: Path, width: int, scale: float) -> None:
    """Columns are left out, the least important first; what is shown is whole."""
    run = told_run(tmp_path / "run", seeds=20, lost=(3, 7), away=(5,))
    lines = [json.loads(line) for line in (run.path / "journal.jsonl").read_text().splitlines()]
    for event in lines:
        for name in ("d_loss", "g_loss"):
            event[name] = [[v and v * scale for v in row] for row in event.get(name, [])]
    (run.path / "journal.jsonl").write_text("".join(json.dumps(event) + "\n" for event in lines))
    for shown in (run_text(run), diagnosis_text(run, diagnosis(run.story))):
        narrow, wide = text_of(shown, width), text_of(shown, 300)
        kept = [line for line in narrow.splitlines() if str(run.path) not in line]
        assert all(len(line.rstrip()) <= width for line in kept)
        in_narrow, in_wide = (set(re.findall(r"[^\s(]*\d[^\s,;:)]*", t)) for t in ("\n".join(kept), wide))
        assert in_narrow <= in_wide
    facts, text = Facts.of(run), text_of(run_text(run), width)
    assert all(plus_minus(facts.spreads[name]) in text for name in ("d_loss", "d_real"))


def test_changes_are_told_as_people_write_them() -> None:
    adam = {"is": "adam", "lr": 0.001, "betas": [0.9, 0.999]}
    changed = {
        "rounds": [10, 20],
        "objective": [{"is": "mse"}, {"is": "bce-with-logits"}],
        "generator_optimizer": [adam, adam | {"lr": 0.1}],
        "tricks": [[], [{"yours": "Mine", "sha256": "00"}]],
    }
    assert Facts(RunFolder("x"), Story({}, []), {"changed": changed}).changes == [
        "rounds 10 → 20",
        "objective mse → bce-with-logits",
        "generator optimizer lr 0.001 → 0.1",
        "tricks none → (<Mine>)",
    ]
