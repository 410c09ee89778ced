"""One run: what it looks like now, or at any round before."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any, cast
from urllib.parse import urlencode

from nicegui.element import Element

from sparring.analysis.followed import Moment
from sparring.errors import SparringError
from sparring.explorer.components import Bridge, Timeline, link, tag
from sparring.explorer.pages.frame import page_frame
from sparring.explorer.parts.branches import Tree, comparison
from sparring.explorer.parts.figures import all_members, live_figures, plane_figure
from sparring.explorer.parts.findings import facts_line, findings, steered, verdict
from sparring.explorer.parts.recipe import recipe_settings
from sparring.explorer.parts.steer import Controls
from sparring.explorer.parts.tabs import VIEWS, pages, short_name
from sparring.explorer.session import Session
from sparring.explorer.steering import watch
from sparring.explorer.tasks import shown_path
from sparring.explorer.words import Words
from sparring.record import RunFolder

PATIENCE_SECONDS = 1.0
"""How long a page waits for its verdict: one that arrives later moves what stands below it."""
MAX_DIGITS = 15
"""Of a round in an address."""
WATCH_SECONDS = 20.0
"""For how long a page asks a training to show D's outputs; it asks again while it is open."""


async def run_page(session: Session, key: str, view: str, round: str) -> None:
    """The page of a run, at a round where one is named; of a run that is not there, a page that says so."""
    words, found = Words(), session.find(key)
    with page_frame(words, key if found else "", title=short_name(key)):
        try:
            if found is None:
                raise SparringError(words("no-run"))
            with session.following(found) as followed:
                recipe = followed.recipe
        except SparringError as error:
            tag("h1", key)
            tag("p", words.error(error), "problem")
            return
        tag("p", "", "problem", role="status", hidden=True)
        with tag("div", classes="title"):
            tag("h1", recipe["name"] or key)
            tag("p", key, "soft", title=key)
        banner = tag("section", classes="verdict")
        _tabs(words, key)
        if len(recipe["seeds"]) == 1:
            tag("p", words("one-member"), "soft")
        if found.sharded:
            _shards(session, words, key)
        details, tree = _views(session, words, key, recipe)
        shown = Shown(session, words, key, found, banner, details, tree)
        bridge = Bridge(key, view if view in VIEWS else "live", words.all(), shown.moment, shown.pressed)
        with tag("div", classes="dock"):
            shown.controls = Controls(session, words, found, bridge.beat)
            shown.controls.place()
            Timeline()
        await shown.first(round)


def _views(session: Session, words: Words, key: str, recipe: dict[str, Any]) -> tuple[Element, Tree]:
    """The views below the tabs, of which the browser shows one. Returns the place of the findings, and the tree."""
    with tag("section", data_view="live"):
        live_figures(words)
    with tag("section", data_view="plane", hidden=True):
        plane_figure(words)
    with tag("section", data_view="samples", hidden=True):
        all_members(words)
    details = tag("section", data_view="findings", hidden=True)
    with tag("section", data_view="branches", hidden=True):
        tree = Tree(session, words, key, tag("div", classes="trees"))
        comparison(words)
    with tag("section", data_view="recipe", hidden=True):
        recipe_settings(words, recipe)
    return details, tree


def _shards(session: Session, words: Words, key: str) -> None:
    """Links to the shards of a run that several processes train."""
    keys = [each for each in session.opened.runs() if each.startswith(f"{key}/")]
    if keys:
        with tag("p", words("sharded"), "soft"):
            for each in keys:
                link(f" {each.rpartition('/')[2]} ", f"/run?{urlencode({'run': each})}")


def _tabs(words: Words, key: str) -> None:
    with tag("nav", classes="tabs"):
        for name in VIEWS:
            link(words(f"view-{name}"), f"/run?{urlencode({'run': key, 'view': name})}", data_show=name)
        pages(words, key)


@dataclass
class Shown:
    """What a page says in words of the round that its browser shows."""

    session: Session
    words: Words
    key: str
    run: RunFolder
    banner: Element
    details: Element
    tree: Tree
    controls: Controls | None = None
    now: Moment | None = None
    problem: str = ""
    """Why the training ended, as the line below the page says it."""
    watched: float = -WATCH_SECONDS
    """When the training was last asked to show D's outputs."""

    async def first(self, asked: str) -> None:
        """What the page says at the round of its address, while it is made. What takes long is left to `moment`."""
        round = int(asked) if asked.isdecimal() and len(asked) <= MAX_DIGITS else None
        with suppress(TimeoutError):
            now = await asyncio.wait_for(asyncio.to_thread(self._look, round), PATIENCE_SECONDS)
            if now is not None:
                self._say(now, round)

    async def moment(self, said: Any) -> None:
        """The browser shows another round, or has read something new."""
        said = cast(dict[str, Any], said) if isinstance(said, dict) else {}
        round = round_in(said)
        now = await asyncio.to_thread(self._look, round)
        if self.session.is_gone(self.key) and (last := now or self.now):
            now = replace(last, status="gone")
        if self.controls is None or now is None:
            return
        if said.get("view") == "branches":
            await self.tree.show(said.get("version"))
        if (problem := self.session.problem_of(self.run)) or self.problem:
            self.controls.say(self.words.error(problem), problem=bool(problem))
        self.problem = problem
        if now.status == "training" and round is None and monotonic() - self.watched > WATCH_SECONDS / 2:
            self.watched = monotonic()
            await asyncio.to_thread(watch, self.run, WATCH_SECONDS)
        if now.status == "gone":
            self.controls.show(now.status, None)
        elif not now.is_watched:
            at = checkpoint_at(self.run, now.round if round is None else round)
            self.controls.show(now.status, at, now.round)
        if now != self.now:
            self._say(now, round)

    def _say(self, now: Moment, round: int | None) -> None:
        """Put it on the page."""
        self.now = now
        self.banner.clear()
        self.details.clear()
        with self.banner:
            facts_line(self.words, now)
            steered(self.words, now)
            verdict(self.words, now.diagnosis, round)
        with self.details:
            findings(self.words, now, str(shown_path(self.run.path)))

    async def pressed(self, key: str) -> None:
        """A key was pressed in the browser."""
        if self.controls is not None:
            await self.controls.key(key)

    def _look(self, round: int | None) -> Moment | None:
        """What the run is like at a round; None where it can no longer be read, which the browser says."""
        try:
            with self.session.following(self.run) as followed:
                return replace(Moment.of(followed, round), status=self.session.status_of(followed))
        except SparringError:
            return None


def round_in(said: Mapping[str, Any]) -> int | None:
    """The round that a browser names; None for the newest, and for what is no round."""
    round = said.get("round")
    return round if isinstance(round, int) and not isinstance(round, bool) and round >= 0 else None


def checkpoint_at(run: RunFolder, round: int) -> int | None:
    """The newest checkpoint that is not after a round."""
    return max((each for each in run.rounds_saved() if each <= round), default=None)
