"""A form made of a recipe's fields: a field that was changed is marked, and one that does not fit says why."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from nicegui.element import Element

from sparring import catalogue
from sparring.characters import quoted
from sparring.errors import SparringError
from sparring.explorer.components import Field, prose, say, tag
from sparring.explorer.words import Words
from sparring.recipe import KIND_OF, Recipe, find_recipe
from sparring.recipe.reading import as_text, read_data

NO_FIELD = ("name", "origin", "start_from", "cluster_sizes")
"""Fields of a recipe that nobody types."""
WORD = r"(?:[^\s(]|\([^)]*\))+"
"""A part among others, such as `r1(gamma=1, final=0)`."""
FIRST = ("seeds", "rounds", "batch", "objective", "tricks", "generator_optimizer", "discriminator_optimizer")
"""What people change most; the rest is folded away."""
DECIDE = ("data", "conditional")
"""Fields by which a recipe such as `auto` chooses others."""
LONG = 22
"""Characters of a value whose field gets the width of two, and as many lines as the value takes."""


@dataclass
class RecipeForm:
    """The recipe of a form, as it is changed.

    Args:
        words: Texts.
        base: What the form begins with; where the data or `conditional` is changed, what the recipe of that name then
            chooses.
        on_change: Called after every change.
    """

    words: Words
    base: Recipe
    on_change: Callable[[], None]

    def __post_init__(self) -> None:
        self._first, self._fields, self._whys = self.base, dict[str, Field](), dict[str, Element]()
        self.values: dict[str, Any] = {}
        """Field -> what was typed in place of the recipe's value."""
        self.problems: dict[str, str] = {}
        """Field -> what is wrong with its value, in words."""
        self.minutes: float | None = None
        """How long to train for, in place of the rounds."""
        self._unread: dict[str, SparringError] = {}
        """The field by which no recipe could be chosen, and why."""

    def place(self) -> None:
        """Put the fields where this is called."""
        with tag("div", classes="fields"):
            for name in FIRST:
                self._field(name)
        with tag("details", classes="more"):
            tag("summary", self.words("more-fields"))
            with tag("div", classes="fields"):
                for name in self._folded:
                    self._field(name)

    @property
    def _folded(self) -> list[str]:
        """The fields that are folded away, in the recipe's order."""
        return [field.name for field in dataclasses.fields(self.base) if field.name not in (*FIRST, *NO_FIELD)]

    def _field(self, name: str) -> None:
        value, kind = typed(self.base, name), KIND_OF.get(name)
        label = tag("label", classes="field wide" if len(str(value)) > LONG else "field")
        with label:
            tag("span", name.replace("_", " "))
            choices = list(catalogue.entries(kind)) if kind else None
            shape = "switch" if isinstance(value, bool) else "suggested" if choices else "text"
            self._fields[name] = Field(
                value, name, lambda new: self._changed(name, new, label), shape, choices=choices, long=LONG
            )
            docs = " ".join(catalogue.field_docs("recipe.definition", "Recipe")[name].split())
            prose("small", self.words.said(docs), "soft")
            self._whys[name] = tag("small", "", "why", hidden=True)

    async def _changed(self, name: str, now: Any, label: Element) -> None:
        before = typed(self._first, name) if name in DECIDE else self._shown(name)
        self.values.pop(name, None)
        if now != before:
            self.values[name] = now
        label.classes(add="changed") if now != before else label.classes(remove="changed")
        if name in DECIDE:
            await self._choose()
        self._examine(name)

    def _examine(self, name: str) -> None:
        """Say what does not fit, after this field was changed."""
        self.problems = {each: self.words.error(error) for each, error in (self._unread | self.misfits(name)).items()}
        for each, why in self._whys.items():
            say(why, self.problems.get(each, ""))
        self.on_change()

    async def give(self, minutes: float | None) -> None:
        """Train for so many minutes in place of the rounds: a recipe may choose by them."""
        self.minutes = minutes
        await self._choose()
        self._examine("rounds")

    async def _choose(self) -> None:
        """Show what the recipe chooses for the data and the classes that are asked for, where the data can be read."""
        self._unread = {}
        if self.minutes is not None and not str(self.values.get("rounds", "-")).strip():
            del self.values["rounds"]  # left empty, as the form has it where minutes are given
        try:
            self.base = await asyncio.to_thread(self._chosen)  # images may have to be read first
        except SparringError as error:
            self._unread[await asyncio.to_thread(self.undecided)] = error
        for name, field in self._fields.items():
            if name not in self.values:
                field._props["value"] = self._shown(name)  # pyright: ignore[reportPrivateUsage] - as in `tag`
                if name == "rounds":
                    hint = "" if self.minutes is None else self.words("rounds-of-minutes")
                    field._props["placeholder"] = hint  # pyright: ignore[reportPrivateUsage] - as in `tag`
                field.update()

    def _shown(self, name: str) -> Any:
        """What a field says that nobody has changed: no rounds where minutes are given, which say how many."""
        return "" if name == "rounds" and self.minutes is not None else typed(self.base, name)

    def undecided(self) -> str:
        """The field by which no recipe can be chosen: `conditional`, where one can be chosen for the data alone."""
        if "data" not in self.values:
            return "conditional"
        try:
            self._chosen(("data",))
        except SparringError:
            return "data"
        return "conditional"

    def _chosen(self, deciding: Sequence[str] = DECIDE) -> Recipe:
        """The recipe of that name for what these fields ask for."""
        asked = {name: self.values[name] for name in deciding if name in self.values}
        if not asked and self.minutes is None:
            return self._first
        data = read_data(asked["data"], self._first.data) if "data" in asked else None
        return find_recipe(self._first.name, sized_by=data, conditional=asked.get("conditional"), minutes=self.minutes)

    def misfits(self, last: str) -> dict[str, SparringError]:
        """Fields whose values do not fit, and why: where all do not fit together, those that do not fit alone.

        Args:
            last: The field that was changed last: it is named where each value fits alone.
        """
        try:
            self._with_values(self.base)
        except SparringError as together:
            return self._alone() or {last: together}
        return {}

    def _alone(self) -> dict[str, SparringError]:
        """Fields whose values do not fit the recipe as the only ones that are changed."""
        found: dict[str, SparringError] = {}
        for name, text in self.values.items():
            try:
                self.base.replace(**{name: read(name, text)})
            except SparringError as error:
                found[name] = error
        return found

    def _with_values(self, base: Recipe) -> Recipe:
        return base.replace(**{name: read(name, text) for name, text in self.values.items()})

    def recipe(self) -> Recipe:
        """What `command` trains; images of one's own may have to be read first."""
        return self._with_values(self._chosen())

    @property
    def command(self) -> str:
        """What to type for the same: flags in the form's order, whichever change a busy server received first."""
        parts = ["sparring train", self.base.name]
        for name in (*FIRST, *self._folded):
            if name not in self.values:
                continue
            flag, text = name.replace("_", "-"), self.values[name]
            if isinstance(text, bool):
                parts.append(f"--{flag}" if text else f"--no-{flag}")
            else:
                values = re.findall(WORD, text) if isinstance(getattr(self.base, name), tuple) else [text]
                parts += [f"--{flag}", *map(quoted, values)]
        return " ".join(parts if self.minutes is None else [*parts, f"--minutes {self.minutes:g}"])


def typed(recipe: Recipe, name: str) -> Any:
    """A field's value as a person types it: text, or a switch."""
    value = as_text(name, getattr(recipe, name))
    if isinstance(value, bool):
        return value
    return " ".join(value) if isinstance(value, tuple) else str(value)


def read(name: str, text: Any) -> Any:
    """What was typed, as `Recipe.replace` takes it. Whole numbers are numbers; what is none is left to the recipe."""
    if name in KIND_OF or name in ("seeds", "precision") or not isinstance(text, str):
        return text
    return int(text) if text.strip().isdecimal() else text
