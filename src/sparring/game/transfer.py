"""Weights of another game loaded into a game before its first round, where they fit: for fine-tuning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sparring.game.assembly import AVERAGED, weights_of
from sparring.game.game import Game
from sparring.tricks import Who


@dataclass(frozen=True)
class Fit:
    """Which of a game's tensors were loaded. A tensor is named as in a checkpoint, `G.0.weight`."""

    loaded: dict[str, tuple[int, int]]
    """For G, D and G's averaged weights, where the game has those: how many tensors were loaded, and of how many."""
    anew: dict[str, tuple[tuple[int, ...] | None, tuple[int, ...]]]
    """Each tensor that was not: its shape there, or None if it is missing there, and its shape here, for one member."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing of either network fits."""
        return not any(self.loaded[who][0] for who in ("G", "D"))


@torch.no_grad()
def load_where_it_fits(game: Game, arrays: Mapping[str, np.ndarray]) -> Fit:
    """Load G, D and G's averaged weights from arrays named and laid out as in a checkpoint, `(P, ...)`.

    A tensor is loaded if the other game has one of that name and shape; else it stays as it was drawn. Optimizers and
    tricks begin anew, with the weights as they are then.
    """
    arrays = dict(arrays)
    fit = Fit({}, {})
    for who, player in game.players.items():
        _load(who, f"{who}.", player.networks.state(), weights_of(arrays, who), fit)
    weights: dict[Who, Sequence[Tensor]] = {who: player.networks.parameters for who, player in game.players.items()}
    game.memories = [t.begin(weights, game.G.size, game.rng.device) for t in game.tricks]
    if (averaged := game.averaged()) is not None:
        theirs = {n.removeprefix(AVERAGED): torch.from_numpy(a) for n, a in arrays.items() if n.startswith(AVERAGED)}
        if theirs:
            _load("averaged", AVERAGED, game.G.named(averaged), theirs, fit)
    return fit


def _load(what: str, prefix: str, mine: Mapping[str, Tensor], theirs: Mapping[str, Tensor], fit: Fit) -> None:
    loaded = 0
    for name, tensor in mine.items():
        other = theirs.get(name)
        if other is not None and other.shape == tensor.shape:
            tensor.copy_(other)
            loaded += 1
        else:
            fit.anew[prefix + name] = None if other is None else tuple(other.shape[1:]), tuple(tensor.shape[1:])
    fit.loaded[what] = loaded, len(mine)
