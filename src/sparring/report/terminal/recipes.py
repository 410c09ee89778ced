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
from sparring.report.terminal.prose import Prose

WRITE_UP = "write-up "
"""What the source of a recipe of the ladder begins with; the write-up's number follows."""
TITLE_WIDTH = 62
"""Characters of a recipe's title, so that it is one line of a terminal of 80 columns."""
HINTS = """\
`sparring train NAME --seeds 8` trains one; `--data DIR` trains on your images
`sparring recipes NAME` describes one; `--all` lists all with reference results"""


def recipe_text(card: Entry) -> RenderableType:
    """One recipe: its description, source, reference result and expected diagnosis."""
    lines = [
        Text(card.name, style="bold"),
        Text(_rewrapped(card.text)),
        Text(),
        Text(f"source: {card.facts['source']}"),
        Text(f"reference result: {card.facts['verdict']}"),
    ]
    if expects := card.facts.get("expects"):
        lines.append(Text(f"expected diagnosis: {', '.join(expects)}"))
    return Group(*lines)


def _rewrapped(text: str) -> str:
    """Paragraphs as one line each, for the terminal to wrap; lists stay as they are."""
    paragraphs = text.split("\n\n")
    return "\n\n".join(each if each.startswith("- ") else " ".join(each.split()) for each in paragraphs)


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
        *_block("Start here", start),
        *_block("Modern", modern),
        *_block("The ladder: first GANs of five write-ups", names),
        Prose(HINTS, "dim"),
    )


def recipes_table(cards: Sequence[Entry]) -> RenderableType:
    """All recipes with what they are, their source and their reference result."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for card in cards:
        source = Text(f"{card.facts['source']}. Reference result: {card.facts['verdict']}", "dim")
        table.add_row(card.name, Group(Text(card.summary), source))
    return table


def _title(card: Entry) -> str:
    """As many clauses of a recipe's first line as fit, at least one."""
    ends = [found.start() for found in re.finditer(r"[:;.](?=\s|$)", card.summary)]
    return card.summary[: max([end for end in ends if end <= TITLE_WIDTH], default=ends[0] if ends else None)]


def _block(title: str, rows: Mapping[str, str]) -> list[RenderableType]:
    return [Text(title, "bold"), _rows(rows), Text()]


def _rows(rows: Mapping[str, str]) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    for name, text in rows.items():
        table.add_row(Text(name), Text(text))
    return Padding(table, (0, 0, 0, 2))
