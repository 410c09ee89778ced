"""The table of runs: what each is, how far it is, what its verdict is."""

from __future__ import annotations

import time
from urllib.parse import urlencode

from nicegui.element import Element

from sparring.analysis.run_rows import RunRow, row_of
from sparring.explorer.components import Field, link, tag
from sparring.explorer.session import Session
from sparring.explorer.words import Words

MAX_ROWS = 200
COLUMNS = ("run", "recipe", "status", "seeds", "progress", "changed")


def run_table(session: Session, words: Words) -> None:
    """The newest first; a field filters by name."""
    rows = sorted((row_of(key, run) for key, run in session.opened.runs().items()), key=lambda row: -row.changed)
    if not rows:
        tag("p", words("no-runs"), "missing")
        return
    Field("", words("filter"), lambda text: _fill(body, words, rows, str(text)), "filter", placeholder=words("filter"))
    with tag("div", classes="table"), tag("table", classes="runs"):
        with tag("thead"), tag("tr"):
            for column in COLUMNS:
                tag("th", words(f"column-{column}"), scope="col")
        body = tag("tbody")
    _fill(body, words, rows, "")


def _fill(body: Element, words: Words, rows: list[RunRow], text: str) -> None:
    found = [row for row in rows if text.lower() in f"{row.key} {row.name}".lower()]
    body.clear()
    with body:
        for row in found[:MAX_ROWS]:
            _row(words, row)
        if not found or len(found) > MAX_ROWS:
            note = words("and-more", count=f"{len(found) - MAX_ROWS:,}") if found else words("no-match")
            with tag("tr"):
                tag("td", note, "soft", colspan=len(COLUMNS))


def _row(words: Words, row: RunRow) -> None:
    with tag("tr"):
        with tag("th", scope="row"):
            link(row.key, f"/run?{urlencode({'run': row.key})}")
        tag("td", row.name)
        tag("td", words(f"status-{row.status}"), f"status {row.status}")
        tag("td", f"{row.seeds:,}")
        with tag("td"):
            tag("progress", value=row.round, max=max(1, row.rounds), aria_label=f"{row.round:,} / {row.rounds:,}")
            tag("small", f"{row.round:,}")
        tag("td", time.strftime("%Y-%m-%d %H:%M", time.localtime(row.changed)) if row.changed else "–")
