"""A game played by compiled code: AOT-compiled libraries on a CPU, CUDA graphs on a GPU.

Every round is one call of the code, so its numbers depend on nothing but the round, wherever a run was interrupted. A
course that a round can take (with a penalty or without, say) has code of its own, a *specialization*; guards say in
which rounds it holds. Members are played in groups (`groups.py`), with the code of a game of as many members.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from statistics import median

import numpy as np
import torch
from torch import Tensor

from sparring.errors import SparringError, in_one_line, shortened
from sparring.game.compile.aot import compiler, compiling_at_once, discard, library_path, load_or_compile
from sparring.game.compile.cuda_graph import cuda_graph_of, on_gpu
from sparring.game.compile.errors import UncompilableError
from sparring.game.compile.groups import Group, balanced, groups_like, single_group
from sparring.game.compile.tracer import READS_VALUES, Code, Traced, trace
from sparring.game.game import Game, Logged
from sparring.game.runtime import idle_cores, threads_set

BLOCK = 1024
"""Rounds whose scalars and specializations are computed at a time."""
MAX_SPECIALIZATIONS = 6
"""More would take too long to compile."""
ROUNDS_CHECKED = 20_000
"""Rounds, evenly spaced over the run, whose specialization is determined before the first round."""
TOLERANCE, TOLERANCE_HALF, ROUNDING = 0.01, 0.1, 1e-5
"""How far compiled code may differ from the game after one round, in the median over tensors. The first (the second for
networks in half precision) is a share of how far the round moved a tensor, and the last a share of the tensor's norm.
The only cause of a difference is rounding in another order, but Adam makes whole steps of a gradient that is nothing
else."""


class CompiledGame:
    """Plays a game's rounds with compiled code.

    Args:
        game: The game; its tensors are updated in place, as by `Game.play_to`.
        part: The same game with fewer members, for playing members in groups of as many: the code is compiled for it.
            torch's threads are divided among the groups that are played at the same time.
        on_compiling: Called before anything is compiled; not where all code is in the cache.

    Raises:
        UncompilableError: There is neither a compiler nor a GPU, or a round cannot be traced.
    """

    def __init__(self, game: Game, part: Game | None = None, on_compiling: Callable[[], object] = lambda: None):
        self.game = game
        self._on_compiling = on_compiling
        self.groups: list[Group] = (groups_like(part, game) if part else None) or single_group(game)
        self._part = part if part and len(self.groups) > 1 else game
        """The game whose rounds are traced."""
        self._on_gpu = on_gpu(game)
        self.fresh = False
        """Whether anything had to be compiled, rather than loaded from the cache."""
        self.specializations: dict[bool, list[Specialization]] = {}
        """For logged rounds (True) and others (False): the code of each course that such a round can take."""
        self._block: dict[bool, tuple[int, bytes]] = {}
        """Likewise: the number of a block of rounds, and the index of each round's specialization."""
        threads = torch.get_num_threads()
        self._at_once = min(threads, len(self.groups))
        self._threads = threads // self._at_once
        """Of each group."""
        self._pool = ThreadPoolExecutor(self._at_once, initializer=torch.set_num_threads, initargs=(self._threads,))
        with self._compiling_first_rounds():
            for recording in (True, False):
                self.specializations[recording] = self._specialize_all(recording)
        self._has_guards = any(s.guards for each in self.specializations.values() for s in each)

    @contextmanager
    def _compiling_first_rounds(self) -> Generator[None]:
        """Most games have one course of a logged round and one of another: both are compiled at the same time."""
        with ExitStack() as stack:
            if not self._on_gpu and compiler() and idle_cores() > 1:
                with _quiet_compiler(), threads_set(self._threads), suppress(Exception):
                    # An error is raised again, and named, where the round is specialized.
                    first = [self._trace(0, recording) for recording in (True, False)]
                    new = [traced for traced in first if not library_path(traced).exists()]
                    if len(new) > 1:
                        self._on_compiling()
                        stack.enter_context(compiling_at_once(new))
            yield

    def play_to(self, round: int, every: int) -> list[Logged]:
        """As `Game.play_to`."""
        rounds = range(self.game.round, round)
        if self._has_guards:
            for each in rounds:  # a new specialization has to be compiled before groups run in threads
                self._index(each, each % every == 0)
        for group in self.groups:
            group.begin()
        values = zip(*self._all_groups(rounds, every), strict=True)
        self.groups[-1].end()
        self.game.round = round
        recording = [each for each in rounds if each % every == 0]
        return [
            (each + 1, dict(zip(self._specialization(each, True).logged, torch.cat(logged, 1).unbind(), strict=True)))
            for each, logged in zip(recording, values, strict=True)
        ]

    def _all_groups(self, rounds: range, every: int) -> list[list[Tensor]]:
        """Play rounds in every group. Returns each group's logged values."""
        indices = range(len(self.groups))
        if self._at_once == 1:
            return [self._group(index, rounds, every) for index in indices]
        pieces = balanced(rounds, len(self.groups), self._at_once)
        played: list[list[Future[list[Tensor]]]] = [[] for _ in indices]
        for piece in pieces:
            for index in indices:
                # A group's pieces follow each other: a thread that has one waits for the one before, which another has.
                before = played[index][-1:]
                played[index].append(self._pool.submit(self._group, index, piece, every, before))
        wait([each for futures in played for each in futures])
        return [[values for future in futures for values in future.result()] for futures in played]

    def _group(
        self, index: int, rounds: range, every: int, before: Sequence[Future[list[Tensor]]] = ()
    ) -> list[Tensor]:
        """Play rounds in one group. Returns the values of each logged round, `(logged, members of the group)`."""
        wait(before)
        rng = self.groups[index].rng
        logged: list[Tensor] = []
        for round in rounds:
            recording = round % every == 0
            rng.begin(round)
            values = self._specialization(round, recording).play(index, round)
            if recording:
                logged.append(values[0])
        return logged

    def _specialization(self, round: int, recording: bool) -> Specialization:
        each = self.specializations[recording]
        return each[self._index(round, recording)] if self._has_guards else each[0]

    def _index(self, round: int, recording: bool) -> int:
        """Which specialization holds in a round; it is compiled where none did so far."""
        block, offset = divmod(round, BLOCK)
        current = self._block.get(recording)
        if current is None or current[0] != block:
            indices = _first_that_holds(self.specializations[recording], _rounds_of(block))
            current = self._block[recording] = block, bytes(indices.tolist())
        if current[1][offset] == len(self.specializations[recording]):  # it was not among the rounds checked beforehand
            try:
                self.specializations[recording].append(self._specialize(round, recording))
            except UncompilableError as reason:
                raise SparringError(f"round {round} cannot be compiled ({reason}): train with --no-compile") from reason
            del self._block[recording]
            return self._index(round, recording)
        return current[1][offset]

    def _specialize_all(self, recording: bool) -> list[Specialization]:
        """Compile the specializations of all rounds that are checked beforehand."""
        rounds = _evenly_spaced(self.game.rounds)
        made: list[Specialization] = []
        while (left := np.flatnonzero(_first_that_holds(made, rounds.astype(float)) == len(made))).size:
            if len(made) == MAX_SPECIALIZATIONS:
                raise UncompilableError("its course changes too often from round to round")
            made.append(self._specialize(int(rounds[left[0]]), recording))
        return made

    def _specialize(self, round: int, recording: bool) -> Specialization:
        """Trace a round and compile it, or load its code from the cache."""
        with _quiet_compiler(), threads_set(self._threads):
            try:
                traced = self._trace(round, recording)
                fresh = self._on_gpu or not library_path(traced).exists()
                if fresh:
                    self._on_compiling()
                    self._check_guards(traced, round, recording)
                made = Specialization(traced, self._code(traced), self.groups)
            except UncompilableError:
                raise
            except Exception as error:  # a user's own module may do anything, and a compiler may fail on it
                reads = "value out of a tracing tensor" in str(error)
                raise UncompilableError(READS_VALUES if reads else shortened(in_one_line(error), 200)) from error
            self.fresh |= fresh
            if (fresh or len(self.groups) > 1) and not self._agrees(made, round, recording):
                if not self._on_gpu:
                    discard(traced)
                raise UncompilableError("compiled, it computes something else")
        return made

    def _trace(self, round: int, recording: bool) -> Traced:
        return trace(self._part, round, recording, fused=self._on_gpu)

    def _code(self, traced: Traced) -> Code:
        if not self._on_gpu:
            return load_or_compile(traced, self._at_once)
        with self.game.preserving_state():
            return cuda_graph_of(traced, self.game.rng.device)

    def _check_guards(self, traced: Traced, round: int, recording: bool) -> None:
        """Raise UncompilableError where another round with the same outcomes of all guards has another graph."""
        some = _evenly_spaced(self.game.rounds)
        others = [r for r in some[traced.holds_in(some.astype(float))].tolist() if r != round]
        if others and self._trace(others[len(others) // 2], recording).text != traced.text:
            raise UncompilableError("it depends on the round in a way that guards do not describe")

    @torch.no_grad()
    def _agrees(self, made: Specialization, round: int, recording: bool) -> bool:
        """Whether compiled code and the game itself come to the same after that round.

        The last group plays it, which is not the one that was traced.
        """
        part, group = self._part, self.groups[-1]
        before = [t.clone() for t in group.tensors]
        if part is not self.game:
            part.rng.serve(group.rng.seeds)
        with part.preserving_state(), torch.enable_grad():
            for tensor, saved in zip(part.tensors, before, strict=True):
                tensor.detach().copy_(saved)
            part.round, part.recording = round, recording
            part.play()
            after = [t.detach().clone() for t in part.tensors]
        group.rng.begin(round)
        made.play(len(self.groups) - 1, round)
        trios = zip(group.tensors, after, before, strict=True)
        difference = median(_difference(mine, theirs, old) for mine, theirs, old in trios)
        for tensor, saved in zip(group.tensors, before, strict=True):
            tensor.copy_(saved)
        return difference <= (TOLERANCE_HALF if part.G.precision == torch.bfloat16 else TOLERANCE)


def is_cached(game: Game) -> bool:
    """Whether the code of a game's next round, which is not logged, is in the cache."""
    with _quiet_compiler():
        try:
            return library_path(trace(game, game.round, False)).exists()
        except Exception:  # a round that cannot be traced has no code
            return False


class Specialization:
    """The compiled code of one course of a round, with the tensors that each group passes to it."""

    def __init__(self, traced: Traced, code: Code, groups: Sequence[Group]):
        self.holds_in, self.guards, self.logged, self._code = traced.holds_in, traced.guards, traced.logged, code
        rest = [t.detach() for t in traced.inputs[len(groups[0].tensors) :]]
        self._inputs = [[*group.tensors, *rest] for group in groups]
        self._draws = [[(at, draw.of(group.rng)) for at, draw in traced.draws] for group in groups]
        self._scalars, self._device = traced.scalars, groups[0].rng.device
        self._block: tuple[int, list[tuple[Tensor, ...]]] = -1, []
        """The number of a block of rounds, and each scalar's value in every round of it."""

    def play(self, group: int, round: int) -> Sequence[Tensor]:
        """Play a round in a group, whose random streams have begun it. Returns the logged values."""
        inputs = self._inputs[group]
        for at, draw in self._draws[group]:
            inputs[at] = draw().contiguous()
        if self._scalars:
            block, offset = divmod(round, BLOCK)
            current = self._block
            if current[0] != block:
                rounds = _rounds_of(block)
                values = [np.broadcast_to(formula(rounds), rounds.shape).astype(float) for _, formula in self._scalars]
                current = self._block = block, [torch.from_numpy(v).to(self._device).unbind() for v in values]
            for (at, _), each in zip(self._scalars, current[1], strict=True):
                inputs[at] = each[offset]
        return self._code(inputs)


def _first_that_holds(specializations: Sequence[Specialization], rounds: np.ndarray) -> np.ndarray:
    """The index of each round's specialization; their number where none holds."""
    index = np.full(len(rounds), len(specializations), dtype=np.uint8)
    for number, each in reversed(list(enumerate(specializations))):
        index[each.holds_in(rounds)] = number
    return index


def _rounds_of(block: int) -> np.ndarray:
    return np.arange(block * BLOCK, (block + 1) * BLOCK, dtype=float)


def _evenly_spaced(rounds: int) -> np.ndarray:
    """Up to ROUNDS_CHECKED rounds of a game of so many."""
    return np.unique(np.linspace(0, rounds - 1, ROUNDS_CHECKED).astype(np.int64))


def _difference(mine: Tensor, theirs: Tensor, before: Tensor) -> float:
    """The distance of two tensors, as a share of how far the round moved the second."""
    if not mine.is_floating_point():
        return 0.0 if torch.equal(mine, theirs) else torch.inf
    moved = (theirs - before).norm() + ROUNDING * theirs.norm()
    return float((mine - theirs).norm() / moved) if moved > 0 else 0.0


@contextmanager
def _quiet_compiler() -> Generator[None]:
    """Hide what torch's compiler logs and warns about."""
    logger = logging.getLogger("torch._inductor")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
