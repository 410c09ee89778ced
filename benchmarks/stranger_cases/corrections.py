"""What was expected of some cases and turned out not to be so, and which cases are fresh: fixed before these were read.

A correction follows from what a case is and how far its samples are from the data in truth, never from a verdict. The
expectations as they were first written stay in `own_data.py` and `mistakes.py`, and counts are given by both.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from stranger_cases.case import EQUILIBRIUM, MEMORIZATION, NOT_SURE, OVERFITTING, UNDERTRAINED, WRITTEN_LAST

USUAL = 4.0
"""The distance of a sound run, in multiples of real data's, where none was trained on such data. A recipe that is sound
and ends farther away has not come to a good end."""
COPYING = (OVERFITTING, MEMORIZATION)

Entry = Mapping[str, Any]

FRESH = frozenset(
    (
        "textures, own networks, R1 and R2",
        "tinted digits, own networks, R1 and R2",
        "textures, hinge with R1",
        "photographs, cross-entropy with R1",
        "20 tinted digits, own networks",
        "20 photographs, R1 and R2",
        "100 shapes, own networks",
        "100 textures, own networks",
        "400 textures, augmented",
        "400 shapes, augmented",
        "pulses, auto",
        "waves, own networks",
        "tinted, a fixed 3 x 3 kernel with stride 2",
        "shapes, transposed convolutions with holes",
        "textures, averaged over 5 x 5 pixels",
        "tinted, gray",
        "shapes, without blue",
        "textures, pale",
        "shapes, 60 steps of D",
        "textures, 60 steps of G",
        "textures, labels flipped",
        "photographs, noise on all that D sees",
        "shapes, weights clipped to nothing",
        "textures, sigmoid for pixels of -1 to 1",
        "tinted, WGAN-GP on pixels of 0 to 255",
    )
)
"""Cases that had not been trained when rules were frozen for the second time: no rule was changed by them.

"photographs, enlarged four times" was one of them until a rule was changed by it.
"""


@dataclass(frozen=True)
class Expected:
    """What a case is, and its correct verdicts."""

    state: str
    right: tuple[str, ...]


def times_real(each: Entry) -> float:
    """How far samples are from held-out data in the median over seeds, in multiples of real data's distance."""
    return median(math.inf if value is None else value for value in each["times_real"])


def expected(each: Entry, corrected: bool = True) -> Expected:
    """What is expected of a case: as first written, or corrected.

    - A recipe that is sound and whose samples are more than USUAL times as far from the data as real ones has not come
      to a good end: `equilibrium` is wrong of it, `not-sure` and `undertrained` are correct.
    - Where too little is known beforehand to say (`unclear`), `not-sure` is correct.

    Of those that were written last (`new` and `new2`) nothing was corrected.
    """
    first = Expected(each["state"], tuple(each["right"]))
    if not corrected or each["part"] in WRITTEN_LAST:
        return first
    if first.state == "sound" and times_real(each) > USUAL:
        others = tuple(verdict for verdict in first.right if verdict not in (EQUILIBRIUM, UNDERTRAINED, NOT_SURE))
        return Expected("failed", (NOT_SURE, UNDERTRAINED, *others))
    if first.state == "unclear":
        return Expected(first.state, tuple(dict.fromkeys((*first.right, NOT_SURE))))
    return first


def is_hidden(each: Entry, corrected: bool = True) -> bool:
    """Whether a fault need not show in how far samples are from the data, so that the case counts in any event.

    As first written, few pictures were expected to be copied always. Like another mistake, they may spoil nothing.
    """
    return (not corrected or each["part"] in WRITTEN_LAST) and each["right"][0] in COPYING
