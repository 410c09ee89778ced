"""Runs side by side: one page, the same axes, and no comparison that the numbers do not bear."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from PIL import Image

from sparring import catalogue
from sparring.analysis.curves import course
from sparring.analysis.differences import field_text, recipe_changes, recipe_parts
from sparring.analysis.facts import Facts
from sparring.cli.main import FAILED, OK, WRONG_USAGE, run
from sparring.errors import SparringError, UsageError
from sparring.recipe import find_recipe
from sparring.record import RunFolder
from sparring.record.grid import excerpts, grid, save_grid
from sparring.report import Comparison, comparison_summary, run_text, write_comparison
from sparring.report.figures.multiples import final_outputs, losses, outputs
from sparring.report.page.comparison import comparison_page
from sparring.report.page.markup import Markup
from tests.printed import Page, text_of

LEVELS = {
    "mse": {"d_loss": 0.25, "g_loss": 0.25, "d_real": 0.5, "d_fake": 0.5},
    "bce-with-logits": {"d_loss": 0.693, "g_loss": 0.693, "d_real": 0.5, "d_fake": 0.5},
}


def tables() -> Any:
    """The module that writes the docs' tables."""
    spec = importlib.util.spec_from_file_location("tables", Path(__file__).parents[2] / "docs" / "tables.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def told_run(
    path: Path,
    name: str = "num-gan",
    played: int = 200,
    lost: int = 0,
    scale: float = 1.0,
    seeds: int = 3,
    levels: dict[str, float] | None = None,
    **changes: Any,
) -> RunFolder:
    """A run folder, told rather than trained: losses about 0.25 x scale. The last `lost` members diverge midway."""
    recipe = find_recipe(name if name in catalogue.entries("recipes") else "num-gan")
    held = recipe.replace(seeds=seeds, rounds=200, log_points=4).to_dict() | {"name": name} | changes
    made = RunFolder(path)
    made.create(json.dumps(held))
    levels = levels or LEVELS[held["objective"]["is"]]
    made.write_text("about.json", json.dumps({"id": "0123456789ab", "equilibrium": levels, "changed": {}}))
    torch_seeds, journal = np.random.default_rng(0), made.journal
    journal.append("started", round=0)
    picture = "samples/round-000000000.png"
    made.write(picture, lambda p: save_grid(torch_seeds.random((seeds, 25, 1, 6, 6)), p, range(seeds)))
    journal.append("log", round=0, seconds=0.0, logged=[], picture=picture, d_loss=[], g_loss=[], d_real=[], d_fake=[])
    for end in range(50, played + 1, 50):
        logged = list(range(end - 45, end + 1, 5))
        gone = range(seeds - lost, seeds) if end > 100 else ()
        middle = {"d_loss": 0.25 * scale, "g_loss": 0.3 * scale, "d_real": 0.9, "d_fake": 0.1}
        rows = {c: m + 0.02 * torch_seeds.standard_normal((len(logged), seeds)) for c, m in middle.items()}
        told = {c: [[None if m in gone else v for m, v in enumerate(row)] for row in r] for c, r in rows.items()}
        journal.append("log", round=end, seconds=end / 100, logged=logged, **told)
        if lost and end == 150:
            journal.append("diverged", round=end, members=list(gone))
    if played == held["rounds"]:
        journal.append("finished", round=played, seconds=played / 100)
    return made


def compared(*runs: RunFolder) -> Comparison:
    return Comparison.of([made.path for made in runs])


def page_of(*runs: RunFolder) -> Page:
    return Page(comparison_page(compared(*runs)))


def words_of(held: Comparison) -> str:
    """What the page says, without its figures, which take a while to draw."""
    with patch("sparring.report.page.comparison.chart", return_value=(Markup(""), b"")):
        return Page(comparison_page(held)).said


@pytest.fixture
def three(tmp_path: Path) -> list[RunFolder]:
    """The lineage of write-up 000, out of order on the disk; its losses are of two kinds."""
    names = ("num-gan-2", "num-gan", "num-gan-1")
    return [told_run(tmp_path / f"{k}", name, scale=3.0 if k == 0 else 1.0 + k) for k, name in enumerate(names)]


# The page.


def test_the_page_fetches_nothing_and_is_whole(three: list[RunFolder], tmp_path: Path) -> None:
    out = write_comparison(compared(*three), tmp_path / "deep" / "page.html")
    seen = Page(out.read_text(encoding="utf-8"))
    for tag, attributes in seen.tags:
        for key in ("src", "srcset", "href", "action", "data", "poster"):
            value = attributes.get(key)
            assert value is None or value.startswith("data:"), f"<{tag} {key}={value[:60]!r}>"
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest|https?://", seen.text)
    assert any("default-src 'none'" in (meta.get("content") or "") for meta in seen.all("meta"))
    assert len(seen.all("h1")) == 1 and len(seen.all("article")) == 3
    assert all(image.get("alt") for image in seen.all("img"))
    # Losses and answers of each run, and where all ended, by seconds too: in the light and in the dark.
    assert len(seen.all("source")) == 8
    assert not list(tmp_path.glob("deep/.*"))


def test_the_page_tells_the_story_of_a_lineage(three: list[RunFolder], tmp_path: Path) -> None:
    seen = Page(comparison_page(Comparison.of([tmp_path])))
    assert seen.said.index("num-gan") < seen.said.index("Changed from num-gan")
    assert [a["id"] for a in seen.all("article")] == ["run-1", "run-2", "run-3"]
    assert "The first MNIST GANs" in seen.said
    assert "both networks: activation sigmoid → leaky-relu, slope 0.2 → 0.02" in seen.said
    assert "both optimizers: sgd(lr=0.01) → adam(lr=0.0001)" in seen.said
    assert "objective: mse → bce-with-logits" in seen.said
    assert "mode collapse: once G has found a good enough output" in seen.said
    assert "n = 3; 0.250 at equilibrium" in seen.said and "n = 3; 0.693 at equilibrium" in seen.said
    assert "3 of 3" in seen.said and "±" in seen.said
    samples = [image for image in seen.all("img") if image.get("class") == "pixels"]
    assert len(samples) == 9


def test_different_objectives_are_said_not_to_compare(three: list[RunFolder]) -> None:
    held = compared(*three)
    assert not held.losses_comparable and held.outputs_comparable
    assert "losses are not comparable across them; compare D(real) and D(fake) instead" in words_of(held)
    alike = compared(three[1], three[2])
    assert alike.losses_comparable and not any("objective" in note for note in alike.notes)


def test_answers_on_different_scales_are_said_not_to_compare(three: list[RunFolder], tmp_path: Path) -> None:
    critic = told_run(tmp_path / "critic", levels={"d_loss": 0, "g_loss": 0, "d_real": 0, "d_fake": 0})
    held = compared(three[0], critic)
    assert not held.outputs_comparable
    assert any("different scales" in note for note in held.notes) and not any("instead" in note for note in held.notes)


def test_unfinished_and_diverged_runs_are_counted(three: list[RunFolder], tmp_path: Path) -> None:
    short = told_run(tmp_path / "short", "digits", played=100)
    broken = told_run(tmp_path / "broken", "fashion-fc", lost=2)
    gone = told_run(tmp_path / "gone", "pattern-1010", lost=3)
    blank = told_run(tmp_path / "blank", "num-gan", played=0)
    seen = page_of(three[1], short, broken, gone, blank)
    assert "Not finished: digits, num-gan in blank" in seen.said
    assert "5 of 15 seeds diverged" in seen.said and "n = 1 of 3" in seen.said and "n = 0 of 3" in seen.said
    assert "No round has been played yet." in seen.said and "has reached round 100 of 200" in seen.said


def test_a_run_without_pictures_or_about_has_its_place(three: list[RunFolder]) -> None:
    (three[0].path / "about.json").unlink()
    for made in three:
        for picture in (made.path / "samples").iterdir():
            picture.unlink()
    assert words_of(compared(*three)).count("No picture yet.") == 3


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    name = "</title><script>alert('x')</script><img src=http://evil.example/x onerror=alert(1)>\"&"
    seen = page_of(told_run(tmp_path / "a<b>&c", name), told_run(tmp_path / "$x_1$", "$\\frac{1}{$"))
    assert len(seen.all("script")) == 1 and "onerror" not in {k for _, a in seen.tags for k in a}
    assert not any((image.get("src") or "").startswith("http") for image in seen.all("img"))
    assert name in seen.said


def test_many_runs_of_one_recipe_are_told_apart(tmp_path: Path) -> None:
    runs = [told_run(tmp_path / f"{k}", batch=k + 1) for k in range(5)]
    runs += [told_run(tmp_path / "more" / "0")]
    held = compared(*runs)
    assert held.names[:2] == [f"num-gan in {tmp_path.name}/0", "num-gan in 1"]
    assert held.names[5] == "num-gan in more/0" and len(set(held.names)) == 6
    assert held.steps[1] == ["batch: 1 → 2"] and "different amounts of training" in " ".join(held.notes)


def test_a_folder_of_runs_is_told_in_the_order_of_recipes_then_of_numbers(tmp_path: Path) -> None:
    for name, folder in (("pattern-1010", "a"), ("digits", "run-10"), ("digits", "run-2"), ("my-own", "0")):
        told_run(tmp_path / folder, name, played=0)
    assert [f.run.path.name for f in Comparison.of([tmp_path]).runs] == ["run-2", "run-10", "a", "0"]


@pytest.mark.parametrize("name", ["recipe.json", "journal.jsonl"])
def test_a_damaged_run_of_a_folder_is_left_out_and_one_that_is_named_is_not(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in "abc":
        told_run(tmp_path / folder, "digits", played=0)
    (tmp_path / "b" / name).write_text("{\n")
    assert [f.run.path.name for f in Comparison.of([tmp_path]).runs] == ["a", "c"]
    said = capsys.readouterr().err
    assert said.count("left out: ") == 1 and name in said
    with pytest.raises(SparringError, match=name):
        Comparison.of([tmp_path / "a", tmp_path / "b"])


# The pictures.


def test_runs_share_their_axes(three: list[RunFolder]) -> None:
    held = compared(*three)
    bce, first, second = held.runs
    limits = [outputs(held, facts).axes[0].get_ylim() for facts in held.runs]
    assert limits[0] == limits[1] == limits[2] == (-0.03, 1.03)
    assert losses(held, first).axes[0].get_ylim() == losses(held, second).axes[0].get_ylim()
    assert losses(held, bce).axes[0].get_ylim() != losses(held, first).axes[0].get_ylim()
    assert len({losses(held, facts).axes[0].get_xlim() for facts in held.runs}) == 1
    assert losses(held, bce).axes[0].texts[0].get_text().startswith("0.693:")
    low, high = losses(held, first).axes[0].get_ylim()
    assert low < 0.25 < high and all(low < v < high for f in (first, second) for v in f.last["g_loss"])


def test_a_short_run_is_not_stretched_to_the_length_of_a_long_one(tmp_path: Path) -> None:
    """Round 200 is at the same place in every picture; where a short run would be a sliver, rounds are logarithmic."""
    runs = [told_run(tmp_path / f"{rounds}", rounds=rounds) for rounds in (200, 1_000, 60_000)]
    near, far = compared(*runs[:2]), compared(*runs)
    for comparison, scale in ((near, "linear"), (far, "log")):
        axes = [losses(comparison, facts).axes[0] for facts in comparison.runs]
        assert {each.get_xscale() for each in axes} == {scale}
        assert len({each.get_xlim() for each in axes}) == 1
        assert axes[0].get_xlim()[1] == max(facts.rounds for facts in comparison.runs)
    assert "logarithmic axis" in words_of(far) and "logarithmic axis" not in words_of(near)


def test_where_answers_ended_has_a_row_for_each_run(three: list[RunFolder]) -> None:
    axes = final_outputs(compared(*three)).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["num-gan-2", "num-gan", "num-gan-1"]
    assert axes.get_xlim() == (-0.03, 1.03)


def test_excerpts_are_cut_from_where_the_picture_says(tmp_path: Path) -> None:
    examples = np.random.default_rng(0).random((5, 25, 1, 6, 6))
    save_grid(examples, tmp_path / "grid.png", range(5), scale=2)
    with Image.open(tmp_path / "grid.png") as picture:
        first, second = excerpts(picture, 2, 16) or []
    alone = grid(examples[1:2, [0, 1, 2, 3, 5, 6, 7, 8, 10, 11, 12, 13, 15, 16, 17, 18]], scale=2)
    assert first.size == second.size == (4 * 14 - 2, 4 * 14 - 2)
    assert second.tobytes() == alone.crop((12, 12, 12 + second.width, 12 + second.height)).tobytes()


@pytest.mark.parametrize("told", ["", "[]", '{"blocks": [[0, 0]], "cells": [9, 9], "cell": [9e9, 1], "gap": 1}'])
def test_a_picture_that_says_nonsense_is_shown_whole(told: str) -> None:
    picture = Image.new("RGB", (40, 40))
    picture.info["sparring layout"] = told
    assert excerpts(picture, 4, 16) is None
    assert excerpts(Image.new("RGB", (40, 40)), 4, 16) is None


# The command.


def test_compare_writes_beside_the_first_run_and_says_where(
    three: list[RunFolder], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compare", *(str(made.path) for made in three)]) == OK
    out = three[0].path.parent / "compare.html"
    assert capsys.readouterr().out.strip() == str(out) and out.is_file()


def test_compare_tells_the_same_in_json(
    three: list[RunFolder], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compare", str(tmp_path), "--json"]) == OK
    told = json.loads(capsys.readouterr().out)
    assert told["out"] is None and not (tmp_path / "compare.html").exists()
    assert [r["recipe"] for r in told["runs"]] == ["num-gan", "num-gan-1", "num-gan-2"]
    assert told["losses_comparable"] is False and told["outputs_comparable"] is True and len(told["notes"]) == 1
    assert told["runs"][0]["changes_from_previous"] == []
    assert told["runs"][2]["changes_from_previous"][-1] == "objective: mse → bce-with-logits"
    for each in told["runs"]:
        assert each["curves"]["d_real"]["n"] == 3 and abs(each["curves"]["d_real"]["mean"] - 0.9) < 0.05
        assert each["verdict"] and each["expects"] == list(each["expects"])
    out = tmp_path / "p.html"
    assert run(["compare", str(tmp_path), "--json", "--out", str(out)]) == OK
    assert json.loads(capsys.readouterr().out)["out"] == str(out) and out.is_file()


def test_what_cannot_be_compared_is_said_in_one_line(
    three: list[RunFolder], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    first = str(three[0].path)
    cases = [
        ([], WRONG_USAGE, "given 0 runs"),
        ([first], WRONG_USAGE, "given 1 run"),
        ([first, first + "/."], WRONG_USAGE, "given 1 run"),
        ([first, str(tmp_path / "empty")], FAILED, "contains none"),
        ([first, str(tmp_path / "nowhere")], FAILED, "does not exist"),
        ([str(tmp_path), "--out", "page.png"], WRONG_USAGE, ".html"),
        ([str(tmp_path), "--out", str(tmp_path / "empty" / ".." / "x.html" / "y.html")], OK, ""),
    ]
    for arguments, status, said in cases:
        assert run(["compare", *arguments]) == status
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == (1 if status else 0), arguments


def test_too_many_runs_are_refused(tmp_path: Path) -> None:
    for k in range(21):
        RunFolder(tmp_path / f"{k}").create(json.dumps(find_recipe("digits").to_dict()))
    with pytest.raises(UsageError, match="at most 20"):
        Comparison.of([tmp_path])
    assert len(Comparison.of([tmp_path / f"{k}" for k in range(20)]).runs) == 20


def test_a_damaged_recipe_is_said(three: list[RunFolder]) -> None:
    (three[0].path / "recipe.json").write_text("{")
    with pytest.raises(SparringError, match="not JSON"):
        comparison_summary(Comparison.of([run.path for run in three]))


def test_a_recipe_of_a_newer_version_is_named(three: list[RunFolder]) -> None:
    file = three[0].path / "recipe.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "mood": "good"}))
    with pytest.raises(SparringError, match=f"{file} has what this version .* not know: mood; update sparring"):
        _ = three[0].story


# Recipes told.


def test_the_words_of_a_run_stand_below_its_verdict(three: list[RunFolder]) -> None:
    for made, seeds in ((three[0], 3), (told_run(three[0].path.parent / "one", seeds=1), 1)):
        text = " ".join(text_of(run_text(made), width=200).split())
        saw, shows = text.index("reference result"), text.index("this run shows")
        assert saw < shows < text.index("D's loss ends at") < text.index("at equilibrium: 0") < text.index("D(real)")
        assert ("means ± SD over 3 seeds" in text) == (seeds > 1)


def test_findings_that_a_recipe_should_come_to_are_told(
    three: list[RunFolder], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(catalogue.entries("recipes")["num-gan-1"].facts, "expects", ("mode-collapse", "d-too-fast"))
    assert run(["recipes", "num-gan-1"]) == OK
    assert "expected diagnosis: mode-collapse, d-too-fast" in capsys.readouterr().out
    assert run(["recipes", "num-gan-1", "--json"]) == OK
    assert json.loads(capsys.readouterr().out)["expects"] == ["mode-collapse", "d-too-fast"]
    assert "mode-collapse, d-too-fast" in text_of(run_text(three[2]))
    assert comparison_summary(compared(*three))["runs"][2]["expects"] == ["mode-collapse", "d-too-fast"]
    assert "mode-collapse, d-too-fast" in words_of(compared(*three))
    assert "- **Expected diagnosis:** `mode-collapse`, `d-too-fast`" in tables().recipes_in_markdown()


def test_the_course_of_a_curve_is_told_when_it_is_no_chance(tmp_path: Path) -> None:
    made = told_run(tmp_path / "flat")
    assert course(Facts.of(made), "d_loss") is None
    journal = (made.path / "journal.jsonl").read_text().splitlines()
    for index, dip in ((3, 0.05), (4, 0.1)):
        journal[index] = re.sub(r'"d_loss":\[\[.*?\]\]', f'"d_loss":{[[dip] * 3] * 10}', journal[index])
    (made.path / "journal.jsonl").write_text("\n".join(journal) + "\n")
    told = course(Facts.of(made), "d_loss")
    assert told and "fell to 0.050 by round" in told and "then rose back to 0.2" in told


def test_what_two_recipes_do_differently() -> None:
    old, new = find_recipe("num-gan").to_dict(), find_recipe("num-gan").to_dict()
    assert recipe_changes(old, new | {"seeds": [1], "log_points": 3, "name": "x"}) == []
    new["round"] = ["d_sees_both", *["g_fools_d"] * 200]
    new["latent"] = {"is": "normal", "size": 100}
    new["generator"] = {"yours": "Mine", "sha256": "00"}
    assert recipe_changes(old, new) == [
        "generator: fully-connected(hidden=(200), activation=sigmoid, output=sigmoid) → <Mine>",
        "latent: uniform(size=1) → normal(size=100)",
        "round: (d_sees_real, d_sees_fake, g_fools_d) → (d_sees_both, g_fools_d × 200)",
    ]
    assert recipe_changes(new, new | {"generator": {"yours": "Mine", "sha256": "01"}}) == [
        "generator: <Mine>, whose code changed"
    ]
    older = old | {"generator": {k: v for k, v in old["generator"].items() if k != "dropout"}}
    assert recipe_changes(older, old) == []


def test_every_recipe_is_told_by_its_parts(recipe: Any) -> None:
    told = recipe_parts(recipe.to_dict())
    assert list(told)[:3] == ["data", "G", "D"] and told["rounds"] == f"{recipe.rounds:,}"
    assert len(told["round"]) < 120 and all(told.values())


def test_markdown_has_every_recipe_once_under_its_lineage() -> None:
    text = tables().recipes_in_markdown()
    assert re.findall(r"^### `(.+)`$", text, re.MULTILINE) == list(catalogue.entries("recipes"))
    assert text.index("## The first MNIST GANs") < text.index("### `num-gan`") < text.index("### `num-gan-2`")
    assert text.count("**Reference result:**") == len(catalogue.entries("recipes"))


def test_many_consecutive_seeds_are_written_as_they_are_typed() -> None:
    assert field_text("seeds", list(range(3, 40))) == "3-39"
    assert field_text("seeds", [0, 1, 2]) == "(0, 1, 2)"
    assert field_text("seeds", [*range(30), 99]).endswith("29, 99)")
