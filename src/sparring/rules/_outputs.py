"""D's outputs as rules read them, and how far it is ahead by these.

A relativistic loss is one of differences of scores: it leaves open what a constant adds to all of them. What D says of
an example is then known only beside one of the other kind.
"""

from __future__ import annotations

import numpy as np

from sparring import catalogue
from sparring.record import Story
from sparring.rules._ranges import CAN_TELL, Levels
from sparring.rules._series import smoothed

OUTPUTS = ("d_real", "d_fake")
MIN_KNOWN, MAX_KNOWN = 1e-30, 1 - 1e-5
"""Between these lie probabilities whose logits are known, of the six digits that a journal keeps."""
LARGEST = 1 - 5e-7
"""What is taken for a probability that was rounded to 1."""


def is_relativistic(story: Story) -> bool:
    """Whether the objective is one of the catalogue whose losses are of differences of scores."""
    name = (story.recipe.get("objective") or {}).get("is", "")
    return name in catalogue.entries("objectives") and catalogue.find("objectives", name).relativistic


def curve_of(story: Story, name: str) -> np.ndarray:
    """`(T, P)`: one of the journal's curves; D's outputs for one kind of examples compared with the other, if need be.

    Older watches of such a loop logged the mean sigmoids of its scores, which any constant in these changes.
    """
    if name not in OUTPUTS or story.loop is None or not is_relativistic(story):
        return story.curve(name)
    if any(event.get("compared") for event in story.events):
        return story.curve(name)
    real, fake = (story.curve(each) for each in OUTPUTS)
    with np.errstate(invalid="ignore"):
        gap = _logit(real) - _logit(fake)
        unknown = (np.minimum(real, fake) > MAX_KNOWN) | (np.maximum(real, fake) < MIN_KNOWN)
    compared = 1 / (1 + np.exp(-np.clip(gap if name == "d_real" else -gap, -500, 500)))
    return np.where(unknown, np.nan, compared)


def lead_of(story: Story, levels: Levels | None) -> np.ndarray:
    """How far D is ahead, `(T, P)`: 1 when it is sure of either kind, 0 when it cannot tell, < 0 fooled.

    Where D's outputs have no bound, the gap between them as a share of the widest gap so far.
    """
    real, fake = (curve_of(story, name) for name in OUTPUTS)
    gap = real - fake
    if levels is None:
        return np.full_like(gap, np.nan)
    if levels.sure is not None:
        return np.clip(gap / (2 * levels.sure), -1, 1)
    if not len(gap):
        return gap
    return gap / np.maximum(np.abs(smoothed(gap)).max(0), 1e-12)


def ranks(story: Story, right: np.ndarray) -> np.ndarray:
    """Members whose D tells by the order of its scores, bool `(P,)`, given the share of pairs that it ranks right.

    It is all that a relativistic loss asks of scores: penalties may keep these so close together that each comparison
    comes out near undecided.
    """
    return (2 * right - 1 > CAN_TELL) & is_relativistic(story)


def _logit(probability: np.ndarray) -> np.ndarray:
    known = np.clip(probability, MIN_KNOWN, LARGEST)
    return np.log(known) - np.log1p(-known)
