"""What commands print and the pages that they write are in Chinese where Chinese is asked for, and JSON is not."""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from sparring import languages, report
from sparring.analysis import evaluator
from sparring.analysis.facts import Facts
from sparring.cli.main import OK, WRONG_USAGE, run
from sparring.progress import expected_progress, progress, say
from sparring.record import RunFolder
from tests.made_runs import made_run

WORD = re.compile(r"(?<![\w./`$-])[A-Za-z]{3,}(?![\w./=(-])")
"""A word that is no part of a path, a flag or a value."""
NAMES = {
    *(
        "Sparring",
        "GAN",
        "BCE",
        "BCEWithLogits",
        "Hinge",
        "Adam",
        "SGD",
        "MSE",
        "ReLU",
        "DCGAN",
        "Python",
        "JSON",
        "PNG",
    ),
    *("KL", "SD", "IQM", "Holm", "Student", "BCa", "Kaplan-Meier", "Kaplan", "Meier", "Newcombe", "Whitney", "Mann"),
    *("rliable", "eta", "Bonferroni", "auto", "psi", "nan", "real", "fake", "data", "digits", "scikit", "learn", "RGB"),
    *(
        "Ctrl",
        "run",
        "batch",
        "objective",
        "rounds",
        "pattern",
        "sigmoid",
        "leaky",
        "Vendi",
        "min",
        "AUC",
        "log",
        "bytes",
    ),
}
"""Names that stay as they are: of people, methods, recipes, leaves, and fields of a recipe."""
SENTENCE = re.compile(r"\b[a-z]{2,} [a-z]{2,} [a-z]{2,}\b")


def english_in(text: str, *names: str) -> list[str]:
    """Lines with a word of English that is no name, a command aside."""
    for name in names:
        text = text.replace(name, "")
    lines = [line for line in text.splitlines() if "sparring train" not in line and "→" not in line]
    lines = [re.sub(r"`[^`]*`|[a-z][a-z-]+（|\S*[/\\_]\S*|--levels used|--\S+|\w+\.png", "", line) for line in lines]
    return [line.strip() for line in lines if any(word not in NAMES for word in WORD.findall(line))]


def texts_of(page: Path) -> str:
    """What a page says outside pictures, code and the names in `allowed`, its labels for screen readers included."""
    text = page.read_text(encoding="utf-8")
    assert '<html lang="zh">' in text
    text = re.sub(r"<(style|script|code|pre)\b.*?</\1>", "\n", text, flags=re.DOTALL)
    labels = re.findall(r'(?:aria-label|data-label)="([^"]*)"', text)
    return html.unescape("\n".join([re.sub(r"<[^>]+>", "\n", text), *labels]))


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture(scope="module")
def sick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chinese") / "runs" / "collapsed"
    made_run(folder, metrics={"modes": (3.0, 1.0), "diversity": (0.3, 0.05)})
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A study of two cells, trained in Chinese, and what was said meanwhile."""
    home = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setattr(evaluator, "COUNT", evaluator.MIN_COUNT)
        patch.setattr(evaluator, "MAX_TRAINING", 4 * evaluator.MIN_COUNT)
        asked = ["study", "pattern-1010", "--vary", "lr=0.1,0.01", "--rounds", "20", "--log-points", "2"]
        asked += ["--samples", "32", "--seeds", "2", "--out", "s", "--threads", "1", "--language", "zh"]
        assert run(asked) == OK
        yield home / "s"


def test_the_page_of_a_run_is_in_chinese(sick: Path) -> None:
    with languages.speaking("zh"):
        page = report.write_report(sick)
    text = texts_of(page)
    assert all(title in text for title in ("训练曲线", "各种子的最终数值", "参考结果", "硬件与软件", "样本质量"))
    hardware = text[text.index("硬件与软件") : text.index("完整配方")]  # what a machine calls itself
    names = (hardware, Facts.of(RunFolder.open(sick)).name, sick.parent.parent.name)
    assert not english_in(text, *names)
    assert '<html lang="en">' in report.write_report(sick).read_text(encoding="utf-8")


def test_the_page_that_compares_runs_is_in_chinese(sick: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    made_run(other, members=3, recipe={"batch": 32, "objective": {"is": "hinge"}})
    out = tmp_path / "compare.html"
    assert run(["compare", str(sick), str(other), "--out", str(out), "--language", "zh"]) == OK
    text = texts_of(out)
    assert "最后的样本" in text and "目标函数" in text
    assert not english_in(text, "synthetic", "collapsed", "other", "bce-with-logits", "hinge")


def test_a_study_answers_in_chinese(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "每项改动的作用" in texts_of(trained / "study.html")
    assert not english_in(texts_of(trained / "study.html"))
    capsys.readouterr()
    assert run(["study", str(trained), "--language", "zh"]) == OK
    printed = capsys.readouterr().out
    assert "单元" in printed and "Holm 校正" in printed and not english_in(printed)
    assert run(["study", str(trained), "--json", "--language", "zh"]) == OK
    assert "Differences are paired" in json.loads(capsys.readouterr().out)["method"]
    assert run(["study", str(trained)]) == OK and "Differences are paired" in capsys.readouterr().out


def test_training_and_measuring_speak_chinese(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], few_samples: None
) -> None:
    monkeypatch.setenv(languages.VARIABLE, "zh")
    folder = str(tmp_path / "r")
    asked = ["pattern-1010", "--rounds", "20", "--log-points", "2", "--seeds", "2", "--threads", "1", "--out", folder]
    assert run(["train", *asked]) == OK
    printed = capfd.readouterr()
    assert "2 个种子" in printed.err and "第 20 轮" in printed.err and "检查点" in printed.err
    assert not english_in(printed.out) and not english_in(printed.err)
    assert run(["measure", folder, "--count", "64"]) == OK
    printed = capfd.readouterr()
    assert "真实数据" in printed.out and not english_in(printed.out) and not english_in(printed.err)
    assert run(["measure", folder, "--count", "64", "--json"]) == OK
    assert json.loads(capfd.readouterr().out)["held_out"].isascii()


def test_doctor_speaks_chinese(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for index in range(4):
        Image.new("RGB" if index % 2 else "L", (16 + index, 16), index).save(tmp_path / f"{index}.png")
    (tmp_path / "3.txt").write_text("a note")
    (tmp_path / "4.png").write_text("no image")
    assert run(["doctor", str(tmp_path), "--language", "zh"]) != OK
    printed = capsys.readouterr().out
    assert "训练看到的" in printed and "近乎单色" in printed and not english_in(printed)
    table = tmp_path / "t.csv"
    table.write_text("a,b\n" + "\n".join(f"{k},{k * k}" for k in range(30)))
    assert run(["doctor", str(table), "--language", "zh"]) == OK
    printed = capsys.readouterr().out
    assert "30 行，每行 2 个数" in printed and not english_in(printed)


def test_recipes_are_listed_in_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["recipes", "--language", "zh"]) == OK
    assert "从这里开始" in capsys.readouterr().out
    assert run(["recipes", "digits", "--language", "zh"]) == OK
    assert "参考结果：" in (printed := capsys.readouterr().out) and not SENTENCE.search(printed)


def test_progress_says_in_chinese_what_was_put_together_in_english(capsys: pytest.CaptureFixture[str]) -> None:
    with languages.speaking("zh"):
        say("rounds are no longer compiled: why")
        with (
            progress("exporting seed 3", 10),
            expected_progress("drawing 12 pictures", 7.0, with_estimate=True) as begin,
        ):
            begin()
    assert capsys.readouterr().err == "训练轮不再编译：why\n正在导出种子 3\n正在绘制 12 张图：约剩 7 秒\n"
    say("rounds are no longer compiled: why")
    assert capsys.readouterr().err == "rounds are no longer compiled: why\n"


def test_the_language_of_one_command_is_not_that_of_the_next(
    sick: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(languages.VARIABLE, "en")
    for flag in (["--language", "zh"], ["--language=zh"]):
        assert run(["show", str(sick), *flag]) == OK and "诊断" in capsys.readouterr().out
        assert run(["show", str(sick)]) == OK and "diagnosis" in capsys.readouterr().out
    for flag in (["--language", "zh"], ["--language=zh"]):  # before the command, as other programs have it
        assert run([*flag, "show", str(sick)]) == OK and "诊断" in capsys.readouterr().out
        assert run([*flag, "--help"]) == OK and "usage: sparring" in capsys.readouterr().out
    assert run(["train", "rng", "--language", "zh"]) != OK and "你是不是要" in capsys.readouterr().err


def test_what_a_user_calls_things_is_no_message() -> None:
    chinese = languages.language("zh")
    assert "my photo of cat and dog.png" in chinese.error("cannot read my photo of cat and dog.png: it is empty")
    needed = "RUN (the folder of a run)"
    assert needed in chinese.error(f"sparring show needs {needed} (`sparring show --help`)")


@pytest.mark.parametrize("text", ["a: " * 600, "/x/" + "dir is / " * 300, "a, b and c of d is e: " * 50 + "at x"])
def test_a_text_of_any_length_is_read_soon(text: str) -> None:
    began = time.process_time()
    assert languages.language("zh").error(text)
    assert time.process_time() - began < 10


def test_no_run_is_begun_in_a_language_that_there_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(languages.VARIABLE, "xx")
    assert run(["train", "pattern-1010", "--rounds", "2", "--out", str(tmp_path / "run")]) == WRONG_USAGE
    assert capsys.readouterr().err == "sparring: there is no language 'xx'; there are en, zh\n"
    assert not (tmp_path / "run").exists()
