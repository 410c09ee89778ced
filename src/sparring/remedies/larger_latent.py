from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.remedies import Plain, Remedy
from sparring.remedies._parts import are_images, field, kind, leaf

FEW = 8
"""Latent numbers, of images, below which there are too few to tell examples apart."""


@final
@dataclass(frozen=True)
class LargerLatent(Remedy):
    """64 normal latent numbers for images made from a few, 8 for points: G can only vary what it is fed."""

    def changes(self, recipe: Plain) -> dict[str, Any]:
        latent, images = recipe["latent"], are_images(recipe)
        size = 1 if kind(latent) == "constant" else field("latents", latent, "size") or FEW
        if size >= (FEW if images else 2):
            return {}
        return {"latent": leaf("normal", size=64 if images else 8)}
