"""A learner reads a lesson, watches its training in the plane, tries something, and draws data of their own."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

import sparring
from sparring.errors import UsageError
from sparring.explorer.lessons import lessons, points
from sparring.explorer.pages.draw import read_points
from sparring.recipe.length import usual_examples
from sparring.record import RunFolder
from tests.explorer_pages import NARROW, WIDE, eventually, picture, query_of, says
from tests.explorers import Launched, launched
from tests.forked import Programs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lessons") / "runs"


@pytest.fixture(scope="module")
def classroom(folder: Path, programs: Programs) -> Generator[Launched]:
    pytest.importorskip("nicegui", reason="the explorer needs NiceGUI: pip install 'sparring[explore]'")
    pattern = lessons()["1010"].trials[0].make().replace(rounds=40, log_points=4, seeds=3)
    small = points().replace(rounds=30, log_points=3, seeds=3, batch=16)
    sparring.train(pattern, out=folder / "lesson-1010-textbook")
    sparring.train(small, out=folder / "lesson-collapse-all")
    with launched(folder, programs=programs) as server:
        yield server


@pytest.fixture
def window(classroom: Launched, browser: Any) -> Generator[Any]:
    """Opens pages of this explorer; none may complain in the console."""
    contexts: list[Any] = []
    complaints: list[str] = []

    def open_page(path: str, width: int = WIDE, scheme: str = "light") -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": 900 if width > 500 else 844}, color_scheme=scheme
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.goto(classroom.address)
        page.wait_for_selector(".page")
        page.goto(f"{classroom.origin}{path}")
        page.wait_for_selector(".page")
        return page

    yield open_page
    for each in contexts:
        each.close()
    assert complaints == []


def test_the_lesson_on_collapse_trains_for_long_enough_to_be_diagnosed() -> None:
    """A remedy that works was called too early for a diagnosis, since the runs were shorter than usual."""
    for recipe in (trial.make() for trial in lessons()["collapse"].trials):
        assert recipe.rounds * recipe.batch >= usual_examples(False, recipe.batch, None), recipe.name


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize(("width", "scheme", "language"), [(WIDE, "light", "en"), (NARROW, "dark", "zh")])
def test_every_lesson_is_a_page_of_text_with_a_figure(window: Any, width: int, scheme: str, language: str) -> None:
    page = window(f"/lessons?language={language}", width, scheme)
    assert page.locator(".card").count() == 7
    picture(page, f"lessons-{width}")
    for name in lessons():
        page.goto(page.url.split("/lesson")[0] + f"/lesson?name={name}&language={language}")
        page.wait_for_selector(".lesson button")
        says(page, "试一件事" if language == "zh" else "One thing to try")
        if name in ("1010", "collapse"):
            says(page, "40" if name == "1010" else "30", ".plane .legend")
        else:
            page.wait_for_selector(".lesson .missing")
        picture(page, f"lesson-{name}-{width}")


def test_the_plane_follows_the_slider_the_member_and_the_layers_of_the_address(window: Any) -> None:
    page = window("/run?run=runs/lesson-collapse-all&view=plane&layers=field,fake")
    says(page, "round 30", ".plane .legend")
    assert page.locator(".plane .layer[aria-pressed=true]").count() == 2
    page.click(".plane .layer >> text=real")
    assert query_of(page)["layers"] == "field,real,fake"
    page.focus(".timeline input[type=range]")
    page.keyboard.press("Home")
    says(page, "round 0", ".plane .legend")
    before = page.locator(".plane canvas").screenshot()
    page.keyboard.press("]")
    eventually(lambda: query_of(page).get("member"), lambda member: member == "1")
    assert page.locator(".plane canvas").screenshot() != before
    box = page.locator(".plane canvas").bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    says(page, "D(x) 0.", ".plane .hover")
    again = window(f"/run?{page.url.partition('?')[2]}")
    says(again, "round 0", ".plane .legend")
    assert again.locator(".plane .layer[aria-pressed=true]").count() == 3
    picture(page, "plane-layers")


def test_a_run_that_cannot_be_drawn_says_why(opened: Any) -> None:
    page = opened("/run", run="runs/digits", view="plane")
    says(page, "Only games of points", ".plane .missing")
    picture(page, "plane-missing")


def test_points_that_a_browser_sends_are_points() -> None:
    drawn = [[0.5, -0.25]] * 20
    assert read_points(drawn) == [(0.5, -0.25)] * 20
    for wrong in (None, "x", [], drawn[:3], [*drawn, [1, 2]], [*drawn, ["0", 0]], [*drawn, [True, 0]], drawn * 500):
        with pytest.raises(UsageError, match=r"points, not|two numbers"):
            read_points(wrong)


@pytest.mark.slow
def test_what_is_drawn_is_trained_on_before_ones_eyes(window: Any, folder: Path) -> None:
    page = window("/draw")
    canvas = page.locator(".drawing canvas")
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 340, box["y"] + 300, steps=20)
    page.mouse.up()
    canvas.focus()
    for key in ("ArrowRight", "ArrowRight", " ", "ArrowUp", " "):
        page.keyboard.press(key)
    picture(page, "draw")
    page.click("text=Train on it")
    page.wait_for_url("**/run?*", timeout=30_000)
    says(page, "median length of the arrows", ".plane .legend")
    first = page.inner_text(".plane .legend")
    eventually(lambda: page.inner_text(".plane .legend"), lambda now: now != first, seconds=90)
    picture(page, "draw-trains")
    page.click("text=Stop")
    assert RunFolder.open(folder / "drawing").recipe["data"]["is"] == "table"
    assert (folder / "drawings" / "drawing.csv").is_file()


@pytest.mark.slow
def test_a_lesson_trains_before_ones_eyes_and_its_trial_beside_it(window: Any) -> None:
    page = window("/lesson?name=strong-d")
    page.click("text=Train against a strong D")
    page.wait_for_url("**run=*", timeout=30_000)
    says(page, "median length of the arrows", ".plane .legend")
    eventually(lambda: page.inner_text(".verdict"), lambda text: "finished" in text, seconds=120)
    picture(page, "lesson-trained")
    page.click("text=The same with −log D")
    page.wait_for_url("**lesson-strong-d-louder*", timeout=30_000)
    assert page.locator(".lesson-runs a").count() == 2


def test_a_page_that_does_not_show_the_plane_asks_for_none(window: Any) -> None:
    page = window("/run?run=runs/lesson-collapse-all")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    says(page, "median", ".curves .legend")
    page.wait_for_timeout(1000)
    assert not any("/data/plane" in url for url in asked)
    page.click(".tabs >> text=Plane")
    says(page, "round 30", ".plane .legend")
    assert any("/data/plane" in url for url in asked)
