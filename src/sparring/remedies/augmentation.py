from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.recipe import Recipe
from sparring.remedies import Remedy
from sparring.remedies._recipes import has_images, has_trick, is_own
from sparring.tricks.adaptive_augmentation import AdaptiveAugmentation
from sparring.tricks.diff_augment import DiffAugment


@final
@dataclass(frozen=True)
class Augmentation(Remedy):
    """DiffAugment: D sees every image, real or generated, randomly changed, so it cannot memorize a few of them."""

    def changes(self, recipe: Recipe) -> dict[str, Any]:
        may_be_images = has_images(recipe) or is_own(recipe.data)
        if not may_be_images or has_trick(recipe, DiffAugment, AdaptiveAugmentation):
            return {}
        return {"tricks": (DiffAugment(), *recipe.tricks)}
