from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.latents import Latent
from sparring.latents.constant import Constant
from sparring.latents.normal import Normal
from sparring.recipe import OwnPart, Recipe
from sparring.remedies import Remedy
from sparring.remedies._recipes import has_images

FEW = 8
"""Latent dimensions below which there are too few for images."""


@final
@dataclass(frozen=True)
class LargerLatent(Remedy):
    """64 normal latent dimensions for images made from fewer than 8; 8 for points. G varies only with its latent."""

    def changes(self, recipe: Recipe) -> dict[str, Any]:
        latent: Latent | OwnPart = recipe.latent
        images = has_images(recipe)
        size = FEW if isinstance(latent, OwnPart) else latent.size
        if (1 if isinstance(latent, Constant) else size) >= (FEW if images else 2):
            return {}
        return {"latent": Normal(size=64 if images else 8)}
