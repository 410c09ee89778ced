"""What a teacher or a learner does in the explorer: watches, goes back and forth, steers, branches, starts a run."""

from __future__ import annotations

import contextlib
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparring.record import RunFolder
from sparring.record.files import save_arrays
from sparring.record.grid import save_grid
from sparring.record.story import CURVES, GRADIENTS
from tests.explorer_pages import NARROW, WIDE, WINDOWS, Open, eventually, picture, query_of, says, training
from tests.explorers import FakeTraining, Launched
from tests.made_runs import SIDE, made_run

# Looking.


@pytest.mark.parametrize(("width", "scheme"), WINDOWS)
def test_every_view_of_every_run_fits_the_screen(opened: Open, width: int, scheme: str) -> None:
    page = opened("/", width, scheme)
    says(page, "runs/digits")
    picture(page, f"list-{width}-{scheme}")
    page.click("text=runs/digits")
    for view in ("Live", "Samples", "Findings", "Branches", "Recipe"):
        page.click(f".tabs >> text={view}")
        says(page, "equilibrium", ".verdict")
        page.wait_for_timeout(200)
        picture(page, f"{view.lower()}-{width}-{scheme}")
    assert query_of(page)["view"] == "recipe"
    assert page.title() == "digits · Sparring"
    page.go_back()
    page.wait_for_selector("section[data-view=branches]")
    assert page.get_attribute(".tabs a[aria-current]", "data-show") == query_of(page)["view"] == "branches"


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_everything_in_the_head_of_a_page_is_reached(opened: Open, width: int, language: str) -> None:
    page = opened("/run", width, run="runs/digits", language=language)
    hidden = ".languages [aria-current]" if width == NARROW else "none"
    for each in page.locator(f":is(.top a, .top button):not({hidden})").all():
        box = each.bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= width and box["height"] > 0, each.inner_text()
    picture(page, f"head-{width}-{language}")
    page.locator(".top").get_by_text("课程" if language == "zh" else "Lessons", exact=True).click()
    page.wait_for_selector(".card")
    page.locator(".top").get_by_text("训练列表" if language == "zh" else "Runs", exact=True).click()
    page.wait_for_selector(".runs")


def test_one_slider_moves_everything(opened: Open) -> None:
    page = opened("/run", run="runs/digits")
    says(page, "round 5,000", ".samples .legend")
    before = {part: page.inner_text(f".{part} .legend") for part in ("curves", "samples", "scores")}
    verdict = page.inner_text(".verdict")
    page.focus(".timeline input[type=range]")
    page.keyboard.press("Home")
    says(page, "0 / 5,000", ".timeline output")
    page.fill(".timeline input[type=range]", "1000")
    says(page, "as of round 1,000", ".verdict")
    says(page, "round 1,000", ".samples .legend")
    says(page, "round 1,000", ".scores .legend")
    after = {part: page.inner_text(f".{part} .legend") for part in before}
    assert all(after[part] != before[part] for part in before) and page.inner_text(".verdict") != verdict
    assert eventually(lambda: query_of(page).get("round"), lambda round: round) == "1000"
    page.click("button[aria-label=Play]")
    eventually(lambda: page.inner_text(".timeline output b"), lambda shown: int(shown.replace(",", "")) > 1000)
    page.click("button[aria-label='Play backwards']")
    high = int(page.inner_text(".timeline output b").replace(",", ""))
    eventually(lambda: page.inner_text(".timeline output b"), lambda shown: int(shown.replace(",", "")) < high)
    page.click("button[aria-label='Newest round']")
    assert eventually(lambda: query_of(page).get("round", "newest"), lambda round: round == "newest")


def test_a_link_opens_the_same_picture_again(opened: Open) -> None:
    query = {"run": "runs/digits", "member": 3, "round": 2500, "view": "samples"}
    page = opened("/run", **query)
    says(page, "round 2,500", ".samples .legend")
    assert page.input_value(".timeline select") == "3"
    assert page.get_attribute(".tabs a[aria-current]", "data-show") == "samples"
    again = opened("/run", **{name: str(value) for name, value in query_of(page).items()})
    says(again, "round 2,500", ".samples .legend")
    seen = "section[data-view=samples] canvas"
    eventually(lambda: [each.locator(seen).screenshot() for each in (page, again)], lambda two: two[0] == two[1])


def test_hovering_gives_values_and_a_click_chooses_a_member(opened: Open) -> None:
    page = opened("/run", run="runs/digits")
    says(page, "median", ".curves .legend")
    box = page.locator(".curves canvas").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    says(page, "seed", ".curves .hover")
    hovered = page.locator(".curves .hover").first.inner_text()
    seed = re.search(r"seed (\d)", hovered)
    assert seed and re.search(r"round [\d,]+", hovered) and re.search(r"loss \d\.\d+, median \d\.\d+", hovered)
    page.mouse.down()
    page.mouse.up()
    assert eventually(lambda: page.input_value(".timeline select"), lambda member: member == seed[1])
    says(page, f"seed {seed[1]}", ".samples .legend")


@pytest.mark.parametrize(
    ("run", "sentences"),
    [
        ("bare", ["This run has no pictures of samples.", "This run has no histograms of D’s outputs"]),
        ("one-member", ["This run has one member"]),
    ],
)
def test_a_run_without_something_says_what_is_missing(opened: Open, run: str, sentences: list[str]) -> None:
    page = opened("/run", run=f"runs/{run}")
    for sentence in sentences:
        says(page, sentence)
    picture(page, f"missing-{run}")


def test_a_run_that_has_diverged_says_so_where_there_is_nothing_to_see(opened: Open, run_shelf: Path) -> None:
    run = made_run(run_shelf / "lost", members=2, until=2500)
    none = {name: [[None, None]] for name in (*CURVES, *GRADIENTS)}
    save_grid(np.zeros((2, 4, 1, SIDE, SIDE), np.float32), run.path / "samples/lost.png", range(2))
    run.journal.append("log", round=2600, seconds=9.0, logged=[2600], picture="samples/lost.png", **none)
    run.journal.append("diverged", round=2600, members=[0, 1])
    run.journal.append("diverged-all", round=2600)
    page = opened("/run", run="runs/lost")
    says(page, "not finite: this member has diverged", ".curves .legend")
    says(page, "weights are not finite", ".samples .missing")
    page.keyboard.press("p")
    assert page.locator(".controls >> text=Resume training").count() == 0
    page.fill(".timeline input[type=range]", "2500")
    says(page, "round 2,500", ".samples .legend")
    page.wait_for_selector(".samples canvas")
    page.close()
    shutil.rmtree(run.path)


@pytest.mark.parametrize("address", ["/nope", "/all?folder=x"])
def test_an_address_without_a_page_says_so(browser: Any, explorer: Launched, address: str) -> None:
    with browser.new_context() as context:  # as its console names the status
        page = context.new_page()
        page.goto(explorer.address)
        page.wait_for_selector(".page")
        page.goto(f"{explorer.origin}{address}")
        says(page, "There is no such page")
        says(page, address)
        page.click("text=To the list of runs")
        page.wait_for_selector(".runs")


def test_a_run_that_is_not_there_says_so(opened: Open) -> None:
    page = opened("/run", run="runs/../nothing")
    says(page, "There is no such run here.")


def test_the_list_is_filtered_as_one_types(opened: Open) -> None:
    page = opened("/")
    page.fill("input[aria-label='Filter by name']", "collapsed SYNTH")
    eventually(lambda: page.locator(".runs tbody tr").count(), lambda count: count == 1)
    page.click(".runs tbody a")
    page.wait_for_selector(".verdict .line")
    page.go_back()
    page.wait_for_selector(".runs")
    assert page.input_value("input[aria-label='Filter by name']") == "collapsed SYNTH"
    assert page.locator(".runs tbody tr").count() == 1
    page.fill("input[aria-label='Filter by name']", "no such run")
    says(page, "No run matches this filter.")


def test_light_and_dark_are_chosen_and_remembered(opened: Open) -> None:
    page = opened("/")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("button.theme")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark
    page.reload()
    page.wait_for_selector(".page")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.click("button.theme")


def test_a_page_open_for_long_keeps_its_memory(opened: Open) -> None:
    page = opened("/run", run="runs/digits")
    says(page, "median", ".curves .legend")
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def used() -> dict[str, float]:
        session.send("HeapProfiler.collectGarbage")
        return {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}

    def go_through(rounds: range) -> None:
        for round in rounds:
            page.fill(".timeline input[type=range]", str(round))
            page.wait_for_timeout(15)

    go_through(range(0, 5000, 250))
    page.wait_for_timeout(500)
    before = used()
    go_through(range(0, 5000, 250))
    page.wait_for_timeout(500)
    after = used()
    assert after["Nodes"] < 1.1 * before["Nodes"] + 50
    assert after["JSHeapUsedSize"] < before["JSHeapUsedSize"] + 4e6


# Live, and steering.


def test_a_run_that_trains_is_followed_and_two_windows_agree(opened: Open, run_shelf: Path) -> None:
    with training(run_shelf, "live") as fake:
        page, other = (opened("/run", run="runs/live", member=2) for _ in range(2))
        says(page, "training", ".verdict")
        for round in (2600, 2700, 2800):
            fake.log(round)
        for window in (page, other):
            says(window, "2,800 / 5,000", ".timeline output")
            says(window, "round 2,800 of 5,000", ".verdict")
        assert page.inner_text(".curves .legend") == other.inner_text(".curves .legend")
        page.fill(".timeline input[type=range]", "1000")
        fake.log(2900)
        says(other, "2,900 / 5,000", ".timeline output")
        assert page.inner_text(".timeline output b") == "1,000"
        picture(page, "training")


def test_buttons_and_keys_steer_the_training(opened: Open, run_shelf: Path) -> None:
    with training(run_shelf, "steered") as fake:
        page = opened("/run", run="runs/steered")

        def asked(count: int) -> list[str]:
            done = eventually(lambda: [c for c in fake.asked if c.do != "watch"], lambda found: len(found) >= count)
            return [f"{each.do} {each.values.get('player', '')}".strip() for each in done]

        page.click(".controls >> text=Pause")
        says(page, "Paused after round 2,500.", ".said")
        says(page, "Go on", ".controls")
        page.click(".controls >> text=D step")
        says(page, "D learns", ".moves .legend")
        says(page, "move 1 of 2", ".moves .legend")
        picture(page, "move-by-move")
        page.keyboard.press("g")
        says(page, "G learns", ".moves .legend")
        page.keyboard.press("r")
        asked(4)
        page.keyboard.press("s")
        says(page, "slow motion", ".verdict")
        page.click(".controls >> text=Go on")
        says(page, "training", ".verdict")
        assert asked(6) == ["pause", "step D", "step G", "round", "slow", "go"]
        assert {each.by for each in fake.asked} == {"explorer"}


def test_settings_are_changed_while_it_trains_and_the_page_says_so(opened: Open, run_shelf: Path) -> None:
    with training(run_shelf, "changed") as fake:
        page = opened("/run", run="runs/changed")
        page.click(".controls >> text=Settings")
        page.fill("input[aria-label=batch]", "32")
        page.keyboard.press("Tab")
        page.wait_for_selector(".field.changed")
        picture(page, "settings")
        page.click(".drawer >> text=Apply")
        says(page, "No longer its recipe’s run", ".verdict")
        assert next(each for each in fake.asked if each.do == "set").values["settings"] == {"batch": "32"}
        fake.log(2600)
        page.click(".controls >> text=Settings")
        page.fill("input[aria-label=batch]", "nonsense")
        page.keyboard.press("Tab")
        page.click(".drawer >> text=Apply")
        says(page, "batch", ".said.problem")
        page.keyboard.press("Escape")
        page.wait_for_selector(".drawer", state="hidden")
        focused = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText"
        assert page.evaluate(focused) == "Settings"
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("e")
        eventually(lambda: page.evaluate("!!document.activeElement.closest('.drawer')"), bool)


def test_a_click_on_a_checkpoint_goes_back_or_branches_and_the_tree_shows_it(opened: Open, run_shelf: Path) -> None:
    run = made_run(run_shelf / "trunk", until=2500)
    for round in (500, 1500, 2500):
        run.write(f"weights/kept/round-{round:09d}.safetensors", lambda path: save_arrays({"w": np.zeros(1)}, path, {}))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, run.path)
        fake = stack.enter_context(FakeTraining(run))
        page = opened("/run", run="runs/trunk", view="branches", round=2000)
        page.click("a[aria-label='checkpoint of round 1,500']")
        says(page, "Branch at round 1,500", ".controls")
        page.click(".controls >> text=Branch at round 1,500")
        says(page, "A branch that goes on from round 1,500", ".drawer")
        assert page.input_value("input[aria-label='name of the new run']") == "trunk-at-1500"
        picture(page, "branch-form")
        page.click(".drawer >> text=Cancel")
        branched(run, 1500)
        stack.callback(shutil.rmtree, run_shelf / "trunk-at-1500")
        page.reload()
        says(page, "batch 64 → 32", ".tree")
        page.click(".tree button:has-text('Compare')")
        page.wait_for_selector(".compared canvas")
        says(page, "– – runs/trunk-at-1500", ".compared .legend")
        assert eventually(lambda: query_of(page).get("with"), bool) == "runs/trunk-at-1500"
        page.wait_for_timeout(400)
        picture(page, "compared")
        page.keyboard.press("z")
        says(page, "Take the run back to round 1,500?", ".drawer")
        says(page, "a branch keeps both", ".drawer")
        page.click(".drawer >> text=Cancel")
        page.click(".controls >> text=Back to round 1,500")
        page.click(".drawer >> text=Delete them and go back")
        says(page, "Back at round 1,500.", ".said")
        says(page, "1,500 / 5,000", ".timeline output")
        fake.log(1600)
        says(page, "1,600 / 5,000", ".timeline output")
        assert "round" not in query_of(page)
        page.close()  # before the runs are gone that it asks for


def branched(run: RunFolder, round: int) -> None:
    """A branch as `training/control` makes it, that nobody trains."""
    from sparring.training.control import branch

    branch(run, round, run.path.with_name(f"{run.path.name}-at-{round}"), {"batch": 32})
