"""Parts of every page: one self-contained document, tables, and pictures embedded in it. It loads nothing else."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from sparring.languages import Text, spoken
from sparring.report.figures.drawing import DARK, LIGHT, PHONE, Scheme, as_png
from sparring.report.page.markup import Child, Markup, join, tag

MAX_BYTES, MAX_WIDTH = 200_000, 1_400
"""A picture of more bytes, or wider in pixels, is embedded as a smaller copy."""

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
"""Content security policy: the browser blocks every request."""
NARROW = "(max-width: 40rem)"
"""Screens for which figures have their panels, and tables their cells, below each other; page.css says it too."""
OFFLINE = Text("The page is self-contained and works offline.")


def document(title: str, header: Child, *sections: Child, written_from: str) -> Markup:
    """The whole page, with its style sheet and its script inside."""
    here = Path(__file__)
    style, script = (here.with_name(f"page.{end}").read_text(encoding="utf-8") for end in ("css", "js"))
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("title", title, ", Sparring"),
        tag("link", rel="icon", href="data:,"),
        tag("style", Markup(style)),
    )
    by = Text("Written by Sparring {version} from {source}. ", version=version("sparring"), source=written_from)
    footer = tag("footer", by, OFFLINE)
    body = tag("body", tag("header", header), tag("main", *sections), footer, tag("script", Markup(script)))
    return join(Markup("<!doctype html>\n"), tag("html", head, body, lang=spoken()), Markup("\n"))


def more(title: str, *children: Child) -> Markup:
    """A section that is collapsed until the reader opens it."""
    return tag("details", tag("summary", title), *children)


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    main: int | None = None,
    words: int | None = None,
    colored: set[int] | None = None,
    caption: str | None = None,
) -> Markup:
    """A table whose first column names the rows.

    Args:
        columns: Titles.
        rows: A cell for each column.
        main: Index of the column to set in bold.
        words: Index of the column that contains text and is aligned to the left.
        colored: Indices of the rows to color.
        caption: Text below the table.
    """
    kinds = {main: "main", words: "words"}
    head = tag("tr", [tag("th", c, scope="col", class_="words" if k == words else None) for k, c in enumerate(columns)])
    body = [
        tag(
            "tr",
            tag("th", row[0], scope="row"),
            [tag("td", cell, class_=kinds.get(k), data_label=columns[k] or None) for k, cell in enumerate(row[1:], 1)],
            class_="colored" if colored and index in colored else None,
        )
        for index, row in enumerate(rows)
    ]
    scrolling = tag("div", tag("table", tag("thead", head), tag("tbody", body)), class_="table", tabindex=0)
    # Not a <caption>: on a phone it would scroll sideways with the table.
    return join(scrolling, tag("p", caption, class_="soft under") if caption else None)


def chart(draw: Callable[[Scheme], Figure], alt: str, small: bool = False) -> tuple[Markup, bytes]:
    """A figure in light and in dark, and for phones, of which the browser shows the one that suits.

    Args:
        draw: Draws it with these colors, and panels below each other where the scheme is narrow.
        alt: What it shows, in words.
        small: Whether it fits a phone as it is.

    Returns:
        The figure for a page, and the light one as PNG bytes.
    """
    light, dark = (drawn(draw, scheme) for scheme in (LIGHT, DARK))
    phone = None if small else tag("source", srcset=uri(drawn(draw, PHONE), "png"), media=NARROW)
    picture = tag(
        "picture",
        phone,
        tag("source", srcset=uri(dark, "png"), media="(prefers-color-scheme: dark)"),
        tag("img", src=uri(light, "png"), alt=alt, class_="chart small" if small else "chart"),
    )
    return picture, light


def plate(picture: Markup, label: str, caption: str = "", narrow: bool = False) -> Markup:
    """A figure that scrolls in a frame of its own, with a caption below."""
    framed = tag("div", picture, class_="plate", tabindex=0, role="group", aria_label=label)
    return tag("figure", framed, tag("figcaption", caption) if caption else None, class_="narrow" if narrow else None)


def drawn(draw: Callable[[Scheme], Figure], scheme: Scheme) -> bytes:
    """A figure in these colors as PNG bytes."""
    return as_png(draw(scheme))


def embedded(path: Path) -> tuple[str, tuple[int, int]]:
    """A picture file as a data URI, and its size in pixels."""
    data = path.read_bytes()
    with Image.open(path) as picture:
        if len(data) <= MAX_BYTES and picture.width <= MAX_WIDTH:
            return uri(data, "png"), picture.size
        return shrunk(picture, MAX_WIDTH)


def shrunk(picture: Image.Image, width: int) -> tuple[str, tuple[int, int]]:
    """A copy at most `width` pixels wide, as a data URI, and its size in pixels."""
    copy = picture.convert("RGB")
    copy.thumbnail((width, 4 * width), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    copy.save(file, format="WEBP", quality=80, method=4)
    return uri(file.getvalue(), "webp"), copy.size


def uri(data: bytes, kind: str) -> str:
    """A data URI of an image; `kind` is its format, such as `png`."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
