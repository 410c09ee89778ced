"""The list of runs."""

from __future__ import annotations

from sparring.explorer.components import link, tag
from sparring.explorer.pages.frame import page_frame
from sparring.explorer.parts.run_table import run_table
from sparring.explorer.session import Session
from sparring.explorer.words import Words


def home(session: Session, text: str) -> None:
    """All runs of the opened folders that have the words of the address."""
    words = Words()
    with page_frame(words):
        with tag("div", classes="title"):
            tag("h1", words("runs"))
            link(words("all-runs"), "/all")
            link(words("side-by-side"), "/compare")
            link(words("query-runs"), "/query")
            link(words("lessons"), "/lessons")
        run_table(session, words, text)
