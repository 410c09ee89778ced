"""The answer to a query, as a table; the runs in it lead to their pages."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from nicegui.element import Element

from sparring.analysis.query.database import Answer, query
from sparring.errors import SparringError
from sparring.explorer.components import Address, address, link, say, tag
from sparring.explorer.parts.all_runs import unread
from sparring.explorer.session import Session
from sparring.explorer.words import Words

MAX_ROWS = 200
SECONDS = 20.0
"""A query that takes longer is given up."""
MAX_ADDRESS = 12_000
"""Bytes of a query that its address has: the guard refuses much longer addresses."""


@dataclass
class QueryAnswer:
    """Of one window."""

    session: Session
    words: Words
    root: Path
    folder: int
    sql: str
    note: Element = field(init=False)
    missing: Element = field(init=False)
    home: Element = field(init=False)
    address: Address = field(init=False)

    def place(self) -> None:
        """Where the answer comes."""
        self.address = Address()
        self.note = tag("p", self.words("asking"), "soft", role="status")
        self.missing = tag("p", "", "problem", hidden=True)
        self.home = tag("div", classes="table answer")

    async def ask(self, sql: object) -> None:
        """Another query. The address has it, so that Back and a reload show it again."""
        self.sql = str(sql)
        folder = {"folder": self.folder} if self.folder else {}
        query = urlencode({**folder, "sql": self.sql})
        self.address.show(address(f"/query?{query if len(query) <= MAX_ADDRESS else urlencode(folder)}"))
        await self.again()

    async def again(self) -> None:
        """Show the answer as it is now, or why there is none."""
        asked = self.sql
        say(self.note, self.words("asking"), "soft")
        try:
            answer = await asyncio.to_thread(self._read, asked)
        except SparringError as error:
            if asked == self.sql and not self.note.is_deleted:
                self.home.clear()
                say(self.missing, "")
                say(self.note, self.words.error(error), "problem")
            return
        if asked == self.sql and not self.note.is_deleted:
            self._show(answer)

    def _read(self, sql: str) -> Answer:
        """Of the runs that may be shown, and no other."""
        runs = [run for run in self.session.opened.runs().values() if run.path.is_relative_to(self.root)]
        return query(sql, self.root, runs=runs, max_rows=MAX_ROWS + 1, seconds=SECONDS)

    def _show(self, answer: Answer) -> None:
        rows = answer.rows[:MAX_ROWS]
        count = len(answer.rows)
        say(
            self.note,
            self.words("first-rows", count=f"{MAX_ROWS:,}")
            if count > MAX_ROWS
            else self.words("one-row")
            if count == 1
            else self.words("rows", count=f"{count:,}"),
            "soft",
        )
        say(self.missing, unread(self.words, answer.left_out), "problem")
        kinds = ["" if all(_is_number(row[i]) for row in rows) else "words" for i in range(len(answer.columns))]
        self.home.clear()
        with self.home, tag("table"):
            with tag("thead"), tag("tr"):
                for name, kind in zip(answer.columns, kinds, strict=True):
                    tag("th", name, kind, scope="col")
            with tag("tbody"):
                for row in rows:
                    with tag("tr"):
                        for name, kind, value in zip(answer.columns, kinds, row, strict=True):
                            self._cell(name, kind, value)

    def _cell(self, column: str, kind: str, value: Any) -> None:
        key = self.session.opened.key_of(self.root / value) if column == "run" and isinstance(value, str) else None
        if key is None:
            tag("td", _text(value), kind)
            return
        with tag("td", classes=kind):
            link(value, f"/run?{urlencode({'run': key})}")


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _text(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
