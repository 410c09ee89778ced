"""Whether graphs of losses of earlier rounds are still there, because something holds them."""

from __future__ import annotations

import weakref

from torch import Tensor


class Sentinel:
    """Lives as long as the graph of a loss does."""


class Graphs:
    """Of losses that were back-propagated."""

    def __init__(self) -> None:
        self._alive: list[tuple[int, weakref.ref[Sentinel]]] = []

    def add(self, loss: Tensor, round: int) -> None:
        """A loss of a round."""
        sentinel = Sentinel()
        assert loss.grad_fn is not None
        loss.grad_fn.metadata["sparring"] = sentinel  # pyright: ignore[reportIndexIssue]
        self._alive.append((round, weakref.ref(sentinel)))

    def kept(self, round: int) -> int:
        """Losses of rounds before the last two whose graph is still there."""
        self._alive = [(at, ref) for at, ref in self._alive if ref() is not None]
        return sum(at < round - 2 for at, _ in self._alive)
