"""The clock of a training: rounds are played in turns, log points come up, chores are done, watchers are called.

What is computed does not depend on when a log event, an evaluation or a checkpoint falls, so a run that was killed and
resumed is bit for bit the run that was not.
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sparring.game.game import Game, PlayTo
from sparring.game.runtime import wait_for
from sparring.recipe import Recipe
from sparring.record import RunFolder
from sparring.training.chores import Chore
from sparring.training.control.session import Control
from sparring.training.latest import Latest

CURVE_POINTS = 64_000
"""About how many points of each curve a run logs, over all its members."""
CURVE_STEP = 10
"""Rounds between two points of a curve, at least: the write-ups' step."""
BEAT_SECONDS = 0.5
"""How often watchers are called between log points."""
TURN_SECONDS = 0.25
"""Length of a turn, the rounds that are played at a time: as long as Ctrl-C may wait."""

Watcher = Callable[["Trainer"], None]


@dataclass
class Trainer:
    """One training session of a game, recorded in a run's folder.

    Watchers are called with it after every log event and about twice a second. They read from it what they show, and
    may set `stopping`, or lower `until`.
    """

    recipe: Recipe
    game: Game
    run: RunFolder
    chores: Sequence[Chore] = ()
    """In the order in which they are done."""
    watchers: Sequence[Watcher] = ()
    members: int = 0
    """Of the whole run, of which this session may train a shard; those of the recipe if not given."""
    seconds: float = 0.0
    """Spent training, in earlier sessions too."""
    stopping: bool = False
    """Set it to stop after the turn in progress."""
    playing: bool = False
    """Whether all is prepared and rounds are played, which are worth to be saved when training is to stop."""
    stopped_by: Literal["stopped", "plateau"] = "stopped"
    """How the journal names the end of a session that stops before the recipe's last round."""
    latest: Latest = field(default_factory=Latest)
    """What chores have found so far."""
    control: Control | None = None
    """What people do to the run while it trains."""

    def __post_init__(self) -> None:
        recipe = self.recipe
        self.members = self.members or len(recipe.seeds)
        self.until = recipe.rounds
        """The round after which to stop."""
        self.play_to: PlayTo = self.game.play_to
        self.compiling: Callable[[], float] = lambda: 0.0
        """Seconds that went into compiling rounds while others were played, which are none of training."""
        self.started_at = self.game.round
        """The round this session began with."""
        self.session_seconds = 0.0
        self._began, self._seconds_before = time.monotonic(), self.seconds
        self.curve_step = max(CURVE_STEP, recipe.rounds * self.members // CURVE_POINTS)
        """Rounds between two points of a curve."""
        self.log_rounds = sorted({round(k * recipe.rounds / recipe.log_points) for k in range(recipe.log_points + 1)})
        self._stops = self.log_rounds
        """Rounds between which turns lie."""
        self._logged_round: int | None = None
        self._turn = 1
        """Rounds of the next turn."""

    @property
    def rounds_per_second(self) -> float:
        """Of this session; 0 before its first turn."""
        return (self.game.round - self.started_at) / self.session_seconds if self.session_seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """An estimate; None before the first turn."""
        pace = self.rounds_per_second
        return (self.recipe.rounds - self.game.round) / pace if pace else None

    @property
    def at_log_point(self) -> bool:
        """Whether the round just played is one of the recipe's log points."""
        at = bisect_left(self.log_rounds, self.game.round)
        return self.log_rounds[at : at + 1] == [self.game.round]

    def resume(self, round: int) -> None:
        """Go on from a checkpoint of the run, of this round, whose state the game has."""
        self.started_at = round
        # Not by its own event: the best checkpoint has none with seconds, nor one whose process was killed right after.
        self.seconds = self.run.story.until(round).seconds

    def go(self) -> None:
        """Play to the end, or until `stopping`. Raises SparringError when a chore does, as once all have diverged."""
        for chore in self.chores:
            chore.begin(self)
        self.playing = True
        if self.game.round == 0:
            self.log()
        self._began, self._seconds_before = time.monotonic(), self.seconds
        beat = self._began
        while self._goes_on():
            has_played = not self._waits() and self._play_turn()
            now = self._read_clock()
            if has_played and (self.at_log_point or any(chore.is_overdue(self) for chore in self.chores)):
                self.log()
            if now - beat > BEAT_SECONDS:
                beat = now
                self._call_watchers()
        if self.control is not None:
            self.control.leave()
        for chore in self.chores:
            chore.end(self)
        end = "finished" if self.game.round >= self.recipe.rounds else self.stopped_by
        self.run.journal.append(end, round=self.game.round, seconds=round(self.seconds, 3))

    def follow(self) -> None:
        """Play along with the main process, which records; nothing is recorded here."""
        self.playing = True
        while self._goes_on():
            self.game.play_to(self.game.round + 1, self.curve_step)

    def stop_at(self, rounds: Iterable[int]) -> None:
        """Let turns end after these rounds too."""
        self._stops = sorted({*self._stops, *rounds})

    def log_curves(self) -> None:
        """Write a log event of the curves up to here, unless the last one is of this round.

        It is no occasion for anything else: what is found in a run, and when, does not depend on such events.
        """
        if self._logged_round != self.game.round:
            self._write_log()

    def log(self) -> None:
        """Write a log event of the round just played, with what every chore adds to it."""
        event = self._write_log()
        for chore in self.chores:
            chore.after_log(self, event)
        self._call_watchers()

    def _write_log(self) -> dict[str, Any]:
        self._logged_round = self.game.round
        event: dict[str, Any] = {"round": self.game.round, "seconds": round(self.seconds, 3)}
        for chore in self.chores:
            event |= chore.log_fields(self)
        self.run.journal.append("log", **event)
        return event

    def rewound(self, before: int) -> None:
        """Called when the run was taken back to where the game now is, from after `before` rounds."""
        self.latest.forget()
        self._logged_round = self.game.round
        self.started_at -= before - self.game.round  # the rounds of this session count as they were played
        # Time that went into rounds which were taken back is not the run's, as where it is resumed from a checkpoint.
        self.seconds = self.run.story.until(self.game.round).seconds
        self._seconds_before = self.seconds - self.session_seconds
        for chore in self.chores:
            chore.rewound(self)

    def _read_clock(self) -> float:
        """Count the time spent up to now, without pauses and the compiler's. Returns the clock's time."""
        now = time.monotonic()
        idle = self.compiling() + (self.control.idle_seconds if self.control else 0.0)
        self.session_seconds = now - self._began - idle
        self.seconds = self._seconds_before + self.session_seconds
        return now

    def _waits(self) -> bool:
        return self.control is not None and self.control.waits()

    def _goes_on(self) -> bool:
        return self.game.round < self.until and not self.game.world.any(self.stopping)

    def _play_turn(self) -> bool:
        """Whether rounds were played to their end."""
        round, began = self.game.round, time.monotonic()
        play_to = self.control.play if self.control is not None else self.play_to
        points = play_to(self._end_of_turn(), self.curve_step)
        if self.game.round == round:  # a single move
            return False
        wait_for(self.game.rng.device)  # else a GPU's turns would grow without end, and Ctrl-C would wait for them
        self._set_turn(self.game.round - round, self._read_clock() - began)
        for chore in self.chores:
            chore.after_turn(self, points)
        return True

    def _end_of_turn(self) -> int:
        """The round up to which is played before anything else is done."""
        at = bisect_right(self._stops, self.game.round)
        return min(self.until, self.game.round + self._turn, *self._stops[at : at + 1])

    def _set_turn(self, rounds: int, seconds: float) -> None:
        """The next turn is as long as fits into TURN_SECONDS by the pace of this one, and at most twice as long."""
        if self.game.world.size == 1:  # several processes agree after every round whether one of them stops
            fit = rounds * min(TURN_SECONDS, BEAT_SECONDS) / max(seconds, 1e-9)
            self._turn = max(1, min(2 * self._turn, int(fit)))

    def _call_watchers(self) -> None:
        for watcher in self.watchers:
            watcher(self)
