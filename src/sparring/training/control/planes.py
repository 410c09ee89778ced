"""Pictures of a game of points that are drawn while it trains and somebody watches: planes/ in the run's folder."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from sparring.analysis.planar import PLANES, plane_file, planes_drawn, why_not
from sparring.analysis.plane import Planes
from sparring.game.game import Game
from sparring.recipe import Recipe

SHARE = 0.1
"""Of the time spent training, the most that drawing may take: who asks for it has a lesson in front of them."""
SECONDS = 0.2
"""Between two pictures, at least."""
KEPT = 96
"""Pictures that are kept, spread over the rounds."""


class Drawn:
    """The pictures of one session."""

    def __init__(self, folder: Path, recipe: Recipe, game: Game):
        self._folder, self._recipe, self._game = folder, recipe, game
        self._planes: Planes | None = None
        self._until, self._next = 0.0, 0.0
        self.forget_later()

    def watch(self, seconds: float) -> None:
        """Draw for this long; a game that cannot be drawn is left alone."""
        if not why_not(self._recipe.to_dict()):
            self._until = max(self._until, time.monotonic() + seconds)
            self.draw(at_once=True)

    def draw(self, at_once: bool = False) -> None:
        """Called where weights may have changed: draws, if somebody watches and it is time."""
        now = time.monotonic()
        if now > self._until or (now < self._next and not at_once):
            return
        self._planes = self._planes or Planes(self._recipe, self._game)
        (self._folder / PLANES).mkdir(exist_ok=True)
        self._planes.now().save(plane_file(self._folder, self._game.round))
        drawn = planes_drawn(self._folder)
        if len(drawn) > KEPT:
            plane_file(self._folder, closest(drawn)).unlink(missing_ok=True)
        self._next = time.monotonic() + max(SECONDS, (time.monotonic() - now) / SHARE)

    def forget_later(self) -> None:
        """Pictures of rounds that the game has not played, as after it was rewound, are deleted."""
        with contextlib.suppress(OSError):
            for round in planes_drawn(self._folder):
                if round > self._game.round:
                    plane_file(self._folder, round).unlink(missing_ok=True)


def closest(rounds: list[int]) -> int:
    """The round, neither the first nor the last, whose neighbors lie closest together."""
    return min(zip(rounds, rounds[1:], rounds[2:], strict=False), key=lambda three: three[2] - three[0])[1]
