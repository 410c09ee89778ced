"""Which faults of samples leave the verdict `equilibrium`: real images that nobody trained on, made faulty.

    python benchmarks/blind_spots.py

Nothing is trained. Each fault is put into 1,000 images of the test splits of MNIST and Fashion-MNIST, which take the
place of samples: in every evaluation of a run, and when it is measured by both judges. Everything else of that run is
good: its losses, its gradients and D's outputs are those of `sparring.rules._stories.story`, so that samples alone can
give a fault away. In a run whose D has learned to see the fault, `d_right` may, too.

Results go to results/blind-spots.json, from which `make docs` takes the table in docs/diagnosis-measured.md. Rows that
are there already are not measured again.
"""

from __future__ import annotations

import json
import textwrap
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import ndimage

from sparring.analysis.diagnosis import Diagnosis, diagnosis
from sparring.analysis.judge_choice import choose_judge, independent_judge
from sparring.analysis.measure import (
    Independent,
    Measurement,
    _Gathered,  # pyright: ignore[reportPrivateUsage] - `measure` itself takes a run with a generator only
    _Sides,  # pyright: ignore[reportPrivateUsage]
)
from sparring.analysis.sample_comparison import Comparison
from sparring.analysis.samples import quantiles_of, real_examples
from sparring.datasets._images import Images
from sparring.judges import Judge
from sparring.recipe import find_recipe
from sparring.record import RunFolder, Story, write_atomically
from sparring.rules._stories import story

RESULTS = Path(__file__).parent / "results" / "blind-spots.json"
SETS = {"MNIST": "mnist", "Fashion-MNIST": "fashion-mnist"}
"""What a data set is called -> the recipe that trains on it."""
SEEDS = (0, 1)
"""One draw of everything random each: images, their halves, the class that has the fault, and the fault itself."""
EVALUATED, MEASURED = 256, 1_000
"""Samples of an evaluation and of a measurement, by default."""
TRAINING = 10_000
"""Training images. A measurement searches all of them for copies, which for 60,000 would take most of the time."""
FALLING = (10.0, 4.0, 2.0, 1.3, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
"""How many times the final distance from the data evaluations find: a good run comes nearer and then stays."""
GOOD = "equilibrium"
NOTHING = "nothing"


@dataclass(frozen=True)
class Draw:
    """What a fault is put into."""

    rng: np.random.Generator
    training: np.ndarray
    """uint8 images that a run would have trained on."""
    pool: np.ndarray
    """Images that nobody trained on, float32 `(N, 1, 28, 28)` in [0, 1]; not those of the real-data baseline."""
    classes: np.ndarray
    """Theirs, `(N,)`."""
    faulty: int
    """The class that has the fault, where one class has it."""

    @property
    def images(self) -> np.ndarray:
        """Those that samples are made of."""
        return self.pool[:MEASURED].copy()

    def some(self, share: float, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """The images, so many of which are changed."""
        images, chosen = self.images, self.rng.permutation(MEASURED) < round(share * MEASURED)
        images[chosen] = change(images[chosen])
        return images

    def one_class(self, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """The images, those of one class changed."""
        images, chosen = self.images, self.classes[:MEASURED] == self.faulty
        images[chosen] = change(images[chosen])
        return images

    def with_class_at(self, share: float) -> np.ndarray:
        """Images of which one class has this share of what it should have."""
        removed = (self.classes == self.faulty) & (self.rng.random(len(self.classes)) >= share)
        return self.pool[~removed][:MEASURED]

    def noise(self, images: np.ndarray) -> np.ndarray:
        """As many images of uniform noise."""
        return self.rng.random(images.shape, dtype=np.float32)

    def others(self, images: np.ndarray) -> np.ndarray:
        """As many other real images."""
        return self.pool[MEASURED + self.rng.permutation(len(self.pool) - MEASURED)[: len(images)]]

    def of_training(self, count: int) -> np.ndarray:
        """So many training images."""
        return self.training[self.rng.permutation(len(self.training))[:count]].astype(np.float32) / 255


Make = Callable[[Draw], np.ndarray]


def faults() -> dict[str, Make]:
    """Every fault in words, with its strength, and how samples that have it are made."""
    shares: dict[str, Make] = {}
    for share in (0.05, 0.1, 0.2):
        shares[f"{share:.0%} are noise"] = lambda d, s=share: d.some(s, d.noise)
    for share in (0.05, 0.1, 0.2):
        shares[f"{share:.0%} are black"] = lambda d, s=share: d.some(s, np.zeros_like)
    shares["20% are upside down"] = lambda d: d.some(0.2, _upside_down)
    for share in (0.2, 0.4):
        shares[f"{share:.0%} are halves of two images"] = lambda d, s=share: d.some(s, lambda i: _halves(i, d))
    shares["20% are means of two images"] = lambda d: d.some(0.2, lambda i: (i + d.others(i)) / 2)
    of_a_class: dict[str, Make] = {
        "one class is upside down": lambda d: d.one_class(_upside_down),
        "one class is noise": lambda d: d.one_class(d.noise),
        "one class has 3 images": lambda d: d.one_class(lambda i: i[np.arange(len(i)) % 3]),
        "one class has one image": lambda d: d.one_class(lambda i: i[np.zeros(len(i), int)]),
        "one class is missing": lambda d: d.with_class_at(0),
        "one class has a third of its share": lambda d: d.with_class_at(1 / 3),
    }
    of_all: dict[str, Make] = {
        "all have a hole of 6x6 somewhere": _with_holes,
        "all have a bright pixel in the middle": lambda d: _with_mark(d.images, 14, 1),
        "all have a bright mark of 2x2 in a corner": lambda d: _with_mark(d.images, 1, 2),
        "all are 1 pixel too low": lambda d: np.roll(d.images, 1, 2),
        "all are 2 pixels too low": lambda d: np.roll(d.images, 2, 2),
        "all have 4 levels of gray": lambda d: np.round(d.images * 3) / 3,
        "all are blurred, SD of 0.6 pixels": lambda d: ndimage.gaussian_filter(d.images, (0, 0, 0.6, 0.6)),
        "all are dimmed to 0.85": lambda d: d.images * 0.85,
        "all are warped by up to 2 pixels": lambda d: _warped(d, 2),
        "all are warped by up to 4 pixels": lambda d: _warped(d, 4),
        "all have noise, SD of 0.05": lambda d: np.clip(d.images + d.rng.normal(0, 0.05, d.images.shape), 0, 1),
        "250 images, repeated": lambda d: d.images[d.rng.permutation(MEASURED) % 250],
        "10% are copies": lambda d: d.some(0.1, lambda i: d.of_training(len(i))),
        "20% are copies": lambda d: d.some(0.2, lambda i: d.of_training(len(i))),
        "all are copies, moved by 1 pixel": lambda d: np.roll(d.of_training(MEASURED), 1, 3),
        "all but those evaluated are noise": _good_at_first,
    }
    return {NOTHING: lambda d: d.images, **shares, **of_a_class, **of_all}


def _upside_down(images: np.ndarray) -> np.ndarray:
    return images[:, :, ::-1]


def _halves(images: np.ndarray, draw: Draw) -> np.ndarray:
    middle = images.shape[2] // 2
    return np.concatenate([images[:, :, :middle], draw.others(images)[:, :, middle:]], 2)


def _good_at_first(draw: Draw) -> np.ndarray:
    return np.concatenate([draw.images[:EVALUATED], draw.noise(draw.images[EVALUATED:])])


def _with_holes(draw: Draw) -> np.ndarray:
    images = draw.images
    for image, (down, across) in zip(images, draw.rng.integers(2, 20, (MEASURED, 2)), strict=True):
        image[:, down : down + 6, across : across + 6] = 0
    return images


def _with_mark(images: np.ndarray, at: int, side: int) -> np.ndarray:
    images[:, :, at : at + side, at : at + side] = 1
    return images


def _warped(draw: Draw, pixels: float) -> np.ndarray:
    """Each image by a smooth field of its own."""
    places, warped = np.indices((28, 28)), list[np.ndarray]()
    for image in draw.images[:, 0]:
        field = ndimage.gaussian_filter(draw.rng.uniform(-1, 1, (2, 28, 28)), (0, 4, 4))
        warped.append(ndimage.map_coordinates(image, places + pixels * field / np.abs(field).max(), order=1))
    return np.array(warped)[:, None]


@dataclass(frozen=True)
class Bench:
    """One draw of a data set, ready to diagnose samples."""

    recipe: str
    seed: int
    data: Images
    draw: Callable[[str], Draw]
    """Of the fault of that name, whose random numbers do not depend on what was drawn before it."""
    comparison: Comparison
    judges: tuple[Judge, Judge]
    sides: tuple[_Sides, _Sides]
    """By the judge and by the independent one."""

    @classmethod
    def of(cls, name: str, seed: int) -> Bench:
        """Half of the test split gives the real-data baseline, and samples are made of the other half."""
        rng, recipe = np.random.default_rng(seed), find_recipe(name)
        opened, test, classes = recipe.data.open(None), recipe.data.held_out(None), recipe.data.held_out_classes(None)
        assert isinstance(opened, Images) and test is not None and classes is not None
        chosen = np.sort(rng.permutation(len(opened.pixels))[:TRAINING])
        source = Images.of(opened.pixels.numpy()[chosen], (-1.0, 1.0), "cpu")
        baseline, others = np.array_split(rng.permutation(len(test)), 2)
        faulty, pool = int(rng.integers(10)), test[others].astype(np.float32) / 255

        def draw(fault: str) -> Draw:
            of_fault = np.random.default_rng([seed, zlib.crc32(fault.encode())])
            return Draw(of_fault, source.pixels.numpy(), pool, classes[others], faulty)

        chosen_judge, independent = choose_judge(recipe.data), independent_judge(recipe.data)
        assert chosen_judge.judge is not None and independent is not None
        real = real_examples(recipe.data, source, MEASURED, test[baseline], everything=True)
        sides = _Sides.of(recipe, real, chosen_judge.judge, (), None)
        return cls(
            recipe=name,
            seed=seed,
            data=source,
            draw=draw,
            comparison=Comparison.of(recipe.data, source, EVALUATED, test[baseline], chosen_judge, EVALUATED),
            judges=(chosen_judge.judge, independent),
            sides=(sides, sides.by(independent, real)),
        )

    def row(self, fault: str, make: Make) -> dict[str, Any]:
        """What is found of samples with a fault, while training and after measuring."""
        draw = self.draw(fault)
        samples = np.ascontiguousarray(make(draw), dtype=np.float32)[None]
        assert samples.shape == (1, MEASURED, 1, 28, 28)
        run = self._run(samples[:, :EVALUATED])
        measured = self._measured(samples, run)
        after = diagnosis(Story(run.recipe, [*run.events, {"event": "measured", **measured.plain()}]))
        assert measured.independent is not None
        scores = measured.independent.scores
        return {
            "fault": fault,
            "seed": self.seed,
            "class": draw.faulty,
            "training": _said(diagnosis(run)),
            "measured": _said(after),
            **{name: round(float(scores[name].members[0]), 4) for name in ("frechet-distance", "precision")},
            **{f"real {name}": round(scores[name].real, 4) for name in ("frechet-distance", "precision")},
        }

    def _run(self, samples: np.ndarray) -> Story:
        """A good run of one seed, all of whose evaluations saw these samples."""
        good = story(evaluations=len(FALLING), recipe={"seeds": [0], "data": {"is": self.recipe, "span": [-1.0, 1.0]}})
        values, errors = self.comparison(samples)
        quantiles = quantiles_of(torch.from_numpy(2 * samples - 1)).tolist()
        baseline = {**self.comparison.baseline_event(), "samples": EVALUATED, "examples": TRAINING}
        of_training = quantiles_of(2 * self.data.pixels[None].float() / 255 - 1)[0].tolist()
        events: list[dict[str, Any]] = []
        farther = iter(FALLING)
        for event in good.events:
            if event["event"] == "real-baseline":
                event = {"event": "real-baseline", "round": 0, **baseline, "quantiles": of_training}
            elif event["event"] == "log":
                event = _of_one(event, values, next(farther))
                event |= {"quantiles": quantiles, "errors": {name: error.tolist() for name, error in errors.items()}}
            events.append(event)
        return Story(good.recipe, events)

    def _measured(self, samples: np.ndarray, run: Story) -> Measurement:
        """The same as `sparring measure`, but that samples come from no generator."""
        scores: list[dict[str, Any]] = []
        for side in self.sides:
            gathered = _Gathered()
            gathered.take(*side.score(samples))
            scores.append(gathered.scores(side))
        judge, second = self.judges
        of_second = Independent(second, scores[1])
        return Measurement(RunFolder(""), run.round, (0,), judge, MEASURED, "its test split", scores[0], of_second)


def _of_one(event: Mapping[str, Any], values: Mapping[str, np.ndarray], farther: float) -> dict[str, Any]:
    """A log event of the first member alone, with these scores of its samples, and D's of the good run."""
    rows = {k: [row[:1] for row in v] for k, v in event.items() if isinstance(v, list) and isinstance(v[0], list)}
    of_d = {name: members[:1] for name, members in event["metrics"].items() if name.startswith("d_")}
    scores = {name: value.tolist() for name, value in values.items()}
    scores["frechet-distance"] = [farther * value for value in scores["frechet-distance"]]
    return {**event, **rows, "metrics": {**scores, **of_d}}


def _said(found: Diagnosis) -> dict[str, Any]:
    return {"verdict": found.verdict, "findings": [finding.rule for finding in found.findings], "why": found.doubt}


def table() -> str:
    """For the docs: what every fault is called, while training and after measuring."""
    results: dict[str, list[dict[str, Any]]] = json.loads(RESULTS.read_text())
    columns = [f"{name}, while training | {name}, measured" for name in results]
    lines = [f"| samples | {' | '.join(columns)} |", f"| --- |{' --- |' * 2 * len(results)}"]
    for fault in faults():
        cells = [_cells([row for row in rows if row["fault"] == fault]) for rows in results.values()]
        lines.append(f"| {'sound' if fault == NOTHING else fault} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cells(rows: list[dict[str, Any]]) -> str:
    """The two columns of a fault in one data set; with figures where measuring leaves the verdict good."""
    before, after = (_verdicts(rows, when) for when in ("training", "measured"))
    good = [row for row in rows if row["measured"]["verdict"] == GOOD]
    if not good:
        return f"{before} | {after}"
    distance, precision = (np.mean([row[name] for row in good]) for name in ("frechet-distance", "precision"))
    return f"{before} | {after} ({distance:.1f}, {precision:.0%})"


def _verdicts(rows: list[dict[str, Any]], when: str) -> str:
    """Of both draws, once where they agree; a fault that is called good is in bold."""
    shown = dict.fromkeys(row[when]["verdict"] for row in sorted(rows, key=lambda row: row["seed"]))
    mark = "" if rows and rows[0]["fault"] == NOTHING else "**"
    return " or ".join(f"{mark}`{verdict}`{mark}" if verdict == GOOD else f"`{verdict}`" for verdict in shown)


def summary() -> str:
    """For the docs: how many faulty samples keep a good verdict, and with which faults all of them do."""
    results: dict[str, list[dict[str, Any]]] = json.loads(RESULTS.read_text())
    rows = [row for of_set in results.values() for row in of_set]
    good = {when: [row["fault"] for row in rows if row[when]["verdict"] == GOOD] for when in ("training", "measured")}
    sound, before, after = good["measured"].count(NOTHING), good["training"], good["measured"]
    per_fault = len(results) * len(SEEDS)
    always = [fault for fault in faults() if after.count(fault) == per_fault and fault != NOTHING]
    text = (
        f"Of {len(rows) - per_fault} sets of faulty samples, {len(before) - before.count(NOTHING)} are `{GOOD}` while "
        f"training and {len(after) - sound} after measuring; of {per_fault} sound ones, {sound} are. "
        f"Measuring leaves it at that in both draws of both data sets where {'; '.join(always)}."
    )
    return "\n".join(textwrap.wrap(text, 120))


def main() -> None:
    """Diagnose what has not been, and keep each row."""
    results: dict[str, list[dict[str, Any]]] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for seed in SEEDS:
        for title, name in SETS.items():
            rows = results.setdefault(title, [])
            known = {(row["fault"], row["seed"]) for row in rows}
            missing = {fault: make for fault, make in faults().items() if (fault, seed) not in known}
            bench = Bench.of(name, seed) if missing else None
            for fault, make in missing.items():
                assert bench is not None
                rows.append(bench.row(fault, make))
                text = json.dumps(results, indent=1) + "\n"
                write_atomically(RESULTS, lambda path, text=text: path.write_text(text))
                print(title, seed, fault, *(rows[-1][when]["verdict"] for when in ("training", "measured")), flush=True)


if __name__ == "__main__":
    main()
