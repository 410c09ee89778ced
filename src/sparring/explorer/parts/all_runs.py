"""The table of all runs that DuckDB makes of their files: sorted, filtered, and chosen from to see side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from nicegui.element import Element

from sparring.analysis.query.database import query
from sparring.analysis.run_rows import row_of
from sparring.analysis.wording import duration, short
from sparring.errors import SparringError, shortened
from sparring.explorer.components import Address, Field, address, link, say, tag
from sparring.explorer.parts.run_table import has_words
from sparring.explorer.parts.sides import MAX_SIDES
from sparring.explorer.session import Session
from sparring.explorer.words import Words
from sparring.record import RunFolder

MAX_ROWS, SECONDS = 300, 20.0
MAX_NAMED = 400
"""Characters of the names of runs that cannot be read."""
COLUMNS = ("run", "recipe", "status", "members", "round", "seconds", "objective", "data", "distance", "created")
NUMBERS = frozenset({"members", "round", "seconds", "distance"})
STATUSES = ("training", "finished", "plateau", "stopped", "diverged", "unfinished")
SQL = """
select run, recipe, status, members, round, seconds, objective, data, distance, created from runs
left join (
    select run, median(value) as distance from evaluations as e
    where metric = 'frechet-distance' and source = 'evaluation'
        and round = (select max(round) from evaluations where run = e.run and source = 'evaluation')
    group by run
) using (run)
"""
"""The distance is the median over members at the last evaluation."""


@dataclass(frozen=True)
class Asked:
    """How the table is sorted and filtered, and which runs are chosen, as the address has it."""

    sort: str = ""
    order: str = ""
    text: str = ""
    status: str = ""
    of: tuple[str, ...] = ()
    """The keys of the chosen runs."""

    @property
    def column(self) -> str:
        """By which it is sorted; the newest first where the address names none."""
        return self.sort if self.sort in COLUMNS else "created"

    @property
    def falls(self) -> bool:
        """Whether the largest comes first."""
        return self.order == "desc" if self.sort in COLUMNS else True

    def sorted_by(self, column: str) -> Asked:
        """Sorted by this column, the other way round where it is already."""
        falls = not self.falls if column == self.column else column in ("created", "round", "seconds")
        return replace(self, sort=column, order="desc" if falls else "asc")

    @property
    def query(self) -> str:
        """For an address."""
        values = {"sort": self.sort, "order": self.order, "text": self.text, "status": self.status, "of": self.of}
        return urlencode({name: value for name, value in values.items() if value}, doseq=True)

    @property
    def sql(self) -> str:
        """For DuckDB. Its column is one of COLUMNS, and what a person typed is not in it."""
        way = "desc" if self.falls else "asc"
        return f"{SQL} order by {self.column} {way} nulls last, run"

    def has(self, row: dict[str, Any]) -> bool:
        """Whether a row is one that is looked for."""
        known = not self.status or row["status"] == self.status
        return known and has_words(self.text, *(str(row[name]) for name in ("run", "recipe", "objective", "data")))


@dataclass
class AllRuns:
    """Of one window."""

    session: Session
    words: Words
    root: Path
    folder: int
    asked: Asked
    note: Element = field(init=False)
    missing: Element = field(init=False)
    home: Element = field(init=False)
    head: Element | None = None
    """The row of headings, once there is a table."""
    statuses: Element = field(init=False)
    bar: Element = field(init=False)
    address: Address = field(init=False)
    rows: list[dict[str, Any]] | None = None
    left_out: tuple[str, ...] = ()
    """Runs that cannot be read."""

    def place(self) -> None:
        """Where it is filtered, and the table."""
        self.asked = replace(self.asked, of=tuple(key for key in self.asked.of if self.session.find(key)))
        self.address = Address()
        with tag("div", classes="table-bar"):
            Field(self.asked.text, self.words("filter"), self.filter, "filter", placeholder=self.words("filter"))
            self.statuses = tag("div", classes="row", role="group", aria_label=self.words("column-status"))
            self.bar = tag("span", classes="row")
        self._links()
        self.note = tag("p", self.words("asking"), "soft", role="status")
        self.missing = tag("p", "", "problem", hidden=True)
        self.home = tag("div", classes="table answer all-runs")

    async def read(self) -> None:
        """Ask DuckDB, and show the rows."""
        try:
            self.rows = await asyncio.to_thread(self._ask)
        except SparringError as error:
            say(self.note, self.words.error(error), "problem")
            return
        self.show()

    def _links(self) -> None:
        """What leads to the table in another way: each keeps everything else that is asked for."""
        self.statuses.clear()
        with self.statuses:
            for status in ("", *STATUSES):
                current = {"aria_current": "true"} if status == self.asked.status else {}
                name = self.words(f"status-{status}") if status else self.words("any-status")
                link(name, self._address(replace(self.asked, status=status)), "button", **current)
        self.bar.clear()
        if len(self.asked.of) > 1:
            of = urlencode({"of": self.asked.of}, doseq=True)
            with self.bar:
                link(f"{self.words('chosen')} ({len(self.asked.of)})", f"/compare?{of}", "button primary")
        if self.head is not None:
            self.head.clear()
            with self.head:
                self._heads()

    def _now(self, asked: Asked) -> None:
        """Something else is asked for; the address says it too."""
        self.asked = asked
        self.address.show(address(self._address(asked)))
        self._links()

    def _ask(self) -> list[dict[str, Any]]:
        runs = [run for run in self.session.opened.runs().values() if run.path.is_relative_to(self.root)]
        answer = query(self.asked.sql, self.root, runs=runs, seconds=SECONDS)
        self.left_out = answer.left_out
        rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
        for row in rows:
            # A journal that has no end may be of a run that trains: its files say so, not the database.
            if row["status"] == "unfinished":
                row["status"] = row_of(row["run"], RunFolder(self.root / row["run"])).status
        if self.asked.column == "status":
            rows.sort(key=lambda row: row["status"], reverse=self.asked.falls)
        return rows

    def filter(self, text: object) -> None:
        """Show the runs that have these words."""
        self._now(replace(self.asked, text=str(text)))
        self.show()

    def _address(self, asked: Asked) -> str:
        more = [f"folder={self.folder}"] if self.folder else []
        return "?".join(["/all", *(["&".join([*more, asked.query]).strip("&")] if more or asked.query else [])])

    def show(self) -> None:
        """The rows that are looked for."""
        if self.rows is None or self.home.is_deleted:
            return
        found = [row for row in self.rows if self.asked.has(row)]
        if not found:
            say(self.note, self.words("no-match" if self.rows else "no-runs"), "soft")
        elif len(found) > MAX_ROWS:
            say(self.note, self.words("and-more", count=f"{len(found) - MAX_ROWS:,}"), "soft")
        else:
            say(
                self.note,
                self.words("one-row") if len(found) == 1 else self.words("rows", count=f"{len(found):,}"),
                "soft",
            )
        say(self.missing, unread(self.words, self.left_out), "problem")
        self.home.clear()
        with self.home, tag("table"):
            with tag("thead"):
                self.head = tag("tr")
            with self.head:
                self._heads()
            with tag("tbody"):
                for row in found[:MAX_ROWS]:
                    self._row(row)

    def _heads(self) -> None:
        tag("th", "", scope="col")
        for column in COLUMNS:
            kind = "" if column in NUMBERS else "words"
            is_here = column == self.asked.column
            sort = {"aria_sort": "descending" if self.asked.falls else "ascending"} if is_here else {}
            with tag("th", "", kind, scope="col", **sort):
                arrow = (" ↓" if self.asked.falls else " ↑") if is_here else ""
                link(f"{self.words(f'column-{column}')}{arrow}", self._address(self.asked.sorted_by(column)))

    def _row(self, row: dict[str, Any]) -> None:
        key = self.session.opened.key_of(self.root / row["run"]) or row["run"]
        with tag("tr"):
            with tag("td") as place:
                self._choice(place, key)
            with tag("td", classes="words"):
                link(row["run"] if row["run"] != "." else key, f"/run?{urlencode({'run': key})}")
            for column in COLUMNS[1:]:
                status = f"status {row['status']}" if column == "status" else ""
                tag("td", self._text(column, row[column]), "" if column in NUMBERS else f"words {status}".strip())

    def _text(self, column: str, value: Any) -> str:
        if value is None:
            return "–"
        if column == "status":
            return self.words(f"status-{value}")
        if column == "created":
            return str(value)[:16].replace("T", " ")
        if column in ("members", "round"):
            return f"{value:,}"
        if column == "seconds":
            return duration(value)
        return short(value) if isinstance(value, float) else str(value)

    def _choice(self, place: Element, key: str) -> None:
        """The box that chooses a run."""
        place.clear()
        with place:
            name, is_chosen = self.words("choose", name=key), key in self.asked.of
            box = tag("input", type="checkbox", aria_label=name, checked=is_chosen)
            box.on("change", partial(self.choose, place, key))

    def choose(self, place: Element, key: str, _event: object = None) -> None:
        """Choose a run to see beside others, or no longer."""
        of = self.asked.of
        if key not in of and len(of) == MAX_SIDES:
            self._choice(place, key)  # anew: a browser keeps the mark of the old one
            self._links()  # without the sentence of an earlier one
            with self.bar:
                tag("span", self.words("no-more-sides"), "problem", role="alert")
            return
        self._now(replace(self.asked, of=tuple(each for each in of if each != key) if key in of else (*of, key)))


def unread(words: Words, names: Sequence[str]) -> str:
    """A sentence about runs that cannot be read; empty for none."""
    if not names:
        return ""
    key = "one-unread" if len(names) == 1 else "unread"
    return words(key, count=f"{len(names):,}", names=shortened(", ".join(names), MAX_NAMED))
