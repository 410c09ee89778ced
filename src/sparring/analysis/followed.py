"""A run that is followed while it trains: curves and what else a live page shows, grown by what is new. No torch."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sparring.analysis.diagnosis import Diagnosis, completed, diagnosis
from sparring.analysis.steered import departure, steering_sentences
from sparring.errors import SparringError
from sparring.record import RunFolder, Story
from sparring.record.files import is_training
from sparring.record.following import Following
from sparring.record.journal import LASTING, Event
from sparring.record.steering import Steering
from sparring.record.story import CURVES, GRADIENTS, numbers
from sparring.rules import Levels, Signals

SHOWN = (*CURVES, *GRADIENTS)
RECENT_SECONDS = 20.0
"""A watched loop without an end whose journal grew within this time is training; else its process was killed."""
MAX_DIAGNOSES = 64
"""Diagnoses of earlier rounds that are kept."""


class Column:
    """Rows that are appended to, `(T, P)`, in one array that grows."""

    def __init__(self, width: int):
        self._rows = np.empty((64, width), dtype=np.float32)
        self._count = 0

    def append(self, rows: np.ndarray) -> None:
        """Add `(T, P)` rows."""
        needed = self._count + len(rows)
        if needed > len(self._rows):
            larger = np.empty((max(needed, 2 * len(self._rows)), self._rows.shape[1]), dtype=np.float32)
            larger[: self._count] = self._rows[: self._count]
            self._rows = larger
        self._rows[self._count : needed] = rows
        self._count = needed

    @property
    def values(self) -> np.ndarray:
        """All rows so far, a view of `(T, P)`."""
        return self._rows[: self._count]


@dataclass(frozen=True)
class Bounds:
    """What a curve comes to at equilibrium, and its healthy range; None where the journal does not state them."""

    level: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Moment:
    """What a page says in words of a run at one round."""

    diagnosis: Diagnosis
    status: str
    members: int
    round: int
    """The newest."""
    rounds: int
    """Of the whole run."""
    seconds: float
    is_watched: bool
    """Whether it is a loop of the user's own."""
    departs: str
    """Why the run's numbers are not its recipe's, in a phrase; empty for a run whose numbers are."""
    done: tuple[tuple[int, str], ...]
    """What people did to the run, a sentence each with its round."""

    @classmethod
    def of(cls, followed: FollowedRun, round: int | None) -> Moment:
        """At a round, or now for None."""
        story = followed.story
        return cls(
            diagnosis=followed.diagnose(round),
            status=followed.status,
            members=len(followed.seeds),
            round=followed.round,
            rounds=followed.recipe["rounds"],
            seconds=followed.seconds,
            is_watched=followed.is_watched,
            departs=departure(story),
            done=tuple(steering_sentences(story)),
        )


class FollowedRun:
    """One run of P members, read on whenever `update` is called."""

    def __init__(self, run: RunFolder):
        """Raises SparringError for a folder whose recipe cannot be read."""
        self.run = run
        self.recipe = run.recipe
        self._journal = Following(run.path / "journal.jsonl")
        self._verdicts: dict[tuple[int, int, int], Diagnosis] = {}
        self._has_process = is_training(run.path)
        self._begin_again()

    @property
    def seeds(self) -> list[int]:
        return list(self.recipe["seeds"])

    @property
    def generation(self) -> int:
        """Changes when what was read before no longer counts, as after a rewind."""
        return self._journal.generation

    @property
    def bytes_read(self) -> int:
        """Of the journal, so far."""
        return self._journal.bytes_read

    def update(self) -> bool:
        """Read what is new. Returns whether there was any. Raises SparringError for a damaged journal."""
        # Asked before reading: a run that ends in between is as the journal says, and never "unfinished" for a moment.
        self._has_process = is_training(self.run.path)
        before, is_first = self.generation, not self._journal.events
        new = self._journal.read()
        if new and is_first:
            self.recipe = self.run.recipe  # its rounds may have followed from minutes
        if self.generation != before:
            self.recipe = self.run.recipe  # it may have been made longer
            self._begin_again()
            new = self._journal.events
        for event in new:
            self._add(event)
        if new:
            for name in ("steering", "bounds", "_story_status"):
                self.__dict__.pop(name, None)
        return bool(new)

    def _begin_again(self) -> None:
        self.rounds = np.empty(0, dtype=np.int64)
        """Rounds at which curves have a point, `(T,)`."""
        self.curves = {name: Column(len(self.recipe["seeds"])) for name in SHOWN}
        self.pictures: dict[int, str] = {}
        """Round -> file of its sample grid."""
        self.scores: dict[int, Mapping[str, Any]] = {}
        """Round -> histograms of D's outputs, as the journal has them."""
        self.diverged: dict[int, int] = {}
        self.round, self.seconds, self.at = 0, 0.0, 0.0
        self._verdicts.clear()

    def _add(self, event: Event) -> None:
        round = event.get("round", 0)
        if event["event"] not in LASTING:  # as Story.round
            self.round = max(self.round, round)
        self.seconds = max(self.seconds, event.get("seconds", 0.0))
        self.at = max(self.at, event.get("at", 0.0))
        if event["event"] == "log":
            self._add_curves(event)
            if "picture" in event:
                self.pictures[round] = event["picture"]
            if isinstance(event.get("scores"), dict):
                self.scores[round] = event["scores"]
        elif event["event"] == "diverged":
            for member in event["members"]:
                self.diverged.setdefault(member, round)

    def _add_curves(self, event: Event) -> None:
        members, logged = len(self.recipe["seeds"]), event["logged"]
        missing = [None] * members
        for name, column in self.curves.items():
            column.append(numbers(name, event.get(name, [missing] * len(logged)), len(logged), members))
        self.rounds = np.concatenate([self.rounds, np.array(logged, dtype=np.int64)])

    @property
    def story(self) -> Story:
        """The story so far, as rules read it."""
        return Story(self.recipe, list(self._journal.events))

    @property
    def status(self) -> str:
        """`training`, `paused` or `slow` while a process has the run; else that of the story.

        A watched loop has no process that can be asked: it is training while its journal grows.
        """
        if self._has_process:
            return {"running": "training"}.get(self.steering.mode, self.steering.mode)
        status = self._story_status
        recent = self.is_watched and time.time() - self.at < RECENT_SECONDS
        return "training" if status == "unfinished" and recent else status

    @property
    def is_watched(self) -> bool:
        """Whether it is a loop of the user's own, which their program steers."""
        return any(event["event"] == "loop" for event in self._journal.events[:20])

    @cached_property
    def steering(self) -> Steering:
        """What people did to the run; read again when something is new."""
        return self.story.steering

    @cached_property
    def _story_status(self) -> str:
        return self.story.status

    @cached_property
    def bounds(self) -> dict[str, Bounds]:
        """The level at equilibrium and the healthy range of each curve."""
        return bounds_of(self.story)

    @property
    def checkpoints(self) -> list[int]:
        """Rounds that the run can be taken back to, or branched off at."""
        return list(self.run.rounds_saved())

    def diagnose(self, round: int | None = None) -> Diagnosis:
        """The diagnosis as it was at the last log point up to this round; of now for None."""
        at = self.round if round is None else int(round)
        is_now = at >= self.round
        of_now = self.generation, -len(self._journal.events), self.run.measured_at
        key = of_now if is_now else (self.generation, self._log_point(at), 0)
        if key not in self._verdicts:
            # Of now there is one alone: each keeps a journal's worth of numbers.
            self._verdicts = {k: kept for k, kept in self._verdicts.items() if k[1] >= 0}
            while len(self._verdicts) >= MAX_DIAGNOSES:
                del self._verdicts[next(iter(self._verdicts))]
            story = self.story if is_now else self.story.until(self._log_point(at))
            self._verdicts[key] = diagnosis(completed(story, self.run) if is_now else story)
        return self._verdicts[key]

    def _log_point(self, round: int) -> int:
        """The last log point up to a round; 0 before the first."""
        logged = [event["round"] for event in self._journal.events if event["event"] == "log"]
        return max((each for each in logged if each <= round), default=0)


def bounds_of(story: Story) -> dict[str, Bounds]:
    """The level at equilibrium and the healthy range of each curve, as far as the journal states them."""
    stated = next((event["levels"] for event in reversed(story.events) if event.get("levels")), {})
    try:
        levels = Signals(story).levels
    except SparringError:
        levels = None
    return {name: _bounds(name, stated.get(name), levels) for name in SHOWN}


def _bounds(name: str, level: float | None, levels: Levels | None) -> Bounds:
    healthy = levels.healthy(name) if levels else None
    if levels and name in ("d_real", "d_fake"):
        level = levels.output
    low, high = (healthy.low, healthy.high) if healthy else (-np.inf, np.inf)
    return Bounds(level, *(float(end) if np.isfinite(end) else None for end in (low, high)))


def histograms_of(scores: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """D's outputs as the journal has them: the K + 1 edges, and counts `(M, K)` of real and of generated examples.

    M is the number of members, or 1 where all of them are counted together. Raises SparringError for damaged ones.
    """
    try:
        edges, real, fake = scores["edges"], scores["real"][0], scores["fake"][0]
        bins, rows = len(edges) - 1, len(real)
    except (KeyError, IndexError, TypeError) as error:
        raise SparringError(f"the journal of this run is damaged: its histograms cannot be read ({error!r})") from error
    shapes = ((edges, (bins + 1,)), (real, (rows, bins)), (fake, (rows, bins)))
    ends, of_real, of_fake = (numbers("scores", values, *shape).astype(np.float32) for values, shape in shapes)
    return ends, of_real, of_fake
