"""Terminals that cannot write an arrow or a file's name, and names that a shell must have quoted."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.cells import cell_len
from rich.console import Group
from rich.table import Table

from sparring.analysis.diagnosis import command as remedy_command
from sparring.analysis.doctor import Examination
from sparring.characters import ERRORS, encodable, printable, quoted
from sparring.cli.folder_flags import given_in, with_settings
from sparring.cli.main import OK, WRONG_USAGE, run
from sparring.datasets import Digits
from sparring.datasets.files.listing import folder_contents
from sparring.datasets.files.settings import ImageSettings
from sparring.datasets.files.survey import Survey
from sparring.recipe.reading import read_data
from sparring.report.terminal.prose import Prose
from tests.printed import text_of

SOURCES = Path(__file__).parents[2] / "src" / "sparring"
ENCODINGS = ("ascii", "cp1252", "gbk", "latin-1", "utf-8")
UNDECODABLE = os.fsdecode("caf\xe9 中".encode("gbk", "replace") + b"\xff")
NAMES = (
    *("plain", "two words", "a,b", "it's", 'say "hi"', "x(y)[z]{w}", "中文 目录", "line\nbreak", "tab\tname", "-dash"),
    *("~tilde", "$HOME", "a=b", "back\\slash", "star*?", "#hash", "semi;colon", "None", "1e3", "'", '"', "mix'\"", "("),
    *(")", "[", "]", "trailing ", " leading", "a, size=16", "digits", "digits (copy)", "ring(", "ring()", "`tick`"),
    *("!bang!", "😀", "\\n", "\\xff", "$(exit)", "\x1b[31m", UNDECODABLE),
)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_character_of_ours_can_be_written(encoding: str) -> None:
    ours = {c for file in SOURCES.rglob("*.py") for c in file.read_text(encoding="utf-8") if ord(c) > 127}
    text = "".join(sorted(ours)) + UNDECODABLE + "中"
    written = text.encode(encoding, ERRORS).decode(encoding)
    assert "\\xff" in written and "?" not in written
    assert not encoding.startswith(("utf", "gbk")) or "中" in written


def test_a_command_in_a_sentence_stays_whole_in_a_narrow_terminal() -> None:
    chinese = "这次训练没有记录样本的任何指标（`sparring measure --count` 可取更多样本）。"
    path = "The best are saved as weights/best-round-000000300.safetensors."
    for text in (chinese, path, "None: `sparring measure RUN --count 4,096` takes more samples"):
        for width in (12, 20, 30):
            lines = text_of(Group(Prose(text)), width).splitlines()
            assert "".join("".join(lines).split()) == "".join(text.split())
            whole = re.findall(r"`[^`]*`|weights\S*", text)
            assert all(any(each in line for line in lines) for each in whole), (width, lines)
            assert all(cell_len(line) <= width or any(each in line for each in whole) for line in lines), (width, lines)
    grid = Table.grid()
    grid.add_row(Prose(path))  # nothing is lost where there is no room beside it
    assert "".join(text_of(grid, 20).split()) == "".join(path.split())


def test_what_replaces_a_character_is_like_it() -> None:
    assert "5 → 3 ± 1, Fréchet".encode("ascii", ERRORS) == b"5 -> 3 +- 1, Frechet"
    assert printable("a\nb\x1b[31m\udcff") == "a\\nb\\x1b[31m\\xff"
    assert encodable("a\nb\udcff") == "a\nb\\xff"


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of images with names that are hard to write, one that is broken and one that is no image."""
    folder = tmp_path_factory.mktemp("names") / "目录 ±"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in (UNDECODABLE, "中文", "→", "line\nbreak", "plain"):
        Image.fromarray(rng.integers(0, 256, (8, 8), dtype=np.uint8)).save(folder / f"{name}.png")
    (folder / f"{UNDECODABLE} broken.png").write_bytes(b"none")
    (folder / f"{UNDECODABLE}.txt").touch()
    return folder


@pytest.fixture(scope="module")
def trained(names: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / UNDECODABLE
    few = ("--rounds", 2, "--log-points", 1, "--batch", 4, "--no-metrics", "--threads", 1)
    small = (
        "--generator",
        "fully-connected(hidden=(4,), output=tanh)",
        "--discriminator",
        "fully-connected(hidden=(4,))",
    )
    assert run([str(a) for a in ("train", "--data", names, *few, *small, "--out", out)]) == OK
    return out


def test_data_without_a_recipe_means_auto(trained: Path) -> None:
    recipe = json.loads((trained / "recipe.json").read_text())
    assert recipe["name"] == "auto" and recipe["data"]["is"] == "folder" and recipe["objective"]["is"].startswith("rel")


def test_a_folder_in_place_of_a_recipe_is_answered_with_what_to_type(
    names: Path, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", str(names)]) == WRONG_USAGE
    assert f"`sparring train --data {quoted(names)}` trains on it" in capsys.readouterr().err
    assert run(["train", str(trained)]) == WRONG_USAGE
    assert "`sparring train --from $'" in capsys.readouterr().err


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize(
    "terminal",
    [
        {"PYTHONIOENCODING": "ascii:strict"},
        {"PYTHONIOENCODING": "cp1252:strict"},
        {"PYTHONIOENCODING": "gbk:strict"},
        {"LC_ALL": "C"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=lambda terminal: " ".join(f"{k}={v}" for k, v in terminal.items()),
)
def test_no_terminal_makes_a_command_fail(terminal: dict[str, str], names: Path, trained: Path) -> None:
    """A process of its own, whose streams have the encoding from the start."""
    commands = (
        *([], ["recipes"], ["recipes", "digits"], ["show", trained], ["diagnose", trained], ["doctor", names]),
        *(["show", trained, "--json"], ["doctor", names, "--json"], ["train", "digits", "--help"], ["show", names]),
    )
    code = f"""
import json, os, sys
from sparring.cli.main import run
for line in {[[os.fsencode(a) for a in each] for each in commands]!r}:
    try:
        status = run([os.fsdecode(a) for a in line])
    except SystemExit as stop:
        status = stop.code or 0
    print("status", status, flush=True)
"""
    environment = {**os.environ, **terminal, "COLUMNS": "80"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=False)
    encoding = terminal.get("PYTHONIOENCODING", "utf-8").partition(":")[0]
    said, errors = done.stdout.decode(encoding), done.stderr.decode(encoding)
    assert "report it" not in errors and done.returncode == 0, errors
    assert re.findall(r"^status (\d)", said, re.MULTILINE) == [*"000000000", "1"], errors
    documents = [json.loads(text) for text in re.findall(r"^\{$.*?^\}$", said, re.MULTILINE | re.DOTALL)]
    assert [os.fsencode(documents[0]["run"]), os.fsencode(documents[1]["folder"])] == [
        *map(os.fsencode, (trained, names))
    ]


def test_a_page_is_written_for_any_name(trained: Path) -> None:
    assert printable(UNDECODABLE) in (trained / "report.html").read_text(encoding="utf-8")


def test_compare_draws_any_name(trained: Path, tmp_path: Path) -> None:
    others = [tmp_path / name for name in ("中文", "$x^")]
    for other in others:
        shutil.copytree(trained, other)
    assert run(["compare", str(trained), *map(str, others), "--out", str(tmp_path / "page.html")]) == OK
    assert f"auto in {printable(UNDECODABLE)}" in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("bash") is None, reason="it is bash that the commands are pasted into")
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_commands_that_are_printed_can_be_pasted(encoding: str, tmp_path: Path) -> None:
    """Every name survives the shell, and then `--data`, with and without settings of the images."""
    folders = [tmp_path / name for name in NAMES]
    commands: list[str] = []
    for folder in folders:
        folder.mkdir()
        settings = ImageSettings(), ImageSettings(size=16, background=(255, 0, 0))
        surveys = [Survey(folder_contents(folder), each, {}, {}) for each in settings]
        commands += [Examination(survey, ()).command(encoding) for survey in surveys]
        commands.append(remedy_command(folder, "packing", encoding))
    shell = "sparring() { printf '%s\\0' \"$@\"; printf '\\0'; }\n" + "\n".join(commands)
    pasted = subprocess.run(["bash", "-c", shell.encode(encoding, ERRORS)], capture_output=True, check=True).stdout
    lines = [[os.fsdecode(word) for word in line.split(b"\0")] for line in pasted.split(b"\0\0")]
    for folder, plain, changed, remedy in zip(folders, lines[::3], lines[1::3], lines[2::3], strict=False):
        assert plain[:3] == ["train", "auto", "--data"] and plain[-1] == f"runs/{folder.name}"
        assert read_data(plain[3], Digits()).path == str(folder)
        data = with_settings(read_data(changed[3], Digits()), given_in(changed))
        assert (data.path, data.size, data.background) == (str(folder), 16, "#ff0000")
        assert remedy[2] == str(folder)


def test_a_name_is_a_data_set_and_a_path_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        (tmp_path / name).mkdir()
    assert read_data("digits", Digits()) == Digits()
    assert read_data("digits(span=(-1, 1))", Digits()).span == (-1, 1)
    for name in set(NAMES) - {"digits"}:
        assert read_data(name, Digits()).path == name
    assert read_data("./digits", Digits()).path == "./digits"
