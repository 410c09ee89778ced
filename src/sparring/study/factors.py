"""Factors: what a study varies, and the levels that it takes.

A level is a value of a recipe's field (`objective=hinge`, `tricks.r1.gamma=1`), a change that a function or a mapping
of fields makes, or a whole recipe. As text and in Python they read alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from sparring import catalogue
from sparring.errors import SparringError, UsageError, shortened
from sparring.fields import described
from sparring.recipe import OwnPart, Recipe, find_recipe
from sparring.recipe.encoding import encode
from sparring.study.paths import check_path, is_path, set_field

Change = Callable[[Recipe], "Recipe | Mapping[str, Any]"]
"""What turns the base of a study into another recipe: it returns that recipe, or the fields that differ."""
MAX_LABEL = 60
"""Characters of a level's label."""
NOT_VARIED = {
    "seeds": "every cell has the same seeds: say --seeds N",
    "seed": "every cell has the same seeds: say --seeds N",
    "name": "it changes nothing that is computed",
    "origin": "it changes nothing that is computed",
}
"""Fields that are no factors, and why."""
SHORT = {
    "generator": "G",
    "discriminator": "D",
    "generator_optimizer": "G's optimizer",
    "discriminator_optimizer": "D's optimizer",
}
"""Fields as they are called in labels."""
RECIPE = "recipe"
"""The factor whose levels are whole recipes."""


@dataclass(frozen=True)
class Level:
    """One level of a factor."""

    label: str
    """In tables and in the labels of cells."""
    value: Any
    """A value of the factor's field, or what changes a recipe: a function, a mapping of fields, a recipe."""

    @property
    def plain(self) -> Any:
        """The value for JSON; None where only code can make it."""
        if isinstance(self.value, str | int | float | bool):
            return self.value
        if isinstance(self.value, tuple | list):
            values = cast(list[Any], self.value)
            return list(values) if all(isinstance(each, str | int | float | bool) for each in values) else None
        return None


@dataclass(frozen=True, init=False)
class Factor:
    """Something that a study varies.

    Args:
        name: A field of a recipe, or a field of one of its parts: `objective`, `lr`, `tricks.r1.gamma`,
            `generator.hidden`, `discriminator_optimizer.betas`, `remedy.adam-for-sgd`; with `recipe`, levels are whole
            recipes. Any other name needs levels that are changes of a recipe.
        levels: The levels in a list, or as a mapping from labels to levels; the first is what others are compared with.
            Each is a value of that field (also as text, as on the command line), or a change: a function that takes
            the recipe and returns another one or the fields that differ, a mapping of such fields, or a recipe.

    Raises:
        UsageError: The field does not exist, or there are fewer than two levels, or two of the same label.
    """

    name: str
    levels: tuple[Level, ...]

    def __init__(self, name: str, levels: Mapping[str, Any] | Iterable[Any]):
        if not isinstance(name, str) or not name.strip():  # pyright: ignore[reportUnnecessaryIsInstance]
            raise UsageError(f"a factor is known by its name, as 'objective', not by {described(name)}")
        if name in NOT_VARIED:
            raise UsageError(f"{name} is not varied: {NOT_VARIED[name]}")
        if isinstance(levels, str):
            levels = catalogue.parts(levels)
        if isinstance(levels, Mapping):
            made = [Level(str(label), value) for label, value in cast(Mapping[Any, Any], levels).items()]
        else:
            made = [each if isinstance(each, Level) else Level(_label(each), each) for each in levels]
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "levels", tuple(made))
        self._check()

    def _check(self) -> None:
        labels = [level.label for level in self.levels]
        if len(labels) < 2:
            what = f"only {labels[0]!r}" if labels else "none"
            raise UsageError(f"{self.name} takes two levels or more to compare, and there is {what}")
        if twice := sorted({label for label in labels if labels.count(label) > 1}):
            raise UsageError(f"{self.name} has the level {twice[0]!r} twice")
        if self.name != RECIPE and not all(_is_change(level.value, self.name) for level in self.levels):
            check_path(self.name)

    @property
    def short(self) -> str:
        """The name in labels: `tricks.r1.gamma` is `r1 gamma`, `generator.hidden` is `G hidden`."""
        return short_name(self.name)

    def apply(self, recipe: Recipe, index: int) -> Recipe:
        """The recipe with this factor at one of its levels. Raises UsageError, which names both, where that fails."""
        level = self.levels[index]
        try:
            return self._applied(recipe, level.value)
        except UsageError as error:
            raise UsageError(f"{self.name}={level.label}: {error}") from error
        except SparringError as error:
            raise SparringError(f"{self.name}={level.label}: {error}") from error

    def _applied(self, recipe: Recipe, value: Any) -> Recipe:
        if isinstance(value, Recipe) or self.name == RECIPE:
            return value if isinstance(value, Recipe) else find_recipe(value)
        if not _is_change(value, self.name):
            return set_field(recipe, self.name, value)
        if value is None:
            return recipe
        made = value(recipe) if callable(value) else value
        if isinstance(made, Recipe):
            return made
        if not isinstance(made, Mapping):
            raise UsageError(f"a level's function returns a recipe or the fields that differ, not {described(made)}")
        for path, each in cast(Mapping[str, Any], made).items():
            recipe = set_field(recipe, path, each)
        return recipe

    def to_dict(self) -> dict[str, Any]:
        """Plain data. A level that only code can make has its label alone."""
        levels = [{"label": each.label, "value": each.plain} for each in self.levels]
        return {"name": self.name, "levels": levels}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Factor:
        """The inverse of `to_dict`; for a level that only code can make, the level is there and changes nothing."""
        made = object.__new__(cls)
        object.__setattr__(made, "name", str(data["name"]))
        levels = tuple(Level(str(each["label"]), _frozen(each["value"])) for each in data["levels"])
        object.__setattr__(made, "levels", levels)
        return made


def read_factor(text: str) -> Factor:
    """A factor from what is typed: `objective=bce-with-logits,hinge`. Raises UsageError for what is none."""
    name, equals, levels = text.partition("=")
    if not equals or not levels.strip() or not name.strip():
        raise UsageError(f"--vary takes FIELD=LEVEL,LEVEL as objective=bce-with-logits,hinge, not {shortened(text)!r}")
    return Factor(name.strip().replace("-", "_") if "." not in name else name.strip(), catalogue.parts(levels))


def short_name(name: str) -> str:
    """A factor's name in labels and sentences; see `Factor.short`."""
    return " and ".join(_short(part) for part in name.split(" and "))


def _short(name: str) -> str:
    head, *rest = name.split(".")
    words = rest if head in ("tricks", "remedy") and rest else [SHORT.get(head, head), *rest]
    return " ".join(words).replace("_", " ")


def _is_change(value: Any, name: str) -> bool:
    """Whether a level changes a recipe by itself, rather than being a value of the factor's field."""
    if isinstance(value, Recipe | Mapping) or (value is None and not is_path(name)):
        return True
    return callable(value) and not is_path(name)


def _label(value: Any) -> str:
    """How a level is called that was given no label."""
    if isinstance(value, Recipe):
        return value.name or value.id
    if isinstance(value, str):
        return shortened(" ".join(value.split()), MAX_LABEL)
    if isinstance(value, tuple | list):
        return shortened(" ".join(map(_label, cast(list[Any], value))) or "none", MAX_LABEL)
    if isinstance(value, int | float | bool):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if isinstance(value, Mapping):
        changed = cast(Mapping[str, Any], value).items()
        return shortened(" ".join(f"{field} {_label(each)}" for field, each in changed) or "none", MAX_LABEL)
    if value is None:
        return "none"
    written = encode(value)
    known = isinstance(value, OwnPart) or not isinstance(written, str | dict) or "yours" not in written
    name = catalogue.to_text(value) if known else getattr(value, "__name__", type(value).__name__)
    return shortened(name.strip("<>"), MAX_LABEL)


def _frozen(value: Any) -> Any:
    return tuple(cast(list[Any], value)) if isinstance(value, list) else value
