"""Runs, members and rounds side by side in the explorer, and the table that they are chosen from."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.explorer_pages import NARROW, WIDE, WINDOWS, Open, eventually, picture, says
from tests.made_runs import made_run

TWO = ["runs/digits|3|2500", "runs/collapsed||"]


def drawn(page: Any, canvas: str) -> int:
    """How many colors a canvas shows, of some thousand places."""
    return page.locator(canvas).first.evaluate(
        "(c) => new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size"
    )


def test_curves_of_one_scale_are_on_one_axis() -> None:
    pytest.importorskip("nicegui", reason="the explorer needs NiceGUI: pip install 'sparring[explore]'")
    from sparring.explorer.parts.sides import groups_of

    recipes = [{"objective": {"is": name}, "generator": "a"} for name in ("bce", "mse", "wasserstein", "bce")]
    groups = groups_of(recipes, [0.5, 0.5, None, 0.5])
    assert groups["losses"] == [[0, 3], [1], [2]]
    assert groups["outputs"] == [[0, 1, 3], [2]] and groups["gradients"] == [[0, 1, 2, 3]]


@pytest.mark.parametrize(("width", "scheme"), WINDOWS)
def test_two_runs_are_shown_side_by_side(opened: Open, width: int, scheme: str) -> None:
    page = opened("/compare", width, scheme, of=TWO)
    says(page, "mode-collapse", ".side-words")
    says(page, "seed 3, round 2,500", ".side-pictures")
    eventually(lambda: page.locator(".side-curves canvas").count(), lambda count: count >= 4)
    eventually(lambda: drawn(page, ".side-curves canvas"), lambda colors: colors > 8)
    says(page, "as of round 2,500", ".side-words")
    says(page, "nothing: the recipes are the same", ".side-words")
    picture(page, f"sides-{width}-{scheme}")


def test_what_is_chosen_is_in_the_address(opened: Open) -> None:
    page = opened("/compare", of=TWO)
    says(page, "as of round 2,500", ".side-words")
    page.select_option("select[aria-label='Member B: runs/collapsed']", "5")
    says(page, "seed 5, round 5,000", ".side-pictures")
    slider = "input[aria-label='Round that is shown A: runs/digits']"
    page.fill(slider, "1000")
    says(page, "as of round 1,000", ".side-words")
    address = page.evaluate("location.search")
    assert "digits%7C3%7C1000" in address and "collapsed%7C5%7C" in address
    page.focus(slider)
    page.keyboard.press("Home")
    says(page, "seed 3, round 0", ".split option")
    again = opened(f"/compare{address.replace('C5%7C', 'C5%7C9000')}")
    says(again, "as of round 1,000", ".side-words")
    says(again, "seed 5, round 5,000", ".side-pictures")
    # A round that there is not is taken out of the address.
    eventually(lambda: again.evaluate("location.search"), lambda now: now == address)


def test_one_picture_lies_before_another(opened: Open) -> None:
    page = opened("/compare", of=TWO)
    page.wait_for_selector(".split input[type=range]")
    canvas = page.locator("figure:has(.split) canvas")
    canvas.scroll_into_view_if_needed()
    before, box = canvas.screenshot(), canvas.bounding_box()
    page.mouse.move(box["x"] + 30, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 12, box["y"] + 30)
    page.mouse.up()
    assert int(page.input_value(".split input[type=range]")) < 50 and canvas.screenshot() != before
    page.focus(".split input[type=range]")
    page.keyboard.press("End")
    assert page.input_value(".split input[type=range]") == "100"


def test_sides_are_added_and_taken_away(opened: Open) -> None:
    page = opened("/compare", of=["runs/digits"])
    says(page, "Choose two to eight")
    page.click("text=Its members side by side")
    eventually(lambda: page.locator(".side:not(.add)").count(), lambda count: count == 8)
    says(page, "the same run as A", ".side-words")
    assert not page.locator(".side.add").count()  # eight are all there is room for
    page.click("button[aria-label='Remove H: runs/digits']")
    eventually(lambda: page.locator(".side:not(.add)").count(), lambda count: count == 7)
    page.select_option("select[aria-label^='Add a run']", "runs/bare")
    eventually(lambda: page.locator(".side:not(.add)").count(), lambda count: count == 8)
    says(page, "This run has no pictures of samples.", ".side-pictures")


def test_a_side_that_is_not_there_is_named(opened: Open) -> None:
    page = opened("/compare", of=["runs/digits", "runs/../secret|1|2", "runs/<b>x"])
    says(page, "There is no such run here: runs/../secret, runs/<b>x.")
    assert not page.locator(".problem b").count()


def test_a_side_whose_folder_is_removed_is_named(opened: Open, run_shelf: Path) -> None:
    run = made_run(run_shelf / "side-vanishing")
    page = opened("/compare", of=["runs/side-vanishing", "runs/digits"])
    says(page, "nothing: the recipes are the same", ".side-words")
    shutil.rmtree(run.path)
    page.fill("input[aria-label='Round that is shown A: runs/side-vanishing']", "0")
    says(page, "The folder of runs/side-vanishing is gone", ".problem")
    assert page.title() == "side-vanishing, digits · Sparring"


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_all_runs_are_sorted_filtered_and_opened(opened: Open, width: int) -> None:
    pytest.importorskip("duckdb", reason="the table needs DuckDB: pip install 'sparring[query]'")
    page = opened("/", width)
    page.click("text=Sort and compare them")
    says(page, " rows.", ".page [role=status]")
    picture(page, f"all-runs-{width}")
    names = lambda: page.locator(".all-runs tbody td:nth-child(2)").all_inner_texts()  # noqa: E731
    page.click(".all-runs thead >> text=Run")
    ordered = eventually(names, lambda shown: shown and shown == sorted(shown))
    page.click(".all-runs thead >> text=Run")
    eventually(names, lambda shown: shown == ordered[::-1])
    page.fill("input[aria-label='Filter by name']", "one-mem")
    says(page, "1 row.", ".page [role=status]")
    eventually(lambda: page.evaluate("location.search"), lambda query: "text=one-mem" in query and "sort=run" in query)
    page.fill("input[aria-label='Filter by name']", "")
    says(page, f"{len(ordered)} rows.", ".page [role=status]")
    for name in ("runs/digits", "runs/collapsed"):
        page.check(f"input[aria-label='Choose {name}']")
    page.click("a.primary:has-text('Side by side')")
    says(page, "mode-collapse", ".side-words")
    again = opened("/all", width, status="finished", sort="distance", order="asc")
    says(again, "rows.", ".page [role=status]")
    again.click(".all-runs tbody a >> nth=0")
    again.wait_for_selector(".verdict .line")


def test_what_is_asked_of_all_runs_lasts(opened: Open, run_shelf: Path) -> None:
    """Whatever is asked for next: by sorting, by a status, after Back."""
    pytest.importorskip("duckdb", reason="the table needs DuckDB: pip install 'sparring[query]'")
    for name in "abcdefghi":
        made_run(run_shelf / f"many-{name}", members=1, samples=False, scores=False)
    damaged = made_run(run_shelf / "many-damaged", members=1, samples=False, scores=False)
    (damaged.path / "recipe.json").write_text("{")
    page = opened("/all")
    says(page, "1 run cannot be read, and is left out: many-damaged.", ".problem")
    page.fill("input[aria-label='Filter by name']", "synthetic MANY-")
    says(page, "9 rows.", ".page [role=status]")
    for name in "abcdefgh":
        page.check(f"input[aria-label='Choose runs/many-{name}']")
    page.click("input[aria-label='Choose runs/many-i']")
    says(page, "Eight runs fit side by side", ".table-bar")
    assert not page.is_checked("input[aria-label='Choose runs/many-i']")
    page.uncheck("input[aria-label='Choose runs/many-a']")
    for press in ("thead >> text=Run", ".table-bar >> text=finished"):
        page.click(press)
        says(page, "9 rows.", ".page [role=status]")
        assert page.input_value("input[aria-label='Filter by name']").endswith("MANY-")
        assert page.locator(".all-runs input:checked").count() == 7
    picture(page, "all-runs-chosen")
    page.click("a.primary:has-text('Side by side (7)')")
    eventually(lambda: page.locator(".side:not(.add)").count(), lambda count: count == 7)
    page.go_back()
    says(page, "9 rows.", ".page [role=status]")
    assert page.locator(".all-runs input:checked").count() == 7
    page.close()
    for each in run_shelf.glob("many-*"):
        shutil.rmtree(each)


def test_they_speak_chinese(opened: Open) -> None:
    page = opened("/compare", of=TWO, language="zh")
    says(page, "模式崩溃", ".side-words")
    page.select_option("select[aria-label$='B: runs/collapsed']", "5")
    eventually(
        lambda: page.evaluate("location.search"), lambda query: "language=zh" in query and "collapsed%7C5" in query
    )
    picture(page, "zh-sides")
