"""A generator leaves its run: files that work elsewhere, a page that works offline, and refusals in one line."""

from __future__ import annotations

import importlib.util
import json
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from sparring import catalogue, latents, train
from sparring import recipe as recipe_named
from sparring.analysis.facts import Facts
from sparring.analysis.generators import sample
from sparring.analysis.latent_tools.distributions import parts_of
from sparring.cli.main import FAILED, WRONG_USAGE
from sparring.record import RunFolder
from sparring.rng import RandomStreams
from sparring.ship.card import _from_measurement  # pyright: ignore[reportPrivateUsage]
from sparring.ship.demo import FIRST_SIGN, MAX_BYTES, as_signs, rounded
from sparring.ship.export import export
from sparring.ship.measured import Choice, Measured, nearest
from sparring.ship.onnx_file import run_onnx, to_onnx
from sparring.ship.portable import TOLERANCE, difference, portable_of
from sparring.ship.weights_file import SCRIPTS, drawing
from tests.commands import sparring
from tests.contracts.network_cases import narrow
from tests.exported_pages import ALL, READY
from tests.firefox import FIREFOX, asked_of_firefox

pytestmark = pytest.mark.usefixtures("operators_are_read_once")
FILES = [
    "generator.onnx",
    "generator.safetensors",
    "demo.html",
    "sample.py",
    "sample_onnx.py",
    "recipe.json",
    "README.md",
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "run"
    few = ("--rounds", 20, "--log-points", 1, "--seeds", "5,3", "--samples-per-grid", 4, "--conditional")
    sparring("train", "digits", *few, "--out", folder)
    return folder


@pytest.fixture(scope="module")
def exported(trained: Path) -> Path:
    folder = trained.parent / "out"
    sparring("export", trained, "--seed", 3, "--to", folder)
    return folder


def test_the_files_are_what_is_printed(trained: Path, exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    sparring("export", trained, "--seed", 3, "--to", exported, "--json")  # over the earlier one
    said = json.loads(capsys.readouterr().out)
    assert list(said["files"]) == FILES
    assert all((exported / name).stat().st_size == size for name, size in said["files"].items())
    assert max(said["differences"].values()) <= TOLERANCE
    assert said["seed"] == 3 and said["round"] == 20
    manifest = json.loads((exported / "export.json").read_text())
    assert manifest["shape"] == [1, 8, 8] and manifest["classes"] == 10


def test_sample_py_makes_the_runs_samples_without_sparring(trained: Path, exported: Path, tmp_path: Path) -> None:
    out = tmp_path / "samples.png"
    command = [sys.executable, "-I", str(exported / "sample.py"), "--count", "9", "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    with Image.open(out) as image:
        tiles = np.asarray(image.convert("L"), dtype=np.int64)
    assert tiles.shape == (20, 80)  # eight in a row, a pixel around each
    expected = (sample(trained, 9, seeds=[3])[0, :, 0].clip(0, 1) * 255).round()
    for k in range(9):
        top, left = 10 * (k // 8) + 1, 10 * (k % 8) + 1
        assert np.abs(tiles[top : top + 8, left : left + 8] - expected[k]).max() <= 1
    source = (exported / "sample.py").read_text() + (exported / "sample_onnx.py").read_text()
    assert "sparring" not in [
        line.split()[1].split(".")[0] for line in source.splitlines() if line.startswith("import")
    ]


def test_sample_onnx_py_makes_the_class_that_is_asked_for(exported: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-I", str(exported / "sample_onnx.py"), "--count", "4", "--cls", "7"]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    assert np.load(tmp_path / "samples.npy").shape == (4, 1, 8, 8)


def called(folder: Path, script: str, *flags: str) -> None:
    """A script as a command, in this process, which has imported torch already."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder.parent)
        patch.setattr(sys, "argv", [script, *flags])
        runpy.run_path(str(folder / script), run_name="__main__")


def test_scripts_run_without_classes_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = recipe_named("digits").replace(rounds=2, batch=4, log_points=1, samples_per_grid=4, seeds=(3,))
    made = train(recipe, out=tmp_path / "run", threads=1, metrics=False)
    export(made.folder, tmp_path / "out")
    for script in ("sample.py", "sample_onnx.py"):
        called(tmp_path / "out", script, "--count", "4")
    with pytest.raises(SystemExit, match="2"):
        called(tmp_path / "out", "sample_onnx.py", "--cls", "1")
    assert capsys.readouterr().err.endswith("this generator has no classes\n")
    with Image.open(tmp_path / "samples.png") as image:
        assert image.size == (80, 10)
    assert np.load(tmp_path / "samples.npy").shape == (4, 1, 8, 8)


def test_points_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = recipe_named("ring").replace(rounds=2, batch=4, log_points=1, samples_per_grid=4, seeds=(3,))
    made = train(recipe, out=tmp_path / "run", threads=1, metrics=False)
    export(made.folder, tmp_path / "out")
    capsys.readouterr()
    called(tmp_path / "out", "sample.py", "--count", "3")
    said = capsys.readouterr().out
    assert said.startswith("tensor(") and len(said.strip().splitlines()) == 3


@pytest.mark.parametrize(
    "drawn", [latents.Normal(5), latents.Uniform(5), latents.NormalAndSigns(5, 2)], ids=["normal", "uniform", "signs"]
)
def test_sample_py_draws_as_the_run_did(drawn: latents.Latent) -> None:
    script = runpy.run_path(str(SCRIPTS / "sample.py"))
    program = drawing(parts_of(drawn))
    torch.manual_seed(0)
    z = script["run"](json.loads(json.dumps(program)), {}, 4_000)
    expected = drawn.draw(RandomStreams((0,)), "test", 4_000)[0]
    assert z.shape == expected.shape
    torch.testing.assert_close(z.mean(0), expected.mean(0), atol=0.1, rtol=0)
    torch.testing.assert_close(z.std(0), expected.std(0), atol=0.1, rtol=0)
    assert z.min() >= (0 if isinstance(drawn, latents.Uniform) else -9)


def test_sample_py_is_short_and_gives_the_vectors_of_an_unknown_distribution() -> None:
    lines = (SCRIPTS / "sample.py").read_text().splitlines()
    assert len([line for line in lines if line.strip()]) <= 41
    script, stored = runpy.run_path(str(SCRIPTS / "sample.py")), torch.randn(64, 5)
    z = script["run"](json.loads(json.dumps(drawing([]))), {"latents": stored}, 70)
    assert torch.equal(z, stored)


def test_bytes_stand_in_the_page_as_signs() -> None:
    for length in range(40):
        data = bytes(range(200, 200 - length, -1))
        signs = [ord(sign) - FIRST_SIGN for sign in as_signs(data)]
        bits = "".join(f"{each:015b}" for each in signs[1:])
        read = bytes(int(bits[k : k + 8], 2) for k in range(0, len(bits) - 7, 8))
        assert read[: len(read) - signs[0]] == data and max(signs) < 2**15


def test_the_card_says_what_was_measured_and_what_is_open(exported: Path) -> None:
    card = (exported / "README.md").read_text()
    assert card.startswith("---\n") and "library_name: onnx" in card and "license: cc-by-4.0" in card
    assert "seed 3 of 2 seeds" in card and "| Fréchet distance |" in card and "| real data |" in card
    assert "is not settled" in card and "**Diagnosis of the run.**" in card
    recorded = json.loads((exported.parent / "run" / "about.json").read_text())["data_hash"]
    assert recorded.startswith("SHA-256 ") and f"taken when training began: `{recorded}`" in card
    assert "`sparring train recipe.json` trains it again" in card


def test_the_card_of_a_measured_run_keeps_both_judges_apart(exported: Path) -> None:
    def score(real: float, *members: float) -> dict[str, object]:
        return {"title": "Fréchet distance", "better": "lower", "real": real, "members": list(members)}

    measured: dict[str, Any] = {
        "seeds": [5, 3],
        "n": 898,
        "round": 20,
        "judge": "digits",
        "metrics": {"frechet": score(0.2, 4, 2)},
    }
    measured["independent"] = {"metrics": {"frechet": score(0.6, 40, 20)}}
    first, caption, about, second = _from_measurement(measured, Measured(Choice(3), 20, measured, None))
    assert first.splitlines()[-1] == "| Fréchet distance ↓ | 0.200 | 2.000 | 3.000 ± 1.414 | 2 |"
    assert second.splitlines()[-1] == "| Fréchet distance ↓ | 0.600 | 20.000 | 30.000 ± 14.142 | 2 |"
    assert "with the judge digits. ↓: less is better" in caption and "independent judge" in about
    assert "0 of 2 seeds diverged" in (exported / "README.md").read_text()


def test_a_space_is_laid_out_and_not_uploaded(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sparring("export", trained, "--to", "hf://me/digits")
    assert "Nothing was uploaded" in capsys.readouterr().out
    folder = trained / "space" / "me" / "digits"
    assert (folder / "index.html").is_file() and not (folder / "demo.html").exists()
    assert "sdk: static" in (folder / "README.md").read_text()
    assert json.loads((folder / "export.json").read_text())["seed"] == nearest(Facts.of(RunFolder.open(trained))).seed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "say where to"),
        (["--to", "full"], "holds other files"),
        (["--to", "new", "--seed", "4"], "one of this run's seeds (5, 3), not '4'"),
        (["--to", "hf://nobody"], "a Space is hf://user/name"),
        (["--to", "/dev/full"], "--to must be a folder, and /dev/full is a file"),
        (["--to", "full/mine.txt/new"], "--to must be a folder, and full/mine.txt is a file"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    arguments: list[str],
    words: str,
    trained: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    if any("/" in each for each in arguments):  # what no work can mend is refused before any
        monkeypatch.setattr("sparring.ship.export.export", None)
    sparring("export", trained, *arguments, expect=WRONG_USAGE)
    said = capsys.readouterr().err
    assert words in said and len(said.strip().splitlines()) == 1
    assert not (tmp_path / "new").exists()


def test_a_file_that_differs_is_not_written(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def off(model: bytes, portable: Any) -> np.ndarray:
        return portable.expected + 1e-4

    monkeypatch.setattr("sparring.ship.export.run_onnx", off)
    sparring("export", trained, "--to", tmp_path / "out", expect=FAILED)
    assert "onnxruntime differs from the run's generator by 0.0001" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_rounded_weights_are_near_and_pack_well(trained: Path) -> None:
    portable = portable_of(RunFolder.open(trained), 3)
    model = to_onnx(portable)
    found = [difference(portable.expected, run_onnx(rounded(model, bits), portable)) for bits in (23, 15, 9)]
    assert found[0] <= TOLERANCE < found[2] < 0.05
    assert found[0] <= found[1] < found[2]


# In browsers, without a network.


@pytest.fixture(scope="module")
def page(browser: Any, exported: Path) -> Iterator[Any]:
    context = browser.new_context(offline=True, locale="en-US", accept_downloads=True)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto((exported / "demo.html").as_uri())
    page.wait_for_selector('main[aria-busy="false"]', timeout=60_000)
    yield page
    assert said == []
    context.close()


def test_the_page_agrees_with_the_run(page: Any, trained: Path, exported: Path) -> None:
    assert (exported / "demo.html").stat().st_size <= MAX_BYTES
    made = page.evaluate(ALL)
    expected = sample(trained, 64, seeds=[3])[0]
    assert np.abs(np.array(made).reshape(expected.shape) - expected).max() <= TOLERANCE


def test_the_page_is_steered(page: Any) -> None:
    picture = lambda: page.evaluate("document.querySelector('#image').toDataURL()")  # noqa: E731
    settled = lambda: page.wait_for_timeout(150)  # noqa: E731
    seen = [picture()]
    for act in (
        lambda: page.locator("#directions input").first.fill("2"),
        lambda: page.locator("#plane").press("ArrowUp"),
        lambda: page.locator("#plane").click(position={"x": 20, "y": 20}),
        lambda: page.locator(".chips button").nth(4).click(),
        lambda: page.locator("#truncation input").fill("0.4"),
        lambda: page.locator(".tiles button").nth(5).click(),
        lambda: page.locator("#draw").click(),
    ):
        act()
        settled()
        seen.append(picture())
    assert len(set(seen)) == len(seen), "each of them changes the image"
    with page.expect_download() as download:
        page.locator("#save").click()
    with Image.open(download.value.path()) as image:
        assert image.format == "PNG" and image.width >= 256
    page.locator("[data-language=zh]").click()
    assert "生成器" in page.inner_text("#lead")
    page.locator("[data-language=en]").click()


def test_the_page_agrees_with_the_run_in_firefox(trained: Path, exported: Path) -> None:
    if FIREFOX is None or importlib.util.find_spec("websockets") is None:
        pytest.skip("needs Firefox and websockets")
    made, said = asked_of_firefox(exported / "demo.html", READY, f"{ALL}.then(JSON.stringify)")
    assert said == []
    expected = sample(trained, 64, seeds=[3])[0]
    assert np.abs(np.array(made).reshape(expected.shape) - expected).max() <= TOLERANCE


def test_the_page_of_a_table_is_in_the_units_of_its_file(browser: Any, tmp_path: Path) -> None:
    rows = np.random.default_rng(0).standard_normal((100, 2)) * [9, 1e5] + [41, 1.7e9]
    np.savetxt(tmp_path / "t.csv", rows, delimiter=",", header="age,when", comments="", fmt="%.17g")
    recipe = recipe_named("auto", tmp_path / "t.csv").replace(rounds=2, batch=4, log_points=1, seeds=(3,))
    made = train(recipe, out=tmp_path / "run", threads=1, metrics=False)
    export(made.folder, tmp_path / "out")
    context = browser.new_context(offline=True)
    shown = context.new_page()
    shown.goto((tmp_path / "out" / "demo.html").as_uri())
    shown.wait_for_selector('main[aria-busy="false"]', timeout=60_000)
    found, expected = np.array(shown.evaluate(ALL)).reshape(64, 2), sample(made.folder, 64)[0]
    assert (np.abs(found - expected) <= TOLERANCE * rows.std(0)).all()
    assert shown.inner_text("#numbers") == f"age {expected[0, 0]:.2f}; when {expected[0, 1]:.0f}"
    # How the processor rounds decides between these.
    assert re.search(r"\b(\d\.\de-[78]|0e\+0) standard deviations\.", shown.inner_text("#facts"))
    context.close()


NETWORKS = [name for name in catalogue.entries("networks") if not name.endswith("discriminator")]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "convolutional"])
def test_pages_of_every_network_agree_in_both_browsers(name: str, tmp_path: Path, browser: Any) -> None:
    if FIREFOX is None or importlib.util.find_spec("websockets") is None:
        pytest.skip("needs Firefox and websockets")
    generator = narrow(catalogue.find("networks", name)())
    size = 256 if name == "fully-convolutional" else 16
    recipe = recipe_named("digits").replace(generator=generator, latent=latents.Normal(size), rounds=2, batch=4)
    made = train(recipe.replace(log_points=1, seeds=(3,)), out=tmp_path / "run", threads=1, metrics=False)
    export(made.folder, tmp_path / "out")
    expected = sample(made.folder, 64)[0]
    context = browser.new_context(offline=True)
    shown = context.new_page()
    shown.goto((tmp_path / "out" / "demo.html").as_uri())
    shown.wait_for_selector('main[aria-busy="false"]', timeout=60_000)
    answers = [shown.evaluate(ALL)]
    context.close()
    found, said = asked_of_firefox(tmp_path / "out" / "demo.html", READY, f"{ALL}.then(JSON.stringify)")
    assert said == []
    for answer in (*answers, found):
        assert np.abs(np.array(answer).reshape(expected.shape) - expected).max() <= TOLERANCE
