"""What a researcher does on the page that takes a generator apart: computes, cancels, reads, keeps."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sparring.cli.main import OK, run
from sparring.ship.export import Exported
from tests.explorer_pages import WIDE, WINDOWS, Open, eventually, picture, says
from tests.explorers import Launched, launched
from tests.forked import Programs
from tests.trained_shelf import trained_shelf

pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute")  # torch.compile's own


@pytest.fixture(scope="module")
def run_shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_shelf(tmp_path_factory.mktemp("dissect") / "runs", "digits", "ring")


@pytest.fixture(scope="module")
def explorer(run_shelf: Path, programs: Programs) -> Generator[Launched]:
    pytest.importorskip("nicegui", reason="the explorer needs NiceGUI: pip install 'sparring[explore]'")
    with launched(run_shelf, programs=programs) as server:
        yield server


@pytest.fixture(scope="module")
def answered(run_shelf: Path) -> Path:
    """A run of which the page has computed directions and truncation already, as the commands answer."""
    folder = run_shelf / "digits"
    for name, flags in {
        "directions": ("--samples", "100", "--count", "8", "--dims", "5,25"),
        "truncation": ("--count", "64"),
    }.items():
        (folder / "figures").mkdir(exist_ok=True)
        (folder / "figures" / f"{name}.json").write_text(printed(name, folder, *flags))
    return folder


def printed(*arguments: object) -> str:
    """What a command prints with --json."""
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert run([*map(str, arguments), "--json"]) == OK
    return out.getvalue()


def dissect(opened: Open, name: str = "digits", width: int = WIDE, scheme: str = "light") -> Any:
    page = opened("/dissect", width, scheme, run=f"runs/{name}")
    page.wait_for_selector(".dissected")
    return page


def compute(page: Any, name: str, **fields: str) -> None:
    """Fill in its fields, and press its button."""
    for label, value in fields.items():
        field = page.locator(f"#{name} input[aria-label*='{label}']")
        field.fill(value)
        field.press("Tab")
    page.click(f"#{name} button.primary")


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize(("width", "scheme"), WINDOWS)
def test_the_page_fits_the_screen(opened: Open, answered: Path, width: int, scheme: str) -> None:
    page = dissect(opened, width=width, scheme=scheme)
    says(page, "Recommended: psi", "#truncation")
    says(page, "real data:", "#truncation .legend")
    says(page, "sensitivity", "#directions")
    tab = page.locator(".tabs [aria-current]").bounding_box()
    assert tab["x"] >= 0 and tab["x"] + tab["width"] <= width, "the page's own tab is in sight"
    page.click("#directions summary")
    table = page.locator("#directions details .table").first
    assert table.evaluate("(each) => each.scrollWidth <= each.clientWidth"), "the columns of a table fit"
    page.wait_for_timeout(300)
    picture(page, f"dissect-{width}-{scheme}")


def test_directions_are_named_and_found_in_other_seeds(opened: Open, answered: Path) -> None:
    page = dissect(opened)
    said = json.loads((answered / "figures" / "directions.json").read_text())
    first = said["members"][0]["directions"][0]
    page.click("#directions summary")
    rows = page.locator("#directions details").first.locator("tbody tr").first.inner_text().split("\t")
    assert rows[1].startswith(f"{100 * first['share']:.0f} ±") and f"{first['stability']['found']} / 1" in rows
    assert page.locator("#directions img").count() == 1
    assert page.evaluate("[...document.querySelectorAll('#directions img')].every((i) => i.complete && i.naturalWidth)")
    page = opened("/latent", run="runs/digits", plane="directions", x=0.5, y=0, second=2)
    says(page, "sensitivity 1:", ".latentPlane .legend")
    says(page, "sensitivity 2:", ".latentPlane .legend")


def test_the_page_speaks_chinese(opened: Open, answered: Path) -> None:
    page = opened("/dissect", language="zh", run="runs/digits")
    says(page, "建议：psi", "#truncation")
    page.click("#directions summary")
    for row in page.locator("#directions details").first.locator("tbody tr").all():
        words = row.locator("td.words").inner_text()
        assert not re.search("[a-z]", words.replace("psi", "")), words
    directions = page.inner_text("#directions")
    assert "JᵀJ 均值的特征向量" in directions and "图中的文字是英文" in directions
    asked = page.inner_text(".page")
    sentences = [line for line in asked.splitlines() if re.search(r"\b[a-z]{2,} [a-z]{2,} [a-z]{2,}\b", line)]
    assert [line for line in sentences if not line.startswith("sparring ")] == []
    picture(page, "dissect-zh")


def test_a_computation_runs_in_the_background_and_leaves_what_the_command_leaves(opened: Open, run_shelf: Path) -> None:
    page = dissect(opened, "ring")
    compute(page, "film", pictures="4")
    typed = f"sparring film {shown(run_shelf / 'ring')} --fps 4"
    says(page, typed, "#film .command")
    says(page, "pictures.", "#film .answer-place")
    said = json.loads((run_shelf / "ring" / "figures" / "film.json").read_text())
    with Image.open(run_shelf / "ring" / "figures" / "film.webp") as film:
        assert film.format == "WEBP" and film.tell() == 0
        film.seek(said["frames"] - 1)
    with page.expect_download() as download:
        page.click("text=Download film.webp")
    assert Path(download.value.path()).read_bytes() == (run_shelf / "ring" / "figures" / "film.webp").read_bytes()
    page.reload()
    says(page, f"{said['frames']} pictures.", "#film .answer-place")
    says(page, "examples of this run are none", "#project")


def shown(path: Path) -> str:
    from sparring.explorer.tasks import shown_path

    return shown_path(path)


def test_a_computation_is_canceled_and_seen_from_another_window(opened: Open, run_shelf: Path) -> None:
    page, other = dissect(opened), dissect(opened)
    compute(page, "spaces")
    for each in (page, other):
        says(each, "Computing for", "#spaces")
    other.click("#spaces button:has-text('Cancel')")
    for each in (page, other):
        eventually(lambda each=each: each.locator("#spaces .primary:visible").count(), lambda count: count == 1)
        assert each.locator("#spaces .problem:visible").count() == 0
    assert not (run_shelf / "digits" / "figures" / "spaces.json").exists()


def test_what_cannot_be_computed_is_said(opened: Open) -> None:
    page = dissect(opened)
    compute(page, "export", member="77")  # the quickest of all errors
    why = "--seed takes best, or one of this run's seeds (3, 5), not '77'"
    says(page, why, "#export .problem")
    says(dissect(opened), why, "#export .problem")  # whoever left the page, and comes back
    page.click("text=Choose a held-out image")
    says(page, "this data has no held-out part", "#project")
    compute(page, "project")
    says(page, "Choose an image first", "#project")


def test_a_dropped_picture_is_projected_into_every_member(opened: Open, run_shelf: Path, tmp_path: Path) -> None:
    page = dissect(opened)
    file = tmp_path / "mine.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 30, 3), dtype=np.uint8)).save(file)
    page.set_input_files("#project input[type=file]", file)
    says(page, "Chosen: dropped-", "#project")
    compute(page, "project")
    says(page, "seed 5", "#project .answer-place")
    said = json.loads((run_shelf / "digits" / "figures" / "project.json").read_text())
    assert len(said["members"]) == 2 and said["images"][0].startswith("dropped-")
    eventually(lambda: page.locator("#project img.answer-picture").count(), lambda count: count == 1)
    page.wait_for_timeout(200)
    picture(page, "dissect-project")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"GIF89a" + bytes(100), "no PNG that can be read"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "no PNG that can be read"),
        (bytes(2**22 + 1), "4 MB at most"),
    ],
    ids=["gif", "broken", "large"],
)
def test_a_dropped_file_is_checked(opened: Open, tmp_path: Path, content: bytes, words: str) -> None:
    page = dissect(opened)
    (tmp_path / "x.png").write_bytes(content)
    page.set_input_files("#project input[type=file]", tmp_path / "x.png")
    says(page, words, "#project .why")


def test_an_export_is_said_to_be_made_and_how_exact(opened: Open, run_shelf: Path) -> None:
    """As the command answers; that it is called is seen in the slow test below, and how calling works in the others."""
    files = {"generator.onnx": 216_310, "sample.py": 3_075}
    made = Exported(Path("runs/digits/export"), files, 5, 60, {"onnxruntime": 5.7e-07}, ("Without demo.html.",))
    (run_shelf / "digits" / "figures").mkdir(exist_ok=True)
    (run_shelf / "digits" / "figures" / "export.json").write_text(json.dumps(made.plain()))
    page = dissect(opened)
    for words in (
        "Seed 5 at round 60 is in runs/digits/export",
        "216,310",
        "onnxruntime 5.7e-07",
        "Without demo.html.",
    ):
        says(page, words, "#export .answer-place")


@pytest.mark.slow
def test_a_generator_is_exported(opened: Open, run_shelf: Path) -> None:
    pytest.importorskip("onnxruntime", reason="exports need the extra ship")
    page = dissect(opened, "ring")
    compute(page, "export", member="1")
    says(page, "generator.onnx", "#export .answer-place")
    says(page, "Seed 1 at round 60", "#export .answer-place")
    assert (run_shelf / "ring" / "export" / "sample.py").is_file()


def test_answers_of_a_stranger_are_text(opened: Open, run_shelf: Path) -> None:
    shutil.copytree(run_shelf / "ring", run_shelf / "stranger")
    figures = run_shelf / "stranger" / "figures"
    figures.mkdir(exist_ok=True)
    (figures / "truncation.json").write_text('{"psi": 3}')
    (figures / "filter.json").write_text("[" * 100_000)
    said = {
        "seed": 1,
        "round": 2,
        "to": "<img src=x onerror=alert(1)>",
        "files": {},
        "differences": {},
        "notes": ["<b>"],
    }
    (figures / "export.json").write_text(json.dumps(said))
    page = dissect(opened, "stranger")
    says(page, "cannot be read; compute it again", "#truncation")
    says(page, "<img src=x onerror=alert(1)>", "#export")
    assert page.locator("#export img, #export b").count() == 0


def test_only_figures_are_given_out(opened: Open, answered: Path) -> None:
    page = dissect(opened)
    (answered / "figures" / "page.html").write_text("<script>alert(1)</script>")
    ask = """(name) => fetch('/data/figure?run=runs/digits&name=' + name).then(
        (a) => [a.status, a.headers.get('content-disposition'), a.headers.get('content-type')])"""
    status, disposition, kind = page.evaluate(ask, "page.html")
    assert status == 200 and disposition.startswith("attachment") and kind == "application/octet-stream"
    assert page.evaluate(ask, "directions.png")[2] == "image/png"


@pytest.mark.parametrize("name", ["..%2Frecipe.json", "nothing.png", "x.svg", "%2Fetc%2Fpasswd"])
def test_no_other_file_is(explorer: Launched, name: str) -> None:
    cookie = {"Cookie": explorer.cookie()}
    assert explorer.get(f"/data/figure?run=runs/digits&name={name}", cookie).status == 404


def test_a_recipe_of_python_is_not_executed(opened: Open, run_shelf: Path) -> None:
    page = opened("/dissect", run="runs/from-python")
    says(page, "would be executed")
    says(page, "sparring directions")
    assert page.locator(".dissected").count() == 0 and not (run_shelf / "executed").exists()
