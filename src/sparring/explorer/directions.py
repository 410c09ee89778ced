"""Names of directions, which the file of a run has in English, in the language of a page."""

from __future__ import annotations

import re

from sparring.explorer.words import Words
from sparring.languages import Text

ENGLISH: dict[str, str] = {
    "name": "{way} {label}: {what}",
    "ends": "{less} – {more}",
    "sensitivity": "sensitivity",
    "features": "features",
    "first-layer": "first-layer",
    "classes": "classes",
    "dims": "dims",
    "brighter": "brighter",
    "darker": "darker",
    "further-right": "further right",
    "further-left": "further left",
    "further-down": "further down",
    "further-up": "further up",
    "wider": "wider",
    "narrower": "narrower",
    "taller": "taller",
    "lower": "lower",
    "leaning-right": "leaning right",
    "leaning-left": "leaning left",
    "thicker": "thicker",
    "thinner": "thinner",
    "stronger": "stronger",
    "fainter": "fainter",
    "more-contrast": "more contrast",
    "less-contrast": "less contrast",
    "brightens": "brightens {where}",
    "darkens": "darkens {where}",
    "raises": "raises {which}",
    "lowers": "lowers {which}",
    "depends": "changes {where}, one way or the other as the other dimensions say",
    "everything": "everything",
    "rest": "the rest",
    "top": "the top",
    "bottom": "the bottom",
    "left": "the left",
    "right": "the right",
    "middle": "the middle",
    "border": "the border",
    "numbers": "the numbers",
    "number": "number {index}",
    "several": "numbers {indices}",
    "and": "{one} and {other}",
    "nothing": "changes nothing",
    "little": "changes a little of everything",
    "both": "brightens and darkens everything",
}
"""What such a name may be made of."""
SECOND = re.compile(", (?=darkens|lowers)")
"""Before the second of two effects."""


def named(words: Words, direction: str) -> str:
    """A direction's name."""
    way, between, what = direction.partition(": ")
    if not between:
        return direction
    kind, _, label = way.partition(" ")
    effects = [Text.read(each, *ENGLISH.values()) for each in SECOND.split(what)]
    return words.said(Text(ENGLISH["name"], way=Text(kind), label=label, what=Text.joined(effects, ", ")))
