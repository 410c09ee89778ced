"""What a newcomer reads in the explorer: whole, in its place, and nothing twice."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from sparring.recipe import find_recipe
from sparring.recipe.reading import as_text
from sparring.training.control import branch
from tests.explorer_pages import NARROW, WIDE, Open, eventually, picture, says
from tests.made_runs import made_run

MIDDLE = 820
TOPS_OF_TABS = """
window.tops = new Set();
const look = () => {
  const tabs = document.querySelector(".tabs");
  if (tabs) window.tops.add(Math.round(tabs.getBoundingClientRect().top));
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
WRITTEN = """
window.written = [];
const write = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (said, ...rest) {
  window.written.push(said);
  return write.call(this, said, ...rest);
};
"""


def test_a_link_to_a_comparison_marks_what_is_compared(opened: Open, run_shelf: Path) -> None:
    run = made_run(run_shelf / "compared", samples=False)
    run.write("weights/kept/round-000001500.safetensors", lambda path: path.write_bytes(b""))
    branches = [branch(run, 1500, run_shelf / f"compared-{name}", {"batch": 32}) for name in "ab"]
    page = opened("/run", run="runs/compared", view="branches", **{"with": "runs/compared-b"})
    page.wait_for_selector(".tree button")
    marks = "(all) => all.map((each) => [each.dataset.compare, each.getAttribute('aria-pressed')])"
    wanted = [["runs/compared-a", "false"], ["runs/compared-b", "true"]]
    eventually(lambda: sorted(page.eval_on_selector_all(".tree button", marks)), lambda found: found == wanted)
    page.close()  # before the runs are gone that it asks for
    for each in (run, *branches):
        shutil.rmtree(each.path)


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("rounds", [1, 2, 3])
@pytest.mark.parametrize("path", ["/run", "/compare"])
def test_a_short_run_counts_each_of_its_rounds_once(opened: Open, run_shelf: Path, path: str, rounds: int) -> None:
    key = f"short-{rounds}-{path[1:]}"
    run = made_run(run_shelf / key, rounds=rounds, recipe={"rounds": rounds}, samples=False, scores=False)
    page = opened("/")
    page.set_viewport_size({"width": 1800, "height": 900})
    page.add_init_script(WRITTEN)
    page.goto(f"{page.url.split('?')[0].rstrip('/')}{path}?run=runs/{key}&of=runs/{key}&of=runs/{key}")

    def ticks() -> list[str]:
        """The numbers below the figure of curves that was drawn last: they follow the word round."""
        written = page.evaluate("window.written")
        names = [place for place, said in enumerate(written) if said == "round"]
        return [said for said in written[names[-1] + 1 :] if re.fullmatch(r"[\d.,]+", said)] if names else []

    wanted = [str(round) for round in range(rounds + 1)]
    assert eventually(ticks, lambda found: len(found) >= len(wanted)) == wanted
    page.close()
    shutil.rmtree(run.path)


@pytest.mark.parametrize("path", ["/new?recipe=ring", "/new?recipe=auto", "/new", "/lessons", "/"])
def test_code_in_a_sentence_is_set_as_code(opened: Open, path: str) -> None:
    page = opened(path)
    if "recipe" in path:
        page.click("details.more > summary")
        assert page.inner_text(".field:has(input[aria-label=rounds]) small code") == "round"
        assert "train for; round lists the optimizer steps" in page.inner_text(".fields")
    assert "`" not in page.inner_text(".page")


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("width", [WIDE, MIDDLE, NARROW])
@pytest.mark.parametrize("name", ["ring", "auto"])
def test_a_form_shows_long_values_whole(opened: Open, name: str, width: int) -> None:
    page = opened("/new", width, recipe=name)
    tricks = page.locator("[aria-label=tricks]")
    assert tricks.input_value() == " ".join(as_text("tricks", find_recipe(name).tricks))
    page.click("details.more > summary")
    is_cut = "e.scrollWidth > e.clientWidth || e.scrollHeight > e.clientHeight"
    cut = f"(all) => all.filter((e) => {is_cut}).map((e) => e.value)"
    fields = ".fields :is(input[type=text], textarea)"
    eventually(lambda: page.eval_on_selector_all(fields, cut), lambda found: found == [])
    picture(page, f"whole-{name}-{width}")


def test_nothing_moves_by_itself_where_that_is_not_wanted(opened: Open) -> None:
    page = opened("/")
    page.evaluate("document.querySelector('.page').innerHTML += '<span class=\"status training\"></span>'")
    moving = "getComputedStyle(document.querySelector('.status.training'), '::before').animationName"
    assert page.evaluate(moving) == "pulse"
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(moving) == "none"


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_query_and_its_answer_are_shown_in_whole_words(opened: Open, width: int) -> None:
    pytest.importorskip("duckdb", reason="queries need DuckDB: pip install 'sparring[query]'")
    page = opened("/query", width)
    says(page, " row", ".page [role=status]")
    is_whole = "(each) => each.scrollWidth <= each.clientWidth && each.scrollHeight <= each.clientHeight"
    eventually(lambda: page.eval_on_selector("[aria-label=Query]", is_whole), bool)
    heights = "(all) => all.map((each) => each.getBoundingClientRect().height)"
    assert len(set(page.eval_on_selector_all(".answer thead th", heights))) == 1
    assert page.locator(".answer thead th").first.bounding_box()["height"] < 50


def test_names_of_runs_are_whole_at_any_width_and_long_ones_are_cut(opened: Open, run_shelf: Path) -> None:
    long = made_run(run_shelf / ("x" * 200), members=1, samples=False)
    for width in (WIDE, MIDDLE):
        page = opened("/", width)
        page.wait_for_selector(".runs tbody th")
        names = page.locator(".runs tbody th a").filter(has_not_text="xxx").all()
        assert max(each.bounding_box()["height"] for each in names) < 40
        page = opened("/run", width, run=f"runs/{long.path.name}")
        picture(page, f"long-name-{width}")
        assert page.get_attribute(".title p", "title") == f"runs/{long.path.name}"
    page.close()
    shutil.rmtree(long.path)


def test_a_long_value_is_typed_as_a_short_one(opened: Open) -> None:
    page = opened("/new", recipe="digits")
    typed = "label-smoothing exponential-moving-average(half_life=700)"
    page.fill("input[aria-label=tricks]", typed)
    page.keyboard.press("Tab")
    page.wait_for_selector("textarea[aria-label=tricks]")
    says(page, "--tricks label-smoothing 'exponential-moving-average(half_life=700)'", ".command")
    page.fill("textarea[aria-label=tricks]", "label-smoothing\nr1")
    page.keyboard.press("Enter")
    says(page, "--tricks label-smoothing r1", ".command")
    page.keyboard.press("Tab")
    assert page.input_value("input[aria-label=tricks]") == "label-smoothing r1"


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("width", [WIDE, MIDDLE, NARROW])
@pytest.mark.parametrize("run", ["digits", "collapsed"])
def test_nothing_moves_when_the_verdict_arrives(opened: Open, run: str, width: int) -> None:
    page = opened("/", width)
    page.add_init_script(TOPS_OF_TABS)
    page.goto(f"{page.url.split('?')[0].rstrip('/')}/run?run=runs/{run}")
    page.wait_for_selector(".verdict .line")
    page.wait_for_timeout(200)
    assert len(page.evaluate("[...window.tops]")) == 1


def test_before_the_first_evaluation_a_verdict_says_that_there_was_none_yet(opened: Open) -> None:
    page = opened("/run", run="runs/digits", round=0)
    says(page, "the samples have not been evaluated yet", ".verdict")
    assert "no metrics" not in page.inner_text(".verdict")
