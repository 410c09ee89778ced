"""What a run was trained by."""

from __future__ import annotations

import json
from typing import Any

from sparring.explorer.components import tag
from sparring.explorer.words import Words


def recipe_settings(words: Words, recipe: dict[str, Any]) -> None:
    """Every field of the recipe, as its file has it."""
    with tag("dl", classes="plain"):
        for name, value in recipe.items():
            tag("dt", name.replace("_", " "))
            tag("dd", json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value)
