"""The results of a study: a table of cells and seeds, as plain numbers that survive JSON. Loads no torch.

A cell is one combination of the factors' levels, that is one recipe. Every cell has the same seeds, so that the
difference between two cells is paired: seed by seed. A member that diverged has no outcome; it is counted, never left
out of the table.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np

from sparring.errors import SparringError
from sparring.record.journal import json_numbers

Level = str
"""A level of a factor, by its label."""


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A number that a study has of every member: a metric of samples, a curve, or a time."""

    name: str
    """`frechet-distance`, `d_loss`, `seconds-to(frechet-distance, 2)`."""
    title: str
    """In tables and sentences: `Fréchet distance`."""
    unit: str = ""
    """What its values are, in a few words for an axis."""
    better: str | None = None
    """`lower`, `higher`, `as-real` (the nearer to what real data scores), or None where neither is better."""
    linear: bool = False
    """Whether it is a count or a share, for which a logarithmic axis would mislead."""


@dataclass(frozen=True, kw_only=True)
class FactorLevels:
    """A factor as it was varied: what it is called, and its levels in order."""

    name: str
    levels: tuple[Level, ...]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One combination of levels."""

    id: str
    """Stable: of the recipe, whatever else is in the study."""
    label: str
    """In words: `objective hinge, r1 gamma 1`."""
    levels: Mapping[str, Level]
    """Factor -> its level. Of a stepwise study the factors are the fields that change on the way."""
    recipe: str
    """`id` of its recipe with the one seed 0, so that it stays when seeds are added."""
    folders: tuple[str, ...]
    """Run folders, relative to the study's; a second one has the seeds that were added later."""
    real: Mapping[str, float | None] = field(default_factory=dict[str, "float | None"])
    """What held-out real data scores at evaluations during training, by the metric's name."""
    real_measured: Mapping[str, float | None] = field(default_factory=dict[str, "float | None"])
    """The same in the measurement at the end, which has more samples."""
    stopped: int | None = None
    """The round at which racing stopped it, because it was losing; None for a cell that had all of its rounds."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """A metric's values over a member's training."""

    rounds: tuple[int, ...]
    seconds: tuple[float, ...]
    """Spent training until then, of the whole population that the member was trained in."""
    values: tuple[float | None, ...]


@dataclass(frozen=True, kw_only=True)
class Values:
    """One quantity of one member. None where it is not finite, or was not taken."""

    final: float | None = None
    """At the last evaluation, or at the last logged round of a curve."""
    best: float | None = None
    """Of all evaluations: the smallest, the largest, or the nearest to what real data scores."""
    last: float | None = None
    """Mean over the last 5 % of the rounds."""
    mean: float | None = None
    """Mean over all of them."""
    measured: float | None = None
    """By `sparring measure` after the last round, with more samples than an evaluation has, and by the data's
    independent judge where there is one: no setting was chosen by it."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One cell and one seed."""

    cell: str
    """The cell's id."""
    seed: int
    folder: str
    """Its run, relative to the study's folder."""
    outcome: float | None
    """The study's outcome; None for a member that diverged, or that it cannot be known of."""
    censored: bool = False
    """Of a time to a target: whether the target was not reached; the outcome is then how long it was tried."""
    diverged: bool = False
    collapsed: bool = False
    """Whether the diagnosis finds that its samples lack variety."""
    finding: str = ""
    """The finding of the diagnosis that explains most of this member; empty where there is none."""
    fault: bool = False
    """Whether that finding is something wrong."""
    status: str = "finished"
    """Of its run: `finished`, `stopped` (by racing), `diverged`, `unfinished`."""
    rounds: int = 0
    seconds: float = 0.0
    """Spent training the population that it was trained in."""
    members: int = 1
    """How many members that population has: they shared the seconds."""
    values: Mapping[str, Values] = field(default_factory=dict[str, Values])
    """By the quantity's name."""
    series: Mapping[str, Series] = field(default_factory=dict[str, Series])
    """Of the metrics that were evaluated during training, by name."""


@dataclass(frozen=True, kw_only=True)
class Results:
    """The whole table: what was asked, and a row for each cell and seed."""

    name: str
    question: str = ""
    """In one sentence; empty where nobody stated it."""
    outcome: str
    """Name of the quantity that the rows' outcomes are."""
    factors: tuple[FactorLevels, ...]
    design: str
    """`full`, `one-at-a-time`, `stepwise` or `fractional`."""
    aliases: tuple[str, ...] = ()
    """What a fractional design cannot tell apart, a sentence each."""
    steps: tuple[tuple[str, ...], ...] = ()
    """Of a stepwise study: ids of the cells from the first recipe to the last, once for each order of the fields."""
    reference: str | None = None
    """The cell that the others are compared with where there is one: all factors at their first level."""
    seeds: tuple[int, ...]
    """Of every cell that is complete."""
    cells: tuple[Cell, ...]
    rows: tuple[Row, ...]
    quantities: Mapping[str, Quantity]
    """Everything that rows have values of, the outcome included."""
    looks: tuple[float, ...] = ()
    """Of a race: after which shares of the rounds cells were compared, and might be stopped. The end is no look."""
    precision: float | None = None
    """The difference in the outcome that the study is to be able to see, where it was stated."""
    judge: str = ""
    """The judge by which samples were measured after the last round; empty where none was."""
    folder: str = ""
    """The study's folder; empty where there is none."""

    @property
    def asked(self) -> Quantity:
        """The outcome's title, unit and direction."""
        return self.quantities[self.outcome]

    @cached_property
    def by_cell(self) -> dict[str, list[Row]]:
        """The rows of each cell, in the order of the seeds."""
        ordered = sorted(self.rows, key=lambda row: row.seed)
        return {cell.id: [row for row in ordered if row.cell == cell.id] for cell in self.cells}

    def table(self, quantity: str | None = None, of: str = "measured") -> np.ndarray:
        """One number of every cell and seed.

        Args:
            quantity: Its name; the study's outcome if None.
            of: Which of its values: a field of `Values`. Ignored for the outcome.

        Returns:
            float64 `(cells, seeds)`, in the order of `cells` and `seeds`; NaN where there is none.
        """
        found = np.full((len(self.cells), len(self.seeds)), np.nan)
        place = {cell.id: index for index, cell in enumerate(self.cells)}
        for row in self.rows:
            if row.cell not in place or row.seed not in self.seeds:
                continue
            value = row.outcome
            if quantity is not None:
                value = getattr(row.values.get(quantity, Values()), of)
            found[place[row.cell], self.seeds.index(row.seed)] = math.nan if value is None else value
        return found

    def real(self, quantity: str | None = None, *, measured: bool = True) -> float | None:
        """What real data scores in a quantity, where that is the same for all cells; else None."""
        name = quantity or self.outcome
        known = {(cell.real_measured if measured else cell.real).get(name) for cell in self.cells}
        return known.pop() if len(known) == 1 else None

    def path(self, row: Row) -> Path:
        """The run folder of a row."""
        return Path(self.folder) / row.folder

    def to_json(self) -> str:
        """As text that `from_json` reads. What is not finite is null."""
        return json.dumps(_plain(self), ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Results:
        """The inverse of `to_json`. Raises SparringError for text that is no such table."""
        try:
            return cls.from_dict(json.loads(text))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise SparringError(f"these are no results of a study: {error}") from error

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Results:
        """From the same as plain data."""
        made = dict(data)
        made["factors"] = tuple(FactorLevels(name=f["name"], levels=tuple(f["levels"])) for f in data["factors"])
        made["cells"] = tuple(_cell(each) for each in data["cells"])
        made["rows"] = tuple(_row(each) for each in data["rows"])
        made["quantities"] = {name: Quantity(**each) for name, each in data["quantities"].items()}
        made["steps"] = tuple(tuple(order) for order in data.get("steps", ()))
        for name in ("seeds", "aliases", "looks"):
            made[name] = tuple(data.get(name, ()))
        return cls(**made)


def _cell(data: Mapping[str, Any]) -> Cell:
    fields: dict[str, Any] = {**data, "folders": tuple(data["folders"])}
    return Cell(**fields)


def _row(data: Mapping[str, Any]) -> Row:
    values = {name: Values(**each) for name, each in data["values"].items()}
    some = {name: each for name, each in data["series"].items() if each["rounds"]}  # older studies kept empty ones
    series = {name: Series(**{k: tuple(v) for k, v in each.items()}) for name, each in some.items()}
    fields: dict[str, Any] = {**data, "values": values, "series": series}
    return Row(**fields)


def _plain(value: Any) -> Any:
    """For JSON: dataclasses as objects, numbers with six digits."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in cast(Mapping[str, Any], value).items()}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in cast(list[Any], value)]
    return json_numbers(value) if isinstance(value, float) else value
