"""The decision how a game's rounds are played: as `Game.play_to` does, by AOT-compiled code, or as CUDA graphs.

`plan` and `compile_ahead` are all that others import from this package. Compiled code computes what the game computes,
apart from rounding; where it cannot be had, the game is played as it is, and the plan's message says why.

A recipe's decision is made once on a machine, when it is first trained there, and kept beside the code, so that the
same recipe gives the same bits however often it is trained.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from sparring.errors import in_one_line
from sparring.game.compile.aot import decision_file, history_file
from sparring.game.compile.compiled import CompiledGame, is_cached
from sparring.game.compile.costs import estimate, remember
from sparring.game.compile.cuda_graph import on_gpu
from sparring.game.compile.errors import UncompilableError
from sparring.game.compile.groups import group_size
from sparring.game.game import Game, Logged, PlayTo
from sparring.game.pace import seconds_per_call
from sparring.game.runtime import threads_set
from sparring.progress import say

GPU_ROUNDS = 100
"""Rounds still to be played from which on a CUDA graph is recorded: that takes as long as about half as many."""
TURNS = 2
"""Of compiled and of plain rounds, taken alternately, of which the shorter count."""
RECORDING_SECONDS = 3.0
"""What recording takes, for its progress bar."""

Show = Callable[[str, float], AbstractContextManager[Callable[[], None]]]
"""Shows that something is compiled, from when what it gives is called; takes a title and the seconds expected."""


@contextmanager
def silent(title: str, seconds: float) -> Generator[Callable[[], None]]:
    """Shows nothing."""
    yield lambda: None


@dataclass(frozen=True)
class Plan:
    """How the rounds of a game are played from here on."""

    play_to: PlayTo
    """Plays rounds, as `Game.play_to` does."""
    compiled: bool = False
    group: int | None = None
    """Members that are played together, if not all of them are."""
    message: str = ""
    """One line for the user; empty where there is nothing to say."""
    compiling: Callable[[], float] = lambda: 0.0
    """Seconds that compiling again has taken while rounds were played."""


def plan(
    game: Game,
    compile: bool | None,
    name: str,
    part: Callable[[int], Game] | None = None,
    group: int | None = None,
    show: Show = silent,
) -> Plan:
    """Decide how to play a game's rounds, and compile them where that was decided.

    Args:
        game: The game, which is left as it was.
        compile: Whether to compile; None decides by what it costs and saves, or as was decided here before.
        name: Games of one name have the same compiled code; a recipe's id.
        part: Makes the same game with only its first members, for playing members in groups; without it all members are
            played together.
        group: Members per group, where a run that is resumed was played in groups; None decides by the core's cache.
        show: Shows the progress of compiling.
    """
    if compile is False:
        return Plan(game.play_to)
    how = _How.of(game, part, group)
    try:
        if game.rng.device.type not in ("cpu", "cuda"):
            raise UncompilableError(f"there is no compiled code for the device {game.rng.device}")
        if game.world.size > 1:
            raise UncompilableError("processes that share a batch cannot use compiled code")
        if how.on_gpu:
            wanted = compile or game.rounds - game.round >= GPU_ROUNDS
        else:
            wanted = compile or _decided(game, how, name)
        if not wanted:
            return Plan(game.play_to)
        made = _Replanned(game, how, show).plan
        return made if compile or how.on_gpu else _if_faster(game, made, how.decision(name))
    except UncompilableError as reason:
        return Plan(game.play_to, message=f"rounds are not compiled: {reason}")
    except ImportError as error:  # some parts of torch that are used here have no promise to stay
        message = f"rounds are not compiled: this torch does not offer it ({in_one_line(error)})"
        return Plan(game.play_to, message=message)


def compile_ahead(game: Game, name: str, part: Callable[[int], Game] | None = None, show: Show = silent) -> Plan:
    """Compile a game's rounds now, and decide that from here on they are played so. See `plan` for the arguments."""
    made = plan(game, True, name, part, show=show)
    if made.compiled and game.rng.device.type == "cpu":
        _store(_How.of(game, part, None).decision(name), made.compiled, timed=True)  # asked for: not decided again
    return made


@dataclass(frozen=True)
class _How:
    """In what groups members are played, and on how many threads."""

    part: Callable[[int], Game] | None
    group: int
    at_once: int
    """Groups that are played at the same time."""
    threads: int
    """Of each group."""
    members: int
    on_gpu: bool

    @classmethod
    def of(cls, game: Game, part: Callable[[int], Game] | None, group: int | None) -> _How:
        gpu, members, threads = on_gpu(game), game.G.size, torch.get_num_threads()
        group = members if gpu or part is None else group or group_size(game, threads)
        at_once = min(threads, members // group)
        return cls(part, group, at_once, threads // at_once, members, gpu)

    def decision(self, name: str) -> Path:
        """Where the decision for a recipe is kept."""
        with threads_set(self.threads):
            return decision_file(name, self.group)

    def smaller(self, game: Game) -> Game | None:
        """The game of one group, where there are several."""
        if not self.part or self.group == self.members:
            return None
        part = self.part(self.group)
        part.numbers.follow(game.numbers)  # also those that its few members happen to have in common
        return part


class _Replanned:
    """Compiled play that is compiled again when a change of the game's numbers changes what a round computes.

    That takes as long as it took at first. A number that members have apart is an input of the compiled code, so that
    setting it again needs no other code.
    """

    def __init__(self, game: Game, how: _How, show: Show):
        self._game, self._how, self._show = game, how, show
        made = self._compile()
        self._play_to, self._seconds = made.play_to, 0.0
        self.plan = replace(made, play_to=self.play_to, compiling=lambda: self._seconds)

    def play_to(self, round: int, every: int) -> list[Logged]:
        """As `Game.play_to`."""
        if self._game.numbers.structure != self._structure:
            began = time.monotonic()
            try:
                self._play_to = self._compile().play_to
            except UncompilableError as reason:
                self._play_to = self._game.play_to
                say(f"rounds are no longer compiled: {reason}")
            self._seconds += time.monotonic() - began
        return self._play_to(round, every)

    def _compile(self) -> Plan:
        self._structure = self._game.numbers.structure
        make = _recorded if self._how.on_gpu else _compiled
        return make(self._game, self._how, self._show)


def _decided(game: Game, how: _How, name: str) -> bool:
    """Whether to compile: as was decided on this machine before, else by what it costs and saves now."""
    file = how.decision(name)
    before = _read(file).get("compile")
    if before is not None:
        return bool(before)
    costs = estimate(game, history_file())
    pays = costs.pays or (costs.gains_from_cache and _code_is_cached(game, how))
    if pays or costs.gains_from_cache:  # what is over in a moment leaves nothing behind
        _store(file, pays)
    return pays


def _if_faster(game: Game, made: Plan, decision: Path) -> Plan:
    """The compiled plan, unless its rounds turn out slower than plain ones here: the estimate cannot know how fast the
    compiler's arithmetic is. Either is timed once on a machine, and remembered."""
    if not made.compiled or _read(decision).get("timed"):
        return made
    turns = [[seconds_per_call(game, play_to) for play_to in (made.play_to, game.play_to)] for _ in range(TURNS)]
    compiled, plain = map(min, zip(*turns, strict=True))
    faster = compiled <= plain
    _store(decision, faster, timed=True)
    if faster:
        return replace(made, message=f"{made.message}, uncompiled {plain / compiled:.2g} times as long")
    message = f"rounds are not compiled: here a compiled one takes {_instead(compiled, plain)}"
    return Plan(game.play_to, message=message)


def _read(file: Path) -> dict[str, bool]:
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _store(file: Path, compile: bool, **more: bool) -> None:
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"compile": compile, **more}), encoding="utf-8")


def _code_is_cached(game: Game, how: _How) -> bool:
    with threads_set(how.threads):
        return is_cached(how.smaller(game) or game)


def _compiled(game: Game, how: _How, show: Show) -> Plan:
    costs = estimate(game, history_file())
    start = time.monotonic()
    title = f"compiling the training step: about {costs.compiling:.0f} s, saves about {costs.saved:.0f} s of this run"
    with show(title, costs.compiling) as begin:
        compiled = CompiledGame(game, how.smaller(game), on_compiling=begin)
    took, grouped = time.monotonic() - start, len(compiled.groups) > 1
    if compiled.fresh:
        remember(costs, took, history_file())
    message = _message(compiled, how, took)
    return Plan(compiled.play_to, True, how.group if grouped else None, message)


def _recorded(game: Game, how: _How, show: Show) -> Plan:
    """On a GPU: nothing is compiled or kept. The kernels are those of the game, so that its numbers are the same."""
    with game.preserving_state():
        game.play()  # the first takes longer than those that follow
    plain, start = seconds_per_call(game, game.play_to), time.monotonic()
    with show("recording the training step as a CUDA graph", RECORDING_SECONDS) as begin:
        recorded = CompiledGame(game, on_compiling=begin)
    took = time.monotonic() - start
    each = seconds_per_call(game, recorded.play_to)
    message = f"rounds are CUDA graphs, recorded in {took:.1f} s: a round takes {_instead(each, plain)}"
    return Plan(recorded.play_to, True, message=message)


def _instead(each: float, before: float) -> str:
    return f"{1e3 * each:.3g} ms instead of {1e3 * before:.3g}"


def _message(compiled: CompiledGame, how: _How, took: float) -> str:
    done = f"compiled in {took:.0f} s and cached" if compiled.fresh else "loaded from the cache"
    groups = ""
    if len(compiled.groups) > 1:
        at_once = f", {how.at_once} at once" if how.at_once > 1 else ""
        groups = f"; seeds are played in groups of {how.group}{at_once}"
    each = seconds_per_call(compiled.game, compiled.play_to)
    return f"rounds are {done}{groups}: a round takes {1e3 * each:.3g} ms"
