"""What can be said of a recipe before its first round: values that do not match, and a batch larger than the data."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparring.analysis.samples import DRAWN_BY, draw, quantiles_of
from sparring.datasets import Source
from sparring.datasets._images import Images
from sparring.datasets._stored import Rows
from sparring.game.equilibrium import equilibrium_levels
from sparring.game.output_range import output_ranges
from sparring.recipe import Recipe
from sparring.record import Story
from sparring.record.journal import json_numbers
from sparring.remedies.used_levels import UsedLevels
from sparring.rng import RandomStreams
from sparring.rules import Levels
from sparring.rules._bounds import Bounds
from sparring.rules._spans import Spans

COUNT, MAX_NUMBERS = 256, 2**22
"""Real examples that are drawn to see their values, and how many numbers these may have together."""


def mismatches(recipe: Recipe, source: Source | None) -> list[str]:
    """A line for each mismatch that no training mends: of G's values with the data's, of D's scores with the loss.

    Args:
        recipe: What is about to be trained.
        source: Where real examples are drawn from; without it, only the data's span is known.
    """
    plain = {name: each.plain() for name, each in output_ranges(recipe).items()}
    events: list[dict[str, Any]] = [{"event": "started", "output_ranges": plain}]
    if source is not None:
        events.append({"event": "real-baseline", "quantiles": json_numbers(_quantiles(recipe, source))})
    story = Story(recipe.to_dict(), events)
    spans, bounds = Spans.of(story), Bounds.of(story, Levels.from_curves(equilibrium_levels(recipe.objective)))
    lines: list[str] = []
    if spans is not None and spans.claim:
        lines.append(f"warning: {spans.claim}; {_advice(recipe, spans)}")
    if bounds is not None and bounds.claim:
        lines.append(f"warning: {bounds.claim}; leave out the sigmoid or whatever else D ends in")
    return lines


def _advice(recipe: Recipe, spans: Spans) -> str:
    if spans.constant:
        return "see what sparring doctor says of the data"
    if spans.unused:
        return "--levels used stretches them" if UsedLevels()(recipe) else "G learns that, but stretch them if you can"
    low, high = spans.mend
    return f"scale the data to [{low:g}, {high:g}] (its span) or end G otherwise"


def repeats(recipe: Recipe, source: Source) -> list[str]:
    """A line where a batch is larger than the data."""
    examples = source.pixels if isinstance(source, Images) else source.rows if isinstance(source, Rows) else None
    if examples is None or recipe.batch <= len(examples):
        return []
    return [f"a batch of {recipe.batch:,} has examples more than once: the data are {len(examples):,}"]


def _quantiles(recipe: Recipe, source: Source) -> np.ndarray:
    """Of the numbers of real examples, as networks have them."""
    count = max(1, min(COUNT, MAX_NUMBERS // int(np.prod(recipe.data.shape))))
    examples, _ = draw(source, RandomStreams((DRAWN_BY,)), count, classes=False)
    return quantiles_of(examples)[0]
