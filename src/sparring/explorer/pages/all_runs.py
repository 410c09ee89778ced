"""All runs of an opened folder in one table, to sort, filter and open."""

from __future__ import annotations

import importlib.util

from nicegui import ui

from sparring.explorer.components import link, tag
from sparring.explorer.pages.compare import STYLE
from sparring.explorer.pages.frame import page_frame
from sparring.explorer.parts.all_runs import AllRuns, Asked
from sparring.explorer.session import Session
from sparring.explorer.words import Words


def all_runs_page(session: Session, folder: int, asked: Asked) -> None:
    """The table; where DuckDB is missing, a sentence that says so."""
    words, roots = Words(), session.opened.roots
    root = roots[folder] if 0 <= folder < len(roots) else roots[0]
    table = AllRuns(session, words, root, folder, asked)
    ui.add_head_html(STYLE)
    with page_frame(words, words("all-runs-title")):
        tag("h1", words("all-runs-title"))
        if importlib.util.find_spec("duckdb") is None:
            tag("p", words("needs-duckdb"), "missing")
            return
        tag("p", words("all-runs-help"), "soft")
        if len(roots) > 1:
            with tag("nav", classes="row", aria_label=words("runs")):
                for index, each in enumerate(roots):
                    link(each.name, f"/all?folder={index}", **({"aria_current": "page"} if each == root else {}))
        table.place()
        ui.timer(0.1, table.read, once=True)
