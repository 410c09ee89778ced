"""A story, read for rules: what D says on the objective's own scale, what samples are like, and where both go.

Everything here is an array with an axis P of members, and NaN where the journal does not tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from sparring import catalogue
from sparring.record import Story

LATE = 0.1
"""Of a curve's points: those whose mean is what it has come to."""
SMOOTH = 0.03
"""Of a curve's points: the window of the moving mean."""
LATE_EVALUATIONS = 3
"""Looks at samples, the last ones, whose median is what they have come to."""
FRESH = 0.5
"""Of the rounds played: a look that came earlier says nothing of now."""
LAST = 1 / 3
"""Of the rounds: the part in which a trend is looked for."""
FAR = 0.4
"""How far beyond a healthy range, as `Range.beyond` counts it, from which on samples are poor."""
THRICE = np.log(3.0)
"""Beyond three times the end of a range, or below a third of it, is as far as it goes."""

COPIES = 0.5
"""Distance to the nearest training example, as a share of what real examples have that are none, below which samples
are copies."""

ROUGH = 3.5
"""Roughness from which on an image is noise, whatever else it is."""
ROUGHER, FAR_OFF = 1.3, 2.0
"""Roughness, and distance to the nearest training example, from which on it is noise if both hold: of small images with
hard edges noise is not much rougher than the data."""
ALIKE = 0.5
"""Diversity below which samples are much alike."""
NEAR_AVERAGE = 1.45
"""Times as near to the data's average as real examples: with that and little diversity, samples are that average."""


@dataclass(frozen=True)
class Range:
    """What is healthy, both ends included; infinite where anything is."""

    low: float = -np.inf
    high: float = np.inf

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Whether values lie within; not for NaN."""
        return (values >= self.low) & (values <= self.high)

    def beyond(self, values: np.ndarray) -> np.ndarray:
        """How far outside values of at least 0 lie: 0 within and for NaN, 1 at three times the end or a third of it."""
        held = np.clip(np.nan_to_num(values, nan=self.low if np.isfinite(self.low) else self.high), 1e-9, 1e9)
        below = np.log(self.low / held) if 0 < self.low < np.inf else np.zeros_like(held)
        above = np.log(held / self.high) if 0 < self.high < np.inf else np.zeros_like(held)
        return np.clip(np.maximum(below, above) / THRICE, 0, 1)

    def mirrored(self, about: float, mirrored: bool = True) -> Range:
        """The same on the other side of a value."""
        return Range(2 * about - self.high, 2 * about - self.low) if mirrored else self


@dataclass(frozen=True)
class Beside:
    """A healthy range, told by what real data scores."""

    least: float = -np.inf
    """Times what real data scores."""
    most: float = np.inf
    """Times what real data scores."""
    more: float = np.inf
    """Above what real data scores, at most."""
    why: str = ""

    def at(self, real: float) -> Range:
        """For what real data scores in one run."""
        most = self.most * real if np.isfinite(self.most) else np.inf
        return Range(self.least * real if np.isfinite(self.least) else -np.inf, min(most, real + self.more))


FIGURES: Mapping[str, Beside] = {
    "frechet-distance": Beside(more=8.0, why="through a judge: an eighth of the mean square of real data's features"),
    "modes": Beside(least=0.9, why="every class is drawn"),
    "class-divergence": Beside(more=0.25, why="in nats: no class is far too rare"),
    "confidence": Beside(least=0.75, why="the judge is about as sure of samples as of real examples"),
    "high-quality": Beside(least=0.75, why="samples lie on the modes"),
    "reached-modes": Beside(least=0.95, why="every mode is drawn"),
    "mode-divergence": Beside(more=0.25, why="in nats: no mode is far too rare"),
    "diversity": Beside(least=0.75, most=1.3, why="samples differ from one another as much as real examples do"),
    "roughness": Beside(least=0.7, most=1.4, why="neighboring pixels differ as much as in real images"),
    "similarity-to-mean": Beside(least=0.75, most=1.35, why="samples lie as far from the average as real examples do"),
    "nearest-neighbor": Beside(least=0.5, most=1.9, why="neither copies of training examples nor far from all"),
}
"""What is healthy for figures of samples."""

ANSWERS = (-0.2, 0.6)
"""D's answers to real examples, between undecided (0) and sure (1); to generated ones the reverse. And its lead."""
SURE = 0.7
"""D's lead from which on it is sure: on a scale from 0 to 1 its answers are then so far apart."""
LOSSES = {"d_loss": (0.5, 1.15), "g_loss": (0.5, 3.0)}
"""Times what a loss is when D cannot tell; for objectives whose losses have a zero."""


PROBABILITY = 0.5
"""The undecided one, and how far from it one lies that is sure."""
APART = 0.2
"""How far apart the names of real and of generated examples must lie for D to be told anything by them."""


@dataclass(frozen=True)
class Levels:
    """What an objective's numbers come to once D cannot tell real from generated."""

    d_loss: float
    g_loss: float
    answer: float
    """D's, to both kinds."""
    sure: float | None
    """How far from that its answer lies when it is sure; None where answers have no bound."""

    @classmethod
    def of(cls, story: Story) -> Levels | None:
        """As the journal tells them; None for one that does not."""
        held = next((e["levels"] for e in reversed(story.events) if e.get("levels")), {})
        return cls.told(held).named(*names_told(story)) if {"d_loss", "g_loss", "d_real"} <= held.keys() else None

    @classmethod
    def told(cls, levels: Mapping[str, Any]) -> Levels:
        """From what each curve comes to."""
        return cls(levels["d_loss"], levels["g_loss"], levels["d_real"], levels.get("sure", _sure(levels)))

    def named(self, real: float, fake: float) -> Levels:
        """The same where D is told these names for real and for generated examples instead of 1 and 0.

        A probability can then be no surer than its names, and where D cannot tell it is their mean.
        """
        if self.sure != PROBABILITY or real - fake < APART:
            return self
        return replace(self, answer=(real + fake) / 2, sure=(real - fake) / 2)

    def healthy(self, name: str) -> Range:
        """What is healthy for a curve: D leads a little, and neither loss is far from what it is when D cannot tell."""
        if name == "lead":
            return Range(*ANSWERS)
        if name in ("d_real", "d_fake"):
            if self.sure is None:
                return Range()
            ahead, behind = ANSWERS[1] * self.sure, ANSWERS[0] * self.sure
            return Range(self.answer + behind, self.answer + ahead).mirrored(self.answer, name == "d_fake")
        level = {"d_loss": self.d_loss, "g_loss": self.g_loss}.get(name, 0.0)
        least, most = LOSSES.get(name, (0.0, 0.0))
        return Range(least * level, most * level) if level > 0 else Range()


def _sure(told: Mapping[str, float]) -> float | None:
    """For journals that tell levels alone: probabilities lie between 0 and 1, a hinge is content at 1 and -1."""
    if told["d_real"] == PROBABILITY:
        return PROBABILITY
    return 1.0 if told["d_loss"] > 0 else None


def names_told(story: Story) -> tuple[float, float]:
    """What D is told of a real and of a generated example in the end, in the mean: 1 and 0, or as tricks change them.

    Of a user's own tricks nothing is known.
    """
    recipe = story.recipe
    progress = min(1.0, story.round / max(1, recipe.get("rounds") or 1))
    real, fake = 1.0, 0.0
    for trick in recipe.get("tricks") or ():
        kind = trick.get("is", "")
        if kind not in ("label-smoothing", "label-swapping"):
            continue
        fields = {**catalogue.defaults("tricks", kind), **trick}
        if kind == "label-smoothing":
            # A name between 0 and 1 that an earlier trick gave is drawn anew, so nothing of it is left.
            real, fake = (sum(fields[which]) / 2 for which in ("real", "fake"))
        else:
            until = fields["until"]
            swapped = fields["rate"] * (max(0.0, 1 - progress / until) if until else 1.0)
            real, fake = (swapped * (1 - name) + (1 - swapped) * name for name in (real, fake))
    return real, fake


@dataclass(frozen=True)
class Distance:
    """How far samples are from real data as training goes on."""

    name: str
    rounds: np.ndarray
    """`(L,)`."""
    values: np.ndarray
    """`(L, P)`."""


@dataclass(frozen=True)
class Line:
    """How a logarithm changed over the last third of the rounds, by a line through its values at the looks there."""

    looks: int
    change: np.ndarray
    """`(P,)`; NaN with fewer than two looks."""
    error: np.ndarray
    """Its standard error, `(P,)`, by how far the looks lie from the line, or with two by how far members differ."""


class Signals:
    """One story, read."""

    def __init__(self, story: Story):
        self.story = story
        self.members = len(story.seeds)
        self.rounds = max(story.round, 1)
        """Played."""
        self.logged_rounds = story.logged_rounds
        self.levels = Levels.of(story)
        self._curves: dict[str, np.ndarray] = {}
        self._smooth: dict[str, np.ndarray] = {}

    # Curves.

    def curve(self, name: str) -> np.ndarray:
        """`(T, P)`: one of the journal's, or `lead`."""
        if name not in self._curves:
            self._curves[name] = self._lead() if name == "lead" else self.story.curve(name)
        return self._curves[name]

    def smooth(self, name: str) -> np.ndarray:
        """A curve's moving mean, `(T, P)`."""
        if name not in self._smooth:
            self._smooth[name] = moving_mean(self.curve(name), max(1, round(SMOOTH * len(self.logged_rounds))))
        return self._smooth[name]

    def late(self, name: str) -> np.ndarray:
        """What a curve has come to, `(P,)`: the mean of its last points."""
        part = self.curve(name)[-max(1, int(LATE * len(self.logged_rounds))) :]
        return part.mean(0) if len(part) else np.full(self.members, np.nan)

    def _lead(self) -> np.ndarray:
        """How far D is ahead: 1 when it is sure of real and of generated examples, 0 when it cannot tell, < 0 fooled.

        Of answers without a bound, the share of the furthest that they have been apart.
        """
        apart = self.curve("d_real") - self.curve("d_fake")
        if self.levels is None:
            return np.full_like(apart, np.nan)
        if self.levels.sure is not None:
            return np.clip(apart / (2 * self.levels.sure), -1, 1)
        if not len(apart):
            return apart
        furthest = np.abs(moving_mean(apart, max(1, round(SMOOTH * len(self.logged_rounds))))).max(0)
        return apart / np.maximum(furthest, 1e-12)

    @cached_property
    def lost(self) -> np.ndarray:
        """Members whose numbers are no longer finite, bool `(P,)`."""
        lost = np.zeros(self.members, dtype=bool)
        lost[list(self.story.diverged)] = True
        return lost

    # Figures of samples.

    @property
    def evaluated(self) -> np.ndarray:
        """Rounds at which samples were looked at, `(L,)`."""
        return self.story.evaluations[0]

    def figure(self, name: str) -> np.ndarray:
        """`(L, P)`; all NaN for a figure that this run does not have."""
        rounds, found = self.story.evaluations
        return found.get(name, np.full((len(rounds), self.members), np.nan))

    def now(self, name: str) -> np.ndarray:
        """What a figure has come to, `(P,)`: the median of the last looks; NaN where these are long ago."""
        recent = self.evaluated >= FRESH * self.rounds
        rows = self.figure(name)[recent][-min(LATE_EVALUATIONS, max(1, len(self.evaluated) // 2)) :]
        return median(rows) if len(rows) else np.full(self.members, np.nan)

    def real(self, name: str) -> float:
        """What real data scores in a figure; NaN for one that this run does not have."""
        return float(((self.story.real_baseline or {}).get("metrics") or {}).get(name, np.nan))

    def has(self, *names: str) -> bool:
        """Whether the journal tells all of these figures, and what real data scores in them."""
        return all(name in self.story.evaluations[1] and np.isfinite(self.real(name)) for name in names)

    def healthy(self, name: str) -> Range:
        """The healthy range of a figure in this run.

        Training examples of narrow modes lie so close that any other distance is many times theirs: how far off samples
        are is then told by `high-quality`, on the modes' own scale, and `nearest-neighbor` tells copies alone.
        """
        healthy = FIGURES[name].at(self.real(name))
        return replace(healthy, high=np.inf) if name == "nearest-neighbor" and self.has("high-quality") else healthy

    @property
    def judged(self) -> bool:
        """Whether a judge looked at the samples."""
        return bool((self.story.real_baseline or {}).get("judge"))

    @cached_property
    def telling(self) -> list[str]:
        """The figures that say whether samples are good: a distance in no known unit does not.

        None where the data names its target, and outputs are told: those say it.
        """
        known = [n for n in FIGURES if self.has(n) and (n != "frechet-distance" or self.judged)]
        return known if self.misses is None else []

    @cached_property
    def fault(self) -> np.ndarray:
        """How far samples are from healthy, `(P,)` in [0, 1]: by their worst figure; NaN if nothing tells."""
        now = [(self.now(name), self.healthy(name)) for name in self.telling]
        if self.away is not None:
            now.append((self.away, Range(high=NEAR)))
        far = [np.where(np.isfinite(values), healthy.beyond(values), -np.inf) for values, healthy in now]
        worst = np.max([np.full(self.members, -np.inf), *far], axis=0)
        return np.where(self.lost, 1.0, np.where(np.isfinite(worst), worst, np.nan))

    @property
    def known(self) -> bool:
        """Whether anything tells if samples are good, of any member."""
        return bool(np.isfinite(self.fault).any())

    @property
    def good(self) -> np.ndarray:
        """Members whose samples are healthy in every figure, bool `(P,)`; none where nothing tells."""
        return self.fault <= 0

    @property
    def poor(self) -> np.ndarray:
        """Members whose samples are far from healthy, bool `(P,)`; none where nothing tells."""
        return self.fault > FAR

    @cached_property
    def misses(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Rounds `(L,)`, and how far each member's output was from the data's target in its worst number, `(L, P)`.

        In data units. None for data that names no target.
        """
        name = (self.story.recipe.get("data") or {}).get("is", "")
        target = catalogue.defaults("datasets", name).get("target") if name in catalogue.entries("datasets") else None
        if target is None or self.story.outputs is None:
            return None
        rounds, outputs = self.story.outputs
        return rounds, np.abs(outputs.reshape(len(rounds), self.members, -1) - np.array(target)).max(2)

    @property
    def away(self) -> np.ndarray | None:
        """How far each member's output has come to be from the data's target, `(P,)`; None where there is none."""
        return None if self.misses is None else np.nan_to_num(self.misses[1][-1], nan=np.inf)

    @property
    def noise(self) -> np.ndarray:
        """Members whose samples are noise, bool `(P,)`; none where images are not known to be such."""
        return noise(self.now("roughness"), self.now("nearest-neighbor"))

    @cached_property
    def averages(self) -> np.ndarray:
        """Members whose samples are alike and near the data's average, bool `(P,)`."""
        return (self.now("diversity") < ALIKE) & (self.now("similarity-to-mean") > NEAR_AVERAGE)

    # Where it goes.

    @cached_property
    def distance(self) -> Distance:
        """How far samples are from real data, in one number that falls as they get better.

        From the target, of data that names one; the Frechet distance; or, without either, how far samples' own numbers
        are from the data's, as a mean of ratios. What cannot be told from chance counts as the same.
        """
        if self.misses is not None:
            return Distance("distance from the target", self.misses[0], np.maximum(self.misses[1], NEAR / 4))
        if self.has("frechet-distance"):
            held = np.maximum(self.figure("frechet-distance"), max(self.real("frechet-distance"), 1e-9))
            return Distance("frechet-distance", self.evaluated, held)
        own = [n for n in ("diversity", "roughness", "similarity-to-mean", "nearest-neighbor") if self.has(n)]
        if not own:
            return Distance("", self.evaluated[:0], np.empty((0, self.members)))
        ratios = [np.abs(np.log(np.maximum(self.figure(n), 1e-3))) for n in own]
        return Distance("own numbers", self.evaluated, np.maximum(np.mean(ratios, axis=0), 0.02))

    @property
    def trend(self) -> np.ndarray:
        """By how much the distance changed over the last third of the rounds, `(P,)`: -0.2 is a fifth nearer the data.

        NaN with fewer than two looks in it.
        """
        return np.expm1(self.line.change)

    def gaining(self, limit: float) -> np.ndarray:
        """Members whose trend is below a limit, and not by the luck of a few looks, bool `(P,)`.

        One example, whatever G is fed, that wanders nearer is no gain.
        """
        by_luck = self.line.change > -2 * self.line.error
        return (self.trend < limit) & ~by_luck & ~(self.now("diversity") < CONSTANT)

    @property
    def steps(self) -> int:
        """Moves that were played, of both players."""
        return self.story.round * max(1, len(self.story.recipe.get("round") or ()))

    @property
    def unmoved(self) -> np.ndarray:
        """Members whose samples are as they were when they were first looked at, bool `(P,)`."""
        values = self.distance.values
        if len(values) < 2:
            return np.zeros(self.members, dtype=bool)
        return np.abs(np.log(values[-1] / values[0])) < MOVED

    @cached_property
    def line(self) -> Line:
        """Through the logarithm of the distance at the looks in the last third of the rounds."""
        late = self.distance.rounds >= (1 - LAST) * self.rounds
        looks, untold = int(late.sum()), np.full(self.members, np.nan)
        if looks < 2:
            return Line(looks, untold, untold)
        x, y = self.distance.rounds[late] / self.rounds, np.log(self.distance.values[late])
        x, y = x - x.mean(), y - y.mean(0)
        slope = (x[:, None] * y).sum(0) / (x**2).sum()
        change = np.clip(slope * LAST, -MOST_CHANGE, MOST_CHANGE)
        if looks < 3:  # two lie on any line: how far members differ must do
            apart = float(change.std(ddof=1)) if self.members > 1 else np.inf
            return Line(looks, change, np.full(self.members, apart))
        rest = ((y - slope * x[:, None]) ** 2).sum(0) / (looks - 2)
        return Line(looks, change, LAST * (rest / (x**2).sum()) ** 0.5)


CONSTANT = 0.05
"""Diversity below which G gives one example whatever it is fed."""
MOVED = 0.05
"""Change of the logarithm of the distance since the first look, from which on samples are others than they were."""
MOST_CHANGE = 10.0
"""Of a logarithm: beyond, a change is beyond measure."""
NEAR = 0.2
"""How far, in data units, each number of an example may lie from the data's target."""


def noise(rough: np.ndarray, off: np.ndarray) -> np.ndarray:
    """Whether samples of this roughness, so far from the nearest training example, are noise."""
    return (rough > ROUGH) | ((rough > ROUGHER) & (off > FAR_OFF))


def moving_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Of `(T, P)` over `window` points, shorter at the ends; NaN where a value is not finite."""
    if window <= 1 or not len(values):
        return values
    finite = np.isfinite(values)
    sums = _running(np.where(finite, values, 0.0), window) / np.maximum(_running(finite.astype(np.float64), window), 1)
    return np.where(finite, sums, np.nan)


def _running(values: np.ndarray, window: int) -> np.ndarray:
    sums = np.concatenate([np.zeros((1, values.shape[1])), values.cumsum(0)])
    index, before = np.arange(len(values)), window // 2
    return sums[np.minimum(index - before + window, len(values))] - sums[np.maximum(index - before, 0)]


def median(values: np.ndarray) -> np.ndarray:
    """Over the first axis, of what is finite; NaN where nothing is."""
    lost = ~np.isfinite(values)
    filled = np.where(lost.all(0), 0.0, np.where(lost, np.nan, values))
    return np.where(lost.all(0), np.nan, np.nanmedian(filled, axis=0))


def onset(rounds: np.ndarray, holds: np.ndarray) -> np.ndarray:
    """Of `holds` `(T, P)` at these rounds: the round from which on it held to the end, `(P,)`.

    The last round for a member in which it does not hold at the end.
    """
    if not len(rounds):
        return np.zeros(holds.shape[1], dtype=np.int64)
    ever_not = ~holds
    last = np.where(ever_not.any(0), len(rounds) - ever_not[::-1].argmax(0), 0)
    return rounds[np.minimum(last, len(rounds) - 1)]
