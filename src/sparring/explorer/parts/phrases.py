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
)
"""Messages without fields that answers are made of."""


def phrase(words: Words, text: str) -> str:
    """What a direction moves, what a comparison came to, or where images are from; as it is, where that is unknown."""
    return words.said(read(text))


def read(text: str) -> Text:
    """The text by its messages, and what stands in their fields by its own."""
    if text in FIXED:
        return Text(text)
    whole = Text.read(
        text,
        "changes {where}, one way or the other as the other dimensions say",
        "The seeds learned the same space: they make {images}, {arranged}, and share {some} of their strongest "
        "directions.",
        "The seeds did not learn the same space: they make {images}, {arranged}, and share {some} of their strongest "
        "directions.",
        "All samples of {seeds} are alike, so there is no space to compare.",
    )
    if whole.fields:
        return _with_fields(whole)
    parts = re.split(r", (?=[a-z])", text)
    if len(parts) > 1:
        return Text.joined([read(part) for part in parts], COMMA)
    part = Text.read(
        text,
        "brightens {where}",
        "darkens {where}",
        "raises {what}",
        "lowers {what}",
        "numbers {numbers}",
        "number {number}",
    )
    if part.fields:
        return _with_fields(part)
    numbers = re.split(", | and ", text)
    return Text.joined(map(Text, numbers), COMMA) if all(map(str.isdecimal, numbers)) else part


def _with_fields(text: Text) -> Text:
    return Text(text.message, **{name: read(str(value)) for name, value in text.fields.items()})
