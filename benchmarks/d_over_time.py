"""What D could tell over the course of a study's runs, and whether it knew its training examples from others.

    python benchmarks/d_over_time.py studies/why-the-reference      keeps what is not in the study's results, and draws


from the histograms in each run's journal. It is kept as `results/studies/NAME/accuracy.json`; the rest is in results.json.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import questions
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sparring.record import RunFolder, write_atomically
from sparring.studies import StudyRun
from sparring.study.answer import Answer
from sparring.study.intervals import mean_interval
from sparring.study.wording import amount, brief_labels

KEPT, EQUILIBRIUM = "accuracy.json", 0.5
EPOCH = 938
"""Rounds: 60,000 images in batches of 64."""
BEFORE = 0
"""Of the two histograms at a log point, the one before G's and D's steps."""
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's, which the color-blind can tell apart."""
DASHES = ("-", "--", "-.", ":", "-", "--", "-.")
Accuracy = dict[str, dict[str, list[list[float]] | list[int]]]
"""Cell -> `rounds`, and `accuracy`: a list of seeds at each of them."""


def above_half(counts: Sequence[int], edges: np.ndarray) -> float:
    """Share of a histogram above 0.5; the bin that 0.5 lies in is split where it lies."""
    below = np.clip((EQUILIBRIUM - edges[:-1]) / np.diff(edges), 0, 1)
    numbers = np.asarray(counts, float)
    return float((numbers * (1 - below)).sum() / numbers.sum()) if numbers.sum() else float("nan")


def accuracy_of(run: RunFolder) -> dict[str, list[list[float]] | list[int]]:
    """D's accuracy at every log point of a run, for every seed."""
    rounds: list[int] = []
    found: list[list[float]] = []
    for event in run.story.scores:
        scores, edges = event["scores"], np.asarray(event["scores"]["edges"])
        pairs = zip(scores["real"][BEFORE], scores["fake"][BEFORE], strict=True)
        rounds.append(event["round"])
        found.append([(above_half(real, edges) + 1 - above_half(fake, edges)) / 2 for real, fake in pairs])
    return {"rounds": rounds, "accuracy": found}


def keep(folder: Path) -> None:
    """Keep the accuracy, and draw the course of every cell."""
    results = StudyRun(folder).results
    found = {cell.id: accuracy_of(RunFolder.open(results.path(results.by_cell[cell.id][0]))) for cell in results.cells}
    place = questions.KEPT / results.name / KEPT
    write_atomically(place, lambda path: path.write_text(json.dumps(found) + "\n", encoding="utf-8"))
    picture = questions.PICTURES / f"{results.name}-course.png"
    write_atomically(picture, lambda path: course(results.name).savefig(path, format="png"))
    print(place, picture, sep="\n")


@cache
def accuracy(name: str) -> Accuracy:
    """What is kept."""
    return json.loads((questions.KEPT / name / KEPT).read_text(encoding="utf-8"))


def table(name: str, chinese: bool = False) -> str:
    """Markdown: how sure D is at the end, whether it knows its training examples, and how often it is right."""
    found = questions.answer(name)
    heads = ("D(real)", "D(held-out)", "held-out gap", "D(generated)", "D's accuracy")
    if chinese:
        heads = ("D（训练图像）", "D（测试图像）", "差距", "D（生成图像）", "D 的正确率")
    lines = [f"| | {' | '.join(heads)} |", "| --- | ---: | ---: | ---: | ---: | ---: |"]
    labels = brief_labels(found.results)
    for index, cell in enumerate(found.results.cells):
        seen, unseen, made = (found.results.table(f"d_{which}", "final")[index] for which in WHICH)
        right = np.asarray(accuracy(name)[cell.id]["accuracy"])[-1]
        gap = amount(float(np.mean(seen - unseen)), mean_interval(seen - unseen))
        numbers = [_spread(seen), _spread(unseen), gap, _spread(made), f"{100 * right.mean():.0f} %"]
        lines.append(f"| {labels[cell.id]} | {' | '.join(numbers)} |")
    return "\n".join(lines)


WHICH = ("train", "held_out", "generated")


def _spread(values: np.ndarray) -> str:
    return f"{np.nanmean(values):.3f} ± {np.nanstd(values, ddof=1):.3f}"


def by_epoch(name: str, epochs: Sequence[float], chinese: bool = False) -> str:
    """Markdown: the Fréchet distance of every cell after some epochs, by the judge that looks on during training."""
    found = questions.answer(name)
    labels = brief_labels(found.results)
    heads = [f"{each:g} 轮" if chinese else f"epoch {each:g}" for each in epochs]
    lines = [f"| | {' | '.join(heads)} |", "| --- |" + " ---: |" * len(heads)]
    for cell in found.results.cells:
        rounds, values = series_of(found, cell.id, "frechet-distance")
        at = [int(np.abs(rounds - EPOCH * each).argmin()) for each in epochs]
        cells = [f"{values[i].mean():.1f} ± {values[i].std(ddof=1):.1f}" for i in at]
        lines.append(f"| {labels[cell.id]} | {' | '.join(cells)} |")
    return "\n".join(lines)


def series_of(found: Answer, cell: str, quantity: str) -> tuple[np.ndarray, np.ndarray]:
    """Rounds `(N,)` and values `(N, seeds)` of a metric over the training of a cell."""
    rows = [row.series[quantity] for row in found.results.by_cell[cell]]
    values = np.array([[np.nan if v is None else v for v in each.values] for each in rows])
    return np.asarray(rows[0].rounds), values.T


def course(name: str) -> Figure:
    """The distance, D's accuracy and D's held-out gap over the epochs: a line a cell, bands one SD over seeds wide."""
    found = questions.answer(name)
    labels = brief_labels(found.results)
    figure = Figure(figsize=(10.5, 3.8), dpi=110, layout="constrained")
    panels = figure.subplots(1, 3)
    for index, cell in enumerate(found.results.cells):
        style = {"color": COLORS[index % len(COLORS)], "linestyle": DASHES[index % len(DASHES)]}
        _line(panels[0], *series_of(found, cell.id, "frechet-distance"), labels[cell.id], style)
        right = accuracy(name)[cell.id]
        _line(panels[1], np.asarray(right["rounds"]), 100 * np.asarray(right["accuracy"]), labels[cell.id], style)
        rounds, seen = series_of(found, cell.id, "d_train")
        _line(panels[2], rounds, seen - series_of(found, cell.id, "d_held_out")[1], labels[cell.id], style)
    panels[0].set_yscale("log")
    for axes, title in zip(panels, ("Fréchet distance", "D's accuracy (%)", "D(training) − D(held-out)"), strict=True):
        axes.set_title(title, loc="left", fontsize=10)
        axes.set_xlabel("epochs")
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    panels[1].axhline(50, color="#777777", linewidth=0.8)
    panels[2].axhline(0, color="#777777", linewidth=0.8)
    lines, names = panels[0].get_legend_handles_labels()
    figure.legend(lines, names, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    return figure


def _line(axes: Axes, rounds: np.ndarray, values: np.ndarray, label: str, style: dict[str, str]) -> None:
    epochs, mean, spread = rounds / EPOCH, np.nanmean(values, axis=1), np.nanstd(values, axis=1, ddof=1)
    axes.plot(epochs, mean, label=label, linewidth=1.8, color=style["color"], linestyle=style["linestyle"])
    axes.fill_between(epochs, mean - spread, mean + spread, color=style["color"], alpha=0.15, linewidth=0)


def main() -> None:
    """Keep and draw the course of a study."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    keep(parser.parse_args().folder)


if __name__ == "__main__":
    main()
