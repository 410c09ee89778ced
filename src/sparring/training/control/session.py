"""The training process's side: takes commands, and decides when the trainer plays what."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sparring.errors import SparringError, in_one_line
from sparring.fields import as_int
from sparring.game.game import Logged
from sparring.recipe import Recipe
from sparring.recipe.changing import with_plain
from sparring.record.steering import LASTING, Mode
from sparring.training.control import settings
from sparring.training.control.going_on import set_numbers
from sparring.training.control.inbox import Command, Inbox
from sparring.training.control.moves import MoveByMove
from sparring.training.control.reports import Reports

if TYPE_CHECKING:
    from sparring.training.chores.checkpoint import Checkpoint
    from sparring.training.chores.keep import Keep
    from sparring.training.trainer import Trainer
    from sparring.tricks import Who

WAIT_SECONDS = 0.02
"""How often a paused run asks for commands."""
MAX_SPEED = 1_000.0
"""Moves a second, in slow motion."""
MAX_WATCH = 60.0
"""Seconds that somebody watches without saying so again."""


class Control:
    """Steers one training session.

    Args:
        trainer: What is steered. Its recipe is the one in force.
        base: The recipe that the run began with.
        inbox: Where commands come from; those that came since it was made are still to be done.
        checkpoint: Saves the run.
        keep: Keeps checkpoints along the way.
        paused: Whether the session begins paused.
    """

    def __init__(
        self,
        trainer: Trainer,
        base: Recipe,
        inbox: Inbox,
        checkpoint: Checkpoint,
        keep: Keep,
        paused: bool = False,
    ):
        self._trainer, self._base, self._inbox = trainer, base, inbox
        self._checkpoint, self._keep = checkpoint, keep
        self.mode: Mode = "running"
        self.idle_seconds = 0.0
        """Of this session, in which nothing was played because it was paused, or slow."""
        self._begins_paused = paused
        self._moves = MoveByMove(trainer.game)
        self._reports = Reports(trainer.run.path, trainer.recipe, trainer.game)
        self._steering = trainer.run.story.steering
        self._followed = trainer.game.round
        """The last round for which the game was given its numbers."""
        self._extras_done = 0
        """Extra moves of the journal that have been played in this round."""
        self._waiting: deque[Command] = deque()
        """Commands that are still to be done."""
        self._wanted: tuple[Command, Who | None] | None = None
        """A single move that was asked for: it is played before the next command is done."""
        self._pause_at: tuple[int, Command] | None = None
        """The round after which to pause, and who asked for it."""
        self._speed, self._next_move = 1.0, 0.0
        self._handlers: Mapping[str, Callable[[Command], None]] = {
            "pause": self._pause,
            "go": self._go,
            "round": self._rounds,
            "step": self._step,
            "slow": self._slow,
            "set": self._set,
            "checkpoint": self._save,
            "rewind": self._rewind,
            "stop": self._stop,
            "watch": self._watch,
        }

    # What the trainer calls.

    def waits(self) -> bool:
        """Do what was asked for since the last call, then say whether there is nothing to play now.

        Called between turns; where there is nothing to play it returns after WAIT_SECONDS.
        """
        if self._begins_paused:
            self._begins_paused = False
            self._go_to_position()
            self._pause(Command("pause", id=""))
        self._at_border()
        self._waiting += self._inbox.new()
        while self._waiting and self._wanted is None and not self._trainer.stopping:
            self._do(self._waiting.popleft())
        if self._trainer.stopping:
            return True
        if self._is_to_play():
            return False
        began = time.monotonic()
        left = self._next_move - began if self.mode == "slow" else WAIT_SECONDS
        time.sleep(max(0.0, min(left, WAIT_SECONDS)))
        self.idle_seconds += time.monotonic() - began
        return True

    def play(self, round: int, every: int) -> list[Logged]:
        """Play on, up to so many rounds at the furthest: until something else is to be done, or one move."""
        game = self._trainer.game
        if self.mode == "slow" or self._wanted or self._moves.is_within or self._extra_is_due():
            return self._by_hand(every)
        play_to = self._trainer.play_to
        ends = [round, self._steering.next_after(game.round), self._pause_at[0] if self._pause_at else None]
        if play_to != game.play_to:  # what was played move by move was not played by compiled code
            by_hand = self._steering.is_by_hand(game.round)
            ends.append(game.round + 1 if by_hand else self._steering.next_by_hand(game.round))
            play_to = game.play_to if by_hand else play_to
        points = play_to(min(end for end in ends if end is not None), every)
        self._reports.at_border()
        return points

    def leave(self) -> None:
        """Called at the end of a session: a round that has begun is left as if it had not.

        The moves that were played in it are in the journal, and are played again when the run is resumed.
        """
        self._moves.abandon()

    # Playing.

    def _go_to_position(self) -> None:
        """Within the round, where the run was left between two of its moves."""
        for step in self._steering.steps_in(self._trainer.game.round):
            if step.extra or step.position == self._moves.position:
                self._moves.play(step.move, step.extra)
                self._extras_done += step.extra

    def _is_to_play(self) -> bool:
        if self.mode == "slow":
            return self._wanted is not None or time.monotonic() >= self._next_move
        return self.mode == "running" or self._wanted is not None

    def _at_border(self) -> None:
        """Between two rounds: settings that are due, and the pause that was asked for."""
        round = self._trainer.game.round
        if self._moves.is_within:
            return
        if self._followed != round:
            self._followed = round
            if self._steering.changes:  # writing out the recipe takes longer than many a round
                self._set_numbers(self._steering.numbers_until(round, since=round))
        if self._pause_at is not None and round >= self._pause_at[0]:
            (_, command), self._pause_at = self._pause_at, None
            self._pause(command)

    def _extra_is_due(self) -> bool:
        """Whether the journal has an extra move in this round: the run was resumed from before it."""
        return any(each.round == self._trainer.game.round for each in self._steering.extras)

    def _by_hand(self, every: int) -> list[Logged]:
        """One move: of the journal, where the run was resumed from before it; else one asked for, or the next."""
        moves, round = self._moves, self._trainer.game.round
        before = [each for each in self._steering.extras if each.round == round][self._extras_done :]
        if before and before[0].position <= moves.position:
            moves.play(before[0].move, True)
            self._extras_done += 1
        elif before:
            moves.play(moves.position, False)
        elif self._wanted is not None:
            (command, who), self._wanted = self._wanted, None
            self._play_step(command, who)
        elif self.mode == "slow":
            self._next_move = max(self._next_move + 1 / self._speed, time.monotonic())
            self._play_and_report(*moves.choose(None))
        else:
            moves.play(moves.position, False)
        if not moves.has_ended:
            return []
        self._extras_done = 0
        return moves.end(every)

    def _play_step(self, command: Command, who: Who | None) -> None:
        moves, game = self._moves, self._trainer.game
        index, extra = moves.choose(who)
        position = moves.position
        report = self._play_and_report(index, extra)
        if extra:
            self._extras_done += 1
        self._write(
            "stepped",
            command,
            round=game.round,
            position=position,
            index=index,
            of=len(game.moves),
            move=report["move"],
            player=report["player"],
            extra=extra,
            report=report["number"],
        )

    def _play_and_report(self, index: int, extra: bool) -> dict[str, Any]:
        game, moves = self._trainer.game, self._moves
        player, position = moves.players[index], moves.position
        self._reports.before_move()
        moves.play(index, extra)
        return self._reports.after_move(
            round=game.round,
            position=position,
            of=len(game.moves),
            index=index,
            move=_name(game.moves[index]),
            player=player,
            extra=extra,
        )

    # Commands.

    def _do(self, command: Command) -> None:
        """Do it, or say in the journal in one line why not."""
        handler = self._handlers.get(command.do)
        try:
            if handler is None:
                raise SparringError(f"there is no command {command.do!r}; there are {', '.join(self._handlers)}")
            handler(command)
        except SparringError as error:
            self._refuse(command, str(error))
        except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:  # of values that are none
            self._refuse(command, in_one_line(error))

    def _pause(self, command: Command) -> None:
        self.mode, self._pause_at = "paused", None
        if not self._moves.is_within and self._trainer.playing:
            self._checkpoint.save_if_new(self._trainer)
        self._write("paused", command, round=self._trainer.game.round, **self._position())

    def _go(self, command: Command) -> None:
        self.mode, self._pause_at = "running", None
        self._write("continued", command, round=self._trainer.game.round, **self._position())

    def _rounds(self, command: Command) -> None:
        """The rest of the round that has begun, or one round; or so many, and then pause."""
        count = _whole(command, "rounds", 1, 1)
        self._go(Command("go", by=command.by, id=""))
        self._pause_at = (self._trainer.game.round + count, command)

    def _step(self, command: Command) -> None:
        who = command.values.get("player")
        if who not in (None, "G", "D"):
            raise SparringError(f"a step is one of D's or of G's, or the next one, not {who!r}")
        if who is not None and who not in self._moves_players():
            raise SparringError(f"no move of this run is {who}'s")
        if self.mode == "running":
            self._pause(Command("pause", by=command.by, id=""))
        self._wanted = command, who

    def _slow(self, command: Command) -> None:
        speed = command.values.get("moves_per_second", 1.0)
        if isinstance(speed, bool) or not isinstance(speed, int | float) or not 0 < speed <= MAX_SPEED:
            raise SparringError(f"slow motion takes up to {MAX_SPEED:,.0f} moves a second, not {speed}")
        self.mode, self._speed, self._next_move, self._pause_at = "slow", float(speed), time.monotonic(), None
        round = self._trainer.game.round
        self._write("slowed", command, round=round, moves_per_second=float(speed), **self._position())

    def _set(self, command: Command) -> None:
        """From the next border on, which is now unless a round has begun."""
        values = command.values.get("settings")
        if not isinstance(values, dict):
            raise SparringError("say what to set")
        trainer = self._trainer
        round = trainer.game.round + self._moves.is_within
        _, different = settings.changed(self._recipe_at(round), values)
        numbers = [(path, new) for path, (_, new) in different.items()]
        if self._moves.is_within:
            self._try([each for each in numbers if settings.is_structure(each[0])])
        else:
            self._checkpoint.save_if_new(trainer)
            self._keep.keep(trainer)
            self._set_numbers(numbers)
        self._write("changed", command, round=round, settings=different)
        trainer.run.journal.sync()
        trainer.recipe = self._recipe_at(trainer.game.round)

    def _save(self, command: Command) -> None:
        with self._moves.before_round():
            self._trainer.log_curves()  # what is resumed from here must have the curves
            self._checkpoint.save(self._trainer, command=command.id, by=command.by)
            self._keep.keep(self._trainer)

    def _rewind(self, command: Command) -> None:
        from sparring.training.control.rewind import rewind_session

        round = _whole(command, "round", 0)
        before = self._trainer.game.round
        rewind_session(self._trainer, round, {"command": command.id, "by": command.by})
        self._steering, self._pause_at, self._extras_done = self._trainer.run.story.steering, None, 0
        self._moves.forget()
        self._followed = round
        self._set_numbers(self._steering.numbers_until(round))
        self._trainer.rewound(before)
        if self.mode == "slow":
            self._write("slowed", None, round=round, moves_per_second=self._speed)
        elif self.mode == "paused":
            self._write("paused", None, round=round, position=0)

    def _stop(self, command: Command) -> None:
        self._trainer.stopping = True
        self._write("stopping", command, round=self._trainer.game.round)

    def _watch(self, command: Command) -> None:
        seconds = command.values.get("seconds")
        if isinstance(seconds, int | float) and 0 < seconds <= MAX_WATCH:
            self._reports.watch(seconds)
            if command.values.get("plane") is True:
                self._reports.planes.watch(seconds)

    # Small parts.

    def _recipe_at(self, round: int) -> Recipe:
        return with_plain(self._base, self._steering.recipe_at(self._base.to_dict(), round))

    def _set_numbers(self, numbers: Sequence[tuple[str, Any]]) -> None:
        """Between two rounds."""
        game, trainer = self._trainer.game, self._trainer
        set_numbers(game, numbers)
        trainer.recipe = self._recipe_at(game.round)
        self._moves.moves_changed()
        self._reports.recipe_changed()

    def _try(self, numbers: Sequence[tuple[str, Any]]) -> None:
        """Within a round: whether they can be set at its end. Raises UsageError where they cannot."""
        game = self._trainer.game
        before, logged = [(path, game.numbers.value(path)) for path, _ in numbers], dict(game.logged)
        with game.rng.undisturbed():
            try:
                set_numbers(game, numbers)
                set_numbers(game, before)
            finally:
                game.logged.update(logged)

    def _moves_players(self) -> set[str]:
        return set(self._moves.players)

    def _position(self) -> dict[str, int]:
        moves = self._moves
        extras = {"extras": moves.extras} if moves.extras else {}
        return {"position": moves.position, "of": len(self._trainer.game.moves), **extras}

    def _refuse(self, command: Command, why: str) -> None:
        self._write("refused", command, round=self._trainer.game.round, do=command.do, why=why)

    def _write(self, event: str, command: Command | None, **fields: Any) -> None:
        if command is not None and command.id:
            fields["command"] = command.id
        if command is not None and command.by:
            fields["by"] = command.by
        self._trainer.run.journal.append(event, **fields)
        if event in LASTING:
            self._steering = self._trainer.run.story.steering


def _whole(command: Command, name: str, low: int, default: int | None = None) -> int:
    value = as_int(command.values.get(name, default))
    if value is None or value < low:
        raise SparringError(f"{command.do} takes a whole number of at least {low}, not {command.values.get(name)!r}")
    return value


def _name(move: Any) -> str:
    from sparring import catalogue

    return catalogue.name_of(move) or getattr(move, "__name__", type(move).__name__)
