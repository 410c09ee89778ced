"""A Chinese class uses Sparring: the diagnosis in the terminal, on the page and in the explorer, in Chinese."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sparring import languages
from sparring.analysis.facts import Facts
from sparring.cli.main import OK, WRONG_USAGE, run
from sparring.cli.train import where_it_stopped
from sparring.record import RunFolder
from sparring.report.page.findings import section
from tests.explorer_pages import NARROW, WIDE, Open, eventually, picture, query_of, says
from tests.made_runs import made_run

ENGLISH_SENTENCE = re.compile(r"\b[a-z]{2,} [a-z]{2,} [a-z]{2,}\b")
NO_SENTENCES = ("sparring train", "→")
"""Parts of lines that are commands, or values of a recipe."""


def english_in(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if not any(each in line for each in NO_SENTENCES)]
    return [line for line in lines if ENGLISH_SENTENCE.search(line)]


@pytest.fixture(scope="module")
def sick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("languages") / "runs" / "collapsed"
    made_run(folder, metrics={"modes": (3.0, 1.0), "diversity": (0.3, 0.05)})
    return folder


def test_diagnose_and_show_speak_chinese(sick: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diagnose", str(sick), "--language", "zh"]) == OK
    chinese = capsys.readouterr().out
    assert "mode-collapse（模式崩溃）" in chinese and "样本缺乏多样性" in chinese and "补救措施" in chinese
    assert not english_in(chinese)
    assert run(["show", str(sick), "--language", "zh"]) == OK
    summary = capsys.readouterr().out
    assert "诊断" in summary and "8 个种子" in summary and not english_in(summary)


def test_the_environment_chooses_a_language_for_every_command(
    sick: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(languages.VARIABLE, "zh")
    assert run(["diagnose", str(sick)]) == OK and "结论" in capsys.readouterr().out
    assert "再次运行同一命令" in languages.said(where_it_stopped(RunFolder.open(sick)))
    assert run(["diagnose", str(sick), "--language", "en"]) == OK and "verdict" in capsys.readouterr().out
    assert run(["diagnose", str(sick), "--language", "fr"]) == WRONG_USAGE
    assert "there are en, zh" in capsys.readouterr().err


def test_an_error_is_in_the_language_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["diagnose", "/nowhere", "--language", "zh"]) != OK
    assert "/nowhere 不存在" in capsys.readouterr().err
    assert run(["diagnose", "/nowhere"]) != OK and "does not exist" in capsys.readouterr().err
    monkeypatch.setenv(languages.VARIABLE, "zh")
    assert run(["train", "rng"]) == WRONG_USAGE and "你是不是要 'ring'" in capsys.readouterr().err
    monkeypatch.setenv(languages.VARIABLE, "fr")
    assert run(["show", "/nowhere"]) == WRONG_USAGE and "there is no language 'fr'" in capsys.readouterr().err


def test_the_page_of_a_run_has_its_diagnosis_in_chinese(sick: Path) -> None:
    facts = Facts.of(RunFolder.open(sick))
    with languages.speaking("zh"):
        page = str(section(facts, facts.diagnosis))
    assert "诊断" in page and "其他补救措施" in page and "灰色带" in page
    assert not english_in(re.sub(r"<svg.*?</svg>|<img[^>]*>|<code.*?</code>|<[^>]+>", "\n", page, flags=re.DOTALL))


@pytest.mark.sampled(every=2)
@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_the_explorer_is_in_the_language_of_its_address(opened: Open, width: int) -> None:
    page = opened("/", width)
    says(page, "runs/digits")
    page.click(".languages >> text=中文")
    says(page, "训练列表")
    assert query_of(page) == {"language": "zh"} and page.evaluate("document.documentElement.lang") == "zh"
    picture(page, f"zh-list-{width}")
    says(page, "模式崩溃", ".runs")
    if width == NARROW:  # nothing of a row is cut off
        assert page.evaluate(
            "(() => { const t = document.querySelector('.table'); return t.scrollWidth <= t.clientWidth; })()"
        )
    page.click("text=runs/collapsed")
    says(page, "模式崩溃", ".verdict")
    for view in ("实时", "样本", "诊断", "分支", "配方"):
        page.click(f".tabs >> text={view}")
        page.wait_for_timeout(300)
        picture(page, f"zh-{view}-{width}")
        assert not english_in(page.inner_text("body"))
    assert eventually(lambda: query_of(page), lambda query: query["view"] == "recipe")["language"] == "zh"
    page.click(".languages >> text=English")
    says(page, "mode-collapse", ".verdict")
    assert "language" not in query_of(page) and query_of(page)["view"] == "recipe"


def test_every_page_of_the_explorer_is_in_chinese(opened: Open) -> None:
    pages = [("/new", {}), ("/new", {"recipe": "ring"}), ("/query", {}), ("/all", {}), ("/lessons", {}), ("/draw", {})]
    pages += [("/compare", {"of": "runs/digits"})]
    for path, query in pages:
        page = opened(path, language="zh", **query)
        page.wait_for_timeout(500)
        picture(page, f"zh{path.replace('/', '-')}-{len(query)}")
        assert not english_in(page.inner_text("body").replace("select recipe", "")), path


def test_a_switch_of_the_language_keeps_what_was_typed(opened: Open) -> None:
    page = opened("/new", recipe="digits")
    page.fill("input[aria-label=rounds]", "77")
    page.check("input[aria-label='compile the training step']")
    page.fill("input[aria-label=seeds]", "0 1 2")  # it still has the focus when the language is clicked
    page.click(".languages >> text=中文")
    says(page, "sparring train digits --seeds 0 1 2 --rounds 77 --compile --out", ".command")
    says(page, "训练", ".page")
    assert page.locator("input[type=checkbox]:checked").count() == 1 and page.locator(".field.changed").count() == 2
    page.reload()
    says(page, "sparring train digits --no-compile --out", ".command")
    page = opened("/new", recipe="digits")
    page.fill("input[aria-label=minutes]", "5")
    page.fill("input[aria-label=rounds]", "200")
    page.fill("input[aria-label=rounds]", "")
    page.keyboard.press("Tab")
    page.click(".languages >> text=中文")
    says(page, "sparring train digits --minutes 5 --no-compile --out", ".command")
    page.wait_for_timeout(300)
    assert page.locator(".why:visible").count() == 0 and page.locator("button.primary[disabled]").count() == 0
    page = opened("/query")
    page.fill("[aria-label=Query]", "select 6 * 7 as answer")
    page.click(".languages >> text=中文")
    says(page, "answer", ".answer")
    page = opened("/draw")
    page.click("text=two moons")
    page.click(".languages >> text=中文")
    says(page, "800 个点", "[role=status]")


def test_what_is_wrong_is_said_in_chinese(opened: Open) -> None:
    page = opened("/new", recipe="ring", language="zh")
    page.fill("input[aria-label=objective]", "hing")
    page.keyboard.press("Tab")
    says(page, "你是不是要 'hinge'？", ".why")
    page.fill("input[aria-label=objective]", "hinge")
    page.fill("input[aria-label=batch]", "0")
    page.keyboard.press("Tab")
    says(page, "batch 必须不小于 1", ".why")
    picture(page, "zh-wrong-field")
    page = opened("/latent", run="runs/digits", language="zh")
    says(page, "没有检查点，尽管它已训练到第 5,000 轮", ".problem")
    picture(page, "zh-no-checkpoint")
    page = opened("/query", language="zh")
    page.fill("[aria-label=查询]", "select 1 from rnus")
    page.keyboard.press("Tab")
    says(page, "没有名为 'rnus' 的 table；你是不是要 'runs'？", ".problem")
