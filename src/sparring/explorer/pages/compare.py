"""Two to eight runs, members or rounds side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from nicegui import ui
from nicegui.element import Element

from sparring.errors import SparringError
from sparring.explorer.components import Sides, link, tag
from sparring.explorer.pages.frame import page_frame
from sparring.explorer.parts.sides import (
    MAX_SIDES,
    Seen,
    Side,
    differences,
    groups_of,
    metrics_table,
    output_level,
    verdicts,
)
from sparring.explorer.parts.tabs import short_name
from sparring.explorer.session import Session
from sparring.explorer.words import Words
from sparring.rules import SMOOTHING

STYLE = '<link rel="stylesheet" href="/static/sides.css">'
MAX_LISTED = 500
"""Runs that can be added from the list."""


def compare_page(session: Session, asked: Sequence[str]) -> None:
    """The page; without two sides yet, a list to choose from."""
    words, named = Words(), [Side.read(text) for text in asked]
    there = [side for side in named if _recipe(session, side) is not None]
    sides, rest = there[:MAX_SIDES], there[MAX_SIDES:]
    ui.add_head_html(STYLE)
    names = ", ".join(dict.fromkeys(short_name(side.key) for side in sides))
    with page_frame(words, words("side-by-side"), title=names):
        tag("h1", words("side-by-side"))
        if missing := [side.key for side in named if side not in there]:
            tag("p", words("not-there", names=", ".join(missing)), "problem")
        if rest:
            tag("p", words("too-many-sides", names=", ".join(side.key for side in rest)), "problem")
        if len(sides) < 2:
            tag("p", words("choose-sides"), "soft")
        page = Page(session, words, sides)
        page.place()


def _recipe(session: Session, side: Side) -> dict[str, Any] | None:
    found = session.find(side.key)
    try:
        return None if found is None else found.recipe
    except SparringError:
        return None


@dataclass
class Page:
    """Of one window."""

    session: Session
    words: Words
    sides: list[Side]
    home: Element = field(init=False)
    asked: int = 0

    def place(self) -> None:
        """The figures, and below them what is said in words."""
        recipes = [_recipe(self.session, side) or {} for side in self.sides]
        Sides(
            self.moved,
            sides=[side.plain() for side in self.sides],
            runs=sorted(self.session.opened.runs())[:MAX_LISTED],
            groups=groups_of(recipes, [output_level(self.session, side) for side in self.sides]),
            texts=self.words.all(),
            smoothing=SMOOTHING,
        )
        if len(self.sides) == 1:
            self._suggest(self.sides[0], recipes[0])
        self.home = tag("div", classes="side-words")
        ui.timer(0.1, self.again, once=True)

    def _suggest(self, side: Side, recipe: dict[str, Any]) -> None:
        """What one run alone can be compared with: itself."""
        seeds = recipe.get("seeds", [])[:MAX_SIDES]
        choices = {"begin-and-end": [f"{side.key}||0", f"{side.key}||"]}
        if len(seeds) > 1:
            choices["its-members"] = [f"{side.key}|{seed}|" for seed in seeds]
        with tag("div", classes="row"):
            for name, of in choices.items():
                link(self.words(name), f"/compare?{urlencode({'of': of}, doseq=True)}", "button")

    async def moved(self, said: Any) -> None:
        """The browser shows other members or rounds."""
        if isinstance(said, list) and len(said) == len(self.sides):  # pyright: ignore[reportUnknownArgumentType]
            self.sides = [side.moved(each) for side, each in zip(self.sides, said, strict=True)]  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
            await self.again()

    async def again(self) -> None:
        """Say what these sides are."""
        self.asked += 1
        mine = self.asked
        seen = await asyncio.to_thread(lambda: [Seen.of(self.session, side) for side in self.sides])
        known = [each for each in seen if each is not None]
        if mine != self.asked or self.home.is_deleted or len(known) < 2 or len(known) < len(seen):
            return
        self.home.clear()
        with self.home:
            tag("h2", self.words("what-is-found"))
            verdicts(self.words, known)
            tag("h2", self.words("differences"))
            differences(self.words, known)
            tag("h2", self.words("metrics"))
            metrics_table(self.words, known)
