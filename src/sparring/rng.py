"""Chance per member: what a member draws depends on (its seed, the round, what the draw is for), and on nothing else.

Counter-based streams need no stored state: NumPy's Philox (Salmon et al., "Parallel random numbers: as easy as 1, 2,
3", SC 2011) is keyed by (seed, purpose) and started at the counter (round block, use within the round). So a member
draws the same numbers alone or among a thousand others, and the same after an interruption. Numbers are drawn in
blocks of rounds whose length depends on the shape of the draw alone, so that a round costs an index into a list.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial, wraps
from typing import Any, Concatenate, ParamSpec

import numpy as np
import torch
from torch import Tensor

Fill = Callable[[np.random.Generator, np.ndarray], object]
"""Fills an array with numbers of its type."""
Span = tuple[float | Tensor, float | Tensor]

BLOCK_NUMBERS = 2**14
"""Numbers a member draws at a time for one purpose: 64 KiB, small beside the networks, long beside a call."""
BLOCK_ROUNDS = 1024
"""Most rounds a block serves, so that a thousand members of a tiny game fit in memory."""

UNTOUCHED = np.random.Philox(0).state
"""Of a stream from which nothing has been drawn, but for its key and its counter."""

Q = ParamSpec("Q")


@dataclass(frozen=True)
class Draw:
    """One draw, which can be made again in another round, and for other members."""

    how: Callable[..., Tensor]
    what: tuple[Any, ...]
    named: dict[str, Any]

    def of(self, rng: RandomStreams) -> Callable[[], Tensor]:
        """The same from those streams."""
        return partial(self.how, rng, *self.what, **self.named)


def _answered(draw: Callable[Concatenate[RandomStreams, Q], Tensor]) -> Callable[Concatenate[RandomStreams, Q], Tensor]:
    """A draw that somebody else may answer."""

    @wraps(draw)
    def ask(self: RandomStreams, /, *what: Q.args, **how: Q.kwargs) -> Tensor:
        if self.answer is None:
            return draw(self, *what, **how)
        return self.answer(Draw(draw, what, how))

    return ask


class RandomStreams:
    """Streams for `len(seeds)` members. Every draw is `(P, *shape)`."""

    def __init__(self, seeds: Sequence[int], device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32):
        self.seeds = tuple(seeds)
        self.device = torch.device(device)
        self.dtype = dtype
        self.round = 0
        self._philox = np.random.Philox(0)
        self._numbers = np.random.Generator(self._philox)
        self.answer: Callable[[Draw], Tensor] | None = None
        """Who answers every draw in place of the streams, dice excepted: whoever writes down what a round draws."""
        self._uses: dict[str, int] = {}
        self._blocks: dict[tuple[str, int], tuple[object, Span | None, Sequence[Tensor]]] = {}
        """Purpose and use -> what was drawn for it, between what bounds, a tensor for each round."""

    def begin(self, round: int) -> None:
        """Enter a round: the first draw for a purpose in it is use 0, the next use 1, and so on."""
        self.round = int(round)
        self._uses.clear()

    def serve(self, seeds: Sequence[int]) -> None:
        """Members of these seeds, as many as before, draw from here on."""
        self.seeds = tuple(seeds)
        self._blocks.clear()

    @_answered
    def uniform(self, purpose: str, shape: Sequence[int], span: Span | None = None) -> Tensor:
        """Uniform on [0, 1), or on [low, high) for `span=(low, high)`, which may be tensors that broadcast.

        A span that is one and the same tuple in every round is applied to a block of rounds at a time.
        """
        return self._next(
            "uniform", purpose, shape, lambda rng, out: rng.random(out=out, dtype=self._numpy_dtype), span
        )

    @_answered
    def normal(self, purpose: str, shape: Sequence[int]) -> Tensor:
        """Standard normal."""
        return self._next(
            "normal", purpose, shape, lambda rng, out: rng.standard_normal(out=out, dtype=self._numpy_dtype)
        )

    @_answered
    def shuffled(self, purpose: str, total: int, count: int) -> Tensor:
        """The next `count` indices, int64 `(P, count)`, of an endless walk through 0..total-1.

        Each pass (epoch) visits every index once in an order of its own; a batch may straddle two passes.
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
        """No chance at all: `value` everywhere, one tensor made once."""
        key = f"constant {value} {tuple(shape)}", 0
        if key not in self._blocks:
            filled = torch.full((len(self.seeds), *shape), value, dtype=self.dtype, device=self.device)
            self._blocks[key] = 0, None, (filled,)
        return self._blocks[key][2][0]

    def torch_seeds(self, purpose: str) -> list[int]:
        """One integer in [0, 2**63) for each member, to seed someone else's generator with."""
        use = self._use(purpose)
        return [int(self._generator(seed, purpose, self.round, use).integers(2**63)) for seed in self.seeds]

    def for_layers(self, purpose: str) -> LayerStreams:
        """Chance for one purpose, handed to whoever need not know which."""
        return LayerStreams(self, purpose)

    def share(self, rank: int, size: int) -> RandomStreams | Share:
        """Chance for share number `rank` of `size` equal shares of every batch."""
        return self if size == 1 else Share(self, rank, size)

    def _next(self, law: str, purpose: str, shape: Sequence[int], fill: Fill, span: Span | None = None) -> Tensor:
        use = self._use(purpose)
        shape = tuple(shape)
        rounds = _block_rounds(shape)
        number, offset = divmod(self.round, rounds)
        what = law, shape, number
        held = self._blocks.get((purpose, use))
        if held is None or held[0] != what:
            drawn = np.empty((len(self.seeds), rounds, *shape), self._numpy_dtype)
            for seed, its in zip(self.seeds, drawn, strict=True):
                fill(self._generator(seed, purpose, number, use), its)
            block = torch.from_numpy(drawn).transpose(0, 1).contiguous().to(self.device)
            if span is not None:
                low, high = span
                block.mul_(high - low).add_(low)  # in place: a block of many members is large
            held = what, span, block.unbind(0)
            if rounds > 1:  # a block that serves one round is not needed again, and may be large
                self._blocks[purpose, use] = held
        if held[1] is span:
            return held[2][offset]
        # Another span than the block's: from here on the block stays as drawn, and each round is spread by itself.
        if held[1] is not None:
            del self._blocks[purpose, use]
            self._uses[purpose] = use
            return _spread(self._next(law, purpose, shape, fill), span)
        return _spread(held[2][offset], span)

    def _pass(self, purpose: str, use: int, epoch: int, total: int) -> Tensor:
        held = self._blocks.get((purpose, use))
        if held is None or held[0] != (epoch, total):
            orders = [self._generator(seed, purpose, epoch, use).permutation(total) for seed in self.seeds]
            held = (epoch, total), None, (torch.from_numpy(np.stack(orders)).to(self.device),)
            self._blocks[purpose, use] = held
        return held[2][0]

    def _use(self, purpose: str) -> int:
        use = self._uses.get(purpose, 0)
        self._uses[purpose] = use + 1
        return use

    def _generator(self, seed: int, purpose: str, block: int, use: int) -> np.random.Generator:
        """It serves until the next is asked for: to set one anew takes a sixth of the time that making one does."""
        # The two low words of the counter count up as numbers are drawn: 2**128 of them before streams could touch.
        counter = np.array([0, 0, use, block], dtype=np.uint64)
        state = UNTOUCHED.copy()
        state["state"] = {"counter": counter, "key": _key(seed, purpose)}
        self._philox.state = state
        return self._numbers

    @property
    def _numpy_dtype(self) -> type[np.float32 | np.float64]:
        return np.float64 if self.dtype == torch.float64 else np.float32


def _spread(drawn: Tensor, span: Span | None) -> Tensor:
    if span is None:
        return drawn
    low, high = span
    return drawn * (high - low) + low


@dataclass(frozen=True)
class Share:
    """Chance for a share of every batch: drawn for all examples, of which the share's are given.

    The first axis of every shape counts examples.
    """

    rng: RandomStreams
    rank: int
    size: int

    @property
    def dtype(self) -> torch.dtype:
        return self.rng.dtype

    def uniform(self, purpose: str, shape: Sequence[int]) -> Tensor:
        """Uniform on [0, 1), `(P, *shape)`."""
        return self._own(self.rng.uniform(purpose, self._of_all(shape)))

    def normal(self, purpose: str, shape: Sequence[int]) -> Tensor:
        """Standard normal, `(P, *shape)`."""
        return self._own(self.rng.normal(purpose, self._of_all(shape)))

    def torch_seeds(self, purpose: str) -> list[int]:
        """One integer a member; no example has any of its own."""
        return self.rng.torch_seeds(purpose)

    def for_layers(self, purpose: str) -> LayerStreams:
        """Chance for one purpose, handed to whoever need not know which."""
        return LayerStreams(self, purpose)

    def _of_all(self, shape: Sequence[int]) -> tuple[int, ...]:
        return shape[0] * self.size, *shape[1:]

    def _own(self, drawn: Tensor) -> Tensor:
        return drawn.chunk(self.size, 1)[self.rank]


@dataclass(frozen=True)
class LayerStreams:
    """What one population's layers draw from."""

    rng: RandomStreams | Share
    purpose: str

    def torch_seeds(self) -> list[int]:
        """One integer a member, to seed another generator with."""
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
