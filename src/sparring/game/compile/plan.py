"""A game's rounds as machine code, where a C++ compiler is there and the run is long enough to repay it.

The round that `tracing.py` wrote down is compiled into a library (`machine_code.py`). Every round is one call of it, so
a round's numbers depend on nothing but the round; where it was interrupted does not matter. Members are played in
groups (`groups.py`), whose code is that of a game of as many members. On a GPU there is nothing to compile, and a round
is a CUDA graph (`captured.py`).
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from sparring.errors import SparringError, in_one_line, shortened
from sparring.game.compile.aot import UncompilableError, forget, known, library_of, machine_code
from sparring.game.compile.groups import Group, all_in_one, balanced, group_size, groups_like
from sparring.game.game import Game, Logged
from sparring.game.runtime import threads_set

if TYPE_CHECKING:
    from sparring.game.compile.tracer import Code, Traced

REPAYS_SECONDS, REPAYS_SECONDS_KEPT = 240.0, 5.0
"""Compiling repays itself in a run that would take so long as it is: it takes up to 50 s, or 1 s where code is kept.

Where arithmetic takes the time, as with many seeds or wide networks, rounds get 1.25 to 1.4 times as fast.
"""
ROUNDS_TIMED, LONG_ENOUGH = 3, 0.3
"""Rounds that tell how long a run would take, and seconds after which fewer do."""
BLOCK = 1024
"""Rounds whose numbers are worked out at a time."""
MOST_WAYS = 6
"""Ways that a round may go: each is compiled by itself."""
LOOKED_AT = 20_000
"""Rounds, evenly spaced, that are asked which way they go before the first."""
APART, APART_IN_HALF, ROUNDING = 0.01, 0.1, 1e-5
"""How far code may lie from the game itself after a round: the first, or where networks reckon in half precision the
second, as a share of how far the round moved a tensor, and the last, of its size, in half of the tensors. All there may
be between them is rounding in another order, but Adam steps as far by a gradient that is nothing else."""


PlayTo = Callable[[int, int], list[Logged]]
"""As `Game.play_to`."""


@dataclass(frozen=True)
class Playing:
    """How the rounds of a game are played from here on."""

    play_to: PlayTo
    compiled: bool = False
    group: int | None = None
    """Members that are played together, if not all of them are."""
    words: str = ""
    """What to say of it."""


def playing(
    game: Game, wanted: bool | None, name: str, part: Callable[[int], Game] | None = None, group: int | None = None
) -> Playing:
    """How to play a game's rounds.

    `wanted` is whether they are to be compiled; None decides by what repays. `name` is that of the recipe, in the sense
    that games of one name have the same code. `part` makes the same game of that many members; without it all are
    played together. `group` is how many are, where that was decided before.
    """
    if wanted is False:
        return Playing(game.play_to)
    on_gpu = game.rng.device.type != "cpu"
    threads, members = torch.get_num_threads(), game.G.size
    if on_gpu or part is None:
        group = members
    group = group or group_size(game, threads)
    at_once = min(threads, members // group)
    try:
        if game.world.size > 1:
            raise UncompilableError("that is for one process")
        with threads_set(threads // at_once):
            before = known(name, group)
        repays_after = REPAYS_SECONDS_KEPT if on_gpu or before.exists() else REPAYS_SECONDS
        if wanted is None and _seconds_of_a_round(game) * (game.rounds - game.round) < repays_after:
            return Playing(game.play_to)
        began = time.monotonic()
        compiled = Compiled(game, part(group) if part and group < members else None)
        if not on_gpu:
            before.parent.mkdir(parents=True, exist_ok=True)
            before.touch()
    except UncompilableError as reason:
        return Playing(game.play_to, words=f"rounds are not compiled: {reason}")
    except ImportError as error:  # of a part of torch that has no promise to stay
        words = f"rounds are not compiled: this torch does not offer it ({in_one_line(error)})"
        return Playing(game.play_to, words=words)
    took = f"done in {time.monotonic() - began:.0f} s"
    if on_gpu:
        return Playing(compiled.play_to, True, words=f"rounds are CUDA graphs: {took}")
    words = f"rounds are compiled: {f'{took} and kept' if compiled.made else 'kept from before'}"
    if len(compiled.groups) == 1:
        return Playing(compiled.play_to, True, words=words)
    words += f"; seeds are played in groups of {group}" + (f", {at_once} at once" if at_once > 1 else "")
    return Playing(compiled.play_to, True, group, words)


class Compiled:
    """A game's rounds, one call of machine code each.

    `part` is the same game of fewer members, if they are to be played in groups of as many: its code is theirs, and a
    group has one of torch's threads, or as many as there are for each.
    Raises UncompilableError where there is no compiler (nor a GPU), or where a round cannot be written down.
    """

    def __init__(self, game: Game, part: Game | None = None):
        self.game = game
        self.groups: list[Group] = (groups_like(part, game) if part else None) or all_in_one(game)
        self._part = part if part and len(self.groups) > 1 else game
        """Whose rounds are written down."""
        self._on_gpu = game.rng.device.type != "cpu"
        self.made = False
        """Whether anything had to be compiled."""
        self._ways: dict[bool, list[_Way]] = {}
        """Watched or not -> the ways that such a round may go."""
        self._block: dict[bool, tuple[int, bytes]] = {}
        """Watched or not -> a block of rounds, and the way that each goes."""
        threads = torch.get_num_threads()
        self._at_once = min(threads, len(self.groups))
        self._threads = threads // self._at_once
        """Of each group."""
        self._pool = ThreadPoolExecutor(self._at_once, initializer=torch.set_num_threads, initargs=(self._threads,))
        for recording in (True, False):
            self._ways[recording] = self._find_ways(recording)
        self._hang_on_the_round = any(way.answers for ways in self._ways.values() for way in ways)

    def play_to(self, round: int, every: int) -> list[Logged]:
        """Rounds until so many are played. Returns the figures of those whose number `every` divides."""
        rounds = range(self.game.round, round)
        if self._hang_on_the_round:
            for each in rounds:  # what is new has to be compiled before groups part
                self._way(each, each % every == 0)
        for group in self.groups:
            group.begin()
        figures = zip(*self._all_groups(rounds, every), strict=True)
        self.groups[-1].end()
        self.game.round = round
        recording = [each for each in rounds if each % every == 0]
        return [
            (each + 1, dict(zip(self._going(each, True).logged, torch.cat(told, 1).unbind(), strict=True)))
            for each, told in zip(recording, figures, strict=True)
        ]

    def _all_groups(self, rounds: range, every: int) -> list[list[Tensor]]:
        """What each group noted."""
        numbers = range(len(self.groups))
        if self._at_once == 1:
            return [self._group(number, rounds, every) for number in numbers]
        pieces = balanced(rounds, len(self.groups), self._at_once)
        played: list[list[Future[list[Tensor]]]] = [[] for _ in numbers]
        for piece in pieces:
            for number in numbers:
                # A group's pieces follow each other: who has one waits for the one before, which somebody has.
                before = played[number][-1:]
                played[number].append(self._pool.submit(self._group, number, piece, every, before))
        wait([each for futures in played for each in futures])
        return [[told for future in futures for told in future.result()] for futures in played]

    def _group(
        self, number: int, rounds: range, every: int, before: Sequence[Future[list[Tensor]]] = ()
    ) -> list[Tensor]:
        """What one group noted, `(noted, members)` for each watched round."""
        wait(before)
        rng = self.groups[number].rng
        logged: list[Tensor] = []
        for round in rounds:
            recording = round % every == 0
            rng.begin(round)
            figures = self._going(round, recording).play(number, round)
            if recording:
                logged.append(figures[0])
        return logged

    def _going(self, round: int, recording: bool) -> _Way:
        ways = self._ways[recording]
        return ways[self._way(round, recording)] if self._hang_on_the_round else ways[0]

    def _way(self, round: int, recording: bool) -> int:
        block, offset = divmod(round, BLOCK)
        held = self._block.get(recording)
        if held is None or held[0] != block:
            rounds = np.arange(block * BLOCK, (block + 1) * BLOCK, dtype=float)
            held = self._block[recording] = block, bytes(_first_that_serves(self._ways[recording], rounds).tolist())
        if held[1][offset] == len(self._ways[recording]):  # it was not among those looked at beforehand
            try:
                self._ways[recording].append(self._way_of(round, recording))
            except UncompilableError as reason:
                raise SparringError(f"round {round} cannot be compiled ({reason}): train with --no-compile") from reason
            del self._block[recording]
            return self._way(round, recording)
        return held[1][offset]

    def _find_ways(self, recording: bool) -> list[_Way]:
        """All ways that rounds go, as far as can be seen from here."""
        rounds = _spread_over(self.game.rounds)
        ways: list[_Way] = []
        while (left := np.flatnonzero(_first_that_serves(ways, rounds.astype(float)) == len(ways))).size:
            if len(ways) == MOST_WAYS:
                raise UncompilableError("its course changes too often from round to round")
            ways.append(self._way_of(int(rounds[left[0]]), recording))
        return ways

    def _way_of(self, round: int, recording: bool) -> _Way:
        from sparring.game.compile.tracer import UntraceableError, trace

        with _quietly(), threads_set(self._threads):
            try:
                traced = trace(self._part, round, recording)
                fresh = self._on_gpu or not library_of(traced).exists()
                if fresh:
                    self._refuse_what_cannot_be_followed(traced, round, recording)
                way = _Way(traced, self._code(traced), self.groups)
            except UntraceableError as reason:
                raise UncompilableError(str(reason)) from reason
            except UncompilableError:
                raise
            except Exception as error:  # a user's own module may do anything, and a compiler stumble over it
                evaluated = "value out of a tracing tensor" in str(error)
                why = (
                    "it looks at numbers that it has just computed" if evaluated else shortened(in_one_line(error), 200)
                )
                raise UncompilableError(why) from error
            self.made |= fresh
            if (fresh or len(self.groups) > 1) and not self._agrees(way, round, recording):
                forget(traced)
                raise UncompilableError("compiled, it computes something else")
        return way

    def _code(self, traced: Traced) -> Code:
        if not self._on_gpu:
            return machine_code(traced, self._at_once)
        from sparring.game.compile.cuda_graph import cuda_graph_of

        with self.game.preserving_state():
            return cuda_graph_of(traced, self.game.rng.device)

    def _refuse_what_cannot_be_followed(self, traced: Traced, round: int, recording: bool) -> None:
        from sparring.game.compile.tracer import trace

        some = _spread_over(self.game.rounds)
        others = [r for r in some[traced.serves(some.astype(float))].tolist() if r != round]
        if others and trace(self._part, others[len(others) // 2], recording).text != traced.text:
            raise UncompilableError("it changes with the round in a way that cannot be followed")

    @torch.no_grad()
    def _agrees(self, way: _Way, round: int, recording: bool) -> bool:
        """Whether that round of the last group, which is not the one written down, comes to the same as its game's."""
        part, group = self._part, self.groups[-1]
        before = [t.clone() for t in group.tensors]
        if part is not self.game:
            part.rng.serve(group.rng.seeds)
        with part.preserving_state(), torch.enable_grad():
            for tensor, held in zip(part.tensors, before, strict=True):
                tensor.detach().copy_(held)
            part.round, part.recording = round, recording
            part.play()
            after = [t.detach().clone() for t in part.tensors]
        group.rng.begin(round)
        way.play(len(self.groups) - 1, round)
        trios = zip(group.tensors, after, before, strict=True)
        apart = median(_apart(mine, theirs, old) for mine, theirs, old in trios)
        for tensor, held in zip(group.tensors, before, strict=True):
            tensor.copy_(held)
        return apart <= (APART_IN_HALF if part.G.precision == torch.bfloat16 else APART)


class _Way:
    """One course of a round, as machine code with the tensors that each group has for it."""

    def __init__(self, traced: Traced, code: Code, groups: Sequence[Group]):
        self.serves, self.answers, self.logged, self._code = traced.serves, traced.answers, traced.logged, code
        rest = [t.detach() for t in traced.inputs[len(groups[0].tensors) :]]
        self._inputs = [[*group.tensors, *rest] for group in groups]
        self._draws = [[(place, draw.of(group.rng)) for place, draw in traced.draws] for group in groups]
        self._courses = traced.numbers
        self._block: tuple[int, list[tuple[Tensor, ...]]] = -1, []
        """A block of rounds, and its numbers."""

    def play(self, group: int, round: int) -> Sequence[Tensor]:
        """What it noted. The group's chance has entered the round."""
        inputs = self._inputs[group]
        for place, draw in self._draws[group]:
            inputs[place] = draw().contiguous()
        if self._courses:
            block, offset = divmod(round, BLOCK)
            held = self._block
            if held[0] != block:
                rounds = np.arange(block * BLOCK, (block + 1) * BLOCK, dtype=float)
                courses = [np.broadcast_to(course(rounds), rounds.shape).astype(float) for _, course in self._courses]
                held = self._block = block, [torch.from_numpy(course).unbind() for course in courses]
            for (place, _), numbers in zip(self._courses, held[1], strict=True):
                inputs[place] = numbers[offset]
        return self._code(inputs)


def _first_that_serves(ways: Sequence[_Way], rounds: np.ndarray) -> np.ndarray:
    """The way that each round goes; the number of ways where it goes none of them."""
    found = np.full(len(rounds), len(ways), dtype=np.uint8)
    for number, way in reversed(list(enumerate(ways))):
        found[way.serves(rounds)] = number
    return found


def _spread_over(rounds: int) -> np.ndarray:
    """Some rounds of so many, evenly spaced; all where they are few."""
    return np.unique(np.linspace(0, rounds - 1, LOOKED_AT).astype(np.int64))


def _apart(mine: Tensor, theirs: Tensor, before: Tensor) -> float:
    """How far one lies from the other, as a share of how far the round moved it."""
    if not mine.is_floating_point():
        return 0.0 if torch.equal(mine, theirs) else torch.inf
    moved = (theirs - before).norm() + ROUNDING * theirs.norm()
    return float((mine - theirs).norm() / moved) if moved > 0 else 0.0


@contextmanager
def _quietly() -> Generator[None]:
    """Torch's compiler talks of its own affairs."""
    logger = logging.getLogger("torch._inductor")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _seconds_of_a_round(game: Game) -> float:
    """Of the processor's time: what else runs on the machine does not count."""
    seconds: list[float] = []
    with game.preserving_state():
        game.play()  # the first takes longer than those that follow
        while len(seconds) < ROUNDS_TIMED and sum(seconds) < LONG_ENOUGH:
            began = time.process_time()
            game.play()
            seconds.append(time.process_time() - began)
    return min(seconds) / torch.get_num_threads()
