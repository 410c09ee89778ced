"""What a person changed while a run trained, from its journal, and the recipe that was in force at a round.

recipe.json says what a run began with. Its journal says the rest: `changed` (settings, from a round on), `stepped` (a
single move that was not the next one of its round), `branched` (the run goes on from another's checkpoint). A run of
which the journal says any of that is not its recipe's any more, and whoever shows or compares it says so.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

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
    """Path in the recipe (`generator_optimizer.lr`, `tricks.0.gamma`, `batch`) -> its value before and after."""
    by: str = ""
    """Who changed it."""


@dataclass(frozen=True)
class Extra:
    """A move that was played beside those of its round."""

    round: int
    """Rounds played before the round in which it was played."""
    position: int
    """Moves of that round that were played before it, others like it left out."""
    move: int
    """Its index among the recipe's moves."""
    player: str = ""


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
    extras: tuple[Extra, ...] = ()
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
    def departs(self) -> bool:
        """Whether the run is not its recipe's any more: settings were changed, or moves added."""
        return bool(self.changes or self.extras)

    def recipe_at(self, recipe: Plain, round: int | None = None) -> Plain:
        """The recipe in force in the round after so many, or after all changes; as plain data.

        Raises SparringError where a change does not fit the recipe.
        """
        made = copy.deepcopy(recipe)
        for change in self.changes:
            if round is None or change.round <= round:
                for path, (_, value) in change.settings.items():
                    put(made, path, value)
        return made

    def next_after(self, round: int) -> int | None:
        """The first later number of rounds after which a setting changes, or an extra move is played."""
        return min((each.round for each in (*self.changes, *self.extras) if each.round > round), default=None)

    def is_by_hand(self, round: int) -> bool:
        """Whether the round after so many was played move by move."""
        return any(first <= round and (end is None or round < end) for first, end in self.by_hand)


def put(recipe: Plain, path: str, value: Any) -> None:
    """Set one value of a recipe, given as plain data. Raises SparringError where there is no such path."""
    *way, last = path.split(".")
    try:
        place: Any = recipe
        for name in way:
            place = cast(Any, place[int(name)] if isinstance(place, list) else place[name])
        if isinstance(place, list):
            place[int(last)] = value
        elif last in place:
            place[last] = value
        else:
            raise KeyError(last)
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise SparringError(f"the journal changes {path}, which this run's recipe does not have") from error


def lasts(event: Event) -> bool:
    """Whether an event decides what is computed, so that it holds from whichever checkpoint the run is resumed."""
    return event["event"] in ("changed", "branched") or (event["event"] == "stepped" and bool(event.get("extra")))


def after_rewinding(events: Sequence[Event], round: int) -> list[Event]:
    """The events that still count once a run has been taken back to the end of a round.

    What was changed after that round is undone, also where no other round was played in between.
    """
    return [
        event
        for event in events
        if event.get("round", 0) <= round
        and not (event["event"] in ("changed", "stepped", "slowed") and event["round"] >= round)
    ]


def without_another_future(events: Sequence[Event], event: Event) -> list[Event]:
    """The events before a new change: changes of later rounds are those of a future that did not come about.

    That happens where a run is resumed from a checkpoint before them, and changed again.
    """
    return [each for each in events if not (lasts(each) and each["round"] > event["round"] + 1)]


def _read(events: Sequence[Event]) -> Steering:
    changes: list[Change] = []
    extras: list[Extra] = []
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
            if event.get("extra"):
                extras.append(Extra(round, int(event["position"]), int(event["index"]), str(event["player"])))
            spans.append((round, round + 1))
        elif kind in ("slowed", "continued", "resumed", "started"):
            if spans and spans[-1][1] is None:
                first = spans.pop()[0]
                end = round + (1 if event.get("position") else 0)
                spans += [(first, end)] if end > first else []
            if kind == "slowed":
                spans.append((round, None))
        mode = _mode(kind, mode)
    changes.sort(key=lambda change: change.round)  # stable; a pending one may stand before one of an earlier round
    return Steering(tuple(changes), tuple(extras), branch, tuple(spans), mode)


def _mode(kind: str, mode: Mode) -> Mode:
    if kind == "paused":
        return "paused"
    if kind == "slowed":
        return "slow"
    return "running" if kind in ("continued", "resumed", "started", "finished", "stopped") else mode
