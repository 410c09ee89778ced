"""Recipes in a terminal: one described, those to choose from on one screen, or all with their sources."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sparring.catalogue import Entry
from sparring.languages import Name, said
from sparring.languages import Text as Said
from sparring.report.terminal.prose import Prose

WRITE_UP = "write-up "
"""What the source of a recipe of the ladder begins with; the write-up's number follows."""
TITLE_WIDTH = 62
"""Characters of a recipe's title, so that it is one line of a terminal of 80 columns."""
HINTS = Said(
    "`sparring train NAME --seeds 8` trains one; `--data DIR` trains on your images\n"
    "`sparring recipes NAME` describes one; `--all` lists all with reference results"
)


def recipe_text(card: Entry) -> RenderableType:
    """One recipe: its description, source, reference result and expected diagnosis."""
    lines = [
        Text(card.name, style="bold"),
        Prose(_rewrapped(card)),
        Text(),
        Prose(said(Said("source: {source}", source=Said(card.facts["source"])))),
        Prose(said(Said("reference result: {result}", result=Said(card.facts["verdict"])))),
    ]
    if expects := card.facts.get("expects"):
        names = Said.joined([Name(each) for each in expects], ", ")
        lines.append(Prose(said(Said("expected diagnosis: {names}", names=names))))
    return Group(*lines)


def _rewrapped(card: Entry) -> str:
    """Paragraphs as one line each, for the terminal to wrap; lists stay as they are."""
    first, *others = card.text.split("\n\n")
    lines = [said(card.summary) + first.removeprefix(card.summary)]
    lines += [each if each.startswith("- ") else said(" ".join(each.split())) for each in others]
    return "\n\n".join(" ".join(each.split()) if not each.startswith("- ") else each for each in lines)


def recipes_overview(cards: Sequence[Entry]) -> RenderableType:
    """What there is to choose from, on one screen: where to start, modern recipes, and the names of the ladder's."""
    ladder: dict[str, list[str]] = defaultdict(list)
    for card in cards:
        if card.facts["source"].startswith(WRITE_UP):
            ladder[card.facts["source"].removeprefix(WRITE_UP)[:3]].append(card.name)
    start = {card.name: _title(card) for card in cards if card.facts.get("start")}
    on_ladder = {name for names in ladder.values() for name in names}
    modern = {card.name: _title(card) for card in cards if card.name not in start and card.name not in on_ladder}
    names = {number: ", ".join(ladder[number]) for number in sorted(ladder)}
    return Group(
        *_block(Said("Start here"), start),
        *_block(Said("Modern"), modern),
        *_block(Said("The ladder: first GANs of five write-ups"), names),
        Prose(said(HINTS), "dim"),
    )


def recipes_table(cards: Sequence[Entry]) -> RenderableType:
    """All recipes with what they are, their source and their reference result."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for card in cards:
        facts = {"source": Said(card.facts["source"]), "result": Said(card.facts["verdict"])}
        source = Prose(said(Said("{source}. Reference result: {result}", **facts)), "dim")
        table.add_row(card.name, Group(Prose(said(card.summary)), source))
    return table


def _title(card: Entry) -> str:
    """As many clauses of a recipe's first line as fit, at least one."""
    summary = said(card.summary)
    if summary != card.summary:
        return summary[: next((found.start() for found in re.finditer("[\uff1a\uff1b\u3002]", summary)), None)]
    ends = [found.start() for found in re.finditer(r"[:;.](?=\s|$)", card.summary)]
    return card.summary[: max([end for end in ends if end <= TITLE_WIDTH], default=ends[0] if ends else None)]


def _block(title: str, rows: Mapping[str, str]) -> list[RenderableType]:
    return [Text(said(title), "bold"), _rows(rows), Text()]


def _rows(rows: Mapping[str, str]) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    for name, text in rows.items():
        table.add_row(Text(name), Text(text))
    return Padding(table, (0, 0, 0, 2))
