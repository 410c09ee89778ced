from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.remedies import Plain, Remedy
from sparring.remedies._parts import are_images, kind, leaf

OWN = ("diff-augment", "adaptive-augmentation")


@final
@dataclass(frozen=True)
class Augmentation(Remedy):
    """D sees every image changed at random, real or generated, so that it cannot learn a few of them by heart."""

    def changes(self, recipe: Plain) -> dict[str, Any]:
        known = are_images(recipe) or not kind(recipe["data"])
        if not known or any(kind(trick) in OWN for trick in recipe["tricks"]):
            return {}
        return {"tricks": [leaf("diff-augment"), *recipe["tricks"]]}
