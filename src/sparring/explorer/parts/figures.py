"""The figures of a run, which the browser draws."""

from __future__ import annotations

from typing import Any

from nicegui.element import Element

from sparring import catalogue
from sparring.explorer.components import Canvas, tag
from sparring.explorer.words import Words
from sparring.rules import SMOOTHING

CURVES_OF = {
    "losses": ["d_loss", "g_loss"],
    "outputs": ["d_real", "d_fake"],
    "gradients": ["d_gradient", "g_gradient"],
}
"""Figure -> what it draws of D and of G."""


def live_figures(words: Words) -> None:
    """Curves beside samples and D's outputs."""
    with tag("div", classes="live"):
        with tag("div", classes="column"):
            for title, missing in (("losses", "no-curves"), ("outputs", "no-curves"), ("gradients", "no-gradients")):
                with panel(words(title), words("key-of-ranges") if title != "gradients" else ""):
                    curves_of(words, title, missing=missing)
        with tag("div", classes="column"):
            with panel(words("moves")):
                summaries = {name: words.said(entry.summary) for name, entry in catalogue.entries("moves").items()}
                Canvas("moves", title=words("moves"), summaries=summaries, optional=True)
            with panel(words("samples-of-member")):
                Canvas("samples", title=words("samples-of-member"))
            with panel(words("scores")):
                Canvas("scores", title=words("scores"))


def curves_of(words: Words, title: str, **more: Any) -> Canvas:
    """The curves of both players; what D's outputs are called depends on the objective."""
    axes = {"losses": words("axis-losses"), "gradients": words("axis-gradients")}
    return Canvas(
        "curves", names=CURVES_OF[title], title=words(title), axis=axes.get(title), smoothing=SMOOTHING, **more
    )


def plane_figure(words: Words, **more: Any) -> None:
    """The game of points in the plane, of every member."""
    with panel(words("plane"), words("plane-key")):
        Canvas("plane", title=words("plane"), **more)


def all_members(words: Words) -> None:
    """A few samples of every member; a click chooses it."""
    with panel(words("samples-of-all")):
        Canvas("samples", title=words("samples-of-all"), all=True)


def panel(title: str, key: str = "") -> Element:
    """A place for a figure, with its title and what explains it."""
    figure = tag("figure", classes="panel")
    with figure, tag("figcaption", title):
        if key:
            tag("small", key)
    return figure
