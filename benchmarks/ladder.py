"""The recipes of the write-ups, each from several seeds: what training them again comes to.

    sparring study benchmarks/ladder.py:mnist --threads 1 --data-dir DIR
    sparring study benchmarks/ladder.py:fashion --threads 1 --data-dir DIR
    sparring study benchmarks/ladder.py:pattern --threads 1

`mnist-v1`, whose author found it too slow, is cut to the rounds in `CUT`; the table says so. docs/ladder.md has the
tables and a picture of each.

    python benchmarks/ladder.py studies/mnist      keeps what a study came to, and draws the pictures
    python benchmarks/ladder.py runs/mnist-own     the same of a longer run of one recipe, by the judge of the others
"""

from __future__ import annotations

import sys
from pathlib import Path

import published

from sparring import catalogue
from sparring.analysis.facts import Facts
from sparring.analysis.generators import sample
from sparring.recipe import Recipe, find_recipe
from sparring.record import RunFolder, write_atomically
from sparring.record.grid import save_grid
from sparring.studies import StudyRun
from sparring.study import Factor, Study
from sparring.study.outcome import quantity_of

PICTURES = Path(__file__).parents[1] / "docs" / "pictures" / "ladder"
PICTURED_SEEDS, PICTURED_EXAMPLES = 4, 16
SHOWN = ("frechet-distance", "precision", "recall", "confidence", "modes", "class-divergence", "copying")
"""Metrics in the table; the others are in the runs' own measures.json."""
CURVES = {"d_loss": "D's loss (at equilibrium)", "g_loss": "G's loss", "d_real": "D(real)", "d_fake": "D(fake)"}
LADDER = [c.name for c in catalogue.entries("recipes").values() if c.facts["source"].startswith("write-up")]
CUT = {"mnist-v1": 2}
"""Recipe -> its rounds, where they are not all played: enough to say what one takes."""
OTHER_DATA = ("pattern-1010", "fashion-fc")
SAME = ("mnist-v5.0",)
"""Another name of `mnist-reference`."""
SEEDS = 4


def recipe_of(name: str) -> Recipe:
    """A recipe at its own length, or cut."""
    recipe = find_recipe(name)
    rounds = CUT.get(name, recipe.rounds)
    return recipe.replace(rounds=rounds, log_points=min(recipe.log_points, rounds))


def mnist() -> Study:
    """Every recipe for MNIST beside the first one."""
    recipes = {name: recipe_of(name) for name in LADDER if name not in (*OTHER_DATA, *SAME)}
    return Study(
        next(iter(recipes.values())),
        [Factor("recipe", recipes)],
        seeds=SEEDS,
        outcome="frechet-distance",
        name="mnist",
        question="How far does each of the write-ups' GANs for MNIST get?",
    )


def fashion() -> Study:
    """Fashion-MNIST with fully connected networks."""
    return _alone("fashion-fc")


def pattern() -> Study:
    """The 1010 exercise."""
    return _alone("pattern-1010")


def _alone(name: str) -> Study:
    """The only recipe of its data."""
    question = f"How far does {name} get?"
    return Study(recipe_of(name), seeds=SEEDS, outcome="frechet-distance", name=name, question=question)


def table() -> str:
    """Markdown: where the curves of every recipe of the ladder end."""
    every = _in_order()
    columns: dict[str, published.Column] = {
        "recipe": lambda record: f"`{_name(record)}`",
        "seeds": lambda record: str(len(record.seeds)),
        "rounds": _rounds,
        **{title: lambda record, name=name: _curve(record.scores[name]) for name, title in CURVES.items()},
    }
    columns["D's loss (at equilibrium)"] = _d_loss
    days = sorted({record.made.rpartition(", ")[2] for record in every})
    said = f"Mean ± SD over seeds of the last 5 % of each run. Measured on {', '.join(days)}."
    return f"{published.table(every, columns)}\n\n{said}"


def quality() -> str:
    """Markdown: sample-quality metrics of every recipe of the ladder, beside the scores of real data."""
    every = _in_order()
    columns: dict[str, published.Column] = {
        "recipe": lambda record: f"`{_name(record)}`",
        "seeds": lambda record: str(len(record.seeds)),
        "n": lambda record: f"{record.samples:,}",
        "judge": lambda record: record.judge or "none",
        **published.scores(every, SHOWN, published.spread_beside_real),
    }
    said = "Mean ± SD over seeds, and in parentheses the score of held-out real data at the same n."
    return f"{published.table(every, columns)}\n\n{said}"


def _in_order() -> list[published.Record]:
    return sorted(published.kept("ladder"), key=lambda record: LADDER.index(_name(record)))


def _name(record: published.Record) -> str:
    return record.cell["recipe"]


def _rounds(record: published.Record) -> str:
    whole = find_recipe(_name(record)).rounds
    return f"{record.rounds:,}" + (f" of {whole:,}" if record.rounds < whole else "")


def _curve(score: published.Score) -> str:
    return published.spread(score, ".3f")


def _d_loss(record: published.Record) -> str:
    score = record.scores["d_loss"]
    return f"{_curve(score)} ({score.real:.3g})"


def draw(label: str, run: RunFolder) -> None:
    """A picture of samples: a row for each of four seeds."""
    examples, seeds = sample(run, PICTURED_EXAMPLES)[:PICTURED_SEEDS], run.recipe["seeds"]
    write_atomically(PICTURES / f"{label}.png", lambda path: save_grid(examples, path, seeds))


def keep_study(study: StudyRun) -> None:
    """What a study of several recipes came to."""
    published.keep("ladder", published.records(study.results))
    for cell in study.results.cells:
        draw(cell.label, RunFolder.open(study.results.path(study.results.by_cell[cell.id][0])))


def keep_run(run: RunFolder) -> None:
    """What one run of a recipe of `mnist` came to so far. Measure it first: `sparring measure RUN`."""
    measures, story = run.measures, run.story
    assert measures is not None, f"{run.path} is not measured"
    facts = Facts.of(run)
    curves = {
        name: published.Score(quantity_of(name).title, story.last(name).tolist(), real=facts.equilibrium.get(name))
        for name in CURVES
    }
    metrics = {
        name: published.Score(each["title"], each["members"], each["better"], each["real"])
        for name, each in measures["metrics"].items()
    }
    record = published.Record(
        study="mnist",
        cell={"recipe": story.recipe["name"]},
        seeds=story.seeds,
        rounds=story.round,
        seconds=round(story.seconds, 1),
        samples=measures["n"],
        judge=measures["judge"],
        made=published.made(run),
        scores=metrics | curves,
    )
    published.keep("ladder", [record])
    draw(story.recipe["name"], run)


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        if RunFolder(folder).exists:
            keep_run(RunFolder(folder))
        else:
            keep_study(StudyRun(folder))
