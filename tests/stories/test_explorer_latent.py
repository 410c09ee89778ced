"""What a learner does on the latent page: drags, snaps, blends, subtracts, compares members, takes pictures along."""

from __future__ import annotations

import io
import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import sparring
from sparring.analysis.generators import sample
from tests.explorer_pages import WIDE, WINDOWS, Open, eventually, picture, query_of, says
from tests.explorers import Launched, launched
from tests.forked import Programs
from tests.trained_shelf import trained_shelf

pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute")  # torch.compile's own
EXAMPLE, PLANE = ".left .panel:first-child canvas", ".latentPlane canvas"


@pytest.fixture(scope="module")
def run_shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_shelf(tmp_path_factory.mktemp("latent") / "runs")


@pytest.fixture(scope="module")
def explorer(run_shelf: Path, programs: Programs) -> Generator[Launched]:
    pytest.importorskip("nicegui", reason="the explorer needs NiceGUI: pip install 'sparring[explore]'")
    with launched(run_shelf, programs=programs) as server:
        yield server


def latent(opened: Open, width: int = WIDE, scheme: str = "light", **query: Any) -> Any:
    """The page, once it shows an example and everything beside it."""
    page = opened("/latent", width, scheme, **{"run": "runs/digits", **query})
    settled(page)
    return page


def settled(page: Any) -> None:
    """Everything that the page shows is that of its place."""
    eventually(lambda: page.get_attribute(EXAMPLE, "data-shown"), lambda shown: shown is not None)
    page.wait_for_timeout(50)
    eventually(lambda: page.get_attribute(".latent", "aria-busy"), lambda busy: busy == "false")
    page.wait_for_timeout(50)


def drawn(page: Any) -> np.ndarray:
    """The example as the page's own PNG has it, one pixel for each of its own."""
    with page.expect_download() as download:
        page.click("text=PNG")
    with Image.open(download.value.path()) as image:
        pixels = np.asarray(image.convert("L"), dtype=np.float32) / 255
    return pixels[4::8, 4::8]


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize(("width", "scheme"), WINDOWS)
def test_the_page_fits_the_screen(opened: Open, width: int, scheme: str) -> None:
    page = latent(opened, width, scheme, near=1, dims="5:1.5")
    for text in ("What the generator makes", "dimension 5: 1.50", "of 1,797; root mean squared difference"):
        says(page, text)
    picture(page, f"latent-{width}-{scheme}")


def test_what_is_shown_is_the_runs_own_sample(opened: Open, run_shelf: Path) -> None:
    page = latent(opened, member=5, a=7, b=2)
    expected = sample(run_shelf / "digits", z_seeds=[7, 2], seeds=[5])[0, :, 0].clip(0, 1)
    assert np.abs(drawn(page) - expected[0]).max() < 0.01
    page.focus(PLANE)
    page.keyboard.press("End")
    settled(page)
    assert np.abs(drawn(page) - expected[1]).max() < 0.01


def test_the_plane_is_dragged_and_snaps(opened: Open) -> None:
    page = latent(opened)
    box = page.locator(PLANE).bounding_box()
    at = lambda x, y: (box["x"] + (x + 1.25) / 2.5 * box["width"], box["y"] + (1.25 - y) / 2.5 * box["height"])  # noqa: E731
    shown = int(page.get_attribute(EXAMPLE, "data-shown"))
    page.mouse.move(*at(-0.5, -0.5))
    page.mouse.down()
    for k in range(20):
        page.mouse.move(*at(-0.5 + k / 20, -0.5 + k / 25))
    page.mouse.move(*at(0.05, 0.96))
    page.mouse.up()
    assert eventually(lambda: query_of(page), lambda query: query.get("y") == "1") == {**query_of(page), "x": "0"}
    assert int(page.get_attribute(EXAMPLE, "data-shown")) > shown + 3
    page.keyboard.down("Alt")
    page.mouse.click(*at(0.05, 0.96))
    page.keyboard.up("Alt")
    assert float(eventually(lambda: query_of(page).get("y"), lambda y: y != "1")) == pytest.approx(0.96, abs=0.01)


def test_a_link_opens_the_same_picture(opened: Open) -> None:
    page = latent(opened, member=5, plane="dims", a=3, first=4, second=9, x=0.4, y=-0.8, psi=0.8, dims="2:1.5", near=1)
    first = drawn(page), page.locator(PLANE).screenshot()
    again = latent(opened, **query_of(page))
    assert (drawn(again) == first[0]).all() and again.locator(PLANE).screenshot() == first[1]
    assert query_of(again) == query_of(page)
    assert again.input_value(".of select") == "5" and again.input_value(".psi input") == "0.8"


def test_directions_that_were_found_span_the_plane(opened: Open, run_shelf: Path) -> None:
    page = latent(opened, run="runs/ring")
    page.select_option("select >> nth=2", "directions")
    says(page, "sparring directions")
    size = sparring.Run(run_shelf / "ring").recipe.latent.size
    both = [[float(k == axis) for k in range(size)] for axis in range(2)]
    made = [{"way": "pca", "label": k + 1, "name": None, "words": "wider", "vector": v} for k, v in enumerate(both)]
    file = run_shelf / "ring" / "figures" / "directions.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"reach": 3.0, "members": [{"seed": 0, "directions": made}]}))
    page = latent(opened, run="runs/ring", plane="directions", x=0, y=0)
    says(page, "Along x: pca 1: wider. Along y: pca 2: wider.")
    before = page.get_attribute(EXAMPLE, "data-shown")
    page.focus(PLANE)
    page.keyboard.press("Shift+ArrowRight")
    assert eventually(lambda: page.get_attribute(EXAMPLE, "data-shown"), lambda shown: shown != before)
    assert float(eventually(lambda: query_of(page), lambda query: query["x"] != "0")["x"]) > 0
    picture(page, "latent-directions")


def test_every_control_changes_the_picture(opened: Open) -> None:
    page = latent(opened)
    seen = [drawn(page)]
    for act in (
        lambda: page.locator(".dims li input").first.fill("2.5"),
        lambda: page.locator(".psi input").fill("0.4"),
        lambda: page.locator(".a input").fill("17"),
        lambda: page.select_option(".of select", "5"),
        lambda: page.select_option(".when select", index=1),
        lambda: page.select_option("select >> nth=2", "dims"),
        lambda: page.focus(PLANE) or page.keyboard.press("Shift+ArrowRight"),
    ):
        act()
        settled(page)
        seen.append(drawn(page))
    assert len({each.tobytes() for each in seen}) == len(seen)
    page.click("text=Begin again")
    assert eventually(lambda: query_of(page), lambda query: len(query) <= 2)


def test_dimensions_without_a_slider_are_said(opened: Open) -> None:
    page = latent(opened)
    for typed, count in (("2,zzz!", 1), ("99", 0), (",".join(map(str, range(1, 21))), 12), ("3", 1)):
        page.fill(".field.shown input", typed)
        page.press(".field.shown input", "Tab")
        eventually(lambda: page.locator(".dims li").count(), lambda found, count=count: found == count)
        eventually(lambda: page.locator(".dims .why").count(), lambda said, typed=typed: said == (typed != "3"))


def test_the_keyboard_alone(opened: Open) -> None:
    page = latent(opened)
    page.keyboard.press("]")
    assert eventually(lambda: query_of(page).get("member"), lambda member: member == "5")
    page.keyboard.press("p")
    for key in ("ArrowLeft", "ArrowUp", "ArrowUp"):
        page.keyboard.press(key)
    query = eventually(lambda: query_of(page), lambda query: query.get("y") == "0.1")
    assert query["x"] == "0.95"
    page.keyboard.press("Enter")
    assert eventually(lambda: query_of(page), lambda query: "x" not in query and "y" not in query)
    page.keyboard.press("n")
    assert eventually(lambda: query_of(page), lambda query: "a" in query or "b" in query)
    reached = set[str]()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("document.activeElement.closest('label, button, a, canvas, summary')?.innerText ?? ''")
        )
    for name in ("Checkpoint", "z a", "PNG", "GIF of the path", "Copy Python"):
        assert any(name in each for each in reached), name


def test_members_strip_and_sum_are_clicked_and_typed(opened: Open, run_shelf: Path) -> None:
    page = latent(opened)
    page.locator("canvas[aria-label*='seed 3, seed 5']").click(position={"x": 170, "y": 40})
    assert eventually(lambda: query_of(page).get("member"), lambda member: member == "5")
    page.fill("input[name=sum]", "a + b")
    page.fill("input[name=zs]", "4,1")
    page.keyboard.press("Enter")
    eventually(lambda: page.locator("canvas[aria-label*='a: z 4, b: z 1, a + b']").count(), lambda count: count == 1)
    page.fill("input[name=sum]", "a +* b")
    page.keyboard.press("Enter")
    says(page, "cannot read 'a +* b'")


def test_things_to_take_along(opened: Open, explorer: Launched, run_shelf: Path) -> None:
    page = latent(opened, a=4, x=0.5, y=0.25)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=explorer.origin)
    copied = lambda: page.evaluate("navigator.clipboard.readText()")  # noqa: E731
    page.click("text=Copy command")
    command = eventually(copied, lambda text: text.startswith("sparring arithmetic"))
    assert '"0.5 * a + 0.25 * b" --z-seeds 4,1' in command and "--seeds 3" in command
    page.click("text=Copy Python")
    code = eventually(copied, lambda text: text.startswith("import sparring"))
    there: dict[str, Any] = {}
    exec(code, there)
    assert np.abs(drawn(page) - there["example"].numpy()[0].clip(0, 1)).max() < 0.01
    page.click("text=Copy link")
    assert eventually(copied, lambda text: "/latent?" in text).endswith("a=4&x=0.5&y=0.25")
    with page.expect_download() as download:
        page.click("text=GIF of the path")
    with Image.open(io.BytesIO(Path(download.value.path()).read_bytes())) as film:
        assert film.format == "GIF" and film.n_frames == 46


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("run", ["classes", "ring", "toy", "watched"])
def test_any_run_has_the_page(opened: Open, run: str) -> None:
    page = latent(opened, run=f"runs/{run}", near=1)
    page.focus(PLANE)
    page.keyboard.press("ArrowUp")
    settled(page)
    page.wait_for_timeout(300)
    picture(page, f"latent-{run}")
    if run == "classes":
        before = drawn(page)
        page.select_option(".cls select", "7")
        settled(page)
        assert (drawn(page) != before).any()
    if run in ("ring", "toy"):
        says(page, "are no images, so there is no training image")
        says(page, "how the numbers change")
        assert not page.locator("text=Look for it").count()


def test_a_recipe_of_python_is_not_executed(opened: Open, run_shelf: Path) -> None:
    page = opened("/latent", run="runs/from-python")
    says(page, "would be executed")
    says(page, "sparring blend")
    answer = page.evaluate("fetch('/data/latent?run=runs/from-python').then((a) => a.text())")
    assert "is executed" in answer and not (run_shelf / "executed").exists()


def test_a_run_without_weights_says_so(opened: Open, run_shelf: Path) -> None:
    from tests.made_runs import made_run

    made_run(run_shelf / "no-weights", members=2)
    page = opened("/latent", run="runs/no-weights")
    says(page, "has no checkpoint, though it came to round")
