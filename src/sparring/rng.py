"""Random streams: what a member draws depends on its seed, the round and the purpose of the draw, and on nothing else.

Counter-based streams need no stored state: NumPy's Philox (Salmon et al., "Parallel random numbers: as easy as 1, 2,
3", SC 2011) is keyed by (seed, purpose) and started at the counter (round block, use within the round). So a member
draws the same numbers alone or among a thousand others, and the same after an interruption. Numbers are drawn in
blocks of rounds whose length depends only on the shape of the draw, so that most rounds cost one index into a list.

A *purpose* is a name such as "latent" or "real". Names are part of the numbers: another name gives other numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial, wraps
from typing import Any, Concatenate, ParamSpec

import numpy as np
import torch
from torch import Tensor

Fill = Callable[[np.random.Generator, np.ndarray], object]
"""Fills an array with random numbers of the array's type."""
Span = tuple[float | Tensor, float | Tensor]
"""Lower and upper bound."""

BLOCK_NUMBERS = 2**14
"""Numbers that a member draws at a time for one purpose: 64 KiB, less than its networks, and worth the call."""
BLOCK_ROUNDS = 1024
"""Maximum number of rounds in a block, so that a thousand members of a tiny game fit in memory."""

FRESH_STATE = np.random.Philox(0).state
"""The state of a stream from which nothing has been drawn, up to its key and its counter."""

Q = ParamSpec("Q")


@dataclass(frozen=True)
class Draw:
    """One call of a drawing method, which can be repeated in another round and for other members."""

    method: Callable[..., Tensor]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def of(self, rng: RandomStreams) -> Callable[[], Tensor]:
        """The same call on other streams."""
        return partial(self.method, rng, *self.args, **self.kwargs)


def _overridable(
    draw: Callable[Concatenate[RandomStreams, Q], Tensor],
) -> Callable[Concatenate[RandomStreams, Q], Tensor]:
    """A drawing method that `RandomStreams.override` replaces while it is set."""

    @wraps(draw)
    def call(self: RandomStreams, /, *args: Q.args, **kwargs: Q.kwargs) -> Tensor:
        if self.override is None:
            return draw(self, *args, **kwargs)
        return self.override(Draw(draw, args, kwargs))

    return call


class RandomStreams:
    """Random streams of P members. Every draw is `(P, *shape)`.

    Args:
        seeds: One per member, each at least 0 and below 2**63.
        device: Where draws are returned.
        dtype: Of the numbers; float64 draws differ from float32 draws in more than their precision.
    """

    def __init__(self, seeds: Sequence[int], device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32):
        self.seeds = tuple(seeds)
        self.device = torch.device(device)
        self.dtype = dtype
        self.round = 0
        self._philox = np.random.Philox(0)
        self._numbers = np.random.Generator(self._philox)
        self.override: Callable[[Draw], Tensor] | None = None
        """While set, it is called for every draw in place of the streams (not for `torch_seeds`): for the tracer."""
        self._uses: dict[str, int] = {}
        self._blocks: dict[tuple[str, int], tuple[object, Span | None, Sequence[Tensor]]] = {}
        """Purpose and use -> what was drawn (distribution, shape, block), its bounds, and a tensor for each round."""

    def begin(self, round: int) -> None:
        """Enter a round. The first draw for a purpose in it is use 0, the next use 1, and so on."""
        self.round = int(round)
        self._uses.clear()

    @contextmanager
    def undisturbed(self) -> Generator[None]:
        """Run a block whose draws leave those that follow in this round as they would have been without it."""
        uses = dict(self._uses)
        try:
            yield
        finally:
            self._uses = uses

    def serve(self, seeds: Sequence[int]) -> None:
        """Draw for members with other seeds from here on, as many as before."""
        self.seeds = tuple(seeds)
        self._blocks.clear()

    @_overridable
    def uniform(self, purpose: str, shape: Sequence[int], span: Span | None = None) -> Tensor:
        """Uniform on [0, 1), or on [low, high) for `span=(low, high)`; bounds may be tensors that broadcast.

        A span that is the same tuple object in every round is applied to a whole block of rounds at a time.
        """
        return self._next(
            "uniform", purpose, shape, lambda rng, out: rng.random(out=out, dtype=self._numpy_dtype), span
        )

    @_overridable
    def normal(self, purpose: str, shape: Sequence[int]) -> Tensor:
        """Standard normal."""
        return self._next(
            "normal", purpose, shape, lambda rng, out: rng.standard_normal(out=out, dtype=self._numpy_dtype)
        )

    @_overridable
    def shuffled(self, purpose: str, total: int, count: int) -> Tensor:
        """The next `count` indices, int64 `(P, count)`, of an endless sequence of shuffled passes over 0..total-1.

        Each pass (epoch) has every index once, in an order of its own; a batch may span two passes.
        """
        use = self._use(purpose)
        start = self.round * count
        epoch, offset = divmod(start, total)
        pieces: list[Tensor] = []
        while count > 0:
            piece = self._pass(purpose, use, epoch, total)[:, offset : offset + count]
            pieces.append(piece)
            count -= piece.shape[1]
            epoch, offset = epoch + 1, 0
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces, 1)

    def constant(self, value: float, shape: Sequence[int]) -> Tensor:
        """`value` everywhere, `(P, *shape)`: not random, and one tensor made once."""
        key = f"constant {value} {tuple(shape)}", 0
        if key not in self._blocks:
            filled = torch.full((len(self.seeds), *shape), value, dtype=self.dtype, device=self.device)
            self._blocks[key] = 0, None, (filled,)
        return self._blocks[key][2][0]

    def torch_seeds(self, purpose: str) -> list[int]:
        """One integer in [0, 2**63) per member, to seed another generator with."""
        use = self._use(purpose)
        return [int(self._generator(seed, purpose, self.round, use).integers(2**63)) for seed in self.seeds]

    def for_layers(self, purpose: str) -> LayerStreams:
        """Streams for the layers of one population, with their purpose bound."""
        return LayerStreams(self, purpose)

    def share(self, rank: int, size: int) -> RandomStreams | Share:
        """Streams for process `rank` of `size`, which has an equal share of every batch."""
        return self if size == 1 else Share(self, rank, size)

    def _next(
        self, distribution: str, purpose: str, shape: Sequence[int], fill: Fill, span: Span | None = None
    ) -> Tensor:
        use = self._use(purpose)
        shape = tuple(shape)
        rounds = _block_rounds(shape)
        number, offset = divmod(self.round, rounds)
        what = distribution, shape, number
        cached = self._blocks.get((purpose, use))
        if cached is None or cached[0] != what:
            drawn = np.empty((len(self.seeds), rounds, *shape), self._numpy_dtype)
            for seed, its in zip(self.seeds, drawn, strict=True):
                fill(self._generator(seed, purpose, number, use), its)
            block = torch.from_numpy(drawn).transpose(0, 1).contiguous().to(self.device)
            if span is not None:
                low, high = span
                block.mul_(high - low).add_(low)  # in place: a block of many members is large
            cached = what, span, block.unbind(0)
            if rounds > 1:  # a block that serves one round is not needed again, and may be large
                self._blocks[purpose, use] = cached
        if cached[1] is span:
            return cached[2][offset]
        # Another span than the block's: from here on the block stays as drawn, and the span is applied in each round.
        if cached[1] is not None:
            del self._blocks[purpose, use]
            self._uses[purpose] = use
            return _in_span(self._next(distribution, purpose, shape, fill), span)
        return _in_span(cached[2][offset], span)

    def _pass(self, purpose: str, use: int, epoch: int, total: int) -> Tensor:
        cached = self._blocks.get((purpose, use))
        if cached is None or cached[0] != (epoch, total):
            orders = [self._generator(seed, purpose, epoch, use).permutation(total) for seed in self.seeds]
            cached = (epoch, total), None, (torch.from_numpy(np.stack(orders)).to(self.device),)
            self._blocks[purpose, use] = cached
        return cached[2][0]

    def _use(self, purpose: str) -> int:
        use = self._uses.get(purpose, 0)
        self._uses[purpose] = use + 1
        return use

    def _generator(self, seed: int, purpose: str, block: int, use: int) -> np.random.Generator:
        """A generator that is valid until the next call: resetting one takes a sixth of the time of making one."""
        # The two low words of the counter count up as numbers are drawn: 2**128 of them before streams could overlap.
        counter = np.array([0, 0, use, block], dtype=np.uint64)
        state = FRESH_STATE.copy()
        state["state"] = {"counter": counter, "key": _key(seed, purpose)}
        self._philox.state = state
        return self._numbers

    @property
    def _numpy_dtype(self) -> type[np.float32 | np.float64]:
        return np.float64 if self.dtype == torch.float64 else np.float32


def _in_span(drawn: Tensor, span: Span | None) -> Tensor:
    if span is None:
        return drawn
    low, high = span
    return drawn * (high - low) + low


@dataclass(frozen=True)
class Share:
    """Random streams for one process's share of every batch: numbers are drawn for all examples, and sliced.

    The first axis of every shape counts the share's examples.
    """

    rng: RandomStreams
    rank: int
    size: int

    @property
    def dtype(self) -> torch.dtype:
        return self.rng.dtype

    def uniform(self, purpose: str, shape: Sequence[int]) -> Tensor:
        """Uniform on [0, 1), `(P, *shape)`."""
        return self._slice(self.rng.uniform(purpose, self._of_all(shape)))

    def normal(self, purpose: str, shape: Sequence[int]) -> Tensor:
        """Standard normal, `(P, *shape)`."""
        return self._slice(self.rng.normal(purpose, self._of_all(shape)))

    def torch_seeds(self, purpose: str) -> list[int]:
        """One integer per member, the same in every process."""
        return self.rng.torch_seeds(purpose)

    def for_layers(self, purpose: str) -> LayerStreams:
        """Streams for the layers of one population, with their purpose bound."""
        return LayerStreams(self, purpose)

    def _of_all(self, shape: Sequence[int]) -> tuple[int, ...]:
        return shape[0] * self.size, *shape[1:]

    def _slice(self, drawn: Tensor) -> Tensor:
        return drawn.chunk(self.size, 1)[self.rank]


@dataclass(frozen=True)
class LayerStreams:
    """The random streams of one population's layers (dropout, say)."""

    rng: RandomStreams | Share
    purpose: str

    def torch_seeds(self) -> list[int]:
        """One integer per member, to seed another generator with."""
        return self.rng.torch_seeds(self.purpose)

    def uniform(self, shape: Sequence[int]) -> Tensor:
        """Uniform on [0, 1), `(P, *shape)`."""
        return self.rng.uniform(f"{self.purpose} layers", shape)


@cache
def _block_rounds(shape: tuple[int, ...]) -> int:
    numbers = max(1, int(np.prod(shape)))
    return max(1, min(BLOCK_ROUNDS, BLOCK_NUMBERS // numbers))


@cache
def _key(seed: int, purpose: str) -> np.ndarray:
    digest = hashlib.blake2b(purpose.encode(), digest_size=8).digest()
    return np.array([seed, int.from_bytes(digest, "little")], dtype=np.uint64)
