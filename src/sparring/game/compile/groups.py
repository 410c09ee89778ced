"""Members in groups: a group plays many rounds by itself before the next does, or at the same time in another thread.

Members do not hear each other, so it makes no difference to what they play. It makes one to the processor: the weights
of a group stay in its cache from one round to the next, and threads that play groups wait for one another once a turn
rather than in every matrix product.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from torch import Tensor

from sparring.game.game import Game
from sparring.rng import RandomStreams

CACHE = Path("/sys/devices/system/cpu/cpu0/cache/index2/size")
CACHE_BYTES = 2**20
"""Of the cache that a core has for itself, where the system does not tell."""
CACHES = 2
"""Times that cache, what a group's weights and memories may come to."""
LEAST_BYTES = 64 * 2**10
"""Of a group's weights and memories: with less, a round is all calls and little work."""


def group_size(game: Game, threads: int) -> int:
    """Members of a group: those that a core's cache holds, a group for each thread; or all, where that is little."""
    each = sum(t.numel() * t.element_size() for t in game.tensors) / game.G.size
    most = max(1, min(game.G.size // threads, int(CACHES * cache_bytes() / each)))
    size = next(size for size in range(most, 0, -1) if game.G.size % size == 0)
    return size if size * each >= LEAST_BYTES else game.G.size


def cache_bytes() -> int:
    """Of the cache that a core has for itself."""
    try:
        return int(CACHE.read_text().strip().removesuffix("K")) * 2**10
    except (OSError, ValueError):
        return CACHE_BYTES


@dataclass(frozen=True)
class Group:
    """Some members of a game."""

    rng: RandomStreams
    """Theirs."""
    tensors: list[Tensor]
    """`Game.tensors` of these members, in the same memory, and copies of those that all members have in common."""
    common: list[tuple[Tensor, Tensor]]
    """What all members have in common (a count of steps), and this group's copy of it."""

    def begin(self) -> None:
        """A turn."""
        for whole, own in self.common:
            own.copy_(whole)

    def end(self) -> None:
        """A turn; every group has played it, and has counted alike."""
        for whole, own in self.common:
            whole.copy_(own)


def all_in_one(game: Game) -> list[Group]:
    """Every member."""
    return [Group(game.rng, [t.detach() for t in game.tensors], [])]


def groups_like(part: Game, game: Game) -> list[Group] | None:
    """A game's members in groups, each with tensors like those of `part`, which is the same game of so many members.

    None where the game's tensors do not come apart.
    """
    size, members = part.G.size, game.G.size
    rng = game.rng
    groups: list[Group] = []
    for first in range(0, members, size):
        seeds = rng.seeds[first : first + size]
        group = Group(RandomStreams(seeds, rng.device, rng.dtype), [], [])
        for whole, model in zip(game.tensors, part.tensors, strict=True):
            whole = whole.detach()
            if whole.dim() == 0:
                own = whole.clone()
                group.common.append((whole, own))
            else:
                own = whole[first : first + size]
                if len(whole) != members or own.shape != model.shape or not _same_layout(own, model):
                    return None
            group.tensors.append(own)
        groups.append(group)
    return groups


def _same_layout(one: Tensor, other: Tensor) -> bool:
    strides = zip(one.shape, one.stride(), other.stride(), strict=True)
    return all(mine == theirs for length, mine, theirs in strides if length > 1)


def balanced(rounds: range, groups: int, threads: int) -> list[range]:
    """A turn in pieces that keep all threads busy to its end, though their number may not divide that of the groups."""
    pieces = 1 if groups % threads == 0 else max(1, min(threads, len(rounds)))
    ends = [len(rounds) * k // pieces for k in range(pieces + 1)]
    return [rounds[a:b] for a, b in pairwise(ends)]
