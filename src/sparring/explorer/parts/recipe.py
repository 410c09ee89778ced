"""What a run was trained by."""

from __future__ import annotations

from typing import Any

from sparring.analysis.differences import field_text
from sparring.explorer.components import tag
from sparring.explorer.words import Words


def recipe_settings(words: Words, recipe: dict[str, Any]) -> None:
    """Every field of the recipe, as people write it."""
    with tag("dl", classes="plain"):
        for name, value in recipe.items():
            if value is None:
                continue
            tag("dt", name.replace("_", " "))
            tag("dd", words.said(field_text(name, value)))
