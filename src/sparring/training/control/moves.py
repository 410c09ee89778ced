"""One move at a time: a round is played move by move, and left or taken up between two of them."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from sparring.game.game import Game, Logged
from sparring.tricks import Who


class MoveByMove:
    """Plays a game's rounds move by move. With the moves in their order it computes what `Game.play` does.

    A move beside those of the round (an extra one) takes its random numbers from the same streams, behind those that
    the round's moves have taken so far, so that the same moves in the same order give the same bits.
    """

    def __init__(self, game: Game):
        self.game = game
        self.position = 0
        """Moves of the round that have been played, extra ones left out."""
        self.extras = 0
        """Extra moves of the round that have been played."""
        self._last: dict[Who, int] = {}
        """Each player's last move in this round, by its index."""
        self._players: list[Who] | None = None
        self._border: list[Tensor] | None = None
        """Copies of the game's tensors from before the round, once it has begun."""

    @property
    def is_within(self) -> bool:
        """Whether a round has begun and not ended."""
        return self._border is not None

    @property
    def players(self) -> Sequence[Who]:
        """Who learns in each of the recipe's moves. The game must be between two rounds when first asked."""
        if self._players is None:
            self._players = players_of(self.game)
        return self._players

    def choose(self, who: Who | None) -> tuple[int, bool]:
        """The move to play for a player, or for whoever's turn it is: its index, and whether it is an extra one.

        It is the round's next move where that is this player's, else the one after this player's last.
        """
        players = self.players
        if who is None or players[self.position] == who:
            return self.position, False
        own = [index for index, player in enumerate(players) if player == who]
        last = self._last.get(who)
        return own[0] if last is None else own[(own.index(last) + 1) % len(own)], True

    def play(self, index: int, extra: bool) -> None:
        """Play one of the recipe's moves."""
        players = self.players
        if self._border is None:
            self._begin()
        self.game.moves[index](self.game)
        self._last[players[index]] = index
        if extra:
            self.extras += 1
        else:
            self.position += 1

    @property
    def has_ended(self) -> bool:
        """Whether every move of the round has been played."""
        return self.position == len(self.game.moves)

    def end(self, every: int) -> list[Logged]:
        """End the round. Returns its values if its number is one that `every` divides, as `Game.play_to` does."""
        game = self.game
        logged = [(game.round + 1, game.logged_means())] if game.round % every == 0 else []
        game.round += 1
        self.forget()
        return logged

    def abandon(self) -> None:
        """Go back to before the round, if one has begun."""
        if self._border is not None:
            self._put(self._border)
            self.forget()

    @contextmanager
    def before_round(self) -> Generator[None]:
        """Run a block in which the game is as it was before the round; the block must not play."""
        if self._border is None:
            yield
            return
        now = [tensor.detach().clone() for tensor in self.game.tensors]
        self._put(self._border)
        try:
            yield
        finally:
            self._put(now)

    def _begin(self) -> None:
        game = self.game
        self._border = [tensor.detach().clone() for tensor in game.tensors]
        game.logged.clear()
        game.begin_round()
        game.recording = True  # for the report of each move; what is computed does not depend on it

    def forget(self) -> None:
        """Be between two rounds, whatever was played."""
        self.position, self.extras, self._border = 0, 0, None
        self._last.clear()
        self.game.logged.clear()
        self.game.recording = False

    def moves_changed(self) -> None:
        """Called between two rounds when the recipe has other moves from here on."""
        self._players = None

    @torch.no_grad()
    def _put(self, tensors: Sequence[Tensor]) -> None:
        for tensor, copy in zip(self.game.tensors, tensors, strict=True):
            tensor.copy_(copy)


def players_of(game: Game) -> list[Who]:
    """Who learns first in each move, by playing each once; the game is left as it was."""
    found: list[Who] = []
    with game.preserving_state():
        game.begin_round()
        game.recording = True
        for move in game.moves:
            game.logged.clear()
            move(game)
            found.append("D" if "d_gradient" in game.logged else "G")
    return found
