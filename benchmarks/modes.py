"""How many modes the modern recipes keep, by the protocols of the published tables.

    sparring study benchmarks/modes.py:ring --samples 2500 --threads 1
    sparring study benchmarks/modes.py:grid --samples 2500 --threads 1
    sparring study benchmarks/modes.py:stacked_mnist --samples 26000 --threads 1 --data-dir DIR

Ring and grid: 32 seeds, 2,500 samples of each (Lin et al., PacGAN, NeurIPS 2018: within three standard deviations of a
center is of high quality; a mode that has one such sample is covered). The protocol does not detect whether samples
spread within a mode as the data do, so the table also gives the standard deviation of high-quality samples about the
mean of their mode, divided by that of the data. Two-digit stacked MNIST: 5 seeds, 26,000 samples of each, classified
digit by digit by the judge of MNIST. Nothing is compared: each study is one cell. docs/choosing-measured.md has the
table.

    python benchmarks/modes.py studies/ring      keeps what a study came to, with that spread
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

import numpy as np
import published

from sparring.analysis.generators import sample
from sparring.datasets import Modes
from sparring.metrics.points import modes_of
from sparring.recipe import find_recipe
from sparring.record import RunFolder
from sparring.studies import StudyRun
from sparring.study import Study
from sparring.study.results import Results

HIGH = 0.98
"""The target share of high-quality samples; real data reach 0.989."""
SPREAD = "spread-in-a-mode"


@dataclass(frozen=True)
class Protocol:
    """How one data set is evaluated."""

    modes: int
    """In the data."""
    reached: str
    """The metric that counts the modes reached; the next compares how often each is."""
    divergence: str
    quality: str
    published: str
    """The best published result."""


POINTS = ("reached-modes", "mode-divergence", "high-quality")
PROTOCOLS = {
    "ring": Protocol(8, *POINTS, "8 modes; 93.6 to 99.5 % of high quality"),
    "grid": Protocol(25, *POINTS, "25 modes; 93.6 to 99.5 % of high quality"),
    "stacked-mnist": Protocol(100, "modes", "class-divergence", "confidence", "none for two digits"),
}


def ring() -> Study:
    """Eight modes on a circle."""
    return _of("ring", 32)


def grid() -> Study:
    """Twenty-five modes on a lattice."""
    return _of("grid", 32)


def stacked_mnist() -> Study:
    """A hundred modes: two digits of MNIST, stacked."""
    return _of("stacked-mnist", 5)


def _of(name: str, seeds: int) -> Study:
    quality = PROTOCOLS[name].quality
    return Study(name, seeds=seeds, outcome=quality, name=name, question=f"How many modes does {name} keep?")


def table() -> str:
    """Markdown: our results beside the best published ones, for each data set that was measured."""
    every = published.kept("modes")
    columns: dict[str, published.Column] = {
        "data (modes)": lambda r: f"`{r.study}` ({PROTOCOLS[r.study].modes})",
        "seeds": lambda r: str(len(r.seeds)),
        "samples of each": lambda r: f"{r.samples:,}",
        "seeds with every mode": lambda r: f"{_full(r)} of {len(r.seeds)}",
        "modes, fewest": lambda r: f"{min(_counts(r)):.0f}",
        "high quality or confidence": lambda r: _four(r, PROTOCOLS[r.study].quality),
        "worst seed": lambda r: f"{min(_quality(r).found, default=0):.4f}",
        "KL, nats": lambda r: _four(r, PROTOCOLS[r.study].divergence),
        "spread in a mode": lambda r: published.spread(r.scores[SPREAD], ".2f") if SPREAD in r.scores else "",
        "published best": lambda r: PROTOCOLS[r.study].published,
    }
    made = [published.table(every, columns), "", "Mean ± SD over seeds, and in parentheses the score of real data.", ""]
    return "\n".join([*made, *map(_made, every)])


def _made(record: published.Record) -> str:
    quality, seeds = _quality(record), len(record.seeds)
    aim = f"; {sum(q >= HIGH for q in quality.found)} of {seeds} seeds at {100 * HIGH:.0f} % or more"
    return (
        f"- `{record.study}`: {record.rounds:,} rounds of {seeds} seeds in {record.seconds / 60:.0f} min on "
        f"{record.made}{aim if PROTOCOLS[record.study].quality == 'high-quality' else ''}."
    )


def _counts(record: published.Record) -> list[float]:
    """The modes that every seed reached; none where it diverged."""
    return [value or 0 for value in record.scores[PROTOCOLS[record.study].reached].members]


def _full(record: published.Record) -> int:
    return sum(count == PROTOCOLS[record.study].modes for count in _counts(record))


def _quality(record: published.Record) -> published.Score:
    return record.scores[PROTOCOLS[record.study].quality]


def _four(record: published.Record, name: str) -> str:
    """With four decimals, since real data scores close to the best."""
    score = record.scores[name]
    lost = len(score.members) - len(score.found)
    if len(score.found) < 2:
        return published.spread(score)
    text = f"{published.spread(score, '.4f')} ({score.real:.4f})"
    return f"{text}, {lost} infinite or diverged" if lost else text


def records(results: Results) -> list[published.Record]:
    """A record for each cell, with the spread in a mode where the data has modes in the plane."""
    made: list[published.Record] = []
    for record in published.records(results):
        modes = find_recipe(record.study).data.modes
        if modes is not None:
            run = RunFolder.open(results.path(results.rows[0]))
            members = [spread(points, modes) for points in sample(run, record.samples)]
            score = published.Score("spread in a mode", members, real=1.0)
            record = replace(record, scores={**record.scores, SPREAD: score})
        made.append(record)
    return made


def spread(points: np.ndarray, modes: Modes) -> float | None:
    """SD of high-quality samples, of all samples `(n, 2)`, about the mean of their mode, divided by the data's SD.

    None where no mode has two of them.
    """
    mode = modes_of(points, modes.centers, modes.sd)
    near = [points[mode == k] for k in range(len(modes.centers))]
    away = [x - x.mean(0) for x in near if len(x) > 1]
    return round(float(np.concatenate(away).std(ddof=1) / modes.sd), 4) if away else None


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        published.keep("modes", records(StudyRun(folder).results))
