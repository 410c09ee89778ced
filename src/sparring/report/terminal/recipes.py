"""Recipes in a terminal: one described, or all in a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sparring.catalogue import Entry


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


def recipes_table(cards: Sequence[Entry]) -> Table:
    """All recipes, one a row."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("recipe", "what it is", "source", "reference result"):
        table.add_column(title, no_wrap=title == "recipe")
    for card in cards:
        table.add_row(card.name, Text(card.summary), Text(card.facts["source"]), Text(card.facts["verdict"]))
    return table
