"""Numbers in which a game's members differ, and numbers that are set while it plays.

A component keeps its plain numbers until members differ in one, or one is set. From then on the game gives the
component that number as a tensor `(P,)`, so that setting it again changes a value and no computation: compiled code
reads the tensor too. What cannot be a tensor (a batch size, how often a move is played) changes the computation, and
`structure` counts such changes, so that whoever compiled the game knows to do it again.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor

from sparring.errors import UsageError, in_one_line
from sparring.fields import as_int, described
from sparring.game.checks import check_memory
from sparring.members import exact, with_fields
from sparring.recipe.numbers import (
    PLAYERS,
    ROOMS,
    Parts,
    Place,
    check_may_differ,
    check_settable,
    may_differ,
    place,
    places,
)

if TYPE_CHECKING:
    from sparring.game.game import Game
    from sparring.game.moves import Move

PREFIX = "number."
"""Of the names of numbers that were set, in a checkpoint."""
MOVES = "round."
"""Of the path of a move's number in a round."""
MAX_BATCH, MAX_MOVES = 2**31, 100_000


class Numbers:
    """The numbers of one game.

    Args:
        game: Its components still have the recipe's plain numbers.
        columns: A recipe's `per_member`.
    """

    def __init__(self, game: Game, columns: Mapping[str, Sequence[Any]]):
        self._game, self._columns = game, columns
        self._batch, self._moves = game.batch, game.moves
        optimizers = {room: game.players[who].optimizer for room, who in zip(PLAYERS, ("G", "D"), strict=True)}
        self._parts: Parts = {**optimizers, "objective": game.objective, "tricks": tuple(game.tricks)}
        """As the recipe has them."""
        self.structure = 0
        """Grows with every change of what a round computes, rather than of the values that it computes with."""
        self._reset()

    @property
    def tensors(self) -> list[Tensor]:
        """All that members have apart, each `(P,)`."""
        return [tensor for tensors in self._apart.values() for tensor in tensors]

    def set(self, path: str, value: Any) -> None:
        """See `Game.set_number`."""
        if path == "batch" or path.startswith(MOVES):
            self._try(lambda: self._set_structure(path, value), path)
            self.was_set[path] = None
            return
        for where in places(self._plain, path):
            self._set_at(where, value)

    def value(self, path: str) -> Any:
        """What a number is now: one value, or a list of them where it is the members' own."""
        if path == "batch":
            return self._game.batch
        if path.startswith(MOVES):
            return sum(many for move, many in self._runs if move.__name__ == path.removeprefix(MOVES))
        where = place(self._plain, path)
        columns = [tensor.tolist() for tensor in self._apart.get(where.path, ())]
        if not columns:
            return where.value(self._plain)
        return columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))

    def state(self) -> dict[str, Tensor]:
        """What was set, under its names in a checkpoint."""
        state: dict[str, Tensor] = {}
        for path in self.was_set:
            apart = self._apart.get(path)
            if apart is None:
                state[PREFIX + path] = torch.from_numpy(np.asarray(self.value(path)))
            else:
                state |= {f"{PREFIX}{path}.{k}": tensor for k, tensor in enumerate(apart)}
        return state

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Set what was set in a checkpoint; everything else is as the recipe has it."""
        stored: dict[str, list[np.ndarray]] = {}
        for name, array in state.items():
            if name.startswith(PREFIX):
                path, _, component = name.removeprefix(PREFIX).rpartition(".")
                path = path if component.isdecimal() else name.removeprefix(PREFIX)
                stored.setdefault(path, []).append(array)
        if set(stored) != set(self.was_set):
            self._reset()
        for path, arrays in stored.items():
            columns = [array.tolist() for array in arrays]
            self.set(path, columns[0] if len(columns) == 1 else list(zip(*columns, strict=True)))

    def follow(self, other: Numbers) -> None:
        """Compute as another game of the same recipe does, of which this one has the first members only."""
        self._plain = other._plain
        self._game.batch, self._game.moves, self._runs = other._game.batch, other._game.moves, other._runs
        size = self._game.G.size
        self._apart = {path: [t[:size].clone() for t in tensors] for path, tensors in other._apart.items()}
        self._install()

    def _reset(self) -> None:
        """Have the recipe's numbers."""
        self._plain = self._parts
        self._apart: dict[str, list[Tensor]] = {}
        """Path -> a tensor `(P,)`, or two of them for a pair."""
        self.was_set: dict[str, None] = {}
        """Paths of what was set, in order."""
        self._game.batch, self._game.moves, self._runs = self._batch, self._moves, _runs_of(self._moves)
        for path, values in self._columns.items():
            self._apart[path] = self._columns_of(values)
        self._install()

    def _set_at(self, where: Place, value: Any) -> None:
        check_settable(self._plain, where)
        values = self._checked(where, value)
        if may_differ(self._plain, where):
            self._plain = where.with_value(self._plain, values[0])
            self._set_apart(where.path, values)
        else:
            if len(set(values)) > 1:
                check_may_differ(self._plain, where)
            changed = where.with_value(self._plain, values[0])
            self._try(lambda: self._take(changed), where.path)
        self.was_set[where.path] = None

    def _checked(self, where: Place, value: Any) -> list[Any]:
        """A value for each member, in Python's own types. Raises UsageError for one that the component refuses."""
        size = self._game.G.size
        pair = isinstance(where.value(self._plain), tuple)
        given = value.tolist() if isinstance(value, Tensor | np.ndarray) else value
        is_list = isinstance(given, list | tuple)
        items = list(cast(Sequence[Any], given)) if is_list else []
        one = not is_list or (pair and not any(isinstance(each, list | tuple) for each in items))
        if not one and len(items) != size:
            raise UsageError(f"{where.path} takes one value, or one for each of {size} members, not {len(items)}")
        values = [tuple(each) if isinstance(each, list) else each for each in ([given] if one else items)]
        settled = [where.value(where.with_value(self._plain, each)) for each in values]
        return settled * size if one else settled

    def _set_apart(self, path: str, values: Sequence[Any]) -> None:
        columns = self._columns_of(values)
        if path not in self._apart:
            self._apart[path] = columns
            self._install()
            return
        for tensor, column in zip(self._apart[path], columns, strict=True):
            tensor.copy_(column)

    def _columns_of(self, values: Sequence[Any]) -> list[Tensor]:
        """A value for each member as tensors, in double precision: two for pairs of numbers."""
        columns = zip(*values, strict=True) if isinstance(values[0], tuple | list) else (values,)
        device = self._game.rng.device
        small = device.type == "mps"
        return [exact(torch.tensor(c, dtype=torch.float32 if small else torch.float64, device=device)) for c in columns]

    def _set_structure(self, path: str, value: Any) -> None:
        game, number = self._game, as_int(value)
        low, high = (1, MAX_BATCH) if path == "batch" else (0, MAX_MOVES)
        if number is None or not low <= number < high:
            raise UsageError(f"{path} takes a whole number of at least {low}, not {described(value)}")
        if path == "batch":
            game.batch = number
            for trick in game.tricks:
                trick.check(number // game.world.size, game.classes)
            check_memory(game)
        else:
            self._set_moves(path.removeprefix(MOVES), number)
        self.structure += 1

    def _set_moves(self, name: str, count: int) -> None:
        """Play a move so often, in the place where the recipe's round has it."""
        names = [move.__name__ for move, _ in self._runs]
        if names.count(name) != 1:
            why = "is in several places of the round" if name in names else "is not in the round"
            raise UsageError(f"{MOVES}{name} cannot be set: {name} {why} ({', '.join(names)})")
        runs = [(move, count if move.__name__ == name else many) for move, many in self._runs]
        if not any(many for _, many in runs):
            raise UsageError(f"{MOVES}{name} cannot be 0: a round needs at least one move")
        self._runs = runs
        self._game.moves = tuple(itertools.chain.from_iterable(itertools.repeat(*run) for run in runs))

    def _take(self, parts: Parts) -> None:
        self._plain = parts
        self._install()

    def _install(self) -> None:
        """Give the game its components with the numbers of this moment."""
        parts = {room: self._plain[room] for room in ROOMS}
        for path, tensors in self._apart.items():
            where = place(self._plain, path)
            field = tensors[0] if len(tensors) == 1 else tuple(tensors)
            parts = where.with_part(parts, with_fields(where.part(parts), {where.field: field}))
        for room, who in zip(PLAYERS, ("G", "D"), strict=True):
            self._game.players[who].use(parts[room])
        self._game.objective, self._game.tricks = parts["objective"], parts["tricks"]
        self.structure += 1

    def _try(self, change: Callable[[], None], path: str) -> None:
        """Make a change with which a round must still be playable; without it, it is undone.

        Raises UsageError, in one line, where it is not.
        """
        game = self._game
        before = game.batch, game.moves, self._runs, self._plain
        try:
            change()
            with game.preserving_state():
                game.play()
        except Exception as error:
            game.batch, game.moves, self._runs, plain = before
            self._take(plain)
            if isinstance(error, UsageError):
                raise
            raise UsageError(f"{path} cannot be set so: the round then fails ({in_one_line(error)})") from error


def _runs_of(moves: Sequence[Move]) -> list[tuple[Move, int]]:
    """A round's moves, each with how often it is played in a row."""
    return [(move, len(list(same))) for move, same in itertools.groupby(moves)]
