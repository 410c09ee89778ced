"""The decision how a game's rounds are played: as `Game.play_to` does, by AOT-compiled code, or as CUDA graphs.

`plan` is the one function of this package that others call. Compiled code computes what the game computes, apart from
rounding; where it cannot be had, the game is played as it is, and the plan's message says why.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from sparring.errors import in_one_line
from sparring.game.compile.aot import cached_marker
from sparring.game.compile.compiled import CompiledGame
from sparring.game.compile.errors import UncompilableError
from sparring.game.compile.groups import group_size
from sparring.game.game import Game, PlayTo
from sparring.game.runtime import threads_set

MIN_SECONDS, MIN_SECONDS_CACHED = 240.0, 5.0
"""Uncompiled, a run must take so long for compiling to pay: compiling takes up to 50 s, or 1 s where code is cached.

Where arithmetic takes the time, as with many seeds or wide networks, rounds get 1.25 to 1.4 times as fast.
"""
ROUNDS_TIMED, SECONDS_TIMED = 3, 0.3
"""Rounds that are timed to estimate how long a run takes, and seconds after which fewer do."""


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


def plan(
    game: Game,
    compile: bool | None,
    name: str,
    part: Callable[[int], Game] | None = None,
    group: int | None = None,
) -> Plan:
    """Decide how to play a game's rounds, and compile them where that was decided.

    Args:
        game: The game, which is left as it was.
        compile: Whether to compile; None decides by whether it pays.
        name: Games of one name have the same compiled code; a recipe's id.
        part: Makes the same game with only its first members, for playing members in groups; without it all members are
            played together.
        group: Members per group, where a run that is resumed was played in groups; None decides by the core's cache.
    """
    if compile is False:
        return Plan(game.play_to)
    on_gpu = game.rng.device.type != "cpu"
    threads, members = torch.get_num_threads(), game.G.size
    if on_gpu or part is None:
        group = members
    group = group or group_size(game, threads)
    at_once = min(threads, members // group)
    try:
        if game.world.size > 1:
            raise UncompilableError("processes that share a batch cannot use compiled code")
        with threads_set(threads // at_once):
            marker = cached_marker(name, group)
        min_seconds = MIN_SECONDS_CACHED if on_gpu or marker.exists() else MIN_SECONDS
        if compile is None and _seconds_per_round(game) * (game.rounds - game.round) < min_seconds:
            return Plan(game.play_to)
        start = time.monotonic()
        compiled = CompiledGame(game, part(group) if part and group < members else None)
        if not on_gpu:
            marker.parent.mkdir(parents=True, exist_ok=True)
            marker.touch()
    except UncompilableError as reason:
        return Plan(game.play_to, message=f"rounds are not compiled: {reason}")
    except ImportError as error:  # some parts of torch that are used here have no promise to stay
        message = f"rounds are not compiled: this torch does not offer it ({in_one_line(error)})"
        return Plan(game.play_to, message=message)
    grouped = len(compiled.groups) > 1
    message = _message(compiled, on_gpu, time.monotonic() - start)
    if grouped:
        message += f"; seeds are played in groups of {group}" + (f", {at_once} at once" if at_once > 1 else "")
    return Plan(compiled.play_to, True, group if grouped else None, message)


def _message(compiled: CompiledGame, on_gpu: bool, seconds: float) -> str:
    if on_gpu:
        return f"rounds are CUDA graphs: recorded in {seconds:.0f} s"
    return (
        f"rounds are compiled: {f'done in {seconds:.0f} s and cached' if compiled.fresh else 'loaded from the cache'}"
    )


def _seconds_per_round(game: Game) -> float:
    """CPU time, divided among the threads: other work on the machine does not count."""
    seconds: list[float] = []
    with game.preserving_state():
        game.play()  # the first takes longer than those that follow
        while len(seconds) < ROUNDS_TIMED and sum(seconds) < SECONDS_TIMED:
            start = time.process_time()
            game.play()
            seconds.append(time.process_time() - start)
    return min(seconds) / torch.get_num_threads()
