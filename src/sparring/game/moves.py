"""The moves of the textbook, three lines each. Recipes name them, so no torch is loaded here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sparring.game.game import Game

Move = Callable[["Game"], None]


def d_sees_real(game: Game) -> None:
    """1. The discriminator learns to score real examples as "real"."""
    x = game.real()
    game.learn("D", game.d_loss(1, game.D(x)) + game.penalty(x, None))


def d_sees_fake(game: Game) -> None:
    """2. The discriminator learns to score generated examples as "fake"."""
    x = game.fake().detach()
    game.learn("D", game.d_loss(0, game.D(x)) + game.penalty(None, x))


def g_fools_d(game: Game) -> None:
    """3. The generator learns to make examples that the discriminator scores as "real"."""
    game.learn("G", game.g_loss(game.D(game.fake())))


def d_sees_both(game: Game) -> None:
    """1. and 2. in one step: the discriminator's two losses are added before it learns."""
    real, fake = game.real(), game.fake().detach()
    real_score, fake_score = game.compare(game.D(real), game.D(fake))
    game.learn("D", game.d_loss(1, real_score) + game.d_loss(0, fake_score) + game.penalty(real, fake))


def d_sees_mixture(game: Game) -> None:
    """1. and 2. from one mixed batch, half of it real, half of it generated one by one."""
    import torch

    half = game.batch // 2
    x = game.real()
    assert isinstance(x, torch.Tensor)  # a class-conditional game cannot have this move
    x = torch.cat([x[:, half:], game.fakes_one_by_one(half).detach()], 1)
    real, fake = game.D(x).split([game.batch - half, half], 1)
    game.learn("D", torch.cat([game.d_loss(1, real), game.d_loss(0, fake)], 1))


TEXTBOOK: tuple[Move, ...] = (d_sees_real, d_sees_fake, g_fools_d)  # three optimizer steps, as the write-ups do
MODERN: tuple[Move, ...] = (d_sees_both, g_fools_d)  # one joint step for D
