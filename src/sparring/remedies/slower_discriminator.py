from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.remedies import Plain, Remedy
from sparring.remedies._parts import with_rate


@final
@dataclass(frozen=True)
class SlowerDiscriminator(Remedy):
    """A quarter of D's learning rate."""

    def changes(self, recipe: Plain) -> dict[str, Any]:
        return with_rate(recipe, "discriminator", 0.25)
