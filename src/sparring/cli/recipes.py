"""List the recipes to choose from, or describe one with its results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import tyro

from sparring import catalogue
from sparring.cli.flags import Json, Spoken, Switch, flag, parse, print_json, print_rich
from sparring.cli.main import OK
from sparring.errors import UsageError


@dataclass
class RecipesFlags:
    """Flags of `recipes`."""

    name: Annotated[tyro.conf.Positional[str], flag("Describe this one.", "[RECIPE]", "list them")] = ""
    all: Annotated[Switch, flag("List all with their sources and reference results.", default="on one screen")] = False
    language: Spoken = ""
    json: Json = False


def run(arguments: list[str]) -> int:
    """Print what there is to choose from, all recipes, or the description of one."""
    flags = parse(RecipesFlags, "recipes", arguments, __doc__ or "")
    cards = catalogue.entries("recipes")
    if flags.name and flags.name not in cards:
        raise UsageError(catalogue.unknown("recipes", flags.name, cards))
    chosen = [cards[flags.name]] if flags.name else list(cards.values())
    if flags.json:
        plain = [{"name": c.name, "what": c.summary, "description": c.text, "expects": [], **c.facts} for c in chosen]
        return print_json(plain[0] if flags.name else plain)
    from sparring.report.terminal.recipes import recipe_text, recipes_overview, recipes_table

    print_rich(recipe_text(chosen[0]) if flags.name else (recipes_table if flags.all else recipes_overview)(chosen))
    return OK
