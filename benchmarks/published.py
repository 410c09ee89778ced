"""What studies came to, kept as small files in `results/`, and the tables of the docs that are made of these.

    python benchmarks/published.py ablation studies/ablation-ring

keeps what the study in that folder came to in `results/ablation.json`: of every cell its levels, its seeds and the
scores of every member beside what real data scores. A study file says which of them are in its table.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from scipy.stats import t as student

from sparring.analysis.facts import Facts
from sparring.record import RunFolder
from sparring.record.story import CURVES
from sparring.studies import StudyRun
from sparring.study.results import Cell, Results, Row, Values

RESULTS = Path(__file__).parent / "results"
LEVEL = 0.95
NUMBER = re.compile(r"[\d.,]*%?(?: of [\d,]+)?")
"""A cell that is a number, a count of a whole, or empty."""


@dataclass(frozen=True)
class Score:
    """One metric or curve of every member; None for a member that diverged."""

    title: str
    members: list[float | None]
    better: str | None = None
    real: float | None = None
    """What real data scores; of a curve, its value at equilibrium."""

    @property
    def found(self) -> list[float]:
        """Of the members that have one."""
        return [value for value in self.members if value is not None]


@dataclass(frozen=True)
class Record:
    """What one cell of a study came to."""

    study: str
    cell: dict[str, str]
    """Factor -> level."""
    seeds: list[int]
    rounds: int
    seconds: float
    """Spent training all of its seeds."""
    samples: int
    """Of each seed that were measured."""
    judge: str | None
    made: str
    """Processor, torch, day."""
    scores: dict[str, Score] = field(default_factory=dict[str, Score])

    @property
    def key(self) -> str:
        """Of its entry in the file."""
        return f"{self.study}: {', '.join(self.cell.values())}"

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Record:
        """The inverse of `dataclasses.asdict`."""
        scores = {name: Score(**each) for name, each in plain["scores"].items()}
        fields: dict[str, Any] = {**plain, "scores": scores}
        return cls(**fields)


# From a study to the file, and back.


def kept(name: str, study: str = "") -> list[Record]:
    """What is kept in `results/NAME.json`, of one of its studies or of all."""
    path = RESULTS / f"{name}.json"
    stored = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return [made for each in stored.values() if (made := Record.from_plain(each)).study == study or not study]


def keep(name: str, records: Iterable[Record]) -> None:
    """Add them to `results/NAME.json`, each in place of what was kept of the same cell."""
    every = {each.key: dataclasses.asdict(each) for each in (*kept(name), *records)}
    (RESULTS / f"{name}.json").write_text(json.dumps(every, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def records(results: Results) -> list[Record]:
    """A record for each cell of a study that was trained."""
    return [_record(results, cell, results.by_cell[cell.id]) for cell in results.cells if results.by_cell[cell.id]]


def _record(results: Results, cell: Cell, rows: list[Row]) -> Record:
    run = RunFolder.open(results.path(rows[0]))
    measures = run.measures or {}
    return Record(
        study=results.name,
        cell=dict(cell.levels) or {"recipe": cell.label},
        seeds=[row.seed for row in rows],
        rounds=rows[0].rounds,
        # What was trained with other cells as one population took its share of those seconds.
        seconds=round(sum(row.seconds / row.members for row in rows), 1),
        samples=measures.get("n", 0),
        judge=results.judge or None,
        made=made(run),
        scores={
            name: _score(name, results, cell, rows)
            for name in results.quantities
            if name in CURVES or name in cell.real_measured
        },
    )


def made(run: RunFolder) -> str:
    """Processor, torch, and today."""
    made = run.about.get("made_with") or {}
    where = [made.get("processor"), f"torch {made['versions']['torch']}" if made else None, date.today().isoformat()]
    return ", ".join(each for each in where if each)


def _score(name: str, results: Results, cell: Cell, rows: list[Row]) -> Score:
    quantity, curve = results.quantities[name], name in CURVES
    each = [row.values.get(name, Values()) for row in rows]
    members = [values.last if curve else values.measured for values in each]
    real = _equilibrium(name, results, rows) if curve else cell.real_measured.get(name)
    return Score(quantity.title, members, quantity.better, real)


def _equilibrium(curve: str, results: Results, rows: list[Row]) -> float | None:
    return Facts.of(RunFolder.open(results.path(rows[0]))).equilibrium.get(curve)


# Tables.

Column = Callable[[Record], str]


def table(records: Iterable[Record], columns: Mapping[str, Column], *, real: bool = False) -> str:
    """Markdown: a row for each record, and with `real` one more for what real data scores."""
    every = list(records)
    if not every:
        return "Not run yet."
    rows = [[column(each) for column in columns.values()] for each in every]
    if real:
        known = {_titled(score): score.real for score in every[0].scores.values()}
        cells = [f"{value:.3g}" if (value := known.get(title)) is not None else "" for title in columns]
        rows.append(["*real data*", *cells[1:]])
    return markdown(columns, rows)


def markdown(titles: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown, with columns of nothing but numbers to the right."""
    every = [list(row) for row in rows]
    numeric = [all(NUMBER.fullmatch(cell) for cell in column) for column in zip(*every, strict=True)]
    lines = [titles, ["---:" if right else "---" for right in numeric], *every]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def level(factor: str) -> Column:
    """A column with the level of a factor."""
    return lambda record: record.cell[factor]


def scores(
    records: Iterable[Record], names: Iterable[str], text: Callable[[Score], str], missing: str = "–"
) -> dict[str, Column]:
    """A column for each of these metrics that a record has."""
    titles = {name: _titled(score) for record in records for name, score in record.scores.items()}
    return {
        titles[name]: lambda record, name=name: text(record.scores[name]) if name in record.scores else missing
        for name in names
        if name in titles
    }


def of_each(records: Iterable[Record]) -> str:
    """`8 seeds, 3,000 rounds, 2,500 samples of each`."""
    first = next(iter(records))
    return f"{len(first.seeds)} seeds, {first.rounds:,} rounds, {first.samples:,} samples of each"


def diverged(record: Record) -> str:
    """How many members have no score in the first metric."""
    first = next(iter(record.scores.values()))
    return str(len(first.members) - len(first.found))


def spread(score: Score, digits: str = ".3g", sd_digits: str = "") -> str:
    """`7.9 ± 0.4`: mean and SD over seeds."""
    if not score.found:
        return "diverged"
    sd = f" ± {stdev(score.found):{sd_digits or digits}}" if len(score.found) > 1 else ""
    return f"{mean(score.found):{digits}}{sd}"


def spread_beside_real(score: Score) -> str:
    """The same, and what real data scores."""
    return spread(score) + ("" if score.real is None or not score.found else f" ({score.real:.3g})")


def interval(score: Score) -> str:
    """`7.9 [7.5, 8.3]`: mean and 95 % interval over seeds, by Student's t."""
    found = score.found
    if not found:
        return "diverged"
    without = f", of {len(found)} seeds" if len(found) < len(score.members) else ""
    if len(found) < 2:
        return f"{found[0]:.3g}{without}"
    half = float(student.ppf((1 + LEVEL) / 2, len(found) - 1)) * stdev(found) / math.sqrt(len(found))
    return f"{mean(found):.3g} [{mean(found) - half:.3g}, {mean(found) + half:.3g}]{without}"


def _titled(score: Score) -> str:
    return f"{score.title} ({score.better} is better)" if score.better in ("lower", "higher") else score.title


def main() -> None:
    """Keep what a study came to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="of the file in results/")
    parser.add_argument("study", type=Path, help="folder of a study that was trained")
    asked = parser.parse_args()
    made = records(StudyRun(asked.study).results)
    keep(asked.name, made)
    print(f"{RESULTS / asked.name}.json: {len(made)} cells of {asked.study}")


if __name__ == "__main__":
    main()
