"""The explorer stays calm: runs that vanish, windows that agree, a browser that closes, a server that is killed."""

from __future__ import annotations

import itertools
import re
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import sparring
from sparring.recipe import find_recipe
from sparring.record import RunFolder
from sparring.record.files import save_arrays
from sparring.training.control import Steer
from sparring.training.distributed import coordinator
from tests.explorer_pages import IMPATIENT, NARROW, WIDE, Open, eventually, picture, says, training
from tests.explorers import FakeTraining, Launched, launched, run_folders
from tests.forked import Programs
from tests.loops import sound
from tests.made_runs import made_run
from tests.sharded_runs import Here

pytest.importorskip("nicegui", reason="the explorer needs NiceGUI: pip install 'sparring[explore]'")

WEIGHTS = {"w": np.zeros(1)}
OLD_RUNS = Path(__file__).with_name("old_runs")
WORDS_DRAWN = """
window.drawn = new Set();
const write = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (said, ...rest) {
  window.drawn.add(said);
  return write.call(this, said, ...rest);
};
"""


def test_a_run_whose_folder_is_removed_says_so_and_asks_no_more(opened: Open, run_shelf: Path) -> None:
    run = made_run(run_shelf / "vanishing", until=2500)
    asked: list[str] = []
    with FakeTraining(run):
        page = opened("/run", run="runs/vanishing")
        says(page, "training", ".verdict")
        shutil.rmtree(run.path)
    says(page, "The folder of runs/vanishing is gone", ".problem")
    says(page, "removed", ".verdict .status")
    eventually(lambda: page.locator(".controls button").count(), lambda count: count == 0)
    page.on("request", lambda request: asked.append(request.url))
    page.fill(".timeline input[type=range]", "1000")
    page.wait_for_timeout(500)  # it would ask every 200 ms
    assert asked == []
    assert page.is_visible(".samples canvas") and page.is_visible(".scores canvas")
    assert page.inner_text(".timeline output b") == "1,000"
    picture(page, "gone")


def test_a_run_that_is_compared_with_may_vanish_too(opened: Open, run_shelf: Path) -> None:
    other = made_run(run_shelf / "other-vanishing", until=2500)
    page = opened("/run", run="runs/digits", view="branches", **{"with": "runs/other-vanishing"})
    page.wait_for_selector(".compared canvas")
    shutil.rmtree(other.path)
    page.click(".tabs >> text=Live")
    says(page, "The folder of runs/other-vanishing is gone", ".problem")
    page.fill(".timeline input[type=range]", "1000")
    says(page, "as of round 1,000", ".verdict")


def test_two_windows_on_one_run_show_the_same_whoever_steers(opened: Open, run_shelf: Path) -> None:
    with training(run_shelf, "shared") as fake:
        one, two = opened("/run", run="runs/shared"), opened("/run", NARROW, "dark", run="runs/shared")
        one.click(".controls >> text=Pause")
        says(two, "paused", ".verdict")
        says(two, "Go on", ".controls")
        two.click(".controls >> text=D step")
        says(one, "D learns", ".moves .legend")
        assert one.inner_text(".moves .legend") == eventually(lambda: two.inner_text(".moves .legend"), bool)
        picture(two, "move-by-move-390")
        one.click(".controls >> text=Settings")
        one.fill("input[aria-label=batch]", "32")
        one.keyboard.press("Tab")
        one.click(".drawer >> text=Apply")
        for window in (one, two):
            says(window, "No longer its recipe’s run", ".verdict")
        two.click(".controls >> text=Settings")
        two.wait_for_selector(".drawer input")
        picture(two, "settings-390")
        two.click(".controls >> text=Go on")
        fake.log(2600)
        for window in (one, two):
            says(window, "round 2,600 of 5,000", ".verdict")
        assert one.inner_text(".verdict") == two.inner_text(".verdict")
        assert [each.do for each in fake.asked if each.do != "watch"] == ["pause", "step", "set", "go"]


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_tree_has_every_checkpoint_as_soon_as_it_is_there_and_each_can_be_clicked(
    opened: Open, run_shelf: Path, width: int
) -> None:
    with training(run_shelf, "growing") as fake:
        page = opened("/run", width, run="runs/growing", view="branches")
        says(page, "growing", ".tree")
        rounds = [0, *sorted({round(1.5**k) for k in range(1, 20)})]
        for each in rounds:
            fake.run.write(f"weights/kept/round-{each:09d}.safetensors", lambda path: save_arrays(WEIGHTS, path, {}))
        fake.log(2600)
        eventually(lambda: page.locator(".tree .dot").count(), lambda count: count == len(rounds))
        says(page, "2,600", ".tree .axis")
        picture(page, f"tree-{width}")
        for each in (0, 2, 17, max(rounds)):
            page.click(f".tree .dot[data-round='{each}']", timeout=10_000)
            says(page, f"Branch at round {each:,}", ".controls")


def test_closing_the_browser_or_killing_the_server_loses_nothing(
    browser: Any, tmp_path: Path, programs: Programs
) -> None:
    folder = tmp_path / "runs"
    with training(folder, "alone") as fake:
        with launched(folder, programs=programs) as explorer:
            page = look(browser, explorer)
            page.click(".controls >> text=Pause")
            says(page, "Paused after round 2,500.", ".said")
            page.context.close()
            fake.log(2600)
            page = look(browser, explorer)
            says(page, "round 2,600 of 5,000", ".verdict")
            before = run_folders(folder)
            page.context.clear_cookies()  # as if another launch had the port
            says(page, "open the address that the new launch printed", ".problem")
            explorer.process.send_signal(signal.SIGKILL)
            says(page, "The explorer does not answer. Training goes on", ".problem")
            page.wait_for_selector(".lost:visible")
            assert not page.is_visible("#popup")
            explorer.process.wait()
            fake.log(2700)
        assert len(run_folders(folder)) == len(before)
        with launched(folder, programs=programs) as again:
            says(look(browser, again), "round 2,700 of 5,000", ".verdict")
        assert RunFolder(fake.run.path).story.round == 2700


def look(browser: Any, explorer: Launched) -> Any:
    """A new browser that opens the run."""
    page = browser.new_context().new_page()
    page.add_init_script(IMPATIENT)
    page.goto(f"{explorer.origin}/run?run=runs/alone&token={explorer.token}")
    page.wait_for_selector(".verdict .line")
    return page


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_every_axis_has_a_name(opened: Open, run_shelf: Path, width: int) -> None:
    with training(run_shelf, f"named-{width}"):
        page = opened("/run", width, run=f"runs/named-{width}")
        page.add_init_script(WORDS_DRAWN)
        page.reload()
        page.wait_for_selector(".verdict .line")
        page.click(".controls >> text=Pause")
        says(page, "Go on", ".controls")
        page.click(".controls >> text=D step")
        says(page, "D learns", ".moves .legend")
        names = {"round", "mean loss per example", "D(x): 0 = fake, 1 = real", "L2 norm over all weights"}
        drawn = eventually(lambda: set(page.evaluate("[...window.drawn]")), lambda found: found > names)
        assert "share of examples" in drawn and any(re.fullmatch(r"\d+ %", each) for each in drawn)


def test_nothing_overlaps_on_a_phone(opened: Open) -> None:
    page = opened("/run", NARROW, run="runs/digits")
    says(page, "median", ".curves .legend")
    panels = page.locator("section[data-view=live] .panel:visible").all()
    assert len(panels) == 5
    for panel in panels:
        parts = [part.bounding_box() for part in panel.locator("figcaption, .legend, .stage").all()]
        for above, below in itertools.pairwise(parts):
            assert above["y"] + above["height"] <= below["y"] + 1 and below["width"] > 250
    dock = page.locator(".dock").bounding_box()
    assert dock["height"] < 0.16 * 844


@pytest.fixture(scope="module")
def kinds_of_runs(run_shelf: Path) -> Path:
    """Beside the synthetic ones: runs of older versions, with a user's own network, of a study, of 1,000 members, of a
    watched loop, and one that two processes trained and that was joined."""
    shutil.copytree(OLD_RUNS, run_shelf / "old")
    own = {"generator": {"yours": "mine.py:Generator"}, "discriminator": {"yours": "mine.py:Critic"}}
    made_run(run_shelf / "own-networks", members=2, recipe=own)
    made_run(run_shelf / "asked" / "cells" / "hinge", members=2)
    made_run(run_shelf / "thousand", members=1000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coordinator, "LocalWorkers", Here)
        patch.setattr(coordinator, "POLL_SECONDS", 0.0)
        recipe = find_recipe("pattern-1010").replace(rounds=60, seeds=3)
        sparring.training.train(recipe, run_shelf / "joined", processes=2, threads=1, compile=False)
    torch.manual_seed(0)
    sound.textbook(lambda *players, **more: sparring.watch(*players, out=run_shelf / "watched", **more), 30)
    return run_shelf


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize(
    "run",
    [
        *("old/finished", "old/stopped", "old/toy", "old/shards/parts/001"),
        *("own-networks", "asked/cells/hinge", "thousand", "watched", "joined", "bare"),
    ],
)
def test_a_page_opens_on_every_kind_of_run(opened: Open, kinds_of_runs: Path, run: str) -> None:
    """And what a view of it cannot show, it says in a sentence."""
    page = opened("/run", run=f"runs/{run}")
    says(page, "round", ".verdict .facts")
    for view in ("samples", "findings", "branches", "recipe", "plane", "live"):
        page.click(f".tabs [data-show={view}]")
        page.locator(f"section[data-view={view}]").wait_for(state="visible")
    page.focus(".timeline input[type=range]")
    page.keyboard.press("Home")
    says(page, "as of round 0", ".verdict")
    assert not page.is_visible(".problem")
    picture(page, f"kind-{run.replace('/', '-')}")
    page = opened("/latent", run=f"runs/{run}")
    says_why = "[...document.querySelectorAll('.problem')].some((each) => each.innerText.trim())"
    eventually(lambda: page.evaluate(f"{says_why} || !!document.querySelector('canvas[data-shown]')"), bool)


def test_everything_can_be_reached_and_used_with_the_keyboard(opened: Open, run_shelf: Path) -> None:
    with training(run_shelf, "by-key") as fake:
        page = opened("/run", run="runs/by-key")
        page.wait_for_selector(".controls button")
        places = (
            "[...document.querySelectorAll('a, button, input, select, canvas')].filter((each) => each.offsetParent)"
        )
        # The dock is fixed, which has no offset parent of its own, but what is in it has.
        wanted = page.evaluate(f"{places}.length")
        page.evaluate("window.reached = new Set(); addEventListener('focusin', (e) => window.reached.add(e.target))")
        for _ in range(wanted + 5):
            page.keyboard.press("Tab")
        missed = page.evaluate(f"{places}.filter((each) => !window.reached.has(each)).map((each) => each.outerHTML)")
        assert missed == [] and wanted > 20
        page.focus(".controls >> text=Pause")
        page.keyboard.press("Enter")
        says(page, "paused", ".verdict")
        assert fake.asked[-1].do == "pause"


def test_a_recipe_is_trained_at_once_and_outlives_the_server(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    with launched(folder, "--recipe", "pattern-1010", "--seeds", "2") as explorer:
        assert "run=runs%2Fpattern-1010" in explorer.address
        run = RunFolder(folder / "pattern-1010")
        eventually(lambda: run.exists and run.story.round > 0, bool, 120)
        explorer.process.kill()
    before = run.story
    assert before.seeds == [0, 1] and before.status == "unfinished"
    steer = Steer(run)
    assert steer.is_training
    assert steer.stop()["event"] == "stopping"
    eventually(lambda: run.story.status, lambda status: status == "stopped", 60)
