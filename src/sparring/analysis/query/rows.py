"""The rows of one run in each table, as columns of numbers and text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from sparring.analysis.diagnosis import diagnosis, story_of
from sparring.analysis.differences import field_text
from sparring.analysis.query.columns import TABLES
from sparring.metrics import all_metrics
from sparring.record import RunFolder, Story
from sparring.record.members import names_of
from sparring.record.story import CURVES, GRADIENTS

Columns = Mapping[str, np.ndarray]
"""Column -> its values `(rows,)`."""
NUMBERS: Mapping[str, type] = {
    **dict.fromkeys(
        ("round", "rounds", "members", "diverged", "seed", "batch", "clusters", "threads", "place"), np.int64
    ),
    **dict.fromkeys(("seconds", "generator_lr", "discriminator_lr", "value", "real", "error", "strength"), np.float64),
    **dict.fromkeys((*CURVES, *GRADIENTS), np.float64),
    **dict.fromkeys(("fault", "verdict", "conditional"), np.bool_),
}
"""Columns that are no text."""
WRITTEN = (
    *("data", "generator", "discriminator", "objective", "latent", "tricks"),
    *("generator_optimizer", "discriminator_optimizer"),
)
"""Fields of a recipe that are given as they are written."""


@dataclass(frozen=True)
class Opened:
    """A run, and where it is."""

    run: RunFolder
    name: str
    study: str | None
    cell: str | None

    @cached_property
    def story(self) -> Story:
        return story_of(self.run)

    @cached_property
    def names(self) -> list[str]:
        """What the run's members are called."""
        return list(map(str, names_of(self.run.recipe)))

    def table(self, name: str) -> Columns:
        """The run's rows of a table. Raises SparringError where its files are damaged."""
        return MAKERS[name](self)


def empty(table: str) -> Columns:
    """A table without rows."""
    return {name: np.array([], dtype=NUMBERS.get(name, object)) for name in TABLES[table][1]}


def _columns(table: str, rows: Sequence[Mapping[str, Any]]) -> Columns:
    made: dict[str, np.ndarray] = {}
    for name in TABLES[table][1]:
        values = [row.get(name) for row in rows]
        if name in NUMBERS:
            kind = NUMBERS[name]
            values = [_number(v) if kind is np.float64 else v or 0 for v in values]
        made[name] = np.array(values, dtype=NUMBERS.get(name, object))
    return made


def _runs(opened: Opened) -> Columns:
    run, story = opened.run, opened.run.story
    recipe, about = story.recipe, run.about
    row = {
        "run": opened.name,
        "recipe": recipe["name"] or run.path.name,
        "id": about.get("id"),
        "status": story.status,
        "round": story.round,
        "rounds": recipe["rounds"],
        "members": len(story.seeds),
        "diverged": len(story.diverged),
        "seconds": story.seconds,
        "created": about.get("created"),
        **{field: field_text(field, recipe[field]) for field in WRITTEN if field in recipe},
        "generator_lr": recipe["generator_optimizer"].get("lr"),
        "discriminator_lr": recipe["discriminator_optimizer"].get("lr"),
        **{field: recipe.get(field) for field in ("batch", "precision", "conditional")},
        "clusters": recipe.get("clusters", 0),
        "device": about.get("device"),
        "threads": about.get("threads"),
        "study": opened.study,
        "cell": opened.cell,
    }
    return _columns("runs", [row])


def _curves(opened: Opened) -> Columns:
    story = opened.run.story
    seeds, rounds = np.array(story.seeds, dtype=np.int64), story.logged_rounds
    count = len(rounds) * len(seeds)
    made: dict[str, np.ndarray] = {"run": np.full(count, opened.name, dtype=object)}
    made["seed"] = np.tile(seeds, len(rounds))
    made["member"] = np.tile(np.array(opened.names, dtype=object), len(rounds))
    made["round"] = np.repeat(rounds, len(seeds))
    for name in (*CURVES, *GRADIENTS):
        made[name] = story.curve(name).reshape(-1)
    return made


def _evaluations(opened: Opened) -> Columns:
    """Made column by column: a run has thousands of these rows."""
    story = opened.run.story
    rounds, metrics = story.evaluations
    errors, real = story.evaluation_errors, (story.real_baseline or {}).get("metrics", {})
    by_round = {event["round"]: event.get("seconds", np.nan) for event in story.log_points}
    spent = np.array([by_round[int(round)] for round in rounds], dtype=np.float64)
    members, each = len(story.seeds), len(rounds) * len(story.seeds)
    unknown = np.full((len(rounds), members), np.nan)
    parts = [_columns("evaluations", _measured(opened))]
    for name, values in metrics.items():
        error = errors.get(name, unknown)
        parts.append(
            {
                "run": np.full(each, opened.name, dtype=object),
                "seed": np.tile(np.array(story.seeds, dtype=np.int64), len(rounds)),
                "member": np.tile(np.array(opened.names, dtype=object), len(rounds)),
                "source": np.full(each, "evaluation", dtype=object),
                "round": np.repeat(rounds, members),
                "seconds": np.repeat(spent, members),
                "metric": np.full(each, name, dtype=object),
                "value": values.reshape(-1),
                "real": np.full(each, _number(real.get(name))),
                "better": np.full(each, _better(name), dtype=object),
                "error": (error if len(error) == len(rounds) else unknown).reshape(-1),
            }
        )
    return joined(parts)


def joined(parts: Sequence[Columns]) -> Columns:
    """The same columns one below the other."""
    return {name: np.concatenate([columns[name] for columns in parts]) for name in parts[0]}


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _measured(opened: Opened) -> list[dict[str, Any]]:
    measures = opened.run.measures
    if measures is None:
        return []
    independent = measures.get("independent", {}).get("metrics", {})
    return [
        *_scores(opened, measures, "measure", measures["metrics"]),
        *_scores(opened, measures, "independent", independent),
    ]


def _scores(
    opened: Opened, measures: Mapping[str, Any], source: str, scores: Mapping[str, Any]
) -> list[dict[str, Any]]:
    seeds, nothing = measures["seeds"], [None] * len(measures["seeds"])
    members = _called(opened, seeds)
    return [
        {
            "run": opened.name,
            "seed": seed,
            "member": member,
            "source": source,
            "round": measures["round"],
            "metric": name,
            "value": value,
            "real": score.get("real"),
            "better": score["better"],
            "error": error,
        }
        for name, score in scores.items()
        for seed, member, value, error in zip(
            seeds, members, score["members"], score.get("errors") or nothing, strict=True
        )
    ]


def _called(opened: Opened, seeds: Sequence[int]) -> list[str]:
    """What the members are called that were measured: all of them, or those of some seeds, seed by seed."""
    every = opened.run.recipe["seeds"]
    members = range(len(every))
    if list(seeds) != every:
        members = [m for seed in dict.fromkeys(seeds) for m, its in enumerate(every) if its == seed]
    if [every[m] for m in members] != list(seeds):  # what is no longer the run's
        return list(map(str, seeds))
    return [opened.names[m] for m in members]


def _findings(opened: Opened) -> Columns:
    found = diagnosis(opened.story)
    at = {name: m for m, name in enumerate(found.story.names)}
    rows = [
        {
            "run": opened.name,
            "seed": found.story.seeds[at[name]],
            "member": opened.names[at[name]],
            "rule": finding.rule,
            "fault": finding.fault,
            "place": place,
            "verdict": finding.rule == found.verdict,
            "members": len(finding.members),
            "claim": finding.claim,
            "remedy": finding.remedies[0] if finding.remedies else None,
            "strength": finding.strength,
        }
        for place, finding in enumerate(found.findings, 1)
        for name in finding.members
    ]
    return _columns("findings", rows)


def _better(name: str) -> str | None:
    metric = all_metrics().get(name)
    return metric.better if metric else None


MAKERS: Mapping[str, Callable[[Opened], Columns]] = {
    "runs": _runs,
    "curves": _curves,
    "evaluations": _evaluations,
    "findings": _findings,
}


def cells_in(study: Path) -> Mapping[str, str]:
    """Of a study's folder: id of a cell -> its label; empty where study.json cannot be read."""
    import json

    try:
        data = json.loads((study / "study.json").read_text(encoding="utf-8"))
        return {cell["id"]: cell["label"] for cell in data["cells"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
