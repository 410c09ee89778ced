"""The game: two players, their moves, and one round of them.

Scores and losses are `(P, B)`: P members side by side, B examples each. A loss is averaged over B and summed over P, so
no member hears another, and any element-wise optimiser serves a whole population unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from sparring.chance import Chance
from sparring.datasets import Source
from sparring.latent import Latent
from sparring.objectives import Objective
from sparring.optimisers import Optimiser
from sparring.population import Population
from sparring.tricks import Trick
from sparring.world import World

Move = Callable[["Game"], None]
Truth = Literal[0, 1]


# The moves of the textbook.


def d_sees_real(game: Game) -> None:
    """1. The discriminator is shown real examples and told "real"."""
    x = game.real()
    game.learn("D", game.called(1, game.D(x)) + game.penalty(x, None))


def d_sees_fake(game: Game) -> None:
    """2. The discriminator is shown generated examples and told "fake"."""
    x = game.fake().detach()
    game.learn("D", game.called(0, game.D(x)) + game.penalty(None, x))


def g_fools_d(game: Game) -> None:
    """3. The generator is paid when its fakes are called real."""
    game.learn("G", game.fooled(game.D(game.fake())))


def d_sees_both(game: Game) -> None:
    """1. and 2. in one step: the discriminator's two losses are added before it learns."""
    real, fake = game.real(), game.fake().detach()
    game.learn("D", game.called(1, game.D(real)) + game.called(0, game.D(fake)) + game.penalty(real, fake))


def d_sees_mixture(game: Game) -> None:
    """1. and 2. from one mixed batch, half of it real, half of it fake and made one by one."""
    half = game.batch // 2
    x = torch.cat([game.real()[:, half:], game.fakes_one_by_one(half).detach()], 1)
    real, fake = game.D(x).split([game.batch - half, half], 1)
    game.learn("D", torch.cat([game.called(1, real), game.called(0, fake)], 1))


TEXTBOOK: tuple[Move, ...] = (d_sees_real, d_sees_fake, g_fools_d)  # three optimiser steps, as the write-ups do
MODERN: tuple[Move, ...] = (d_sees_both, g_fools_d)  # one joint step for D


class Player:
    """A population, the rule it steps by, and what that rule remembers."""

    def __init__(self, networks: Population, optimiser: Optimiser):
        self.networks = networks
        self.optimiser = optimiser
        self.memory = optimiser.begin(networks.parameters)

    def learn(self, gradients: Sequence[Tensor]) -> None:
        self.optimiser.step(self.networks.parameters, gradients, self.memory)


@dataclass
class Game:
    """The players, and what a move may ask for. No I/O, no logging."""

    players: dict[Literal["G", "D"], Player]
    objective: Objective
    source: Source
    latent: Latent
    chance: Chance
    moves: tuple[Move, ...]
    batch: int
    """Examples a member sees at a time, B."""
    rounds: int
    """Rounds in the whole game; tricks that fade count by it."""
    tricks: Sequence[Trick] = ()
    world: World = field(default_factory=World)
    round: int = 0
    """Rounds played."""
    watched: bool = False
    """Whether this round's figures are wanted in `notes`; they cost a few small kernels."""
    notes: dict[str, list[Tensor]] = field(default_factory=dict[str, list[Tensor]])
    """One figure a member, `(P,)`, for each time a move came by it in the watched round."""

    def __post_init__(self) -> None:
        self.G, self.D = self.players["G"].networks, self.players["D"].networks
        self._namers = [t for t in self.tricks if "name" in t.touches]
        self._penalisers = [t for t in self.tricks if "penalty" in t.touches]
        # Averages over B and sums over P, handed to autograd as the gradient of the losses.
        self._share = self.chance.constant(1 / self.batch, (self.batch,))

    def play(self) -> None:
        """One round."""
        self.chance.begin(self.round)
        for move in self.moves:
            move(self)
        self.round += 1

    def real(self) -> Tensor:
        """A batch of real examples, `(P, B, ...)`."""
        return self.world.share(self.source.draw(self.chance, self.batch))

    def fake(self) -> Tensor:
        """A batch of generated examples from fresh latent vectors, `(P, B, ...)`."""
        return self.G(self.world.share(self.latent.draw(self.chance, "latent", self.batch)))

    def fakes_one_by_one(self, count: int) -> Tensor:
        """`(P, count, ...)` generated examples by a call of G for each."""
        latent = self.latent.draw(self.chance, "latent", count)
        return torch.cat([self.G(latent[:, i : i + 1]) for i in range(count)], 1)

    def called(self, truth: Truth, score: Tensor) -> Tensor:
        """D's loss for examples whose truth is 1 (real) or 0 (fake), under the name the tricks give them.

        A name between 0 and 1 mixes the two losses, name * real + (1 - name) * fake; for BCE that is textbook label
        smoothing.
        """
        name: float | Tensor = truth
        for trick in self._namers:
            name = trick.name(name, truth, (score.shape[0], score.shape[1]), self.chance, self.round / self.rounds)
        if isinstance(name, int):
            loss = self.objective.real(score) if name else self.objective.fake(score)
        else:
            loss = name * self.objective.real(score) + (1 - name) * self.objective.fake(score)
        if self.watched:
            self.note("d_loss", loss)
            self.note("d_real" if truth else "d_fake", self.objective.opinion(score.detach()))
        return loss

    def fooled(self, score: Tensor) -> Tensor:
        """G's loss for fakes that D scores so."""
        loss = self.objective.fool(score)
        if self.watched:
            self.note("g_loss", loss)
        return loss

    def penalty(self, real: Tensor | None, fake: Tensor | None) -> Tensor | float:
        """What the tricks add to D's loss."""
        return sum((t.penalty(real, fake) for t in self._penalisers), 0.0)

    def learn(self, who: Literal["G", "D"], loss: Tensor) -> None:
        """One optimiser step of one player; the other's weights take no gradient."""
        player = self.players[who]
        gradients = torch.autograd.grad(loss, player.networks.parameters, self._share, materialize_grads=True)
        player.learn(self.world.average(gradients))

    def note(self, name: str, value: Tensor) -> None:
        """Keep a figure of the watched round, averaged over B, on the device."""
        self.notes.setdefault(name, []).append(value.detach().mean(1))
