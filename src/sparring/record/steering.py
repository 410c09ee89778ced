"""What a person changed while a run trained, from its journal, and the recipe that was in force at a round.

recipe.json says what a run began with. Its journal says the rest: `changed` (settings, from a round on), `stepped` (a
single move that was not the next one of its round), `branched` (the run goes on from another's checkpoint). A run of
which the journal says any of that is not its recipe's any more, and whoever shows or compares it says so.
"""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sparring.errors import SparringError

Event = dict[str, Any]
Plain = dict[str, Any]
Mode = Literal["running", "paused", "slow"]


@dataclass(frozen=True)
class Change:
    """Settings that were changed at one moment."""

    round: int
    """Rounds played before the first one with these settings."""
    settings: Mapping[str, tuple[Any, Any]]
    """What was changed -> its value before and after: a number by its path (`generator_optimizer.lr`,
    `tricks.r1.gamma`, `batch`, `round.g_fools_d`), or at a branching a whole field of the recipe (`objective`)."""
    by: str = ""
    """Who changed it."""


@dataclass(frozen=True)
class Step:
    """A single move that was asked for."""

    round: int
    """Rounds played before the round in which it was played."""
    position: int
    """Moves of that round that were played before it, extra ones left out."""
    move: int
    """Its index among the recipe's moves."""
    player: str = ""
    extra: bool = False
    """Whether it was played beside the moves of its round."""


@dataclass(frozen=True)
class Branch:
    """Where a run was branched off another."""

    run: str
    """The other run's folder."""
    round: int
    settings: Mapping[str, tuple[Any, Any]]
    """As of `Change`; empty for a branch that only goes on."""


@dataclass(frozen=True)
class Steering:
    """All that people did to the numbers of one run, in order."""

    changes: tuple[Change, ...] = ()
    """Those made at the branching among them."""
    steps: tuple[Step, ...] = ()
    branch: Branch | None = None
    """The last one, for a branch of a branch."""
    by_hand: tuple[tuple[int, int | None], ...] = ()
    """Spans of rounds that were played move by move, the first and the one after the last; None where it is open. Only
    compiled code tells such rounds from others, by rounding."""
    mode: Mode = "running"
    """In which the last session was left, or is."""

    @classmethod
    def of(cls, events: Sequence[Event]) -> Steering:
        """From a journal's events that still count. Raises SparringError for damaged ones."""
        try:
            return _read(events)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SparringError(f"the journal of this run is damaged: what was changed cannot be read ({error})") from (
                error
            )

    @property
    def extras(self) -> tuple[Step, ...]:
        """Moves that were played beside those of their rounds."""
        return tuple(step for step in self.steps if step.extra)

    def steps_in(self, round: int) -> tuple[Step, ...]:
        """The single moves that were asked for in the round after so many."""
        return tuple(step for step in self.steps if step.round == round)

    @property
    def departs(self) -> bool:
        """Whether the run is not its recipe's any more: settings were changed, or moves added."""
        return bool(self.changes or self.extras)

    def recipe_at(self, recipe: Plain, round: int | None = None, numbers: bool = True) -> Plain:
        """The recipe in force in the round after so many, or after all changes; as plain data.

        Args:
            recipe: What the run began with.
            round: Rounds played; None for all that there are.
            numbers: Whether with numbers that were set, or only with whole fields that a branching changed.

        Raises:
            SparringError: A change does not fit the recipe.
        """
        made = copy.deepcopy(recipe)
        counts: dict[str, int] = {}
        for change in self.changes:
            if round is None or change.round <= round:
                for path, (_, value) in change.settings.items():
                    if is_whole(path):
                        put(made, path, value)
                        counts = {} if path == "round" else counts
                    elif numbers and path.startswith(MOVES):
                        counts[path.removeprefix(MOVES)] = value
                    elif numbers:
                        put(made, path, value)
        if counts:
            made["round"] = _counted(made["round"], counts)
        return made

    def numbers_until(self, round: int, since: int = 0) -> list[tuple[str, Any]]:
        """The numbers that were set by then and are not part of a whole field that was changed later, in order.

        Args:
            round: Rounds played; what is set after as many counts too.
            since: Only what was set after at least as many rounds.
        """
        found: list[tuple[int, str, Any]] = []
        for change in self.changes:
            for path, (_, value) in change.settings.items() if change.round <= round else ():
                if is_whole(path):
                    found = [each for each in found if each[1].partition(".")[0] != path]
                else:
                    found.append((change.round, path, value))
        return [(path, value) for at, path, value in found if at >= since]

    def next_after(self, round: int) -> int | None:
        """The first later number of rounds after which a setting changes, or an extra move is played."""
        return min((each.round for each in (*self.changes, *self.extras) if each.round > round), default=None)

    def is_by_hand(self, round: int) -> bool:
        """Whether the round after so many was played move by move."""
        return any(first <= round and (end is None or round < end) for first, end in self.by_hand)

    def next_by_hand(self, round: int) -> int | None:
        """The first later number of rounds after which a round was played move by move."""
        return min((first for first, _ in self.by_hand if first > round), default=None)


LASTING = ("changed", "branched", "stepped", "slowed", "continued")
MOVES = "round."
"""How the paths of the numbers of moves begin."""


def is_whole(path: str) -> bool:
    """Whether this is a whole field of a recipe, rather than a number that is set while a run plays."""
    return "." not in path and path != "batch"


def put(recipe: Plain, path: str, value: Any) -> None:
    """Set one value of a recipe, given as plain data. Raises SparringError where there is no such path."""
    room, _, rest = path.partition(".")
    trick, _, field = rest.rpartition(".")
    try:
        place = _trick(recipe["tricks"], trick) if room == "tricks" and rest else recipe[room] if rest else recipe
        if (field or room) not in place:
            raise KeyError(path)
        place[field or room] = value
    except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
        raise SparringError(f"the journal changes {path}, which this run's recipe does not have") from error
    if path in recipe.get("per_member", {}):  # members have it in common from here on
        recipe["per_member"] = {each: column for each, column in recipe["per_member"].items() if each != path}


def _trick(tricks: list[Plain], name: str) -> Plain:
    """The trick of this name, or the second of it for `r1:2`."""
    name, _, nth = name.partition(":")
    found = [each for each in tricks if _kebab(str(each.get("is") or each.get("yours"))) == name]
    return found[int(nth or 1) - 1]


def _kebab(name: str) -> str:
    """`label-smoothing`, for a class of a user's own too."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name.rpartition(".")[2]).lower()


def _counted(moves: list[Any], counts: Mapping[str, int]) -> list[Any]:
    """A round's moves, some of them as often in a row as `counts` says."""
    runs = [(name, list(each)) for name, each in itertools.groupby(moves, key=_move_name)]
    return [m for name, each in runs for m in (each[:1] * counts[name] if name in counts else each)]


def _move_name(move: Any) -> str:
    return move if isinstance(move, str) else str(move.get("yours", "")).rpartition(".")[2]


def lasts(event: Event) -> bool:
    """Whether an event decides what is computed, so that it holds from whichever checkpoint the run is resumed."""
    return event["event"] in LASTING


def undone(recipe: Plain, changes: Sequence[Change]) -> Plain:
    """The recipe with the values that were before these changes, the last ones of a run."""
    back = [Change(0, {path: (after, before) for path, (before, after) in each.settings.items()}) for each in changes]
    return Steering(tuple(reversed(back))).recipe_at(recipe)


def after_rewinding(events: Sequence[Event], round: int, lasting: Collection[str] = ()) -> list[Event]:
    """The events that still count once a run has been taken back to the end of a round.

    What was changed after that round is undone, also where no other round was played in between. Events of the kinds
    in `lasting` are not undone.
    """
    return [
        event
        for event in events
        if event["event"] in lasting
        or (
            event.get("round", 0) <= round
            and not (event["event"] in ("changed", "stepped", "slowed") and event["round"] >= round)
        )
    ]


def without_another_future(events: Sequence[Event], event: Event) -> list[Event]:
    """The events before a new change: changes of later rounds are those of a future that did not come about.

    That happens where a run is resumed from a checkpoint before them, and changed again.
    """
    return [each for each in events if not (lasts(each) and each["round"] > event["round"] + 1)]


def _read(events: Sequence[Event]) -> Steering:
    changes: list[Change] = []
    steps: list[Step] = []
    spans: list[tuple[int, int | None]] = []
    branch: Branch | None = None
    mode: Mode = "running"
    for event in events:
        kind, round = event["event"], event.get("round", 0)
        if kind in ("changed", "branched"):
            settings = {str(path): (old, new) for path, (old, new) in event["settings"].items()}
            if settings:
                changes.append(Change(round, settings, str(event.get("by", ""))))
            if kind == "branched":
                branch = Branch(str(event["run"]), round, settings)
        elif kind == "stepped":
            position, index, player = int(event["position"]), int(event["index"]), str(event["player"])
            steps.append(Step(round, position, index, player, bool(event.get("extra"))))
            spans.append((round, round + 1))
        elif kind in ("slowed", "continued", "resumed", "started", "rewound"):
            if spans and spans[-1][1] is None:
                first = spans.pop()[0]
                end = round + (1 if event.get("position") or event.get("extras") else 0)
                spans += [(first, end)] if end > first else []
            if kind == "slowed":
                spans.append((round, None))
        mode = _mode(kind, mode)
    changes.sort(key=lambda change: change.round)  # stable; a pending one may stand before one of an earlier round
    return Steering(tuple(changes), tuple(steps), branch, tuple(spans), mode)


def _mode(kind: str, mode: Mode) -> Mode:
    if kind == "paused":
        return "paused"
    if kind == "slowed":
        return "slow"
    return "running" if kind in ("continued", "resumed", "started", "finished", "stopped") else mode
