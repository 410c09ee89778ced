"""Steering a run from another process, or another thread: a command is sent, and its answer awaited."""

from __future__ import annotations

import getpass
import json
import time
from os import PathLike
from pathlib import Path
from typing import Any, Literal, final

from sparring.errors import SparringError, UsageError, shortened
from sparring.fields import as_int, described
from sparring.recipe import Recipe
from sparring.record import RunFolder, Story
from sparring.record.files import is_training
from sparring.training.control import settings
from sparring.training.control.inbox import Command, send

Event = dict[str, Any]
TIMEOUT = 30.0
"""Seconds to wait for an answer: a turn of rounds takes a quarter of one, a checkpoint of large networks some."""
POLL_SECONDS = 0.02
LOST_SECONDS = 1.0
"""After a training process has ended, how long its last answer is still awaited."""


@final
class Steer:
    """What people do to a run while it trains: pause it, take single steps, change settings, rewind, branch.

    Every method returns the event that the journal now has of it, once it is done, and raises SparringError where it
    cannot be done: the run is not training, or the training process refuses.

    Args:
        run: A run or its folder.
        by: Who asks for it, for the journal; the user's name if empty.
        timeout: Seconds to wait for an answer.
    """

    def __init__(self, run: RunFolder | str | PathLike[str], by: str = "", timeout: float = TIMEOUT):
        self.run = run if isinstance(run, RunFolder) else RunFolder.open(run)
        self._by, self._timeout = by or _user(), timeout

    def __repr__(self) -> str:
        return f"Steer({str(self.run.path)!r})"

    @property
    def is_training(self) -> bool:
        """Whether a process trains the run now."""
        return is_training(self.run.path)

    def status(self) -> dict[str, Any]:
        """Where the run is: `training`, `mode` (running, paused, slow), `round`, `rounds`, `settings` and what else.

        Returns:
            Plain data. `position` counts the moves of the next round that were played, `of` so many; `settings` are the
            numbers that `set` changes, as they are now; `checkpoints` the rounds that `rewind` and `branch` know;
            `is_recipe` is False once something was changed.

        Raises:
            SparringError: The run's files are damaged.
        """
        story = self.run.story
        training = self.is_training
        position, of = _position(story)
        return {
            "run": str(self.run.path),
            "training": training,
            "mode": story.steering.mode if training else story.status,
            "round": story.round,
            "rounds": story.recipe_now["rounds"],
            "position": position,
            "of": of,
            "is_recipe": not story.steering.departs,
            "settings": settings.values_of(Recipe.from_dict(story.recipe_now, placeholders=True)),
            "checkpoints": list(self.run.rounds_saved()),
        }

    def pause(self) -> Event:
        """Stop playing after the round in progress, and keep the process. Returns the event `paused`."""
        return self._ask("pause")

    def go(self) -> Event:
        """Play on at full speed. Returns the event `continued`."""
        return self._ask("go")

    def rounds(self, count: int = 1) -> Event:
        """Play the rest of the round in progress, or one round, or so many, then pause.

        Returns:
            The event `paused`, once they are played.

        Raises:
            SparringError: As for every method; also where they take longer than the timeout.
        """
        if (as_int(count) or 0) < 1:
            raise UsageError(f"the number of rounds must be at least 1, not {described(count)}")
        return self._ask("round", rounds=as_int(count))

    def step(self, player: Literal["G", "D"] | None = None) -> Event:
        """Play one move, then stay paused: the next one of the round, or one of D or of G.

        A move that is not the next one is an extra one: the run is no longer its recipe's.

        Args:
            player: Who is to learn; whoever's turn it is for None.

        Returns:
            The event `stepped`: `move`, `player`, `position` in the round, `extra`, and `report`, the number of the
            move's line in moves.jsonl.

        Raises:
            SparringError: The run is not training, or no move is this player's.
        """
        if player not in (None, "G", "D"):
            raise UsageError(f"a step is D's or G's, or the next one, not {described(player)}")
        return self._ask("step", **({} if player is None else {"player": player}))

    def slow(self, moves_per_second: float = 1.0) -> Event:
        """Play in slow motion, with a report of every move in moves.jsonl. Returns the event `slowed`."""
        return self._ask("slow", moves_per_second=moves_per_second)

    def set(self, **values: Any) -> Event:
        """Change settings from the next round on.

        Args:
            values: `lr=5e-5` (of both players; `d_lr`, `g_lr` of one), `batch=32`, `ratio=3` (steps of D for each of
                G), or a trick's: `gamma=1`, `r1_gamma=1`. Names with a dot go as `**{"r1.gamma": 1}`.

        Returns:
            The event `changed`: `round`, and `settings`, path -> [before, after].

        Raises:
            UsageError: There is no such setting, a value is not allowed, or nothing would change.
        """
        recipe = Recipe.from_dict(self.run.story.recipe_now, placeholders=True)
        settings.changed(recipe, values)  # what is wrong is said at once, whether it trains or not
        return self._ask("set", settings={name: _plain(value) for name, value in values.items()})

    def checkpoint(self) -> Event:
        """Save a checkpoint now, and keep it. Returns the event `checkpoint`."""
        return self._ask("checkpoint")

    def stop(self) -> Event:
        """Save and end the session, as Ctrl-C does. Returns the event `stopping`."""
        return self._ask("stop")

    def watch(self, seconds: float = 20.0, plane: bool = False) -> None:
        """Have D's scores written to moves.jsonl about twice a second for this long.

        With `plane`, also pictures of a game of points to planes/, which takes at most a tenth of the time.
        """
        self._check()
        send(self.run.path, Command("watch", {"seconds": seconds, "plane": plane}, self._by))

    def rewind(self, round: int) -> Event:
        """Take the run back to a checkpoint; what came after it is given up. The process goes on, if there is one.

        Args:
            round: A round that there is a checkpoint of (`run.rounds_saved()`, `status()["checkpoints"]`).

        Returns:
            The event `rewound`.

        Raises:
            UsageError: There is no checkpoint of this round.
        """
        from sparring.training.control.rewind import checkpoint_of, rewind_folder

        if as_int(round) is None:
            raise UsageError(f"rewind takes a round, not {described(round)}")
        checkpoint_of(self.run, round, self.run.story.round)
        if self.is_training:
            return self._ask("rewind", round=int(round))
        self._refuse_others()
        rewind_folder(self.run, int(round), self._by)
        return next(e for e in reversed(self.run.story.events) if e["event"] == "rewound")

    def _ask(self, do: str, **values: Any) -> Event:
        """Send a command and wait for what the journal says of it."""
        self._check()
        command = Command(do, values, self._by)
        answers = Answers(self.run)
        send(self.run.path, command)
        until, ended = time.monotonic() + self._timeout, None
        while time.monotonic() < until:
            answer = answers.of(command.id)
            if answer is not None and answer["event"] == "refused":
                raise UsageError(str(answer["why"]))
            if answer is not None:
                return answer
            if ended is not None and time.monotonic() > ended + LOST_SECONDS:
                raise SparringError(f"{self.run.path}: training ended before it took the command {do!r}")
            if ended is None and not self.is_training:
                ended = time.monotonic()
            time.sleep(POLL_SECONDS)
        raise SparringError(
            f"{self.run.path} has not taken the command {do!r} within {self._timeout:g} s; it does once it plays rounds"
        )

    def _check(self) -> None:
        """Raises SparringError for a run that cannot be steered now."""
        self._refuse_others()
        if not self.is_training and self.run.story.status == "finished":
            raise SparringError(
                f"{self.run.path} is finished, at round {self.run.story.round:,}: `sparring branch` makes a run that "
                "goes on from one of its checkpoints"
            )
        if not self.is_training:
            raise SparringError(
                f"{self.run.path} is not training ({self.run.story.status} at round {self.run.story.round:,}); "
                f"`sparring train --from {self.run.path} --out {self.run.path}` resumes it"
            )

    def _refuse_others(self) -> None:
        if self.run.sharded or (self.run.path.parent / "plan.json").is_file():
            raise SparringError(f"{self.run.path} is trained by several processes, which cannot be steered")
        if self.run.about.get("processes", 1) > 1:
            raise SparringError(f"several processes share the batches of {self.run.path}: it cannot be steered")
        if self.run.story.loop is not None:
            raise SparringError(f"{self.run.path} is a watched loop of your own: your program steers it")


class Answers:
    """The events of a journal that are written from now on and say what became of a command."""

    def __init__(self, run: RunFolder):
        self._path: Path = run.path / "journal.jsonl"
        self._offset = self._path.stat().st_size if self._path.exists() else 0
        self._found: dict[str, Event] = {}

    def of(self, id: str) -> Event | None:
        """What became of the command of this id, if that is known yet."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except OSError:
            return None
        end = data.rfind(b"\n") + 1
        self._offset += end
        for line in data[:end].split(b"\n"):
            if b'"command"' in line:
                event = json.loads(line)
                self._found[event["command"]] = event
        return self._found.get(id)


def _position(story: Story) -> tuple[int, int]:
    """Moves of the round in progress that were played, and how many it has, as far as the journal says."""
    of = len(story.recipe_now["round"])
    for event in reversed(story.events):
        if event["event"] in ("log", "resumed", "started", "rewound"):
            break
        if event["event"] in ("stepped", "paused", "continued", "slowed"):
            beside = event["event"] != "stepped" or event.get("extra")
            return (event.get("position", 0) + (0 if beside else 1)) % of, of
    return 0, of


def _plain(value: Any) -> Any:
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]  # pyright: ignore[reportUnknownVariableType]
    number = getattr(value, "item", None)  # of NumPy or torch
    if number is None:
        raise UsageError(f"a setting is a number, not {shortened(value)}")
    return number()


def _user() -> str:
    try:
        return getpass.getuser()[:64]
    except (OSError, KeyError, ImportError):
        return ""
