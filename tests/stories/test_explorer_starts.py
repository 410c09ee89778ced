"""Runs that are started in the browser: a form of a recipe's fields, and the training that it begins."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from sparring.record import RunFolder
from tests.explorer_pages import NARROW, WIDE, Open, eventually, picture, says
from tests.explorers import launched


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_form_marks_what_is_changed_and_says_what_does_not_fit(opened: Open, width: int) -> None:
    page = opened("/new", width)
    picture(page, f"recipes-{width}")
    page.click("a.card:has-text('ring')")
    page.wait_for_selector("input[aria-label=rounds]")
    page.fill("input[aria-label=rounds]", "50")
    page.fill("input[aria-label=seeds]", "3")
    page.fill("input[aria-label=objective]", "hinge")
    page.keyboard.press("Tab")
    says(page, "sparring train ring --seeds 3 --rounds 50 --objective hinge --no-compile --out", ".command")
    page.check("input[aria-label='compile the training step']")
    says(page, "sparring train ring --seeds 3 --rounds 50 --objective hinge --compile --out", ".command")
    eventually(lambda: page.locator(".field.changed").count(), lambda count: count == 3)
    picture(page, f"form-{width}")
    page.fill("input[aria-label=objective]", "hing")
    page.keyboard.press("Tab")
    says(page, "did you mean 'hinge'?", ".why")
    assert page.is_disabled("button:has-text('Start training')")


def test_a_form_shows_what_auto_chooses_for_the_data_and_the_classes(opened: Open) -> None:
    page = opened("/new", WIDE, recipe="auto")
    page.click("details.more > summary")
    page.check("input[aria-label=conditional]")
    says(page, "sparring train auto --conditional", ".command")
    eventually(lambda: page.input_value("input[aria-label=objective]"), lambda text: text == "bce-with-logits")
    page.fill("[aria-label=data]", "ring")
    page.keyboard.press("Tab")
    says(page, "conditional needs data whose classes are known", ".why")
    page.uncheck("input[aria-label=conditional]")
    says(page, "sparring train auto --data ring", ".command")
    eventually(lambda: page.input_value("[aria-label=latent]"), lambda text: text.startswith("normal-and-signs"))
    assert page.input_value("input[aria-label=objective]") == "relativistic-paired"
    assert page.locator(".field.changed").count() == 1 and not page.is_disabled("button:has-text('Start training')")


def test_a_form_takes_minutes_in_place_of_rounds(opened: Open) -> None:
    page = opened("/new", WIDE, recipe="auto")
    page.fill("input[aria-label=minutes]", "ten")
    page.keyboard.press("Tab")
    says(page, "minutes takes a number, not 'ten'", ".why")
    assert page.is_disabled("button:has-text('Start training')")
    page.fill("input[aria-label=minutes]", "2.5")
    page.keyboard.press("Tab")
    says(page, "sparring train auto --minutes 2.5 --no-compile --out", ".command")
    page.check("input[aria-label='compile the training step']")
    says(page, "sparring train auto --minutes 2.5 --compile --out", ".command")
    assert not page.is_disabled("button:has-text('Start training')")
    rounds = page.locator("input[aria-label=rounds]")
    assert (rounds.input_value(), rounds.get_attribute("placeholder")) == ("", "as many as the minutes allow")
    page.fill("input[aria-label=rounds]", "50")
    page.keyboard.press("Tab")
    says(page, "Rounds and minutes both say how long to train", ".why")
    assert page.is_disabled("button:has-text('Start training')")
    page.fill("input[aria-label=rounds]", "")
    page.keyboard.press("Tab")
    eventually(lambda: page.is_disabled("button:has-text('Start training')"), lambda disabled: not disabled)
    page.fill("input[aria-label=minutes]", "")
    page.keyboard.press("Tab")
    eventually(rounds.input_value, lambda text: text.isdecimal())


@pytest.mark.slow
def test_a_run_is_started_steered_rewound_and_branched_in_the_browser(browser: Any, tmp_path: Path) -> None:
    """With a real training process, which outlives the server."""
    folder = tmp_path / "runs"
    folder.mkdir()
    with launched(folder) as explorer:
        page = browser.new_context().new_page()
        page.set_default_timeout(240_000)
        page.goto(f"{explorer.origin}/new?recipe=pattern-1010&token={explorer.token}")
        page.fill("input[aria-label=rounds]", "20000000")
        page.fill("input[aria-label=seeds]", "3")
        page.keyboard.press("Tab")
        page.click("button:has-text('Start training')")
        page.wait_for_url(re.compile("/run[?]"))
        says(page, "training", ".verdict")
        page.click(".controls >> text=Pause")
        says(page, "Paused after round", ".said")
        page.click(".controls >> text=D step")
        says(page, "D learns", ".moves .legend")
        picture(page, "real-move")
        page.click(".controls >> text=Settings")
        page.fill("input[aria-label='generator_optimizer.lr']", "0.003")
        page.keyboard.press("Tab")
        page.click(".drawer >> text=Apply")
        says(page, "No longer its recipe’s run", ".verdict")
        page.click(".controls >> text=Go on")
        page.click(".tabs >> text=Branches")
        page.click(".dot[data-round='0']")
        page.click(".controls >> text=/Branch at round/")
        page.click("text=Branch and train")
        page.wait_for_url(re.compile("-at-"))
        says(page, "this run", ".branch.here")
        says(page, "training", ".verdict")
        branches = list(folder.glob("[!.]*-at-*"))
        assert len(branches) == 1
        explorer.process.kill()
        says(page, "The explorer does not answer.", ".problem")
        run = RunFolder(branches[0])
        before = run.story.round
        eventually(lambda: run.story.round, lambda round: round > before, 60)
    from sparring.training.control import Steer

    for path in (folder / "pattern-1010", branches[0]):
        Steer(path).stop()
        eventually(lambda path=path: RunFolder(path).story.status, lambda status: status == "stopped", 60)
