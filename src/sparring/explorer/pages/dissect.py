"""A run's generator taken apart: directions, projections, truncation, seeds compared; and loops, films and exports."""

from __future__ import annotations

import asyncio
import base64
import io
from pathlib import Path

import numpy as np
from nicegui.element import Element
from PIL import Image

from sparring.analysis.generators import no_checkpoint, recipe_of
from sparring.analysis.latent_tools.training_images import held_out_images
from sparring.analysis.samples import to_pixels
from sparring.errors import SparringError
from sparring.explorer.components import Drop, say, tag
from sparring.explorer.pages.of_generator import page_of_generator
from sparring.explorer.parts.computation import Computation
from sparring.explorer.session import Session
from sparring.explorer.uploads import MAX_BYTES, picture_of, write_picture
from sparring.explorer.words import Words
from sparring.record import RunFolder
from sparring.record.grid import in_color

TITLES = {
    "directions": "dissect-directions",
    "project": "dissect-project",
    "memorization": "dissect-memorization",
    "truncation": "dissect-truncation",
    "filter": "dissect-filter",
    "spaces": "dissect-spaces",
    "loop": "dissect-loop",
    "film": "dissect-film",
    "export": "dissect-export",
}
"""Computations of the page, in their order."""
HELD_OUT = 12
"""Held-out images to choose from."""
THUMB = 56
"""Pixels of the screen along one of them."""


def dissect_page(session: Session, key: str) -> None:
    """The page; of a run without a generator that may be loaded, a sentence that says why."""

    def content(words: Words, run: RunFolder) -> None:
        if run.rounds_saved():
            _parts(session, words, key, run, is_image=len(recipe_of(run).data.shape) == 3)
        else:
            tag("p", words.error(no_checkpoint(run)), "problem")

    page_of_generator(session, key, "dissect", "sparring directions", content)


def _parts(session: Session, words: Words, key: str, run: RunFolder, is_image: bool) -> None:
    tag("p", words("dissect-help"), "soft")
    with tag("nav", classes="contents"):
        for name, title in TITLES.items():
            tag("a", words(title), href=f"#{name}")
    for name, title in TITLES.items():
        images_only = name in ("project", "memorization", "spaces")
        with tag("section", classes="panel dissected", id=name):
            tag("h2", words(title))
            tag("p", words(f"{title}-help"))
            if images_only and not is_image:
                tag("p", words("dissect-images-only"), "missing")
                continue
            computation = Computation(session, words, key, run, name, needs_image=name == "project")
            if name == "project":
                Chooser(words, key, run, computation).put()
            computation.put()


class Chooser:
    """The image to project: one that is held out of the data, or a picture that is dropped here."""

    def __init__(self, words: Words, key: str, run: RunFolder, computation: Computation):
        self.words, self.key, self.run, self.computation = words, key, run, computation
        self.thumbs: dict[str, Element] = {}
        self.images: np.ndarray | None = None

    def put(self) -> None:
        """Where this is called."""
        words = self.words
        with tag("div", classes="row chooser"):
            tag("button", words("dissect-held-out-show"), type="button").on("click", self.show)
            drop = Drop(self.key, words("dissect-drop"), words("dissect-too-large", mb=MAX_BYTES // 2**20), MAX_BYTES)
            drop.on("dropped", lambda event: self.dropped(event.args))
        self.note = tag("p", "", "soft", role="status", hidden=True)
        self.place = tag("div", classes="thumbs", role="group", aria_label=words("dissect-held-out-show"))

    async def show(self) -> None:
        """Read some held-out images, and show them."""
        try:
            self.images = await asyncio.to_thread(self._read)
        except SparringError as error:
            self._say(self.words.error(error))
            return
        self.place.clear()
        with self.place:
            for k, image in enumerate(self.images):
                name = f"held-out-{k}.png"
                thumb = tag(
                    "button", "", "thumb", type="button", aria_label=self.words("dissect-held-out-one", number=k)
                )
                with thumb.on("click", lambda _, name=name: self.choose(name)):
                    tag("img", src=_as_address(image), alt="", width=THUMB, height=THUMB)
                self.thumbs[name] = thumb

    def _read(self) -> np.ndarray:
        return held_out_images(recipe_of(self.run).data, HELD_OUT)

    def choose(self, name: str) -> None:
        """Take a held-out image."""
        assert self.images is not None
        image = _picture(self.images[int(name.removesuffix(".png").rpartition("-")[2])])
        try:
            self._take(write_picture(self.run, name, image))
        except SparringError as error:
            self._say(self.words.error(error))

    def dropped(self, name: object) -> None:
        """Take a picture that the server keeps under this name."""
        try:
            self._take(picture_of(self.run, str(name)))
        except SparringError as error:
            self._say(self.words.error(error))

    def _take(self, path: Path) -> None:
        self.computation.image = path
        self.computation.show_command()
        self._say(self.words("dissect-chosen", name=path.name))
        for name, thumb in self.thumbs.items():
            thumb._props["aria-pressed"] = str(name == path.name).lower()  # pyright: ignore[reportPrivateUsage]
            thumb.update()

    def _say(self, text: str) -> None:
        say(self.note, text)


def _picture(image: np.ndarray) -> Image.Image:
    """An image `(C, H, W)` in data units, as RGB."""
    return Image.fromarray(np.moveaxis(to_pixels(in_color(image)), 0, -1))


def _as_address(image: np.ndarray) -> str:
    kept = io.BytesIO()
    _picture(image).save(kept, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(kept.getvalue()).decode()}"
