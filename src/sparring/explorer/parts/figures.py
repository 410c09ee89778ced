"""The figures of a run, which the browser draws."""

from __future__ import annotations

from nicegui.element import Element

from sparring import catalogue
from sparring.explorer.components import Canvas, tag
from sparring.explorer.words import Words
from sparring.rules import SMOOTHING


def live_figures(words: Words) -> None:
    """Curves beside samples and D's outputs."""
    with tag("div", classes="live"):
        with tag("div", classes="column"):
            for title, names, missing in (
                ("losses", ["d_loss", "g_loss"], "no-curves"),
                ("outputs", ["d_real", "d_fake"], "no-curves"),
                ("gradients", ["d_gradient", "g_gradient"], "no-gradients"),
            ):
                with _panel(words(title), words("key-of-ranges") if title != "gradients" else ""):
                    Canvas("curves", names=names, title=words(title), smoothing=SMOOTHING, missing=missing)
        with tag("div", classes="column"):
            with _panel(words("moves")):
                summaries = {name: entry.summary for name, entry in catalogue.entries("moves").items()}
                Canvas("moves", title=words("moves"), summaries=summaries, optional=True)
            with _panel(words("samples-of-member")):
                Canvas("samples", title=words("samples-of-member"))
            with _panel(words("scores")):
                Canvas("scores", title=words("scores"))


def all_members(words: Words) -> None:
    """A few samples of every member; a click chooses it."""
    with _panel(words("samples-of-all")):
        Canvas("samples", title=words("samples-of-all"), all=True)


def _panel(title: str, key: str = "") -> Element:
    panel = tag("figure", classes="panel")
    with panel, tag("figcaption", title):
        if key:
            tag("small", key)
    return panel
