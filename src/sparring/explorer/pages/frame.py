"""What every page has around its content: the head, where one is, light or dark."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from nicegui import ui

from sparring.explorer.components import link, tag
from sparring.explorer.words import Words
from sparring.languages import LANGUAGES

HEAD = (
    '<link rel="stylesheet" href="/static/page.css"><script src="/static/theme.js"></script>'
    '<meta name="referrer" content="no-referrer">'
)


@contextmanager
def page_frame(words: Words, *path: str, keeps_typed: bool = False, title: str = "") -> Generator[None]:
    """The header, with the names of what is open, and a place for the content.

    Args:
        words: Texts.
        path: Names of what is open.
        keeps_typed: Whether what was typed into the content's fields is typed again after a switch of the language:
            where to type does nothing that may not be done twice.
        title: What the browser's tab says; the last of `path` if empty.
    """
    here = title or (path[-1] if path else "") or words("runs")
    ui.page_title(f"{here} · {words('title')}")
    ui.add_head_html(HEAD)
    with tag("header", classes="top"):
        link(words("title"), "/", "brand")
        with tag("nav", aria_label=words("runs")):
            link(words("runs"), "/")
            link(words("lessons"), "/lessons")
            for name in path:
                tag("span", name, "here", title=name)
        link(words("new-run"), "/new", "button")
        with tag("nav", classes="languages", aria_label=words("language")):
            for code, name in LANGUAGES.items():
                current = {"aria_current": "true"} if code == words.code else {}
                tag("a", name, href=f"?language={code}", lang=code, hreflang=code, data_language=code, **current)
        tag("button", "", "icon theme", type="button", aria_label=words("theme"), title=words("theme"))
    with tag("div", classes="page", **({"data_kept": "true"} if keeps_typed else {})):
        yield
    tag("p", words.sentences(words("connection-lost"), words("launched-again")), "lost problem", role="alert")
