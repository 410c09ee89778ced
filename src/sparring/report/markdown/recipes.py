"""The catalogue's recipes, told by lineage in Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from textwrap import fill

from sparring import catalogue
from sparring.analysis.differences import parts
from sparring.recipe import find_recipe

WIDTH = 120


def recipes_in_markdown() -> str:
    """Every recipe, under the title of its lineage: what it is, what its author saw, and what it is made of."""
    lines: list[str] = []
    for _, cards in groupby(catalogue.entries("recipes").values(), lambda card: card.module):
        family = list(cards)
        title, _, rest = catalogue.lineage(family[0]).partition("\n")
        lines += [f"## {title.rstrip('.')}", "", *_paragraphs(rest)]
        for card in family:
            lines += _told(card)
    return "\n".join(lines).rstrip()


def _told(card: catalogue.Entry) -> Iterator[str]:
    yield from (f"### `{card.name}`", "", *_paragraphs(card.text))
    said = {"From": card.facts["source"], "Its author saw": card.facts["verdict"]}
    if expects := card.facts.get("expects"):
        said["Findings to be made"] = ", ".join(f"`{name}`" for name in expects)
    yield from (fill(f"- **{what}:** {told}", WIDTH, subsequent_indent="  ") for what, told in said.items())
    yield from ("", "| part | what it is |", "| --- | --- |")
    # Literal text: a user's brackets and bars must not become links or columns.
    for called, told in parts(find_recipe(card.name).to_dict()).items():
        yield f"| {called} | `{told.replace('|', chr(92) + '|')}` |"
    yield ""


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.strip().split("\n\n"):
        if paragraph:
            yield from (fill(" ".join(paragraph.split()), WIDTH), "")
