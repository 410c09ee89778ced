"""Every sentence has a translation with the same fields, none is left over, and English stays what it was."""

from __future__ import annotations

import copy
import io
import re
import string
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from tools.messages import DOMAINS, missing, orphaned
from tools.raised import raised

import sparring
from sparring import languages
from sparring.analysis.diagnosis import diagnosis, rules
from sparring.errors import SparringError, UsageError
from sparring.languages import LANGUAGES, Language, Name, Text, catalog, language, said, speaking
from sparring.languages._po import read_po
from sparring.languages._reading import OF_ALL, read
from sparring.record import RunFolder
from sparring.report.terminal.diagnosis import diagnosis_text

OTHERS = [code for code in LANGUAGES if code != languages.ENGLISH]
ENGLISH_SENTENCE = re.compile(r"\b[a-z]{2,} [a-z]{2,} [a-z]{2,}\b")


def fields(message: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(message) if name}


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("code", OTHERS)
def test_every_message_has_a_translation_and_no_translation_is_left_over(code: str, domain: str) -> None:
    assert not missing(code, domain), "python tools/messages.py --add writes entries for these"
    assert not orphaned(code, domain)


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("code", OTHERS)
def test_a_translation_has_the_fields_of_its_message_and_is_none_of_it(code: str, domain: str) -> None:
    for message, translation in catalog(code, domain).items():
        assert translation != message
        if message in DOMAINS[domain]() and fields_matter(message):
            assert fields(translation) == fields(message), message


def test_what_an_error_says_is_found_in_the_source() -> None:
    found = raised()
    assert len(found) > 500 and not [message for message in found if not message.strip()]
    for expected in (
        "there is no such run here",
        "{path} does not exist; `sparring train RECIPE --out {path}` would make it",
        "no {get} called {name}; did you mean {repr}?",  # a phrase of another function, spelled out
        "{path} is cut short inside its header: copy or download it again",  # a constant of the module
        "the networks are built with it",  # a table of the module
    ):
        assert expected in found


def test_what_an_error_says_is_read_as_the_message_that_it_was_made_of() -> None:
    """Or as one that explains as much of it, since some are made of the same words."""
    for message in raised():
        english = re.sub(r"\{(\w+)\}", r"<\1>", message)
        words = sum(map(str.isalpha, re.sub(r"\{\w+\}", "", message)))
        reading = read(english, tuple(raised()))
        assert reading.message == message or reading.letters >= words or words < OF_ALL


@pytest.mark.parametrize(
    ("wrong", "chinese"),
    [
        (lambda: sparring.recipe("ringg"), "没有名为 'ringg' 的 配方；你是不是要 'ring'？"),
        (lambda: sparring.recipe("ring").replace(batch=0), "batch 必须不小于 1，而不是 0"),
        (
            lambda: sparring.recipe("ring").replace(objective="hing"),
            "没有名为 'hing' 的 objective；你是不是要 'hinge'？",
        ),
        (lambda: sparring.recipe("ring").replace(rounds="x"), "rounds 接受整数，而不是 'x'"),
        (lambda: sparring.recipe("ring").replace(tricks=["r1(gamma=-1)"]), "r1：惩罚的权重至少为 0，而不是 -1"),
        (lambda: RunFolder.open(Path("/nowhere")), "/nowhere 不存在；`sparring train RECIPE --out /nowhere` 会建立它"),
    ],
)
def test_an_error_is_said_in_chinese(wrong: Callable[[], object], chinese: str) -> None:
    with pytest.raises(SparringError) as caught:
        wrong()
    assert chinese in language("zh").error(caught.value)
    assert language("en").error(caught.value) == str(caught.value)


def test_an_error_that_nobody_knows_stays_as_it_is() -> None:
    assert language("zh").error("Binder Error: no such column") == "Binder Error: no such column"


def fields_matter(message: str) -> bool:
    """Whether what is in braces are fields, rather than part of a recipe's own words."""
    try:
        return bool(fields(message))
    except ValueError:
        return False


class Recording(Language):
    """Notes what has no translation."""

    def __init__(self, code: str):
        super().__init__(code, catalog(code))
        self.asked = set[str]()
        catalogued = self._catalog.gettext

        def gettext(message: str) -> str:
            self.asked.add(message)
            return catalogued(message)

        self._catalog.gettext = gettext


@pytest.mark.parametrize("code", OTHERS)
@pytest.mark.parametrize("name", rules())
def test_what_a_rule_finds_is_said_without_an_english_sentence(code: str, name: str, tmp_path: Path) -> None:
    class Folder:
        path, best = tmp_path, None

    rule, recording = rules()[name], Recording(code)
    for story in (rule.sick(), rule.healthy()):
        found = diagnosis(story)
        assert found.line == str(found.line) and not ENGLISH_SENTENCE.search(recording(found.line))
        console = Console(width=600, record=True, file=io.StringIO())
        with speaking(code):
            console.print(diagnosis_text(Folder(), found))  # pyright: ignore[reportArgumentType]
        lines = [line for line in console.export_text().splitlines() if "sparring train" not in line]
        code_lines = ("train.py:", " → ", "for x in loader")  # lines of a program, values of a recipe
        assert not [x for x in lines if ENGLISH_SENTENCE.search(x) and not any(each in x for each in code_lines)]
    unknown = {each for each in recording.asked if each not in catalog(code) and ENGLISH_SENTENCE.search(each)}
    assert not unknown


def test_a_text_is_its_english_sentence_wherever_it_goes() -> None:
    text = Text("{name} is {value}", name=Text("diversity"), value="0.64")
    assert text == "diversity is 0.64" and hash(text) == hash(str(text))
    for again in (copy.copy(text), copy.deepcopy(text)):
        assert again == text and language("zh")(again) == language("zh")(text) == "多样性为 0.64"
    unfilled = Text("{value} of {real}", real="10")
    assert unfilled == "{value} of 10" and unfilled.filled(value="{odd}") == "{odd} of 10"
    assert Text("50 % {of it") == "50 % {of it"
    assert language("zh")(Name("mode-collapse")) == "mode-collapse（模式崩溃）"
    assert language("en")(Name("mode-collapse")) == "mode-collapse"
    logged = Text.read("9 images are too few to train a judge on (64 are needed)", *list(catalog("zh")))
    assert language("zh")(logged).startswith("9 张图像太少")


def test_the_language_is_that_of_the_flag_or_else_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert said("verdict") == "verdict"
    monkeypatch.setenv(languages.VARIABLE, "zh")
    assert said("verdict") == "结论"
    with speaking("en"):
        assert said("verdict") == "verdict"
    with pytest.raises(UsageError, match="en, zh"):
        language("fr")


def test_a_catalog_that_is_damaged_says_where() -> None:
    assert read_po('# a\nmsgid ""\nmsgstr "X: y\\n"\n\nmsgid "a "\n"b"\nmsgstr "\\"c"\n') == {"a b": '"c'}
    for wrong in ("msgid a\n", "msg\n", 'msgid "a"\nmsgstr "b"\nmsgid "a"\nmsgstr "c"\n'):
        with pytest.raises(ValueError, match=r"line \d|twice"):
            read_po(wrong)
