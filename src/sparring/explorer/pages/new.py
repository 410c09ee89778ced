"""Start a training: a recipe, a form of its fields, and a button."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlencode

from nicegui import ui

from sparring import catalogue
from sparring.characters import quoted
from sparring.errors import SparringError, UsageError, shortened
from sparring.explorer.components import Field, address, link, once, prose, say, tag
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
    with page_frame(words, words("new-run"), keeps_typed=True, title=name):
        tag("h1", words("new-run"))
        if name not in catalogue.entries("recipes"):
            _choices(words)
            return
        entry = catalogue.entries("recipes")[name]
        with tag("div", classes="title"):
            tag("h2", name)
            link(words("other-recipe"), "/new")
        prose("p", words.said(entry.summary))
        _Form(session, words, name)


def _choices(words: Words) -> None:
    tag("p", words("choose-recipe"), "soft")
    entries = catalogue.entries("recipes")
    first = [name for name, entry in entries.items() if entry.facts.get("start")]
    with tag("div", classes="cards"):
        for name in [*first, *(name for name in entries if name not in first)]:
            with link("", f"/new?{urlencode({'recipe': name})}", "card"):
                tag("b", name)
                prose("span", words.said(entries[name].summary), "soft")


class _Form:
    """The form of a recipe, what else is asked before it is trained, and the button that starts it."""

    def __init__(self, session: Session, words: Words, name: str):
        self._session, self._words = session, words
        self._folder, self._compile, self._refused = free_folder(session, name).name, False, ""
        self._recipe = RecipeForm(words, find_recipe(name), self._changed)
        self._recipe.place()
        with tag("label", classes="field"):
            tag("span", words("minutes"))
            Field("", words("minutes"), self._time)
            tag("small", words("minutes-help"), "soft")
            self._why = tag("small", "", "why", hidden=True)
        with tag("label", classes="field"):
            tag("span", words("run-name"))
            Field(self._folder, words("run-name"), self._name)
        with tag("label", classes="field"):
            tag("span", words("compile"))
            Field(False, words("compile"), self._compile_it, "switch")
            tag("small", words("compile-help"), "soft")
        self._typed = tag("code", self._command, "command")
        self._problem = tag("p", "", "problem", role="alert", hidden=True)
        with tag("div", classes="row"):
            self._button = tag("button", words("start"), "primary", type="button").on("click", once(self._start))

    @property
    def _command(self) -> str:
        """What to type for the same."""
        how = "--compile" if self._compile else "--no-compile"
        return f"{self._recipe.command} {how} --out {quoted(shown_path(self._session.new_runs / self._folder))}"

    def _changed(self) -> None:
        self._typed._text = self._command  # pyright: ignore[reportPrivateUsage] - as in `tag`
        self._typed.update()
        both = self._recipe.minutes is not None and "rounds" in self._recipe.values
        why = self._refused or (self._words("rounds-or-minutes") if both else "")
        say(self._why, why)
        self._button._props["disabled"] = bool(self._recipe.problems or why)  # pyright: ignore[reportPrivateUsage]
        self._button.update()

    async def _time(self, text: object) -> None:
        minutes, self._refused = None, ""
        try:
            minutes = _minutes(str(text))
        except SparringError as error:
            self._refused = self._words.error(error)
        await self._recipe.give(minutes)

    def _name(self, text: object) -> None:
        self._folder = str(text)
        self._changed()

    def _compile_it(self, on: object) -> None:
        self._compile = bool(on)
        self._changed()

    async def _start(self) -> bool:
        form = self._recipe
        try:
            path = await asyncio.to_thread(
                lambda: start_recipe(self._session, form.recipe(), self._folder, self._compile, form.minutes)
            )
        except SparringError as error:
            say(self._problem, self._words.error(error))
            return False
        ui.navigate.to(address(address_of(self._session, path)))
        return True


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
