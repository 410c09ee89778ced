"""Study: a question as one frozen value: which recipes it compares, with which seeds, and by which outcome."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, cast

from sparring import catalogue
from sparring.errors import SparringError, UsageError, shortened
from sparring.recipe import Recipe, find_recipe
from sparring.recipe.reading import read_seeds
from sparring.study.designs import FULL, STEPWISE, design
from sparring.study.factors import Factor, Level
from sparring.study.outcome import Outcome

ID_LENGTH = 8
"""Hexadecimal digits of a cell's id: enough for the cells of one study."""
MAX_SLUG = 60
"""Characters of a cell's folder before its id."""
DEFAULT_SEEDS = 8


@dataclass(frozen=True)
class PlannedCell:
    """One combination of levels, and the recipe that it is."""

    label: str
    levels: Mapping[str, str]
    """Factor -> label of its level."""
    recipe: Recipe
    """With one seed; the study says which are trained."""

    @property
    def id(self) -> str:
        """Of the recipe, so that it stays whatever else is in the study."""
        return self.recipe.id[:ID_LENGTH]

    @property
    def slug(self) -> str:
        """The name of its folder: readable, and found by the id at its end."""
        plain = re.sub(r"[^a-z0-9]+", "-", self.label.lower()).strip("-")[:MAX_SLUG].strip("-")
        return f"{plain or 'cell'}-{self.id}"


@dataclass(frozen=True, kw_only=True, init=False)
class Study:
    """A question, and everything that decides its answer but the machine.

    Args:
        base: The recipe that factors change, or its name.
        factors: What is varied: `Factor`s, or a mapping from names to levels. None: nothing is, and the one cell is the
            base itself, over its seeds.
        seeds: The seeds of every cell, or their number.
        outcome: What members are judged by: a metric or a curve by name, `best(METRIC)`, `mean(CURVE)`,
            `seconds-to(METRIC, TARGET)`, `at-seconds(METRIC, SECONDS)`. By default the Fréchet distance where there is
            a judge, else the distance by which a run chooses its best checkpoint.
        design: `full`, `one-at-a-time` or `fractional`; for `stepwise` see `Study.stepwise`.
        max_cells: Of a fractional design: at most so many cells.
        rounds: Rounds of every cell; each recipe's own if None.
        name: What it is called.
        question: In one sentence.
        looks: After which shares of the rounds cells that are losing are stopped, in (0, 1); none if empty.
        precision: The difference in the outcome that the study is to be able to see.

    Raises:
        UsageError: A factor, level, seed or outcome does not exist or does not fit, or two cells are the same recipe.
    """

    base: Recipe
    factors: tuple[Factor, ...]
    seeds: tuple[int, ...]
    outcome: str
    design: str
    name: str
    question: str
    looks: tuple[float, ...]
    precision: float | None
    cells: tuple[PlannedCell, ...]
    aliases: tuple[str, ...]
    steps: tuple[tuple[int, ...], ...]
    """Of a stepwise study: indices of cells, once for each order."""

    def __init__(
        self,
        base: Recipe | str,
        factors: Mapping[str, Any] | Iterable[Factor] | None = None,
        seeds: int | Iterable[int] | str = DEFAULT_SEEDS,
        outcome: str = "",
        design: str = FULL,
        *,
        max_cells: int | None = None,
        rounds: int | None = None,
        name: str = "",
        question: str = "",
        looks: Sequence[float] = (),
        precision: float | None = None,
    ):
        base = find_recipe(base) if isinstance(base, str) else base
        made = () if factors is None else _factors(factors)
        planned = _plan(base, made, design, max_cells, rounds)
        self._set(
            base=base,
            factors=made,
            seeds=read_seeds(seeds),
            outcome=Outcome.wanted(outcome).text,
            design=design,
            name=name or base.name,
            question=question,
            looks=_looks(looks),
            precision=precision,
            **planned,
        )

    def _set(self, **fields: Any) -> None:
        for field, value in fields.items():
            object.__setattr__(self, field, value)
        _check_distinct(self.cells)
        check_precision(self.precision)

    @classmethod
    def stepwise(
        cls,
        start: Recipe | str,
        end: Recipe | str,
        *,
        together: Iterable[Sequence[str]] = (),
        labels: Mapping[str, str] | None = None,
        seeds: int | Iterable[int] | str = DEFAULT_SEEDS,
        rounds: int | None = None,
        **settings: Any,
    ) -> Study:
        """A study that goes from one recipe to another, one field at a time, in both orders.

        Where both have the same kind of part (two `convolutional` discriminators), its fields change one by one.

        Args:
            start: The recipe that it begins with, or its name.
            end: The recipe that it ends with.
            together: Fields that change in one step, such as `("generator", "latent")`.
            labels: Field -> what its step is called.
            seeds: As for a `Study`.
            rounds: Rounds of every cell; else these are a step too, where they differ.
            **settings: The other arguments of `Study`.

        Raises:
            UsageError: The recipes do not differ, or a recipe on the way is none.
        """
        from sparring.study.steps import factors_between

        first = find_recipe(start) if isinstance(start, str) else start
        last = find_recipe(end) if isinstance(end, str) else end
        if rounds is not None:
            first, last = first.replace(rounds=rounds), last.replace(rounds=rounds)
        factors = factors_between(first, last, together, labels or {})
        settings = {"name": f"{first.name}-to-{last.name}", **settings}
        return cls(first, factors, seeds, design=STEPWISE, **settings)

    def replace(self, **changes: Any) -> Self:
        """A copy with another `seeds`, `outcome`, `name`, `question`, `looks` or `precision`."""
        known = ("seeds", "outcome", "name", "question", "looks", "precision")
        if unknown := sorted(set(changes) - set(known)):
            raise UsageError(catalogue.unknown("fields of a study to replace", unknown[0], known))
        made = object.__new__(type(self))
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        read = {"seeds": read_seeds, "outcome": lambda text: Outcome.wanted(text).text, "looks": _looks}
        made._set(**{**fields, **{k: read.get(k, lambda v: v)(v) for k, v in changes.items()}})
        return made

    def with_cells(self, cells: Sequence[PlannedCell]) -> Self:
        """A copy with the same cells made otherwise: with a user's own parts in place of placeholders."""
        made = object.__new__(type(self))
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        made._set(**{**fields, "cells": tuple(cells)})
        return made

    def to_dict(self) -> dict[str, Any]:
        """Plain data, with the recipe of every cell: levels that only code can make are in there."""
        return {
            "name": self.name,
            "question": self.question,
            "base": self.base.to_dict(),
            "factors": [factor.to_dict() for factor in self.factors],
            "seeds": list(self.seeds),
            "outcome": self.outcome,
            "design": self.design,
            "looks": list(self.looks),
            "precision": self.precision,
            "aliases": list(self.aliases),
            "steps": [list(order) for order in self.steps],
            "cells": [
                {"id": c.id, "label": c.label, "levels": dict(c.levels), "recipe": c.recipe.to_dict()}
                for c in self.cells
            ],
        }

    def to_json(self) -> str:
        """`to_dict` as indented JSON: the content of a study's study.json."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, placeholders: bool = True) -> Self:
        """The study that `to_dict` described.

        Args:
            data: What `to_dict` returned.
            placeholders: As for `Recipe.from_dict`.

        Raises:
            SparringError: It is no study, or a recipe in it is none.
        """
        try:
            cells = tuple(
                PlannedCell(c["label"], dict(c["levels"]), Recipe.from_dict(c["recipe"], placeholders=placeholders))
                for c in data["cells"]
            )
            made = object.__new__(cls)
            made._set(
                base=Recipe.from_dict(data["base"], placeholders=placeholders),
                factors=tuple(Factor.from_dict(each) for each in data["factors"]),
                seeds=read_seeds(data["seeds"]),
                steps=tuple(tuple(order) for order in data["steps"]),
                cells=cells,
                **{name: data[name] for name in ("outcome", "design", "name", "question", "precision")},
                **{name: tuple(data[name]) for name in ("looks", "aliases")},
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise SparringError(f"this is no study: {error}") from error
        return made

    @classmethod
    def from_json(cls, text: str, *, placeholders: bool = True) -> Self:
        """The inverse of `to_json`; see `from_dict`."""
        try:
            data = json.loads(text)
        except ValueError as error:
            raise SparringError(f"this is no study: {error}") from error
        if not isinstance(data, dict):
            raise SparringError("this is no study: a JSON object was expected")
        return cls.from_dict(cast(dict[str, Any], data), placeholders=placeholders)


def check_precision(precision: float | None) -> None:
    """Raises UsageError for what is no difference."""
    if precision is not None and not precision > 0:
        raise UsageError(f"precision is a difference above 0, not {precision}")


def _factors(factors: Mapping[str, Any] | Iterable[Factor]) -> tuple[Factor, ...]:
    if isinstance(factors, Mapping):
        return tuple(Factor(name, levels) for name, levels in cast(Mapping[str, Any], factors).items())
    made = (factors,) if isinstance(factors, Factor) else tuple(factors)
    if not made:
        raise UsageError("a study varies something: name a field and its levels (--vary objective=hinge,mse)")
    names = [factor.name for factor in made]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"{twice[0]} is varied twice: name all its levels at once")
    return made


def _plan(
    base: Recipe, factors: Sequence[Factor], name: str, max_cells: int | None, rounds: int | None
) -> dict[str, Any]:
    """The cells of a design, and what it says of itself."""
    chosen = design(name, [len(f.levels) for f in factors], [f.short for f in factors], max_cells)
    cells: list[PlannedCell] = []
    for combination in chosen.combinations:
        recipe = base
        for factor, level in zip(factors, combination, strict=True):
            recipe = factor.apply(recipe, level)
        if rounds is not None:
            recipe = recipe.replace(rounds=rounds)
        levels = {f.name: f.levels[i].label for f, i in zip(factors, combination, strict=True)}
        label = _step_label(base, factors, combination) if name == STEPWISE else _label(base, factors, combination)
        cells.append(PlannedCell(label, levels, recipe.replace(seeds=1)))
    return {"cells": tuple(cells), "aliases": chosen.aliases, "steps": chosen.steps}


def _label(base: Recipe, factors: Sequence[Factor], combination: Sequence[int]) -> str:
    parts = [_level_text(factor, factor.levels[i]) for factor, i in zip(factors, combination, strict=True)]
    return ", ".join(parts) or base.name or "the recipe"


def _level_text(factor: Factor, level: Level) -> str:
    """A level in a label: the value of the factor `recipe` speaks for itself."""
    return level.label if factor.name == "recipe" else f"{factor.short} {level.label}"


def _step_label(base: Recipe, factors: Sequence[Factor], combination: Sequence[int]) -> str:
    """`mnist-own`, `mnist-own + G hidden`, and past the middle `mnist-own + all but D dropout`."""
    changed = [factor.short for factor, i in zip(factors, combination, strict=True) if i]
    others = [factor.short for factor, i in zip(factors, combination, strict=True) if not i]
    start = base.name or "start"
    if not others:
        return f"{start} + all {len(changed)} changes" if len(changed) > 1 else f"{start} + {changed[0]}"
    if len(others) < len(changed):
        return f"{start} + all but {', '.join(others)}"
    return " + ".join([start, *changed])


def _check_distinct(cells: Sequence[PlannedCell]) -> None:
    seen: dict[str, PlannedCell] = {}
    for cell in cells:
        if cell.id in seen:
            raise UsageError(
                f"two cells are the same recipe, so nothing differs between them: {seen[cell.id].label!r} and "
                f"{cell.label!r}"
            )
        seen[cell.id] = cell


def _looks(looks: Sequence[float]) -> tuple[float, ...]:
    if list(looks) != sorted({float(each) for each in looks if 0 < each < 1}):
        raise UsageError(f"looks are shares of the rounds in order, as 0.25,0.5, not {shortened(looks)}")
    return tuple(float(each) for each in looks)
