"""Between which values the data's numbers lie, and between which G's can: what both are compared by."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from sparring.languages import Text
from sparring.record import Story
from sparring.record.story import QUANTILES

Ends = tuple[float, float]

TOLERANCE = 0.1
"""By how much of the data's span an end may lie off."""
LARGE = 20.0
"""Absolute value of the data's numbers above which they are not scaled: networks are initialized for values of about
1."""
WASTE = 0.5
"""By how much of its span a G's values may reach beyond the data's."""
OF_OUTPUT: dict[str, Ends] = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}
"""What a built-in G can give, by its output activation: for journals that do not state it."""
LOW, HIGH = QUANTILES.index(0.01), QUANTILES.index(0.99)


@dataclass(frozen=True)
class Spans:
    """Values as networks give and take them, for one run."""

    generator: Ends
    """What G can give; an end may be infinite."""
    data: Ends
    """The data's numbers, but for one in a hundred at either end."""
    extremes: Ends
    """The data's smallest and largest number."""
    declared: Ends | None = None
    """What the recipe scales the data's possible values to, of which the data may use a part; None: not known."""

    @classmethod
    def of(cls, story: Story) -> Spans | None:
        """As the journal states them, or else as the recipe lets one know; None where neither does."""
        generator, data = story.recipe.get("generator") or {}, story.recipe.get("data") or {}
        ends = story.output_ranges.get("generator") or OF_OUTPUT.get(generator.get("output", ""))
        real, span = story.real_quantiles, tuple(data.get("span") or ())
        if real is not None and np.isfinite(real).all():
            return replace(cls.from_quantiles(ends, real), declared=span or None)
        return cls(ends or (-math.inf, math.inf), span, span, span) if span else None

    @classmethod
    def from_quantiles(cls, generator: Ends | None, real: np.ndarray) -> Spans:
        """From QUANTILES of the data."""
        ends = [(float(real[low]), float(real[high])) for low, high in ((LOW, HIGH), (0, -1))]
        return cls(generator or (-math.inf, math.inf), *ends)

    @property
    def slack(self) -> float:
        """How far off an end may lie."""
        return TOLERANCE * max(self.data[1] - self.data[0], 1e-9)

    @property
    def shown(self) -> Ends:
        """The data's ends as people know them: the extremes, where these are no outliers."""
        pairs = zip(self.data, self.extremes, strict=True)
        low, high = (extreme if abs(extreme - end) < self.slack else end for end, extreme in pairs)
        return low, high

    @property
    def out_of_reach(self) -> bool:
        """Whether G cannot give what the data has."""
        low, high = self.generator
        return low > self.data[0] + self.slack or high < self.data[1] - self.slack

    @property
    def unscaled(self) -> bool:
        """Whether the data's numbers are far too large for networks."""
        return max(map(abs, self.data)) > LARGE

    @property
    def too_wide(self) -> bool:
        """Whether G's last layer bounds its values, and further out than the data's."""
        beyond = max(self.extremes[0] - self.generator[0], self.generator[1] - self.extremes[1])
        return WASTE * (self.extremes[1] - self.extremes[0]) < beyond < math.inf

    @property
    def unused(self) -> bool:
        """Whether the data are scaled to what G can give and use little of it, as dark images do: G can learn that."""
        return self.too_wide and self.declared == self.generator

    @property
    def constant(self) -> bool:
        """Whether all of the data's numbers are one and the same."""
        return self.extremes[0] == self.extremes[1]

    @property
    def mend(self) -> Ends:
        """What to scale the data to, so that G as it is can give it."""
        low, high = self.generator
        if math.isfinite(low) and math.isfinite(high):
            return self.generator
        return OF_OUTPUT["sigmoid"] if low == 0 else OF_OUTPUT["tanh"]

    @property
    def claim(self) -> str:
        """What does not match, in one sentence; empty where all does."""
        values, gives = between(self.shown), between(self.generator)
        if self.constant:
            return Text("All values of the data are {value}: there is nothing to learn", value=f"{self.data[0]:.3g}")
        if self.out_of_reach:
            return Text("G can only give values {gives}, and the data's lie {values}", gives=gives, values=values)
        if self.unscaled:
            return Text(
                "Nothing scales the data: its values lie {values}, where networks are made for about 1", values=values
            )
        if self.unused:
            return Text("The data's values lie {values}, and could lie {gives}", gives=gives, values=values)
        if self.too_wide:
            return Text("G gives values {gives}, and the data's lie {values}", gives=gives, values=values)
        return ""


def between(ends: Ends) -> Text:
    """`between 0 and 1`, `of at least 0`."""
    low, high = ends
    if math.isfinite(low) and math.isfinite(high):
        return Text("between {low} and {high}", low=f"{low:.3g}", high=f"{high:.3g}")
    if math.isfinite(low):
        return Text("of at least {low}", low=f"{low:.3g}")
    return Text("of at most {high}", high=f"{high:.3g}") if math.isfinite(high) else Text("of any size")
