from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.recipe import Recipe
from sparring.remedies import Remedy
from sparring.remedies._recipes import is_own, with_span

SPANS = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}
LARGE = 4.0
"""Absolute value of an end of the span above which even a G without an output activation wants the data scaled."""


@final
@dataclass(frozen=True)
class MatchingDataRange(Remedy):
    """The data scaled to what a built-in G gives: [0, 1] for sigmoid, [-1, 1] for tanh and in place of 0 to 255."""

    def changes(self, recipe: Recipe) -> dict[str, Any]:
        output = None if is_own(recipe.generator) else getattr(recipe.generator, "output", None)
        if output in SPANS:
            return with_span(recipe, SPANS[output])
        span = () if is_own(recipe.data) else recipe.data.span
        return with_span(recipe, SPANS["tanh"]) if output == "none" and max(map(abs, span), default=0) > LARGE else {}
