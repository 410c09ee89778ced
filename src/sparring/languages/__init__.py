"""Languages: a text in English knows its message and its fields, so that another language can say it. Loads no torch.

A `Text` is the English sentence, and equal to it. Its message is an msgid of gettext with named fields, into whose
translation a `Language` puts the fields: `Text("{name} is {value}", name=Text("diversity"), value="0.64")`. Fields that
are texts are translated too. `zh.po` is the source and is read as it stands.

What an error says is put together where it is raised, and knows of no message. It is read again by the templates that
`tools/raised.py` finds in the source, whose translations are in `zh.errors.po`.
"""

from __future__ import annotations

import gettext
import os
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from sparring.errors import SparringError, UsageError
from sparring.languages._po import read_po
from sparring.languages._reading import Reading, read

ENGLISH = "en"
LANGUAGES: dict[str, str] = {ENGLISH: "English", "zh": "中文"}
"""Each by its code, and how it calls itself."""
ERRORS = ".errors"
"""The catalog of what errors say."""
VARIABLE = "SPARRING_LANGUAGE"
"""The environment variable that chooses a language where no flag does."""


class _Known(dict[str, object]):
    """Fields of a message; one that is not known yet stays as it is."""

    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"


class Text(str):
    """A text in English that can be said in another language."""

    message: str
    """The msgid; of texts that are joined, what stands between them."""
    fields: Mapping[str, object]
    parts: tuple[str, ...]
    """The texts that are joined; empty for any other."""

    def __new__(cls, message: str, **fields: object) -> Text:
        """A message with its fields filled in; those that are not given stay in braces."""
        return cls._made(message.format_map(_Known(fields)) if fields else message, message, fields)

    @classmethod
    def _made(cls, english: str, message: str, fields: Mapping[str, object], parts: tuple[str, ...] = ()) -> Text:
        text = str.__new__(cls, english)
        text.message, text.fields, text.parts = message, dict(fields), parts
        return text

    @staticmethod
    def of(text: str) -> Text:
        """The same text, as one that can be translated where it is none."""
        return text if isinstance(text, Text) else Text(text)

    @staticmethod
    def each(*messages: str) -> list[Text]:
        """Several messages without fields, such as the titles of columns."""
        return [Text(message) for message in messages]

    @staticmethod
    def joined(parts: Iterable[str], separator: str = "") -> Text:
        """Texts one after the other; the separator is a message too."""
        kept = tuple(parts)
        return Text._made(separator.join(kept), separator if kept else "", {}, kept)

    @staticmethod
    def read(english: str, *messages: str) -> Text:
        """A text that was put together in English, by those of these messages that explain most of it."""
        return _read(read(english, messages))

    def capitalized(self) -> Text:
        """With a capital at the beginning, in English alone."""
        return Text._made(self[:1].upper() + self[1:], self.message, self.fields, self.parts)

    def filled(self, **fields: object) -> Text:
        """With more of its fields."""
        return Text(self.message, **{**self.fields, **fields})

    def __reduce__(self):
        return _restored, (type(self), str(self), self.message, dict(self.fields), self.parts)


class Name(Text):
    """A name that stays as it is, as that of a rule; another language puts its own beside it."""


def _read(reading: Reading) -> Text:
    fields = {name: _read(each) for name, each in reading.fields.items()}
    return Text._made(reading.text, reading.message, fields)  # pyright: ignore[reportPrivateUsage] - of `Text.read`


def _restored(
    kind: type[Text], english: str, message: str, fields: Mapping[str, object], parts: tuple[str, ...]
) -> Text:
    return kind._made(english, message, fields, parts)  # pyright: ignore[reportPrivateUsage] - what `Text.__reduce__` names


class Language:
    """Says texts in one language; what has no translation is said in English."""

    def __init__(self, code: str, translations: Mapping[str, str], errors: Mapping[str, str] | None = None):
        self.code = code
        self._errors = errors or {}
        self._catalog = _Catalog({**self._errors, **translations})
        self._of_errors: Language | None = None

    def __call__(self, text: str) -> str:
        """A text in this language. A plain string is its own message."""
        if self.code == ENGLISH:
            return str(text)
        if not isinstance(text, Text):
            return self._catalog.gettext(text) if text else text
        if isinstance(text, Name):
            own = self._catalog.gettext(text.message)
            return str(text) if own == text.message else f"{text.message}（{own}）"
        if text.parts:
            return self(text.message).join(str(self._field(part)) for part in text.parts)
        message = self._catalog.gettext(text.message)
        fields = {name: self._field(value) for name, value in text.fields.items()}
        return message.format_map(_Known(fields)) if fields else message

    def error(self, error: object) -> str:
        """What an error says, which was put together in English."""
        if self.code == ENGLISH:
            return str(error)
        if self._of_errors is None:  # a word by itself may be the name of a flag, or a title elsewhere
            sentences = {m: t for m, t in self._catalog.translations.items() if " " in m or m in self._errors}
            self._of_errors = Language(self.code, sentences)
        return self._of_errors(Text.read(str(error), *self._errors))

    def _field(self, value: object) -> object:
        return self(value) if isinstance(value, Text) else value


class _Catalog(gettext.NullTranslations):
    """Translations from memory, for those who ask as of gettext."""

    def __init__(self, translations: Mapping[str, str]):
        super().__init__()
        self.translations = translations

    def gettext(self, message: str) -> str:
        return self.translations.get(message, message)


@cache
def language(code: str) -> Language:
    """A language by its code. Raises UsageError for one that there is not."""
    if code not in LANGUAGES:
        raise UsageError(f"there is no language {code!r}; there are {', '.join(LANGUAGES)}")
    return Language(code, {}) if code == ENGLISH else Language(code, catalog(code), catalog(code, ERRORS))


@cache
def catalog(code: str, domain: str = "") -> Mapping[str, str]:
    """The translations of a language, by their English messages: of what is said, or of ERRORS."""
    return read_po(Path(__file__).with_name(f"{code}{domain}.po").read_text(encoding="utf-8"))


_spoken: ContextVar[str] = ContextVar("language", default="")


@contextmanager
def speaking(code: str) -> Generator[None]:
    """Within this, `said` uses a language, and so does an error that leaves it; an empty code leaves it as it is."""
    token = _spoken.set(language(code).code if code else _spoken.get())
    try:
        yield
    except SparringError as error:
        error.language = error.language or _spoken.get()
        raise
    finally:
        _spoken.reset(token)


@contextmanager
def speaking_everywhere(code: str) -> Generator[None]:
    """As `speaking`, and in threads and processes that begin within this too."""
    before = os.environ.get(VARIABLE)
    try:
        with speaking(code):
            if code:
                os.environ[VARIABLE] = code
            yield
    finally:
        if code:
            os.environ.pop(VARIABLE, None)
            os.environ.update({} if before is None else {VARIABLE: before})


def said(text: str) -> str:
    """A text in the language of the command that runs: its `--language`, or VARIABLE."""
    return _of_command()(text)


def spoken() -> str:
    """The code of that language."""
    return _of_command().code


def said_again(english: str) -> str:
    """What was put together in English, in that language: a text as it is, anything else by the messages of errors.

    Before a colon may stand a name, as that of a folder.
    """
    if isinstance(english, Text):
        return said(english)
    language, (place, between, rest) = _of_command(), english.partition(": ")
    whole = language.error(english)
    return f"{place}: {language.error(rest)}" if between and whole == english else whole


def said_of(error: SparringError) -> str:
    """What an error says, in the language of the command that it ended."""
    return _of_command(error.language).error(error)


def _of_command(code: str = "") -> Language:
    return language(code or _spoken.get() or os.environ.get(VARIABLE) or ENGLISH)
