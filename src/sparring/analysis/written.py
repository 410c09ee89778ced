"""What was written into files in English, read back as the messages that it was made of. Loads no torch."""

from __future__ import annotations

import re

from sparring.languages import Text

COMMA = ", "
FIXED = (
    *("changes nothing", "changes a little of everything", "brightens and darkens everything"),
    *("no dimension changes the samples", "the latent vector has one dimension"),
    *("raises x", "raises y", "raises x and y", "lowers x", "lowers y", "lowers x and y"),
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
    "other training examples",
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
    "a few dimensions do most: half of all change comes from {half} of {size}",
    "no dimension stands out: half of all change comes from {half} of {size}",
)
MEASURED = (
    "{share} accurate on held-out data",
    "Inception of 2015, trained on ImageNet",
    "trained on {count} of these images and their classes, {share} accurate on held-out ones",
    "trained on {count} of these images without classes, to recognize crops of one image",
    "trained on {count} of these images without classes, recognizes the treatment of {share} of held-out ones, out of "
    "{total} treatments",
    "fixed features, scaled by {count} real examples",
    "With Inception's features the Fréchet distance is FID and the kernel distance KID.",
    "{count} examples cannot fill the covariance of {features} features: it is singular, and the Fréchet distance is "
    "too large by an amount that shrinks as n grows; compare it at this n only.",
    "its test split",
    "other training examples",
    "other draws from the same distribution",
    *("files", "training data", "held-out data ({source})"),
)
"""What a measurement says of its judge, of its real data and of its values."""
EFFECT = re.compile(", (?=[a-z])")
"""Before another effect."""


def read(text: str) -> Text:
    """The text by the messages that it was put together from: one, or several effects in a row."""
    whole = Text.read(text, *SENTENCES, *FIXED)
    if whole.fields or text in FIXED:
        return whole
    parts = EFFECT.split(text)
    read = [Text.read(part, *EFFECTS, *FIXED) for part in parts]
    return read[0] if len(read) == 1 else Text.joined(read, COMMA)


def measured(text: str) -> Text:
    """The same of what is in a measurement."""
    return Text.read(text, *MEASURED)
