"""One run: what it looks like now, or at any round before."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

from sparring.analysis.followed import Moment
from sparring.errors import SparringError
from sparring.explorer.components import Bridge, Timeline, link, tag
from sparring.explorer.pages.frame import page_frame
from sparring.explorer.parts.figures import all_members, live_figures
from sparring.explorer.parts.findings import facts_line, findings, verdict
from sparring.explorer.parts.recipe import recipe_settings
from sparring.explorer.session import Session
from sparring.explorer.words import Words

VIEWS = ("live", "samples", "findings", "recipe")


def run_page(session: Session, key: str, view: str) -> None:
    """The page of a run; of one that is not there, a page that says so."""
    words = Words()
    found = session.opened.find(key)
    with page_frame(words, key if found else ""):
        if found is None:
            tag("p", words("no-run"), "problem")
            return
        try:
            with session.following(found) as followed:
                recipe = followed.recipe
        except SparringError as error:
            tag("h1", key)
            tag("p", str(error), "problem")
            return
        tag("p", "", "problem", role="status", hidden=True)
        with tag("div", classes="title"):
            tag("h1", recipe["name"] or key)
            tag("p", key, "soft")
        banner = tag("section", classes="verdict")
        _tabs(words, key)
        with tag("section", data_view="live"):
            live_figures(words)
        with tag("section", data_view="samples", hidden=True):
            all_members(words)
        details = tag("section", data_view="findings", hidden=True)
        with tag("section", data_view="recipe", hidden=True):
            recipe_settings(words, recipe)
        with tag("div", classes="dock"):
            Timeline()

        shown: list[Any] = [None]

        async def moment(said: Any) -> None:
            round = round_in(said)
            now = await asyncio.to_thread(_look, session, key, round)
            if now is None or now == shown[0]:
                return
            shown[0] = now
            banner.clear()
            details.clear()
            with banner:
                facts_line(words, now)
                verdict(words, now.diagnosis, round)
            with details:
                findings(words, now.diagnosis)

        Bridge(key, view if view in VIEWS else "live", words.all(), moment)


def round_in(said: Any) -> int | None:
    """The round that a browser names; None for the newest, and for what is no round."""
    round = said.get("round") if isinstance(said, dict) else None
    return round if isinstance(round, int) and not isinstance(round, bool) and round >= 0 else None


def _look(session: Session, key: str, round: int | None) -> Moment | None:
    """What a run is like at a round; None where it can no longer be read, which the browser says."""
    found = session.opened.find(key)
    if found is None:
        return None
    try:
        with session.following(found) as followed:
            return Moment.of(followed, round)
    except SparringError:
        return None


def _tabs(words: Words, key: str) -> None:
    with tag("nav", classes="tabs"):
        for name in VIEWS:
            link(words(f"view-{name}"), f"/run?{urlencode({'run': key, 'view': name})}", data_show=name)
