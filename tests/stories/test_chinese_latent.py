"""What the latent commands and those that steer a run print is in Chinese where Chinese is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from sparring.analysis.written import read
from sparring.cli.main import OK, run
from sparring.languages import language
from tests.stories.test_chinese_output import english_in, texts_of


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("latent") / "r"
    asked = ["train", "digits", "--seeds", "2", "--rounds", "20", "--log-points", "2", "--no-metrics"]
    assert run([*asked, "--threads", "1", "--out", str(out)]) == OK
    return out


@pytest.mark.parametrize(
    ("command", "flags", "words"),
    [
        ("influence", ["--count", "4"], "数值升高时会怎样"),
        ("influence", ["--count", "1", "--dims", "3"], "以数据的单位计"),
        ("directions", ["--count", "4", "--samples", "32"], "改变了什么"),
        ("spaces", ["--count", "2", "--steps", "2", "--restarts", "1"], "相同的排列"),
        ("control", ["status"], "没有进程在训练它"),
        ("branch", ["20", "--set", "rounds=40", "--no-train"], "训练它"),
    ],
)
def test_what_they_print_is_in_chinese(
    command: str,
    flags: list[str],
    words: str,
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    page = tmp_path / "out.html"
    out = {"spaces": ["--out", str(page)], "branch": ["--out", str(tmp_path / "b")]}.get(command, [])
    assert run([command, str(trained), *flags, *out, "--language", "zh"]) == OK
    printed = capsys.readouterr()
    assert words in printed.out
    settings = [line for line in printed.out.splitlines() if line.startswith("  ") and "." in line]
    rest = "\n".join(line for line in printed.out.splitlines() if line not in settings)
    assert not english_in(rest, str(trained), str(tmp_path), "first-layer", "SeFa")
    assert not english_in(printed.err, str(trained))
    if command == "spaces":
        assert "两两种子" in texts_of(page) and not english_in(texts_of(page), "seed")


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("raises x, lowers y", "x 增大、y 减小"),
        ("lowers x and y", "x 和 y 都减小"),
        ("raises numbers 1 and 3, lowers number 2", "第 1 和 3 个数增大、第 2 个数减小"),
        (
            "no dimension stands out: half of all change comes from 9 of 32",
            "没有特别突出的维度：全部变化的一半来自 32 个",
        ),
    ],
)
def test_what_a_dimension_does_is_said_in_chinese(english: str, chinese: str) -> None:
    assert language("zh")(read(english)).startswith(chinese)
    assert read(english) == english
