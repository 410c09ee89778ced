"""What D said over the course of a study's runs, and at their end: how often it is right, and of what it has not seen.

    python benchmarks/d_over_time.py studies/why-the-reference [--data-dir DIR]

Over time: D(real) and D(fake) of the batches it learns from, from each run's journal. At the end: D's outputs for 2,048
training images, as many held-out ones and as many samples, in batches as in the game. Both are kept as
`results/studies/NAME/discriminators.json`; samples' distances are in the study's results.json.

    python benchmarks/d_over_time.py studies/why-the-reference-seconds --seconds-of why-the-reference

keeps how far the pairs came at equal seconds, also while that study is not complete, as `seconds.json`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import questions
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sparring.analysis.evaluator import preserving_buffers
from sparring.analysis.samples import real_data
from sparring.game.assembly import game_of, restore
from sparring.recipe import Recipe
from sparring.record import RunFolder, write_atomically
from sparring.studies import StudyRun
from sparring.study.answer import Answer
from sparring.study.intervals import mean_interval
from sparring.study.library.why_the_reference import EPOCH
from sparring.study.wording import amount, brief_labels

KEPT, SECONDS, EQUILIBRIUM = "discriminators.json", "seconds.json", 0.5
EXAMPLES = 2048
"""Of each kind."""
KINDS = ("training", "held-out", "generated")
SURE = 0.5
"""Of D(real) - D(fake), from where D is said to tell them apart."""
POINTS = 60
"""Of a curve, at most."""
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's, which the color-blind can tell apart."""
DASHES = ("-", "--", "-.", ":", "-", "--", "-.")


def of_run(run: RunFolder, data_dir: Path | None) -> dict[str, Any]:
    """What is kept of a run: plain data, its lists over seeds innermost."""
    rounds = run.story.logged_rounds
    some = np.unique(np.linspace(0, len(rounds) - 1, POINTS).astype(int))
    curves = {name: run.story.curve(name)[some].round(4).tolist() for name in ("d_real", "d_fake")}
    return {"rounds": rounds[some].tolist(), **curves, "end": at_the_end(run, data_dir)}


def at_the_end(run: RunFolder, data_dir: Path | None) -> dict[str, list[float]]:
    """D's mean output of each kind, and its accuracy on training and held-out images beside samples; by seed."""
    recipe, saved = Recipe.from_dict(run.recipe), run.load()
    assert saved is not None, f"{run.path} has no checkpoint"
    data, open_data = recipe.data.with_opener(data_dir, "cpu")
    game = game_of(recipe.replace(data=data), open_data())
    restore(game, *saved)
    seeds, D = len(recipe.seeds), game.players["D"].networks
    real = real_data(recipe.data, EXAMPLES, data_dir)
    low, high = recipe.data.span
    outputs: dict[str, list[np.ndarray]] = {kind: [] for kind in KINDS}
    with torch.no_grad(), preserving_buffers(D, game.G):
        for at in range(0, EXAMPLES, recipe.batch):
            game.G.train(False)
            fake = game.G(recipe.latent.draw(game.rng, "picture", recipe.batch))
            game.G.train(True)
            for kind, images in (("training", real.reference), ("held-out", real.held_out)):
                x = torch.from_numpy(np.asarray(images[at : at + recipe.batch])).float() * (high - low) + low
                said, of_fake = game.outputs(x.expand(seeds, *x.shape), fake)
                outputs[kind].append(said.numpy())
            outputs["generated"].append(of_fake.numpy())
    whole = {kind: np.concatenate(parts, axis=1) for kind, parts in outputs.items()}
    fooled = (whole["generated"] < EQUILIBRIUM).mean(1)
    right = {f"accuracy, {kind}": ((whole[kind] > EQUILIBRIUM).mean(1) + fooled) / 2 for kind in KINDS[:2]}
    means = {kind: said.mean(1) for kind, said in whole.items()}
    return {name: values.astype(float).round(5).tolist() for name, values in {**means, **right}.items()}


def keep(folder: Path, data_dir: Path | None) -> None:
    """Keep what D said, and draw the course of every cell."""
    results = StudyRun(folder).results
    runs = {cell.id: RunFolder.open(results.path(results.by_cell[cell.id][0])) for cell in results.cells}
    found = {cell: of_run(run, data_dir) for cell, run in runs.items()}
    place = questions.KEPT / results.name / KEPT
    write_atomically(place, lambda path: path.write_text(json.dumps(found) + "\n", encoding="utf-8"))
    picture = questions.PICTURES / f"{results.name}-course.png"
    write_atomically(picture, lambda path: course(results.name).savefig(path, format="png"))
    print(place, picture, sep="\n")


@cache
def kept(name: str) -> dict[str, Any]:
    """Cell -> what is kept of it."""
    return json.loads((questions.KEPT / name / KEPT).read_text(encoding="utf-8"))


def table(name: str, chinese: bool = False) -> str:
    """Markdown: what D says at the end, whether it knows its training images, and how often it is right."""
    found = questions.answer(name)
    heads = ("D(training)", "D(held-out)", "training − held-out", "D(generated)", "right of held-out and generated")
    if chinese:
        heads = ("D（训练图像）", "D（测试图像）", "训练 − 测试", "D（生成图像）", "判断正确（测试与生成）")
    lines = [f"| | {' | '.join(heads)} |", "| --- |" + " ---: |" * len(heads)]
    labels = brief_labels(found.results)
    for cell in found.results.cells:
        end = {kind: np.asarray(values) for kind, values in kept(name)[cell.id]["end"].items()}
        gap = end["training"] - end["held-out"]
        right = 100 * end["accuracy, held-out"]
        numbers = [
            _spread(end["training"]),
            _spread(end["held-out"]),
            amount(float(gap.mean()), mean_interval(gap)),
            _spread(end["generated"]),
            f"{right.mean():.0f} ± {right.std(ddof=1):.0f} %",
        ]
        lines.append(f"| {labels[cell.id]} | {' | '.join(numbers)} |")
    return "\n".join(lines)


def _spread(values: np.ndarray) -> str:
    return f"{values.mean():.3f} ± {values.std(ddof=1):.3f}"


def speed(name: str, chinese: bool = False) -> str:
    """Markdown: how soon D tells real from generated batches, and how surely in the end."""
    labels = brief_labels(questions.answer(name).results)
    heads = (f"first D(real) − D(fake) > {SURE:g}", "at most", "in the end")
    if chinese:
        heads = (f"首次 D(real) − D(fake) > {SURE:g}", "最大", "最后")
    lines = [f"| | {' | '.join(heads)} |", "| --- |" + " ---: |" * len(heads)]
    for cell, found in kept(name).items():
        apart = np.asarray(found["d_real"]) - np.asarray(found["d_fake"])
        reached = [np.flatnonzero(seed > SURE) for seed in apart.T]
        epochs = [found["rounds"][at[0]] / EPOCH for at in reached if len(at)]
        of = f"{len(epochs)}/{len(reached)}" if chinese else f"{len(epochs)} of {len(reached)} seeds"
        never = "没有种子" if chinese else "no seed"
        unit = "个 epoch" if chinese else "epochs"
        first = f"{np.mean(epochs):.2f} {unit}{'，' if chinese else ', '}{of}" if epochs else never
        lines.append(f"| {labels[cell]} | {first} | {apart.max(0).mean():.2f} | {apart[-6:].mean():.2f} |")
    return "\n".join(lines)


def by_seconds(name: str, seconds: Sequence[float], chinese: bool = False) -> str:
    """Markdown: the Fréchet distance after so many seconds of one core for a seed; – where no seed trained so long."""
    heads = ["每轮毫秒" if chinese else "ms a round", *(f"{each:g} {'秒' if chinese else 's'}" for each in seconds)]
    lines = [f"| | {' | '.join(heads)} |", "| --- |" + " ---: |" * len(heads)]
    for label, cell in json.loads((questions.KEPT / name / SECONDS).read_text(encoding="utf-8")).items():
        rounds, values = np.asarray(cell["rounds"]), np.asarray(cell["frechet-distance"])
        cells = [_at(rounds, values, each / cell["pace"]) for each in seconds]
        lines.append(f"| {label} | {1e3 * cell['pace']:.1f} | {' | '.join(cells)} |")
    return "\n".join(lines)


def keep_seconds(folder: Path, name: str) -> None:
    """Keep how far the cells of a study at equal seconds have come, which has the same cells as study `name`."""
    labels = brief_labels(questions.answer(name).results).values()
    timed = json.loads((questions.KEPT / name / "paces.json").read_text(encoding="utf-8"))
    paces = [each["median"] for each in timed["seconds per round of one seed"].values()]
    found = StudyRun(folder).answer
    kept: dict[str, Any] = {}
    for label, pace, cell in zip(labels, paces, found.results.cells, strict=True):
        rounds, values = series_of(found, cell.id, "frechet-distance")
        kept[label] = {"pace": pace, "rounds": rounds.tolist(), "frechet-distance": values.round(3).tolist()}
    place = questions.KEPT / name / SECONDS
    write_atomically(place, lambda path: path.write_text(json.dumps(kept) + "\n", encoding="utf-8"))
    print(place)


def _at(rounds: np.ndarray, values: np.ndarray, round: float) -> str:
    """At the evaluation that is nearest to a round."""
    step = float(np.diff(rounds).max())
    if round > rounds[-1] + step / 2:
        return "–"
    row = values[np.abs(rounds - round).argmin()]
    return f"{row.mean():.1f} ± {row.std(ddof=1):.1f}"


def series_of(found: Answer, cell: str, quantity: str) -> tuple[np.ndarray, np.ndarray]:
    """Rounds `(N,)` and values `(N, seeds)` of a metric over the training of a cell."""
    rows = [row.series[quantity] for row in found.results.by_cell[cell]]
    values = np.array([[np.nan if v is None else v for v in each.values] for each in rows])
    return np.asarray(rows[0].rounds), values.T


def course(name: str) -> Figure:
    """The distance, and what D says of real and of generated batches: a line a cell, bands one SD over seeds wide."""
    found = questions.answer(name)
    labels = brief_labels(found.results)
    figure = Figure(figsize=(10.5, 4.0), dpi=110, layout="constrained")
    panels = figure.subplots(1, 3)
    for index, cell in enumerate(found.results.cells):
        style = {"color": COLORS[index % len(COLORS)], "linestyle": DASHES[index % len(DASHES)]}
        _line(panels[0], *series_of(found, cell.id, "frechet-distance"), labels[cell.id], style)
        curves = kept(name)[cell.id]
        for axes, curve in zip(panels[1:], ("d_real", "d_fake"), strict=True):
            _line(axes, np.asarray(curves["rounds"]), np.asarray(curves[curve]), labels[cell.id], style)
    panels[0].set_yscale("log")
    titles = ("Fréchet distance (lower is better)", "D(real): mean over a batch", "D(fake): mean over a batch")
    for axes, title in zip(panels, titles, strict=True):
        axes.set_title(title, loc="left", fontsize=10)
        axes.set_xlabel("epochs")
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in panels[1:]:
        axes.set_ylim(0, 1)
        axes.axhline(EQUILIBRIUM, color="#777777", linewidth=0.8)
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
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--seconds-of", metavar="STUDY", help="the folder is STUDY at equal seconds: keep these")
    asked = parser.parse_args()
    if asked.seconds_of:
        keep_seconds(asked.folder, asked.seconds_of)
    else:
        keep(asked.folder, asked.data_dir)


if __name__ == "__main__":
    main()
