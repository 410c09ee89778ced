"""Members in groups: each group plays many rounds by itself before the next does, or at the same time in a thread.

Members do not influence each other, so grouping does not change what they compute. It does change the speed: a group's
weights stay in the core's cache from one round to the next, and threads wait for one another once per call of `play_to`
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
"""Size assumed for a core's own cache, where the system does not report it."""
CACHES = 2
"""How many times the cache's size a group's weights and memories may take."""
MIN_BYTES = 64 * 2**10
"""Smallest size of a group's weights and memories: with less, a round is mostly the overhead of its calls."""


def group_size(game: Game, threads: int) -> int:
    """Members per group: as many as a core's cache holds, with at least one group per thread.

    It divides the number of members, and is all of them where a group would be too small to pay.
    """
    each = sum(t.numel() * t.element_size() for t in game.tensors) / game.G.size
    largest = max(1, min(game.G.size // threads, int(CACHES * cache_bytes() / each)))
    size = next(size for size in range(largest, 0, -1) if game.G.size % size == 0)
    return size if size * each >= MIN_BYTES else game.G.size


def cache_bytes() -> int:
    """Size of the cache that a core has for itself (L2)."""
    try:
        return int(CACHE.read_text().strip().removesuffix("K")) * 2**10
    except (OSError, ValueError):
        return CACHE_BYTES


@dataclass(frozen=True)
class Group:
    """Some members of a game."""

    rng: RandomStreams
    """Their random streams."""
    tensors: list[Tensor]
    """`Game.tensors` of these members: slices of the game's own, and copies of the 0-dimensional ones."""
    shared: list[tuple[Tensor, Tensor]]
    """Each 0-dimensional tensor of the game, which all members share (a step count), with this group's copy."""

    def begin(self) -> None:
        """Before rounds are played: take over what all members share."""
        for whole, own in self.shared:
            own.copy_(whole)

    def end(self) -> None:
        """After every group has played the rounds (and counted alike): give back what all members share."""
        for whole, own in self.shared:
            whole.copy_(own)


def single_group(game: Game) -> list[Group]:
    """All members in one group."""
    return [Group(game.rng, [t.detach() for t in game.tensors], [])]


def groups_like(part: Game, game: Game) -> list[Group] | None:
    """A game's members in groups with tensors laid out like those of `part`, the same game of fewer members.

    None where the game's tensors cannot be sliced so.
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
                group.shared.append((whole, own))
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
    """Rounds in pieces that keep all threads busy to the end, though `threads` may not divide `groups`."""
    pieces = 1 if groups % threads == 0 else max(1, min(threads, len(rounds)))
    ends = [len(rounds) * k // pieces for k in range(pieces + 1)]
    return [rounds[a:b] for a, b in pairwise(ends)]
