from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, final

from sparring.datasets import Dataset
from sparring.recipe import OwnPart, Recipe
from sparring.recipe.length import usual_examples
from sparring.remedies import Remedy
from sparring.remedies._recipes import example_size, has_images


@final
@dataclass(frozen=True)
class MoreRounds(Remedy):
    """The run goes on: for twice as many rounds, or as many as usual runs of such data have, if that is more."""

    continues: ClassVar[bool] = True

    def changes(self, recipe: Recipe) -> dict[str, Any]:
        data: Dataset | OwnPart = recipe.data
        examples = None if isinstance(data, OwnPart) else data.card.examples
        usual = usual_examples(has_images(recipe) or not example_size(recipe), recipe.batch, examples)
        return {"rounds": max(2 * recipe.rounds, _rounded_up(usual / recipe.batch))}


def _rounded_up(rounds: float) -> int:
    """To two digits."""
    unit = 10 ** max(0, math.floor(math.log10(rounds)) - 1)
    return math.ceil(rounds / unit) * unit
