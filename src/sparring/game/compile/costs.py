"""What compiling a game's rounds costs and saves on this machine, estimated before it is done.

Uncompiled, torch spends a few microseconds on every operation before any arithmetic, and passes over memory in each;
compiled code spends next to none, and passes over it once where operations follow one another. Convolutions and matrix
products stay what they are. So a round saves most of its time but theirs, which is timed; and at least its number of
operations times what one costs here. How long the compiler takes grows with the number of operations too; what it took
here before corrects the estimate.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from sparring.game.game import Game
from sparring.game.pace import SECONDS_TIMED

ROUNDS_TIMED, ROUNDS_COUNTED = 3, 2
"""Rounds that are timed to estimate how long a run takes; fewer where they take longer than SECONDS_TIMED."""
OPERATIONS_TIMED, TIMINGS = 400, 5
"""Small operations in one timing, and timings of which the shortest counts."""
WITH_GRADIENTS = 1.5
"""An operation of a round costs so many times a plain small one: autograd records its graph and differentiates it."""
LARGEST_SHARE, SMALLEST_SHARE = 0.9, 0.15
"""Bounds on the share of a round's time that compiling is taken to save."""
PRODUCTS = frozenset(("convolution", "convolution_backward", "mm", "bmm", "addmm", "baddbmm"))
"""Operations that take as long compiled as they do uncompiled."""
SHARE_BESIDE_PRODUCTS = 0.8
"""Of a round's time but that of PRODUCTS, so much is saved at least: 81 to 98 % of six recipes (docs/speed.md)."""
FIXED_SECONDS, SECONDS_PER_OPERATION = 3.0, 0.07
"""Compiling one specialization of a round takes so long where a small operation takes REFERENCE seconds."""
REFERENCE = 2.25e-6
SPECIALIZATIONS = 2
"""Of a round: one is logged and others are not."""
MAX_OPERATIONS = 5_000
"""Of a round that is compiled, or whose code is looked for, unasked: a trace keeps what every operation computes, which
is 10 GB where a round is 301 steps on batches of 64 digits (`mnist-v2`), and takes more than a minute."""
LOADING_SECONDS = 1.0
"""Loading cached code takes about so long: what saves less does not gain."""


@dataclass(frozen=True)
class Costs:
    """Seconds that compiling takes and saves, as estimated for one game on this machine."""

    seconds_per_round: float
    """Uncompiled."""
    operations: int
    """Of torch in a round, uncompiled."""
    seconds_per_operation: float
    """Of one small operation here."""
    rounds: int
    """Still to be played."""
    correction: float = 1.0
    """Times the compiler's estimated time that it took here before."""
    products: float | None = None
    """Seconds of a round, uncompiled, that PRODUCTS take; None where that was not timed."""

    @property
    def saved(self) -> float:
        """By compiled code, over the rest of the run."""
        dispatch = self.operations * WITH_GRADIENTS * self.seconds_per_operation
        low, high = SMALLEST_SHARE * self.seconds_per_round, LARGEST_SHARE * self.seconds_per_round
        beside = 0.0 if self.products is None else self.seconds_per_round - self.products
        return self.rounds * min(high, max(low, dispatch, SHARE_BESIDE_PRODUCTS * beside))

    @property
    def compiling(self) -> float:
        """To compile what is not in the cache."""
        one = FIXED_SECONDS + SECONDS_PER_OPERATION * self.operations
        return SPECIALIZATIONS * one * self.correction * self.seconds_per_operation / REFERENCE

    @property
    def pays(self) -> bool:
        """Whether a run is over earlier if its rounds are compiled first."""
        return self.saved > self.compiling and self.operations <= MAX_OPERATIONS

    @property
    def gains_from_cache(self) -> bool:
        """Whether a run is over earlier with code that may be in the cache already."""
        return self.saved > LOADING_SECONDS and self.operations <= MAX_OPERATIONS


def estimate(game: Game, history: Path) -> Costs:
    """The costs of a game's remaining rounds; the game is left as it was. `history` is what `remember` wrote."""
    with game.preserving_state():
        game.play()  # the first takes longer than those that follow
        seconds = seconds_per_round(game)
        counted = [_counted(game) for _ in range(ROUNDS_COUNTED if seconds < SECONDS_TIMED else 1)]
    products = min(each.products for each in counted)
    costs = Costs(seconds, counted[0].operations, _seconds_per_operation(), game.rounds - game.round)
    return replace(costs, correction=_correction(history), products=products / torch.get_num_threads())


def _counted(game: Game) -> _Counting:
    with _Counting() as counting:
        game.play()
    return counting


def remember(costs: Costs, took: float, history: Path) -> None:
    """Keep how long the compiler took beside the estimate, for estimates to come."""
    correction = costs.correction * took / max(costs.compiling, 1e-9)
    with suppress(OSError):  # a cache that cannot be written costs nothing but accuracy
        history.parent.mkdir(parents=True, exist_ok=True)
        partial = history.with_name(f".{history.name}.{os.getpid()}")
        partial.write_text(json.dumps({"correction": round(correction, 3)}), encoding="utf-8")
        partial.replace(history)


def seconds_per_round(game: Game) -> float:
    """CPU time, divided among the threads: other work on the machine does not count. To be called in
    `game.preserving_state()`."""
    seconds: list[float] = []
    while len(seconds) < ROUNDS_TIMED and sum(seconds) < SECONDS_TIMED:
        start = time.process_time()
        game.play()
        seconds.append(time.process_time() - start)
    return min(seconds) / torch.get_num_threads()


def _seconds_per_operation() -> float:
    small, timings = torch.zeros(4, 4), list[float]()
    for _ in range(TIMINGS):
        start = time.process_time()
        for _ in range(OPERATIONS_TIMED):
            small = small + 1.0
        timings.append(time.process_time() - start)
    return min(timings) / OPERATIONS_TIMED


def _correction(history: Path) -> float:
    try:
        return float(json.loads(history.read_text(encoding="utf-8"))["correction"])
    except (OSError, ValueError, KeyError, TypeError):
        return 1.0


class _Counting(TorchDispatchMode):
    """Counts operations, and times those that are `PRODUCTS`, in processor time."""

    def __init__(self) -> None:
        super().__init__()
        self.operations = 0
        self.products = 0.0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # to skip it, torch would load it

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Tensor:
        self.operations += 1
        if func.overloadpacket.__name__ not in PRODUCTS:
            return func(*args, **(kwargs or {}))
        start = time.process_time()
        computed = func(*args, **(kwargs or {}))
        self.products += time.process_time() - start
        return computed
