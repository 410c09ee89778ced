"""The latent plane of a run: a place in the latent space, what the generator makes of it, and what lies around it."""

from __future__ import annotations

from sparring.explorer.components import Canvas, LatentControls, LatentFields, tag
from sparring.explorer.pages.of_generator import page_of_generator
from sparring.explorer.parts.figures import panel
from sparring.explorer.session import Session
from sparring.explorer.words import Words

SIDES = {"members": 112, "strip": 112, "sum": 112, "nearest": 224}
"""Panel -> pixels of the screen that an example takes, at most."""


def latent_page(session: Session, key: str) -> None:
    """The page; of a run without a generator that may be loaded, a sentence that says why."""
    page_of_generator(session, key, "latent", "sparring blend", lambda words, _: _panels(words, key))


def _panels(words: Words, key: str) -> None:
    with tag("div", classes="latent"):
        with tag("div", classes="left"):
            with panel(words("latent-example")):
                Canvas("latentTiles", of="example", title=words("latent-example"), side=420)
            with panel(words("latent-plane"), words("latent-plane-help")):
                Canvas("latentPlane", title=words("latent-plane"))
            for name, title in (("members", words("latent-members")), ("strip", words("latent-strip"))):
                with panel(title).classes("whole"):
                    Canvas("latentTiles", of=name, title=title, side=SIDES[name])
        with tag("div", classes="panel"):
            LatentControls(key, words.all())
    with tag("div", classes="latent-more"):
        with panel(words("latent-arithmetic")):
            LatentFields("sum")
            Canvas("latentTiles", of="sum", title=words("latent-arithmetic"), side=SIDES["sum"])
        with panel(words("latent-nearest")):
            LatentFields("near")
            Canvas("latentTiles", of="nearest", title=words("latent-nearest"), side=SIDES["nearest"])
