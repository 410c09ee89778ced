"""An answer as plain data for JSON, and as rows for CSV files."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sparring.record.journal import json_numbers
from sparring.study.answer import Answer
from sparring.study.effects import Effect
from sparring.study.results import Row
from sparring.study.wording import BOUNDS, contrast_text, sentence

Record = dict[str, Any]


def answer_plain(answer: Answer) -> Record:
    """Everything that `sparring study --json` prints of an answer, with None where there is no number."""
    results = answer.results
    made = {
        "study": results.name,
        "question": results.question,
        "outcome": _fields(results.asked) | {"real": answer.scores.real, "values": answer.scores.title},
        "design": results.design,
        "seeds": list(results.seeds),
        "reference": results.reference,
        "interval": {"level": answer.level, "method": "Student's t of paired differences"},
        "tests": answer.shown,
        "sentences": answer.sentences,
        "notes": answer.notes,
        "method": answer.method,
        "cells": cell_records(answer),
        "effects": effect_records(answer),
        "contributions": [
            {
                "change": list(each.change),
                "mean": each.mean,
                "interval": _interval(each.interval),
                "orders": [order.mean for order in each.orders],
                "dependence": each.dependence,
                "dependence_interval": _interval(each.dependence_interval),
            }
            for each in answer.contributions
        ],
        "anova": _fields(answer.anova) if answer.anova else None,
        "survival": _fields(answer.survival) if answer.survival else None,
        "needed": _fields(answer.needed) | {"more": answer.needed.more} if answer.needed else None,
    }
    return _finite(made)


def cell_records(answer: Answer) -> list[Record]:
    """A record for each cell."""
    return [
        {
            "cell": each.cell.id,
            "label": each.cell.label,
            **each.cell.levels,
            "seeds": each.seeds,
            "n": each.n,
            "reached": each.reached,
            "mean": each.mean,
            "sd": each.sd,
            "iqm": each.iqm,
            "low": each.interval.low if each.interval else None,
            "high": each.interval.high if each.interval else None,
            "diverged": each.diverged,
            "collapsed": each.collapsed,
            "finding": each.finding,
            "finding_share": each.share,
            "median_seed": each.median_seed,
            "stopped": each.cell.stopped,
        }
        for each in answer.cells
    ]


def effect_records(answer: Answer) -> list[Record]:
    """A record for each effect and each comparison."""
    groups = (answer.effects, answer.comparisons)
    return [_effect(each, group, answer) for group in groups for each in group]


def member_records(answer: Answer) -> list[Record]:
    """A record for each cell and seed."""
    labels = {cell.id: cell for cell in answer.results.cells}
    return [_member(row) | {"label": labels[row.cell].label, **labels[row.cell].levels} for row in answer.results.rows]


def as_csv(records: Sequence[Mapping[str, Any]]) -> str:
    """The records as a CSV file, with a line of titles."""
    file = io.StringIO()
    titles = list(dict.fromkeys(title for record in records for title in record))
    writer = csv.DictWriter(file, titles, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_finite(dict(record)) for record in records)
    return file.getvalue()


def _effect(effect: Effect, others: Sequence[Effect], answer: Answer) -> Record:
    improved = effect.improvement
    return {
        "effect": contrast_text(effect.contrast, answer.results),
        "kind": effect.contrast.kind,
        "order": effect.contrast.order,
        "mean": effect.mean,
        "bound": BOUNDS[effect.bound],
        "low": effect.interval.low if effect.interval else None,
        "high": effect.interval.high if effect.interval else None,
        "sd": effect.sd,
        "n": effect.n,
        "seeds": effect.seeds,
        "better": effect.better,
        "worse": effect.worse,
        "p": effect.p,
        "p_holm": effect.p_holm,
        "p_from": "ranks" if effect.by_ranks else "differences",
        "improvement": improved.probability if improved else None,
        "improvement_low": improved.interval.low if improved else None,
        "improvement_high": improved.interval.high if improved else None,
        **{f"diverged_{name}": value for name, value in _fields(effect.diverged).items()},
        **{f"collapsed_{name}": value for name, value in _fields(effect.collapsed).items()},
        "sentence": sentence(effect, others, answer.results, answer.scores),
    }


def _member(row: Row) -> Record:
    return {key: value for key, value in _fields(row).items() if key not in ("values", "series")}


def _fields(value: Any) -> Record:
    return dataclasses.asdict(value)


def _interval(interval: Any) -> list[float] | None:
    return [interval.low, interval.high] if interval else None


def _finite(value: Any) -> Any:
    """With None for what is not finite, and arrays as lists."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_finite(each) for each in value]
    return json_numbers(float(value)) if isinstance(value, float) else value
