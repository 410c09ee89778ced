"""What commands wrote down in English, said in the language of a page: it comes as text, out of a file."""

from __future__ import annotations

from sparring.analysis.written import read
from sparring.explorer.words import Words
from sparring.languages import Text


def named(words: Words, direction: str) -> str:
    """A direction's name: by which way it was found, and what it moves."""
    way, between, what = direction.partition(": ")
    kind, _, label = way.partition(" ")
    found = Text("{way} {label}: {what}", way=Text(kind), label=label, what=read(what))
    return words.said(found) if between else direction


def phrase(words: Words, text: str) -> str:
    """What a direction moves, what a comparison came to, or where images are from; as it is, where that is unknown."""
    return words.said(read(text))
