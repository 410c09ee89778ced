"""What a run's page and what is printed in a terminal say, as tests read it."""

from __future__ import annotations

import io
from html.parser import HTMLParser
from typing import Any

from rich.console import Console

from sparring.analysis.facts import Facts
from sparring.record import RunFolder
from sparring.report import write_report
from sparring.report.page.run import page


class Page(HTMLParser):
    """What the tests ask of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.text, self.tags = text, []
        self.said = ""
        self._silent = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._silent = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._silent = False

    def handle_data(self, data: str) -> None:
        self.said += "" if self._silent else data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def page_of(run: RunFolder) -> Page:
    """Without its figures, which take a second to draw."""
    return Page(page(Facts.of(run), []))


def written(run: RunFolder) -> Page:
    return Page(write_report(run).read_text(encoding="utf-8"))


def text_of(renderable: Any, width: int = 100) -> str:
    console = Console(width=width, file=io.StringIO(), record=True)
    console.print(renderable, crop=False)
    return console.export_text()
