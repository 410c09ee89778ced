"""Ask the runs of an opened folder with SQL: a field for the query, the answer as a table, and what can be asked."""

from __future__ import annotations

from nicegui import ui

from sparring.analysis.query.columns import TABLES
from sparring.explorer.components import Field, link, prose, tag
from sparring.explorer.pages.frame import page_frame
from sparring.explorer.parts.query_answer import QueryAnswer
from sparring.explorer.session import Session
from sparring.explorer.words import Words

FIRST = (
    "select recipe, status, count(*) runs, sum(members) members, round(sum(seconds)) as seconds "
    "from runs group by all order by runs desc"
)
"""The query that is there to begin with."""


def query_page(session: Session, folder: int, sql: str) -> None:
    """The query of the address, or the first one; its answer, the tables."""
    words, roots = Words(), session.opened.roots
    root = roots[folder] if 0 <= folder < len(roots) else roots[0]
    answer = QueryAnswer(session, words, root, folder, sql.strip() or FIRST)
    with page_frame(words, words("query"), keeps_typed=True):
        tag("h1", words("query"))
        tag("p", words("query-help"), "soft")
        if len(roots) > 1:
            with tag("nav", classes="row", aria_label=words("runs")):
                for index, each in enumerate(roots):
                    link(each.name, f"/query?folder={index}", **({"aria_current": "page"} if each == root else {}))
        Field(answer.sql, words("query"), answer.ask, lines=True).classes("sql")
        with tag("div", classes="row"):
            tag("button", words("ask"), "primary", type="button").on("click", answer.again)
            tag("span", words("ask-keys"), "soft")
        answer.place()
        _tables(words)
        ui.timer(0.1, answer.again, once=True)


def _tables(words: Words) -> None:
    tag("h2", words("tables"))
    for name, (rows, columns) in TABLES.items():
        with tag("details"):
            with tag("summary"):
                tag("b", name)
                prose("span", f" {words.said(rows)}", "soft")
            with tag("dl"):
                for column, text in columns.items():
                    tag("dt", column)
                    prose("dd", words.said(text))
