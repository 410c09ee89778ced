"""The table of runs: what each is, how far it is, what its verdict is."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode

from nicegui import ui
from nicegui.element import Element

from sparring.analysis.run_rows import RunRow, row_of
from sparring.explorer.components import Address, Field, address, link, prose, tag
from sparring.explorer.session import Session
from sparring.explorer.words import Words
from sparring.record import RunFolder

MAX_ROWS = 200
COLUMNS = ("run", "recipe", "status", "verdict", "seeds", "progress", "changed")
REFRESH_SECONDS = 3.0


def run_table(session: Session, words: Words, text: str) -> None:
    """The newest first; a field filters by words, and what changes is shown."""
    table = Table(session, words, text)
    table.read()
    table.address = Address()
    Field(text, words("filter"), table.filter, "filter", placeholder=words("filter"))
    with tag("div", classes="table"), tag("table", classes="runs"):
        with tag("thead"), tag("tr"):
            for column in COLUMNS:
                tag("th", words(f"column-{column}"), scope="col")
        table.body = tag("tbody")
    table.fill()
    ui.timer(0.1, table.find_verdicts, once=True)
    ui.timer(REFRESH_SECONDS, table.refresh)


def has_words(text: str, *places: str) -> bool:
    """Whether each word of a filter stands somewhere in these places."""
    where = " ".join(places).lower()
    return all(word in where for word in text.lower().split())


@dataclass
class Table:
    """The rows of one window."""

    session: Session
    words: Words
    text: str
    body: Element = field(init=False)
    address: Address = field(init=False)
    runs: dict[str, RunFolder] = field(default_factory=dict[str, RunFolder])
    rows: list[RunRow] = field(default_factory=list[RunRow])
    verdicts: dict[str, Element] = field(default_factory=dict[str, Element])
    """The cells of verdicts, which are found once the table is there."""

    def read(self) -> None:
        """Look through the folders."""
        self.runs = self.session.opened.runs()
        self.rows = sorted((row_of(key, run) for key, run in self.runs.items()), key=lambda row: -row.changed)

    def filter(self, text: object) -> None:
        """Show the runs whose name or recipe has these words; the address says them too."""
        self.text = str(text)
        self.address.show(address(f"/?{urlencode({'text': self.text})}" if self.text else "/"))
        self.fill()
        ui.timer(0.1, self.find_verdicts, once=True)

    async def refresh(self) -> None:
        """Show what has changed since."""
        before = self.rows
        await asyncio.to_thread(self.read)
        if self.rows != before:
            self.fill()
            await self.find_verdicts()

    async def find_verdicts(self) -> None:
        """Diagnose the runs that are shown, one after the other."""
        for key, cell in list(self.verdicts.items()):
            if cell.is_deleted or key not in self.runs:
                continue
            verdict = await asyncio.to_thread(self.session.verdict_of, self.runs[key])
            if not cell.is_deleted:
                cell._text = self.words.named(verdict)  # pyright: ignore[reportPrivateUsage] - as in `tag`
                cell.update()

    def fill(self) -> None:
        """The rows that are found, with the verdicts that are known."""
        found = [row for row in self.rows if has_words(self.text, row.key, row.name)]
        self.verdicts = {}
        self.body.clear()
        with self.body:
            for row in found[:MAX_ROWS]:
                self._row(row)
            if not found or len(found) > MAX_ROWS:
                with tag("tr"):
                    prose("td", self._note(len(found)), "soft", colspan=len(COLUMNS))

    def _note(self, found: int) -> str:
        if found:
            return self.words("and-more", count=f"{found - MAX_ROWS:,}")
        return self.words("no-match" if self.rows else "no-runs")

    def _row(self, row: RunRow) -> None:
        words = self.words
        with tag("tr"):
            with tag("th", scope="row"):
                link(row.key, f"/run?{urlencode({'run': row.key})}")
            tag("td", row.name or words.error(row.problem))
            tag("td", words(f"status-{row.status}"), f"status {row.status}")
            self.verdicts[row.key] = tag("td", "", "verdict-name")
            tag("td", f"{row.seeds:,}")
            with tag("td"):
                tag("progress", value=row.round, max=max(1, row.rounds), aria_label=f"{row.round:,} / {row.rounds:,}")
                tag("small", f"{row.round:,}")
            tag("td", time.strftime("%Y-%m-%d %H:%M", time.localtime(row.changed)) if row.changed else "–")
