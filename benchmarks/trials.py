"""Trials of what `auto` chooses: changes of `mnist`'s networks, Adam or images, each for the same processor time.

    python benchmarks/trials.py --out trials --only tiles --tiles FOLDER --changes none deviation nearest+beta2
    python benchmarks/trials.py --out trials --table        # what there is so far, as Markdown

A cell (data, change, seed) plays the rounds of `none` over what one of its rounds costs relative to one of `none`. That
is timed once for each data set and kept in OUT/costs.json: the games take turns, their rounds compiled, with one
thread, and a cost is the median of its turns. Rounds are fixed, so what else the machine does changes how long a cell
takes, and not how far it gets. Every cell is judged by both judges of its data, 2,000 samples or as many as there are
real images. `--keep` puts what is finished into `results/trials.json`, for docs/choosing-measured.md. What is finished
is not trained again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any, NamedTuple, cast

# Before torch is loaded: threads that spin long while they wait starve each other.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

import numpy as np
from rounds import processor
from speedrun import SAMPLES, SETS, SHOWN, Reporting, data_of, unfinished

import sparring
from sparring.analysis.judge_choice import judge_for
from sparring.analysis.samples import real_data
from sparring.datasets import Dataset
from sparring.datasets.folder import Folder
from sparring.game.assembly import game_of, part_of
from sparring.game.compile.plan import plan
from sparring.game.runtime import threads_set
from sparring.metrics.checkerboard import Checkerboard
from sparring.networks.dcgan import DCGANGenerator
from sparring.objectives.relativistic_paired import RelativisticPaired
from sparring.recipe import Recipe, find_recipe
from sparring.recipes.modern import GAMMA, augmentation, clusters_for
from sparring.record.files import write_atomically
from sparring.record.grid import save_grid
from sparring.tricks.r1_r2 import R1R2

RESULTS = Path(__file__).parent / "results" / "trials.json"
NONE = "none"
ROUNDS, SEEDS = 2_500, 3
TURNS, TURN = 7, 2.0
"""Of timing: how many, and seconds of each turn."""
ENDLESS = 10**6
"""Rounds: more than any measurement plays."""
TRIMMED = 0.1
"""The share of images that `trimmed` leaves out."""


def _of_player(player: str, **fields: Any) -> Callable[[Recipe], Recipe]:
    """The recipe with these fields of that player's network."""
    return lambda recipe: recipe.replace(**{player: replace(getattr(recipe, player), **fields)})


def _second_beta(recipe: Recipe) -> Recipe:
    """The recipe with a second beta of 0.9 in both of Adam's."""
    names = "generator_optimizer", "discriminator_optimizer"
    return recipe.replace(**{name: replace(getattr(recipe, name), betas=(0.0, 0.9)) for name in names})


def _rates_of(factor: float) -> Callable[[Recipe], Recipe]:
    """The recipe with both learning rates times this."""
    names = "generator_optimizer", "discriminator_optimizer"
    return lambda recipe: recipe.replace(
        **{name: replace(getattr(recipe, name), lr=factor * getattr(recipe, name).lr) for name in names}
    )


def _trimmed(recipe: Recipe) -> Recipe:
    """The recipe without those images of a folder that are least typical of it, as a user would leave them out."""
    data, listed = cast(Folder, recipe.data), Path(tempfile.gettempdir()) / "sparring-trials-left-out.txt"
    asked = "--trim", str(TRIMMED), "--list", str(listed), *(() if data.alpha else ("--no-alpha",))
    subprocess.run([sys.executable, "-m", "sparring", "doctor", data.path, *asked], check=True, capture_output=True)
    return recipe.replace(data=replace(data, leave_out=str(listed)))


def _wide(recipe: Recipe) -> Recipe:
    """The recipe with 32 maps at half the side, in both networks."""
    return _of_player("discriminator", width=32)(_of_player("generator", width=32)(recipe))


def _narrow(recipe: Recipe) -> Recipe:
    """The recipe with 8 maps at half the side, in both networks."""
    return _of_player("discriminator", width=8)(_of_player("generator", width=8)(recipe))


def falling_to(share: float) -> Callable[[Recipe], Recipe]:
    """The recipe with a gamma that falls to this share of it; 1 keeps it."""
    return lambda recipe: recipe.replace(
        tricks=tuple(replace(trick, final=share) if isinstance(trick, R1R2) else trick for trick in recipe.tricks)
    )


def _gamma_of(share: float) -> Callable[[Recipe], Recipe]:
    """The recipe with this share of the gamma that convolutions have in `mnist`."""
    return lambda recipe: recipe.replace(
        tricks=tuple(replace(t, gamma=share * GAMMA) if isinstance(t, R1R2) else t for t in recipe.tricks)
    )


def _augmented(recipe: Recipe) -> Recipe:
    """The recipe with the adaptive augmentation that `auto` has for few images."""
    return recipe.replace(tricks=(augmentation(recipe.data.pixel_art), *recipe.tricks))


def _clustered(recipe: Recipe) -> Recipe:
    """The recipe with as many clusters as `auto` has."""
    return recipe.replace(clusters=clusters_for(recipe.data.shape_and_count()[1] or 0))


CHANGES: Mapping[str, Callable[[Recipe], Recipe]] = {
    NONE: lambda recipe: recipe,
    "deviation": _of_player("discriminator", minibatch_deviation=True),
    "nearest": _of_player("generator", upsampling="nearest"),
    "beta2": _second_beta,
    "trimmed": _trimmed,
    "clusters": _clustered,
    "width8": _narrow,
    "width32": _wide,
    "wider-g": _of_player("generator", width=32),
    "wider-d": _of_player("discriminator", width=32),
    "gamma10": _gamma_of(0.1),
    "gamma30": _gamma_of(1 / 30),
    "gamma100": _gamma_of(0.01),
    "half-rates": _rates_of(0.5),
    "rates2": _rates_of(2),
    "relativistic": lambda recipe: recipe.replace(objective=RelativisticPaired()),
    "augmented": _augmented,
    "batch64": lambda recipe: recipe.replace(batch=64),
    "falling": falling_to(0.1),
    "falling100": falling_to(0.01),
}
DEFAULT = NONE, "deviation", "nearest", "beta2", "clusters"
"""What is tried where nothing is asked for; trimming needs a folder."""
IN_WORDS = {
    NONE: "none",
    "deviation": "minibatch standard deviation in D",
    "nearest": "`upsampling=nearest` in G",
    "beta2": "Adam's second beta 0.9",
    "trimmed": "`doctor --trim 0.1`",
    "clusters": "clusters",
    "width8": "8 maps at half the side",
    "width32": "32 maps at half the side",
    "wider-g": "32 maps in G alone",
    "wider-d": "32 maps in D alone",
    "gamma10": "an initial gamma of 0.3",
    "gamma30": "an initial gamma of 0.1",
    "gamma100": "an initial gamma of 0.03",
    "half-rates": "half the learning rates",
    "rates2": "twice the learning rates",
    "relativistic": "the relativistic loss",
    "augmented": "adaptive augmentation",
    "batch64": "batches of 64",
    "falling": "a gamma that falls to a tenth",
    "falling100": "a gamma that falls to a hundredth",
}


SCORES = "chosen_by", "independent", "checkerboard"


class Cell(NamedTuple):
    """One training."""

    data: str
    change: str
    """Of CHANGES, or several joined by +."""
    rounds: int
    """Of `none`."""
    seed: int

    @property
    def name(self) -> str:
        """Of its files."""
        return f"{self.data}-{self.change}-{self.rounds}-{self.seed}"


def changed(data: Dataset, name: str, change: str) -> Recipe:
    """`auto` for the data set of that name, with networks and gamma as in `mnist` and without clusters, changed."""
    recipe = find_recipe("auto", sized_by=data, conditional=name.endswith("-classes")).replace(clusters=0)
    recipe = falling_to(1.0)(recipe)
    if isinstance(recipe.generator, DCGANGenerator):
        recipe = _gamma_of(1.0)(recipe)
        recipe = _of_player("generator", upsampling="transposed")(recipe)
        recipe = _of_player("discriminator", minibatch_deviation=False)(recipe)
    for each in change.split("+"):
        recipe = CHANGES[each](recipe)
    return recipe


class Judges:
    """Both judges of a data set, and what they say of real data and of samples."""

    def __init__(self, data: Dataset):
        real = real_data(data, SAMPLES)
        self._pixels, self.count = real.reference, len(real.reference)
        self._by = {"chosen_by": Reporting(data, judge_for(data)), "independent": Reporting(data)}
        self._board = _checkerboard(real.reference, real.held_out)
        self.real = {**{name: judge.real for name, judge in self._by.items()}, "checkerboard": 1.0}

    def __call__(self, images: np.ndarray) -> dict[str, float]:
        """Fréchet distances of images `(n, C, H, W)` in [0, 1] by each judge; the checkerboard over real images'."""
        board = _checkerboard(self._pixels, images[: self.count]) / self._board
        return {**{name: judge.distance(images) for name, judge in self._by.items()}, "checkerboard": board}


def _checkerboard(real: np.ndarray, images: np.ndarray) -> float:
    return float(Checkerboard()(real, images[None])[0])


def costs(data: Dataset, name: str, changes: Sequence[str], file: Path) -> dict[str, float]:
    """Change -> what one of its rounds costs relative to one of `none`; what is in the file is not timed again."""
    stored: dict[str, dict[str, float]] = json.loads(file.read_text()) if file.exists() else {}
    known = stored.get(name, {})
    missing = [change for change in changes if change not in known]
    if missing:
        timed = {change: _Timed(changed(data, name, change)) for change in dict.fromkeys((NONE, *missing))}
        turns = [{change: each.turn() for change, each in timed.items()} for _ in range(TURNS)]
        known |= {change: median(turn[change] / turn[NONE] for turn in turns) for change in timed}
        text = json.dumps({**stored, name: known}, indent=1) + "\n"
        write_atomically(file, lambda path: path.write_text(text))
    return known


class _Timed:
    """A game that takes turns, its rounds compiled."""

    def __init__(self, recipe: Recipe):
        recipe = recipe.replace(seeds=(0,), rounds=ENDLESS)
        source = recipe.data.open(None, "cpu")
        self._game = game_of(recipe, source)
        self._play_to = plan(self._game, True, recipe.id, part_of(recipe, source)).play_to
        self._play_to(1, 2**62)

    def turn(self) -> float:
        """Seconds that a round took; every eighth has a penalty, so that as many are played at once."""
        began, before = time.process_time(), self._game.round
        while (spent := time.process_time() - began) < TURN:
            self._play_to(self._game.round + 8, 2**62)
        return spent / (self._game.round - before)


def play(cells: Sequence[Cell], out: Path, tiles: Path | None) -> None:
    """Train and judge every cell that has no row yet."""
    judges: dict[str, Judges] = {}
    for cell, row in unfinished(cells, out):
        data = data_of(cell.data, tiles, out / "data")
        if cell.data not in judges:
            judges[cell.data] = Judges(data)
        judge = judges[cell.data]
        with threads_set(1):
            cost = costs(data, cell.data, (cell.change,), out / "costs.json")[cell.change]
        rounds = round(cell.rounds / cost)
        recipe = changed(data, cell.data, cell.change).replace(seeds=(cell.seed,), rounds=rounds)
        run = sparring.train(recipe, out / "runs" / f"{cell.name}-{rounds}", threads=1, judge=False)
        images = run.sample(SAMPLES)[0]
        save_grid(images[None, :SHOWN], out / "sheets" / f"{cell.name}.png")
        scores = judge(images)
        told = {"played": rounds, "cost": cost, "n": judge.count, "scores": scores, "real": judge.real}
        where = {"processor": processor(), "on": date.today().isoformat()}
        text = json.dumps({**cell._asdict(), **told, **where}, indent=1)
        write_atomically(row, lambda path, text=text: path.write_text(text))
        print(f"{cell.name}: {' '.join(f'{key} {value:.3g}' for key, value in scores.items())}", flush=True)


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Markdown: what each change came to on each data set after so much processor time, and what real data score."""
    if not rows:
        return "Not run yet."
    lines = [
        "| data | change | seeds | rounds | judge that settings are chosen by | independent judge | checkerboard |",
        "| --- | --- | ---: | ---: | --- | --- | --- |",
    ]
    for data, rounds in dict.fromkeys((row["data"], row["rounds"]) for row in rows):
        mine = [row for row in rows if (row["data"], row["rounds"]) == (data, rounds)]
        for change in dict.fromkeys((NONE, *(row["change"] for row in mine))):
            same = [row for row in mine if row["change"] == change]
            if not same:
                continue
            words = " and ".join(IN_WORDS[each] for each in change.split("+"))
            scores = " | ".join(_spread([row["scores"][key] for row in same]) for key in SCORES)
            lines.append(f"| `{data}` | {words} | {len(same)} | {same[0]['played']:,} | {scores} |")
        real = mine[0]["real"]
        lines.append(f"| `{data}` | *real data* | | | {' | '.join(f'{real[key]:.2g}' for key in SCORES)} |")
    return "\n".join(lines)


def _spread(values: Sequence[float]) -> str:
    """Mean ± SD; of fewer than three, all."""
    if len(values) < 3:
        return ", ".join(f"{value:.3g}" for value in values)
    return f"{mean(values):.3g} ± {stdev(values):.2g}"


def kept() -> list[dict[str, Any]]:
    """What was kept for the docs."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else []


def rows_in(out: Path) -> list[dict[str, Any]]:
    """What is finished."""
    rows = [json.loads(file.read_text()) for file in (out / "rows").glob("*.json")]
    return sorted(rows, key=_place)


def _place(row: dict[str, Any]) -> tuple[Any, ...]:
    """By which rows are sorted: sets as in the speedruns, then the longer ones, single changes before joined ones."""
    sets, changes = (*SETS, row["data"]), row["change"].split("+")
    return sets.index(row["data"]), row["rounds"], len(changes), list(CHANGES).index(changes[0]), row["seed"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Train what is asked for and not there yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("trials"), help="where runs, rows and sheets are kept")
    parser.add_argument("--tiles", type=Path, help="a folder or an archive of images for the set `tiles`")
    parser.add_argument("--only", nargs="+", choices=(*SETS, "digits"), default=SETS, metavar="SET")
    parser.add_argument("--changes", nargs="+", default=DEFAULT, metavar="CHANGE", help="several joined by +")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of `none`")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--table", action="store_true", help="train nothing")
    parser.add_argument("--keep", action="store_true", help="put what is finished into results/trials.json, for docs")
    asked = parser.parse_args(arguments)
    if not asked.table:
        seeds, rounds = range(asked.seeds), asked.rounds
        play([Cell(n, c, rounds, s) for s in seeds for n in asked.only for c in asked.changes], asked.out, asked.tiles)
    rows = rows_in(asked.out)
    if asked.keep:
        RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()
