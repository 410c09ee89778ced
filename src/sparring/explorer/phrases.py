"""What commands wrote down in English, said in the language of a page: it comes as text, out of a file."""

from __future__ import annotations

import re

from sparring.explorer.words import Words
from sparring.languages import Text

COMMA = ", "
FIXED = (
    *("changes nothing", "changes a little of everything", "brightens and darkens everything"),
    *("everything", "the rest", "all over", "nowhere", "the numbers"),
    *("the top", "the bottom", "the left", "the right", "the middle", "the border"),
    *("the top left", "the top right", "the bottom left", "the bottom right"),
    *("brightness", "left or right", "up or down", "width", "height", "slant", "stroke width", "strength", "contrast"),
    *("brighter", "darker", "further right", "further left", "further down", "further up", "wider", "narrower"),
    *("taller", "lower", "leaning right", "leaning left", "thicker", "thinner", "stronger", "fainter"),
    *("more contrast", "less contrast", "mostly the same images", "partly the same images", "different images"),
    *("arranged mostly alike", "arranged partly alike", "arranged in other ways", "most", "some", "few"),
    "training images are found more easily than held-out ones: a sign of memorization",
    "held-out images are found more easily than training ones",
    "no difference between training and held-out images",
    "its test split",
    "eigenvectors of mean JᵀJ: what changes outputs fastest",
    "principal components of features, carried back to the latent space",
    "what the first layer amplifies most, batch norm folded (SeFa)",
    "toward a class, as the judge sees it",
    "single dimensions",
    *("sensitivity", "features", "first-layer", "classes", "dims"),
)
"""Messages without fields that answers are made of."""
EFFECTS = (
    *("{less} – {more}", "brightens {where}", "darkens {where}", "raises {what}", "lowers {what}"),
    *("number {number}", "numbers {numbers}", "{one} and {other}"),
)
SENTENCES = (
    "changes {where}, one way or the other as the other dimensions say",
    "The seeds learned the same space: they make {images}, {arranged}, and share {some} of their strongest directions.",
    "The seeds did not learn the same space: they make {images}, {arranged}, and share {some} of their strongest "
    "directions.",
    "All samples of {seeds} are alike, so there is no space to compare.",
)
EFFECT = re.compile(", (?=[a-z])")
"""Before another effect."""


def named(words: Words, direction: str) -> str:
    """A direction's name: by which way it was found, and what it moves."""
    way, between, what = direction.partition(": ")
    kind, _, label = way.partition(" ")
    found = Text("{way} {label}: {what}", way=Text(kind), label=label, what=read(what))
    return words.said(found) if between else direction


def phrase(words: Words, text: str) -> str:
    """What a direction moves, what a comparison came to, or where images are from; as it is, where that is unknown."""
    return words.said(read(text))


def read(text: str) -> Text:
    """The text by the messages that it was put together from: one, or several effects in a row."""
    whole = Text.read(text, *SENTENCES, *FIXED)
    if whole.fields or text in FIXED:
        return whole
    parts = EFFECT.split(text)
    read = [Text.read(part, *EFFECTS, *FIXED) for part in parts]
    return read[0] if len(read) == 1 else Text.joined(read, COMMA)
