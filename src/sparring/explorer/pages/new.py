"""Start a training: a recipe, a form of its fields, and a button."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlencode

from nicegui import ui
from nicegui.element import Element

from sparring import catalogue
from sparring.characters import quoted
from sparring.errors import SparringError, UsageError, shortened
from sparring.explorer.components import Field, address, link, prose, say, tag
from sparring.explorer.launching import free_folder, start_recipe
from sparring.explorer.pages.frame import page_frame
from sparring.explorer.parts.recipe_form import RecipeForm
from sparring.explorer.session import Session
from sparring.explorer.tasks import shown_path
from sparring.explorer.words import Words
from sparring.recipe import find_recipe
from sparring.recipe.length import check_minutes


def new_page(session: Session, name: str) -> None:
    """The recipes to choose from; of a chosen one, its form."""
    words = Words()
    with page_frame(words, words("new-run")):
        tag("h1", words("new-run"))
        if name not in catalogue.entries("recipes"):
            _choices(words)
            return
        entry = catalogue.entries("recipes")[name]
        with tag("div", classes="title"):
            tag("h2", name)
            link(words("other-recipe"), "/new")
        prose("p", words.said(entry.summary))
        _form(session, words, name)


def _choices(words: Words) -> None:
    tag("p", words("choose-recipe"), "soft")
    entries = catalogue.entries("recipes")
    first = [name for name, entry in entries.items() if entry.facts.get("start")]
    with tag("div", classes="cards"):
        for name in [*first, *(name for name in entries if name not in first)]:
            with link("", f"/new?{urlencode({'recipe': name})}", "card"):
                tag("b", name)
                prose("span", words.said(entries[name].summary), "soft")


def _form(session: Session, words: Words, name: str) -> None:
    shown: dict[str, Element] = {}
    folder, compiled, refused = [free_folder(session, name).name], [False], [""]

    def command() -> str:
        return f"{form.command} --out {quoted(shown_path(session.new_runs / folder[0]))}"

    def changed() -> None:
        typed, button = shown["command"], shown["start"]
        typed._text = command()  # pyright: ignore[reportPrivateUsage] - as in `tag`
        typed.update()
        both = words("rounds-or-minutes") if form.minutes is not None and "rounds" in form.values else ""
        say(shown["why"], refused[0] or both)
        button._props["disabled"] = bool(form.problems or refused[0] or both)  # pyright: ignore[reportPrivateUsage]
        button.update()

    async def timed(text: object) -> None:
        minutes, refused[0] = None, ""
        try:
            minutes = _minutes(str(text))
        except SparringError as error:
            refused[0] = words.error(error)
        await form.give(minutes)

    def named(text: object) -> None:
        folder[0] = str(text)
        changed()

    async def start() -> None:
        try:
            path = await asyncio.to_thread(
                lambda: start_recipe(session, form.recipe(), folder[0], compiled[0], form.minutes)
            )
        except SparringError as error:
            say(shown["problem"], words.error(error))
            return
        ui.navigate.to(address(address_of(session, path)))

    form = RecipeForm(words, find_recipe(name), changed)
    form.place()
    with tag("label", classes="field"):
        tag("span", words("minutes"))
        Field("", words("minutes"), timed)
        tag("small", words("minutes-help"), "soft")
        shown["why"] = tag("small", "", "why", hidden=True)
    with tag("label", classes="field"):
        tag("span", words("run-name"))
        Field(folder[0], words("run-name"), named)
    with tag("label", classes="field"):
        tag("span", words("compile"))
        Field(False, words("compile"), lambda on: compiled.__setitem__(0, bool(on)), "switch")
        tag("small", words("compile-help"), "soft")
    shown["command"] = tag("code", command(), "command")
    shown["problem"] = tag("p", "", "problem", role="alert", hidden=True)
    with tag("div", classes="row"):
        shown["start"] = tag("button", words("start"), "primary", type="button").on("click", start)


def _minutes(text: str) -> float | None:
    """What was typed as minutes; None for nothing. Raises UsageError for what is no time to train for."""
    if not text.strip():
        return None
    try:
        minutes = float(text)
    except ValueError as error:
        raise UsageError(f"minutes takes a number, not {shortened(text)!r}") from error
    check_minutes(minutes)
    return minutes


def address_of(session: Session, path: Path) -> str:
    """The page of a run."""
    return f"/run?{urlencode({'run': session.opened.add(path)})}"
