"""The baseline for `pattern-1010`: the same game in plain PyTorch, as a learner would write it, without sparring."""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch
from torch import Tensor, nn


class Discriminator(nn.Module):
    """Four numbers -> how real they look, between 0 and 1."""

    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Linear(4, 3),
            nn.Sigmoid(),
            nn.Linear(3, 1),
            nn.Sigmoid(),
        )
        self.loss_function = nn.MSELoss()
        self.optimizer = torch.optim.SGD(self.parameters(), lr=0.01)
        self.steps = 0
        self.losses: list[float] = []

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)

    def learn(self, x: Tensor, target: Tensor) -> None:
        loss = self.loss_function(self(x), target)
        self.steps += 1
        if self.steps % 10 == 0:
            self.losses.append(loss.item())
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


class Generator(nn.Module):
    """One number -> four numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Linear(1, 3),
            nn.Sigmoid(),
            nn.Linear(3, 4),
            nn.Sigmoid(),
        )
        self.optimizer = torch.optim.SGD(self.parameters(), lr=0.01)
        self.steps = 0
        self.losses: list[float] = []

    def forward(self, z: Tensor) -> Tensor:
        return self.model(z)

    def learn(self, discriminator: Discriminator, z: Tensor, target: Tensor) -> None:
        loss = discriminator.loss_function(discriminator(self(z)), target)
        self.steps += 1
        if self.steps % 10 == 0:
            self.losses.append(loss.item())
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


@dataclass
class Match:
    """The two players between calls of `play`."""

    generator: Generator
    discriminator: Discriminator


def setup() -> Match:
    return Match(Generator(), Discriminator())


def real() -> Tensor:
    high_low = ((0.8, 1.0), (0.0, 0.2), (0.8, 1.0), (0.0, 0.2))
    return torch.FloatTensor([random.uniform(low, high) for low, high in high_low])


def play(rounds: int, match: Match) -> None:
    generator, discriminator = match.generator, match.discriminator
    for _ in range(rounds):
        discriminator.learn(real(), torch.FloatTensor([1.0]))
        discriminator.learn(generator(torch.FloatTensor([0.5])).detach(), torch.FloatTensor([0.0]))
        generator.learn(discriminator, torch.FloatTensor([0.5]), torch.FloatTensor([1.0]))
