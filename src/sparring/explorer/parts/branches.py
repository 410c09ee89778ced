"""The tree of branches, on one axis of the rounds' logarithms, and two of them compared at once."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from urllib.parse import urlencode

from nicegui.element import Element

from sparring.analysis.branches import Branch, tree_of
from sparring.explorer.components import Canvas, link, tag
from sparring.explorer.parts.figures import curves_of
from sparring.explorer.session import Session
from sparring.explorer.words import Words


def branches_of(session: Session, key: str) -> Branch | None:
    """The tree that a run is part of."""
    return tree_of(key, session.opened.runs(), session.opened.key_of)


CLOSEST = 5
"""Times a power of ten that the last round is at least, where both stand below the lanes."""


@dataclass
class Tree:
    """The tree on one page, read while it is shown, and again when the run has something new."""

    session: Session
    words: Words
    key: str
    place: Element
    version: object = None
    """Of the run, as the browser tells it, that the tree was read at."""

    async def show(self, version: object) -> None:
        """Draw it, unless it is there as of this version."""
        if version == self.version:
            return
        self.version = version
        root = await asyncio.to_thread(branches_of, self.session, self.key)
        self.place.clear()
        with self.place:
            branch_tree(self.words, self.key, root)


def branch_tree(words: Words, key: str, root: Branch | None) -> None:
    """Every run that this one is related to; a click opens it, or compares this run with it."""
    if root is None or not root.branches:
        tag("p", words("no-branches"), "missing")
    if root is not None:
        last = max(1, root.last_round)
        with tag("div", classes="tree panel", role="list"):
            for depth, branch in root.all():
                _branch(words, key, branch, depth, last)
            _axis(words, last)


def place_of(round: int, last: int) -> float:
    """Where a round lies on the axis, in percent: as its logarithm, since checkpoints are evenly spaced in that."""
    return 100 * math.log1p(round) / math.log1p(last)


def _axis(words: Words, last: int) -> None:
    """The rounds 0, 10, 100 and so on, and the last, below all lanes."""
    powers = [10**k for k in range(1, 16) if 10**k * CLOSEST <= last]
    with tag("div", classes="branch axis soft", aria_hidden="true"):
        tag("span")
        with tag("div", classes="lane"):
            tag("span", words("at-round", round=0))
            for round in powers:
                tag("span", f"{round:,}").style(f"left: {place_of(round, last):.3f}%")
            tag("span", f"{last:,}")


def _branch(words: Words, key: str, branch: Branch, depth: int, last: int) -> None:
    row = branch.row
    with tag("div", classes="branch here" if row.key == key else "branch", role="listitem"):
        with tag("div", classes="name").style(f"padding-left: {1.25 * depth}rem"):
            link(row.key.rpartition("/")[2], f"/run?{urlencode({'run': row.key, 'view': 'branches'})}")
            unchanged = words("branched-only") if branch.trunk else ""
            tag("small", words.said(branch.changes) if branch.changes else unchanged, "soft")
        with tag("div", classes="lane"):
            left = place_of(branch.since, last)
            width = place_of(row.round, last) - left
            tag("span", classes="bar").style(f"left: {left:.3f}%; width: {max(0.5, width):.3f}%")
            for round in branch.checkpoints:
                where = f"/run?{urlencode({'run': row.key, 'view': 'branches', 'round': round})}"
                text = words("checkpoint-at", round=f"{round:,}")
                dot = link("", where, "dot", title=text, aria_label=text, data_round=round if row.key == key else None)
                dot.style(f"left: {place_of(round, last):.3f}%")
        if row.key == key:
            tag("span", words("this-run"), "soft")
        else:
            tag("button", words("compare"), type="button", data_compare=row.key)


def comparison(words: Words) -> None:
    """Curves of this run over those of another, and their samples side by side; empty until one is chosen."""
    with tag("div", classes="compared", hidden=True), tag("div", classes="live"):
        with tag("div", classes="column"):
            for title in ("losses", "outputs"):
                with tag("figure", classes="panel"):
                    tag("figcaption", words(title))
                    curves_of(words, title, compared=True)
        with tag("div", classes="column"):
            for of, title in (("", "samples-of-this"), ("other", "samples-of-other")):
                with tag("figure", classes="panel"):
                    tag("figcaption", words(title))
                    Canvas("samples", title=words(title), of=of, height=300)
