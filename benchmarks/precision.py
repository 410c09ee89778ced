"""What bfloat16 does to samples and speed: the same recipes from the same seeds in both precisions.

    sparring study benchmarks/precision.py:fashion_fc --samples 5000 --threads 1 --data-dir DIR
    sparring study benchmarks/precision.py:mnist_fast --samples 5000 --threads 1 --data-dir DIR
    sparring study benchmarks/precision.py:mnist_reference --samples 5000 --threads 1 --data-dir DIR

Both precisions have the same weights to begin with and the same random numbers. docs/speed.md has the table; its
milliseconds are of one seed at a time, trained by itself, where a study trains all seeds side by side.
"""

from __future__ import annotations

from statistics import median

import published

from sparring.recipe import PRECISIONS, find_recipe
from sparring.study import Study

SURE, MILLISECONDS = "sure", "milliseconds"
"""Kept with the published figures: the share of samples of which the judge is surer than 90 %, and a round's time."""


def fashion_fc() -> Study:
    """Fully connected networks, eight seeds."""
    return _of("fashion-fc", 8)


def mnist_fast() -> Study:
    """Narrow convolutions, eight seeds."""
    return _of("mnist-fast", 8)


def mnist_reference() -> Study:
    """Wide convolutions, two seeds, three epochs."""
    return _of("mnist-reference", 2, 2_814)


def _of(name: str, seeds: int, rounds: int | None = None) -> Study:
    return Study(
        find_recipe(name),
        {"precision": PRECISIONS},
        seeds=seeds,
        rounds=rounds,
        outcome="frechet-distance",
        name=name,
        question="Are samples any worse where networks compute in bfloat16?",
    )


def table() -> str:
    """Markdown: both precisions, with the spread over seeds."""
    every = published.kept("precision")
    columns: dict[str, published.Column] = {
        "recipe": lambda record: f"`{record.study}`",
        "seeds": lambda record: str(len(record.seeds)),
        "rounds": lambda record: f"{record.rounds:,}",
        "precision": published.level("precision"),
        "milliseconds per round": _pace,
        "Fréchet distance": lambda record: published.spread(record.scores["frechet-distance"], ".2f"),
        "confident": _confident,
    }
    said = (
        f"Mean ± SD over seeds; {every[0].samples:,} samples of each. Milliseconds: medians, on one thread beside "
        f"other work; they exclude pictures, evaluations and checkpoints. {every[0].made}."
    )
    return f"{published.table(every, columns)}\n\n{said}"


def _pace(record: published.Record) -> str:
    """Of a round of one seed."""
    if MILLISECONDS in record.scores:
        return f"{median(record.scores[MILLISECONDS].found):.2f}"
    return f"{1e3 * record.seconds / len(record.seeds) / record.rounds:.2f}"


def _confident(record: published.Record) -> str:
    """The share of samples of which the judge is sure, or else its mean confidence."""
    score = record.scores.get(SURE) or record.scores["confidence"]
    percent = published.Score(score.title, [None if value is None else 100 * value for value in score.members])
    return f"{published.spread(percent, '.2f')} %"
