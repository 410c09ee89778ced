"""The page's own components: a script of `static/` each, with what Python gives it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from nicegui.element import Element
from nicegui.events import GenericEventArguments

from sparring.explorer.words import asked_for
from sparring.languages import ENGLISH

STATIC = Path(__file__).with_name("static")


class Canvas(Element, component=STATIC / "canvas.js"):
    """One figure, drawn in the browser from the binary route."""

    def __init__(self, kind: str, **options: Any):
        super().__init__()
        self._props["kind"] = kind
        self._props["options"] = options


class Timeline(Element, component=STATIC / "timeline.js"):
    """The slider that moves the round of everything on the page."""


class Bridge(Element, component=STATIC / "bridge.js"):
    """Tells the browser which run to read, and Python which round is shown and which key was pressed."""

    def __init__(
        self,
        run: str,
        view: str,
        texts: dict[str, str],
        on_moment: Callable[[Any], Any],
        on_key: Callable[[str], Any],
    ):
        super().__init__()
        self._props |= {"run": run, "view": view, "texts": texts, "beats": 0}

        def said(event: GenericEventArguments) -> Any:
            return on_moment(event.args)

        def pressed(event: GenericEventArguments) -> Any:
            return on_key(event.args) if isinstance(event.args, str) else None

        self.on("moment", said)
        self.on("pressed", pressed)

    def beat(self) -> None:
        """Let the browser read at once."""
        self._props["beats"] += 1
        self.update()


class LatentControls(Element, component=STATIC / "latent_controls.js"):
    """What is set on the latent page."""

    def __init__(self, run: str, texts: dict[str, str]):
        super().__init__()
        self._props |= {"run": run, "texts": texts, "found": 0}


class LatentFields(Element, component=STATIC / "latent_sum.js"):
    """Fields beside a panel of the latent page: of a sum, or of the nearest training image."""

    def __init__(self, of: str):
        super().__init__()
        self._props["of"] = of


class Drawing(Element, component=STATIC / "draw.js"):
    """A place to draw points on; its button gives them to Python."""

    def __init__(self, texts: dict[str, str], min: int, max: int, on_train: Callable[[Any], Any]):
        super().__init__()
        self._props |= {"texts": texts, "min": min, "max": max}

        def said(event: GenericEventArguments) -> Any:
            return on_train(event.args)

        self.on("train", said)


class Address(Element, component=STATIC / "address.js"):
    """Keeps the page's address."""

    def show(self, address: str) -> None:
        """The browser has this address from now on."""
        self._props["to"] = address
        self.update()


class Sides(Element, component=STATIC / "sides.js"):
    """Several runs, members or rounds side by side; `on_moved` receives the seed and the round of each."""

    def __init__(self, on_moved: Callable[[Any], Any], **props: Any):
        super().__init__()
        self._props |= props

        def said(event: GenericEventArguments) -> Any:
            return on_moved(event.args)

        self.on("moved", said)


class Drop(Element, component=STATIC / "drop.js"):
    """Takes a picture, and says under which name the server keeps it."""

    def __init__(self, run: str, label: str, large: str, limit: int):
        super().__init__()
        self._props |= {"run": run, "label": label, "large": large, "limit": limit}


class Field(Element, component=STATIC / "field.js"):
    """A field of a form."""

    def __init__(self, value: Any, label: str, on_change: Callable[[Any], Any], kind: str = "text", **more: Any):
        super().__init__()
        self._props |= {"value": value, "label": label, "kind": kind, **more}

        def said(event: GenericEventArguments) -> Any:
            return on_change(event.args)

        self.on("changed", said)


def tag(name: str, text: str = "", classes: str = "", **attributes: Any) -> Element:
    """An HTML element with text, which is never read as HTML; `aria_label` is written aria-label."""
    element = Element(name).classes(classes)
    if text:
        element._text = str(text)  # pyright: ignore[reportPrivateUsage] - the public way is a subclass for each tag
    element._props |= {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}  # pyright: ignore[reportPrivateUsage]
    return element


def once(do: Callable[..., Awaitable[bool]]) -> Callable[..., Awaitable[None]]:
    """A handler of clicks that starts something once: not while it does so already, nor when it has returned True."""
    busy = False

    async def handle(*arguments: Any) -> None:
        nonlocal busy
        if not busy:
            busy = True
            try:
                busy = await do(*arguments)
            except BaseException:
                busy = False
                raise

    return handle


def prose(name: str, text: str, classes: str = "", **attributes: Any) -> Element:
    """An element with sentences of the program, in which what stands between backticks is set as code."""
    element = tag(name, classes=classes, **attributes)
    _fill(element, text)
    return element


def _fill(element: Element, text: str) -> None:
    """Put sentences into an element in place of what it says. A command is one piece of code as it stands."""
    is_plain = element.tag == "code" or "`" not in text
    element.clear()
    element._text = text if is_plain else None  # pyright: ignore[reportPrivateUsage] - as in `tag`
    with element:
        for place, part in enumerate([] if is_plain else text.split("`")):
            if part:
                tag("code" if place % 2 else "span", part)


def say(note: Element, text: str, classes: str = "") -> None:
    """Put a sentence into an element of `tag`, which is hidden while it has none; with other classes, if given."""
    _fill(note, text)
    note._props["hidden"] = not text  # pyright: ignore[reportPrivateUsage] - as in `tag`
    if classes:
        note.classes(replace=classes)
    note.update()


def link(text: str, href: str, classes: str = "", **attributes: Any) -> Element:
    """A link within the explorer, to a page in the same language."""
    return tag("a", text, classes, href=address(href), **attributes)


def address(path: str) -> str:
    """A path within the explorer, with the language of this page where it is another than English."""
    code = asked_for()
    return path if code == ENGLISH else f"{path}{'&' if '?' in path else '?'}language={code}"
