"""A game's round as machine code, where a C++ compiler is there and the run is long enough to repay it.

The round that `tracing.py` wrote down is compiled into a library, which is kept in the user's cache. Every round is one
call of it, so a round's numbers depend on nothing but the round; where it was interrupted does not matter. On a GPU
there is nothing to compile, and a round is a CUDA graph (`captured.py`).
"""

# torch's runner of such libraries has a private name and no types.
# pyright: reportPrivateUsage=false, reportPrivateImportUsage=false

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import pooch
import torch
from torch import Tensor

from sparring.errors import SparringError, in_one_line, shortened
from sparring.game import Game

if TYPE_CHECKING:
    from sparring.captured import Code
    from sparring.tracing import Traced

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


class UncompilableError(Exception):
    """Why a round is not compiled, in a few words."""


Play = Callable[[], None]


def playing(game: Game, wanted: bool | None, name: str) -> tuple[Play, bool, str]:
    """How the rounds of a game are played from here on, whether that is compiled, and what to say of it, if anything.

    `wanted` is whether they are to be compiled; None decides by what repays. `name` is that of the recipe, in the sense
    that games of one name have the same code.
    """
    if wanted is False:
        return game.play, False, ""
    try:
        if game.world.size > 1:
            raise UncompilableError("that is for one process")
        known = _known(game, name)
        on_gpu = game.chance.device.type != "cpu"
        repays_after = REPAYS_SECONDS_KEPT if on_gpu or known.exists() else REPAYS_SECONDS
        if wanted is None and _seconds_of_a_round(game) * (game.rounds - game.round) < repays_after:
            return game.play, False, ""
        began = time.monotonic()
        compiled = Compiled(game)
        if not on_gpu:
            known.parent.mkdir(parents=True, exist_ok=True)
            known.touch()
    except UncompilableError as reason:
        return game.play, False, f"rounds are not compiled: {reason}"
    except ImportError as error:  # of a part of torch that has no promise to stay
        return game.play, False, f"rounds are not compiled: this torch does not offer it ({in_one_line(error)})"
    took = f"done in {time.monotonic() - began:.0f} s"
    if on_gpu:
        return compiled.play, True, f"rounds are CUDA graphs: {took}"
    return compiled.play, True, f"rounds are compiled: {f'{took} and kept' if compiled.made else 'kept from before'}"


class Compiled:
    """A game's rounds, one call of machine code each.

    Raises UncompilableError where there is no compiler (nor a GPU), or where a round cannot be written down.
    """

    def __init__(self, game: Game):
        self.game = game
        self._on_gpu = game.chance.device.type != "cpu"
        self.made = False
        """Whether anything had to be compiled."""
        self._ways: dict[bool, list[_Way]] = {}
        """Watched or not -> the ways that such a round may go."""
        self._block: dict[bool, tuple[int, bytes]] = {}
        """Watched or not -> a block of rounds, and the way that each goes."""
        with _quietly():
            for watched in (True, False):
                self._ways[watched] = self._find_ways(watched)
        self._hang_on_the_round = any(way.answers for ways in self._ways.values() for way in ways)

    def play(self) -> None:
        """One round."""
        game = self.game
        round, watched = game.round, game.watched
        ways = self._ways[watched]
        way = ways[self._way(round, watched)] if self._hang_on_the_round else ways[0]
        game.chance.begin(round)
        figures = way.play(round)
        if watched:
            game.notes = {name: [figure] for name, figure in zip(way.noted, figures[0].unbind(), strict=True)}
        game.round = round + 1

    def _way(self, round: int, watched: bool) -> int:
        block, offset = divmod(round, BLOCK)
        held = self._block.get(watched)
        if held is None or held[0] != block:
            rounds = np.arange(block * BLOCK, (block + 1) * BLOCK, dtype=float)
            held = self._block[watched] = block, bytes(_first_that_serves(self._ways[watched], rounds).tolist())
        if held[1][offset] == len(self._ways[watched]):  # it was not among those looked at beforehand
            try:
                with _quietly():
                    self._ways[watched].append(self._way_of(round, watched))
            except UncompilableError as reason:
                raise SparringError(f"round {round} cannot be compiled ({reason}): train with --no-compile") from reason
            del self._block[watched]
            return self._way(round, watched)
        return held[1][offset]

    def _find_ways(self, watched: bool) -> list[_Way]:
        """All ways that rounds go, as far as can be seen from here."""
        rounds = _spread_over(self.game.rounds)
        ways: list[_Way] = []
        while (left := np.flatnonzero(_first_that_serves(ways, rounds.astype(float)) == len(ways))).size:
            if len(ways) == MOST_WAYS:
                raise UncompilableError("its course changes too often from round to round")
            ways.append(self._way_of(int(rounds[left[0]]), watched))
        return ways

    def _way_of(self, round: int, watched: bool) -> _Way:
        from sparring.tracing import UntraceableError, trace

        try:
            traced = trace(self.game, round, watched)
            fresh = self._on_gpu or not _library(traced).exists()
            if fresh:
                self._refuse_what_cannot_be_followed(traced, round, watched)
            way = _Way(traced, self._code(traced))
        except UntraceableError as reason:
            raise UncompilableError(str(reason)) from reason
        except UncompilableError:
            raise
        except Exception as error:  # a user's own module may do anything, and a compiler stumble over it
            looked = "value out of a tracing tensor" in str(error)
            why = "it looks at numbers that it has just computed" if looked else shortened(in_one_line(error), 200)
            raise UncompilableError(why) from error
        if fresh:
            self.made = True
            self._try_out(way, traced, round)
        return way

    def _code(self, traced: Traced) -> Code:
        if not self._on_gpu:
            return machine_code(traced)
        from sparring.captured import captured

        with self.game.rehearsing():
            return captured(traced, self.game.chance.device)

    def _refuse_what_cannot_be_followed(self, traced: Traced, round: int, watched: bool) -> None:
        from sparring.tracing import trace

        some = _spread_over(self.game.rounds)
        others = [r for r in some[traced.serves(some.astype(float))].tolist() if r != round]
        if others and trace(self.game, others[len(others) // 2], watched).text != traced.text:
            raise UncompilableError("it changes with the round in a way that cannot be followed")

    def _try_out(self, way: _Way, traced: Traced, round: int) -> None:
        """Raises UncompilableError where code and game part company."""
        with self.game.rehearsing() as before:
            self.game.chance.begin(round)
            way.play(round)
            trios = zip(self.game.tensors, traced.after, before, strict=True)
            most = APART_IN_HALF if self.game.G.precision == torch.bfloat16 else APART
            if not median(_apart(mine, theirs, old) for mine, theirs, old in trios) <= most:
                shutil.rmtree(_library(traced).parent, ignore_errors=True)
                raise UncompilableError("compiled, it computes something else")


class _Way:
    """One course of a round, as machine code with the tensors that it works on."""

    def __init__(self, traced: Traced, code: Code):
        self.serves, self.answers, self.noted, self._code = traced.serves, traced.answers, traced.noted, code
        self._draws, self._courses = traced.draws, traced.numbers
        self._inputs = [t.detach() for t in traced.inputs]
        self._block, self._numbers = -1, list[tuple[Tensor, ...]]()

    def play(self, round: int) -> Sequence[Tensor]:
        """What it noted. The game's chance has entered the round."""
        inputs = self._inputs
        for place, draw in self._draws:
            inputs[place] = draw().contiguous()
        if self._courses:
            block, offset = divmod(round, BLOCK)
            if block != self._block:
                rounds = np.arange(block * BLOCK, (block + 1) * BLOCK, dtype=float)
                courses = [np.broadcast_to(course(rounds), rounds.shape).astype(float) for _, course in self._courses]
                self._block, self._numbers = block, [torch.from_numpy(course).unbind() for course in courses]
            for (place, _), numbers in zip(self._courses, self._numbers, strict=True):
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


# What is kept.


def kept_at() -> Path:
    """The folder of compiled rounds."""
    return Path(pooch.os_cache("sparring")) / "compiled"


def _library(traced: Traced) -> Path:
    """Where a round's machine code lies, or is to lie."""
    decided_by = [traced.text, torch.get_num_threads(), *_machine()]
    digest = hashlib.blake2b(json.dumps(decided_by).encode(), digest_size=12)
    return kept_at() / digest.hexdigest() / "round.so"


@cache
def _machine() -> tuple[str, ...]:
    capability = torch.backends.cpu.get_cpu_capability()
    return version("sparring"), version("torch"), platform.machine(), capability, str(compiler())


def _known(game: Game, name: str) -> Path:
    """A file that is there when code for a game like this is kept."""
    decided_by = [name, game.G.size, torch.get_num_threads(), *_machine()]
    digest = hashlib.blake2b(json.dumps(decided_by).encode(), digest_size=12)
    return kept_at() / "known" / digest.hexdigest()


def compiler() -> str | None:
    """The C++ compiler, if there is one."""
    named = os.environ.get("CXX")
    return shutil.which(named) if named else shutil.which("g++") or shutil.which("clang++")


def machine_code(traced: Traced) -> Code:
    """A round's machine code: what is kept, or else compiled now and kept."""
    library = _library(traced)
    if not library.exists():
        _build(traced, library)
    from torch._C._aoti import AOTIModelContainerRunnerCpu

    return AOTIModelContainerRunnerCpu(str(library), 1).run


def _build(traced: Traced, library: Path) -> None:
    if compiler() is None:
        raise UncompilableError("there is no C++ compiler (g++ or clang++)")
    import torch._inductor
    from torch._inductor.exc import InductorError

    library.parent.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=library.parent.parent) as folder:
        made = Path(folder) / "made"
        made.mkdir()
        settings: dict[str, Any] = {"aot_inductor.output_path": str(made / library.name)}
        settings |= {"size_asserts": False, "alignment_asserts": False}
        examples = tuple(t.detach() for t in traced.inputs)
        graph = traced.for_the_compiler()
        try:
            torch._inductor.aot_compile(graph, examples, options=settings)
        except InductorError as error:
            if "KeyError: 'buf" not in str(error):
                raise
            with _without_outer_loops():
                torch._inductor.aot_compile(graph, examples, options=settings)
        with suppress(OSError):  # somebody else was faster
            made.rename(library.parent)


@contextmanager
def _without_outer_loops() -> Generator[None]:
    """Torch's compiler trips over outer loops that it shares out (pytorch#196570, open); without them it does not."""
    from torch._inductor.codegen.cpp import CppScheduling

    sharing = CppScheduling.can_fuse_vertical_outer_loop
    CppScheduling.can_fuse_vertical_outer_loop = lambda self, node1, node2: False
    try:
        yield
    finally:
        CppScheduling.can_fuse_vertical_outer_loop = sharing


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
    with game.rehearsing():
        game.play()  # the first takes longer than those that follow
        while len(seconds) < ROUNDS_TIMED and sum(seconds) < LONG_ENOUGH:
            began = time.process_time()
            game.play()
            seconds.append(time.process_time() - began)
    return min(seconds) / torch.get_num_threads()
