"""The head of a run's pages: its name, and the pages and views that there are."""

from __future__ import annotations

from urllib.parse import urlencode

from sparring.explorer.components import link, tag
from sparring.explorer.words import Words

VIEWS = ("live", "plane", "samples", "findings", "branches", "recipe")
"""Views of the run's page, which changes between them without being opened again."""
PAGES = ("latent", "dissect")
"""Pages of their own."""


def short_name(key: str) -> str:
    """A run's own name, without those of the folders that it is in."""
    return key.rpartition("/")[2]


def run_head(words: Words, key: str, name: str, here: str) -> None:
    """The run's name and the tabs, on a page of its own."""
    with tag("div", classes="title"):
        tag("h1", name or key)
        tag("p", key, "soft", title=key)
    with tag("nav", classes="tabs"):
        for view in VIEWS:
            link(words(f"view-{view}"), f"/run?{urlencode({'run': key, 'view': view})}")
        pages(words, key, here)


def pages(words: Words, key: str, here: str = "") -> None:
    """Links to the pages of their own."""
    for page in PAGES:
        current = {"aria_current": "page"} if page == here else {}
        link(words(f"view-{page}"), f"/{page}?{urlencode({'run': key})}", **current)
