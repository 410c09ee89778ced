"""The latent plane of a run: a place in the latent space, what the generator makes of it, and what lies around it."""

from __future__ import annotations

from sparring.errors import SparringError
from sparring.explorer.components import Canvas, LatentControls, LatentFields, tag
from sparring.explorer.pages.frame import page_frame
from sparring.explorer.parts.figures import panel
from sparring.explorer.parts.tabs import run_head
from sparring.explorer.session import Session
from sparring.explorer.tasks import shown_path
from sparring.explorer.words import Words
from sparring.record import RunFolder

SIDES = {"members": 112, "strip": 112, "sum": 112, "nearest": 224}
"""Panel -> pixels of the screen that an example takes, at most."""


def latent_page(session: Session, key: str) -> None:
    """The page; of a run without a generator that may be loaded, a sentence that says why."""
    words, found = Words(), session.find(key)
    with page_frame(words, key if found else ""):
        if found is None:
            tag("h1", key)
            tag("p", words("no-run"), "problem")
            return
        try:
            run_head(words, key, found.recipe["name"], "latent")
            if refused(words, found, f"sparring blend {shown_path(found.path)}"):
                return
        except SparringError as error:
            tag("p", words.error(error), "problem")
            return
        _panels(words, key)


def refused(words: Words, run: RunFolder, command: str) -> bool:
    """Says why nothing of a run is loaded, and what to type instead, where its recipe is a file of Python."""
    origin = run.recipe.get("origin")
    if not origin:
        return False
    tag("p", words("own-code", file=str(origin["file"])), "problem")
    tag("code", command, "command")
    return True


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
