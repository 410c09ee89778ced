"""How far a run has come: how many examples it has seen, and of which members it is too early to say what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from sparring.recipe.length import usual_examples
from sparring.rules._copies import copied
from sparring.rules._ranges import SURE
from sparring.rules._series import line

if TYPE_CHECKING:
    from sparring.rules._signals import Signals

TOO_FEW = 0.2
"""Share of the usual number below which a flat distance says nothing: G may not have begun to learn."""
FEW = 0.5
"""Share below which the samples must be known to have settled. Of the runs that were measured, the fastest needed a
third of the usual number."""
FEW_STEPS = 400
"""Moves of both players together, below which it is too early for a diagnosis."""
DOUBLINGS = 2
"""Over how many doublings of the rounds the distance must be flat, where few examples were seen: the evaluations in the
last three quarters."""
MIN_EVALUATIONS = 3
"""How many evaluations that takes; two show whether it falls."""
FLAT = 0.15
"""Change of the distance with a doubling of the rounds, up or down, up to which it is flat; and its largest error."""
BEGUN = 0.25
"""Share of the distance at the first evaluation, of which less is gone where G may have yet to begin."""
NOTHING = 0.03
"""Fall up to which it is flat even if noise does not explain it."""
IMPROVING = -0.15
"""Change over the last third of the rounds below which samples are still getting better, however many were seen, if
noise does not explain it."""
REACH = 4
"""Doublings of the rounds within which samples must come to be good at their pace to count as on their way, once a
run has seen enough examples: with sixteen times the rounds."""
NARROW = 2
"""Latent dimensions below which samples lie on a curve, however long G is trained."""
CONSTANT = 0.05
"""Diversity below which G makes the same example from every latent vector: where that wanders is no progress."""
REAL_EXAMPLES = {"d_sees_real": 1.0, "d_sees_fake": 0.0, "d_sees_both": 1.0, "d_sees_mixture": 0.5, "g_fools_d": 0.0}
"""Batches of real examples that a move shows D. A move of a user's own counts as one."""


def _counted(moves: Iterable[Any]) -> Counter[str]:
    """How often each move comes in a round; those of a user's own together."""
    return Counter(move if isinstance(move, str) else "" for move in moves)


def _set(batch: float, moves: Counter[str], settings: Mapping[str, Any]) -> tuple[float, Counter[str]]:
    """Batch and moves once these values of theirs are set."""
    moves = _counted(settings["round"]) if "round" in settings else moves.copy()
    for path, value in settings.items():
        if path.startswith("round."):
            moves[path.removeprefix("round.")] = value
    return settings.get("batch", batch), moves


def _shown(moves: Mapping[str, int]) -> float:
    """Batches of real examples that a round shows D, or of generated ones that G learns from, if more."""
    real = sum(count * REAL_EXAMPLES.get(move, 1.0) for move, count in moves.items())
    generated = sum(count for move, count in moves.items() if move == "g_fools_d" or move not in REAL_EXAMPLES)
    return max(real, generated, 1.0)


class Progress:
    """How far a run has come."""

    def __init__(self, signals: Signals):
        self._signals = signals

    @cached_property
    def seen(self) -> int:
        """Examples that this run has seen: real ones shown to D, or generated ones that G learned from, if more."""
        loop = self._signals.story.loop
        if loop is not None:  # whose steps in a round vary
            steps = max(loop.d.steps, loop.g.steps)
            return round(sum(rounds * batch for rounds, batch, _ in self._spans) * steps)
        return int(sum(rounds * batch * shown for rounds, batch, shown in self._spans))

    @property
    def steps(self) -> int:
        """Steps made by both players, or moves played."""
        story = self._signals.story
        each = len(story.recipe.get("round") or ()) if story.loop is None else story.loop.d.steps + story.loop.g.steps
        return round(story.round * max(1, each))

    @cached_property
    def _spans(self) -> list[tuple[int, float, float]]:
        """Rounds with the same settings: how many, their batch, and the batches that a round shows.

        Each change says what was before it: the recipe may be the one that a run began with or the one in force.
        """
        story = self._signals.story
        batch, moves = story.recipe.get("batch") or 0, _counted(story.recipe.get("round") or ())
        changes = story.steering.changes
        for change in reversed(changes):
            batch, moves = _set(batch, moves, {path: before for path, (before, _) in change.settings.items()})
        spans, begin = list[tuple[int, float, float]](), 0
        for change in changes:
            end = max(begin, min(change.round, story.round))
            spans.append((end - begin, batch, _shown(moves)))
            batch, moves = _set(batch, moves, {path: after for path, (_, after) in change.settings.items()})
            begin = end
        return [*spans, (story.round - begin, batch, _shown(moves))]

    @cached_property
    def usual(self) -> int:
        """How many a usual run of such data sees until its samples settle."""
        story = self._signals.story
        baseline: dict[str, Any] = story.real_baseline or {}
        played = sum(rounds * batch for rounds, batch, _ in self._spans)
        batch = round(played / story.round) if story.round else story.recipe.get("batch") or 0
        return usual_examples(self.of_images, batch, baseline.get("examples"))

    @property
    def of_images(self) -> bool:
        """Whether examples are images."""
        return bool(np.isfinite(self._signals.real("roughness")))

    @property
    def is_short(self) -> bool:
        """Whether this run has seen fewer than a usual one."""
        return self.seen < self.usual

    @property
    def has_few(self) -> bool:
        """Whether these are so few that its samples must be known to have settled."""
        return self.seen < FEW * self.usual

    @cached_property
    def inherited(self) -> int:
        """Examples that the weights had seen before, which this run was started from (fine-tuning), at its own pace.

        None where less than half of G's weights fit.
        """
        story = self._signals.story
        started = next((event for event in story.events if event["event"] == "started-from"), None)
        if started is None or not story.round:
            return 0
        fit, of = (started.get("loaded") or {}).get("G") or (0, 1)
        return round(self.seen / story.round * started["checkpoint"]) if 2 * fit > of else 0

    @property
    def too_few(self) -> bool:
        """Whether it is too early to say anything, whatever the samples are like: G may not have begun to learn."""
        return self.seen + self.inherited < TOO_FEW * self.usual

    @property
    def few_steps(self) -> bool:
        """Whether the players have hardly moved."""
        return self.steps < FEW_STEPS

    @property
    def _late(self) -> np.ndarray:
        """Which evaluations the distance's fall is taken from, bool `(T,)`."""
        return self._signals.distance.rounds >= self._signals.rounds / 2**DOUBLINGS

    @cached_property
    def fall(self) -> tuple[np.ndarray, np.ndarray]:
        """By how much the logarithm of the distance falls while the rounds double, and its standard error: each `(P,)`.

        GANs improve by about the same share with every doubling. NaN with fewer than two evaluations.
        """
        distance, late = self._signals.distance, self._late
        if late.sum() < 2:
            unknown = np.full(self._signals.members, np.nan)
            return unknown, unknown
        slope, error = line(np.log2(distance.rounds[late]), np.log(distance.values[late]))
        return -slope, error

    @property
    def falling(self) -> np.ndarray:
        """Members whose distance is known to fall, bool `(P,)`."""
        return -np.expm1(-self.fall[0]) >= FLAT

    @property
    def known_flat(self) -> np.ndarray:
        """Members whose distance is known not to fall, bool `(P,)`: two evaluations are too few to tell."""
        return (-np.expm1(-self.fall[0]) < FLAT) & (self._late.sum() >= MIN_EVALUATIONS)

    @cached_property
    def out_of_reach(self) -> np.ndarray:
        """Members that have seen enough and whose samples would take too long to be good at their pace, bool `(P,)`.

        Or half as many as a usual run, if their pace is known.
        """
        signals, (fall, _) = self._signals, self.fall
        goal, values = signals.distance.goal, signals.distance.values
        unknown = self.has_few or (self.is_short and self._late.sum() < MIN_EVALUATIONS)
        if unknown or not np.isfinite(goal) or not len(values):
            return np.zeros(signals.members, dtype=bool)
        return np.log(np.maximum(values[-1] / goal, 1.0)) > REACH * np.nan_to_num(fall, nan=np.inf)

    @property
    def gained(self) -> np.ndarray:
        """The share of the distance at the first evaluation that is gone, `(P,)`; NaN with a single one."""
        values = self._signals.distance.values
        return 1 - values[-1] / values[0] if len(values) > 1 else np.full(self._signals.members, np.nan)

    @property
    def settled(self) -> np.ndarray:
        """Members whose distance is known to be flat, bool `(P,)`, though few examples were seen.

        Not those whose samples are as in the beginning while D is not sure of anything: they have yet to begin.
        """
        signals, (fall, error) = self._signals, self.fall
        is_flat = (np.abs(np.expm1(-fall)) < FLAT) & (error < FLAT) & ~((fall > 2 * error) & (fall > NOTHING))
        waiting = (self.gained < BEGUN) & ~(signals.final("lead") > SURE) & (not self.inherited)
        return is_flat & ~waiting & (self._late.sum() >= MIN_EVALUATIONS)

    @property
    def improving(self) -> np.ndarray:
        """Members whose samples are getting nearer to the data, or may be while few examples were seen: bool `(P,)`."""
        improving = self._signals.improving(IMPROVING)
        if self.is_short:  # where little is known of the distance, it may well fall
            improving = improving | ~self.known_flat
        return improving | ~self.settled if self.has_few else improving & ~self.out_of_reach

    @property
    def narrow(self) -> bool:
        """Whether G's latent has one number, or none that varies: its samples then lie on a curve."""
        latent = self._signals.story.recipe.get("latent") or {}
        return latent.get("is") == "constant" or latent.get("size", NARROW) < NARROW

    @cached_property
    def early(self) -> np.ndarray:
        """Members of which more training may change everything, bool `(P,)`."""
        signals = self._signals
        if not signals.story.round:
            return np.zeros(signals.members, dtype=bool)
        copies, constant = copied(signals), signals.latest("diversity") < CONSTANT
        lost = signals.beaten & ~self.falling
        if self.narrow and not self.too_few:
            lost = lost | signals.alike
        early = (self.too_few & ~lost) | (self.improving & ~copies & ~constant & ~lost) | self.few_steps
        return early & ~signals.diverged

    @cached_property
    def unfinished(self) -> np.ndarray:
        """Of those, the ones that are not good yet: it is too early for a diagnosis, bool `(P,)`.

        After few examples they must be known to be good: samples may be wrong in what no metric of this run shows.
        """
        signals = self._signals
        few = self.has_few and not self.inherited
        return self.early & ~(signals.nearness.is_sure if few else signals.good)
