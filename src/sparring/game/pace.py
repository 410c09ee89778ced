"""How long a game's rounds take here."""

from __future__ import annotations

import math
import time

from sparring.game.game import Game, PlayTo
from sparring.game.runtime import wait_for

SECONDS_TIMED = 0.3
"""For which rounds are timed."""


def seconds_per_call(game: Game, play_to: PlayTo, seconds: float = SECONDS_TIMED, multiple: int = 1) -> float:
    """Wall-clock seconds of a round in a turn of many, as a trainer plays them; the game is left as it was.

    Args:
        game: What is timed.
        play_to: How it is played.
        seconds: How long to time it, about.
        multiple: The turn has a multiple of so many rounds, so that what is due in every eighth has its share.
    """
    with game.preserving_state():
        device = game.rng.device
        wait_for(device)
        start = time.perf_counter()
        play_to(min(game.rounds, game.round + 1), 2**62)
        wait_for(device)
        one = time.perf_counter() - start
        turn = max(1, int(seconds / max(one, 1e-6)))
        turn = min(game.rounds - game.round, math.ceil(turn / multiple) * multiple)
        start = time.perf_counter()
        play_to(game.round + turn, 2**62)
        wait_for(device)
        return (time.perf_counter() - start) / turn if turn else one
