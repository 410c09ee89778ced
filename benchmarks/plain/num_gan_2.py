"""The baseline for `num-gan-2`: the same game in plain PyTorch, as a learner would write it, without sparring."""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch
from torch import Tensor, nn


class Discriminator(nn.Module):
    """An image -> how real it looks, between 0 and 1."""

    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Flatten(),
            nn.Linear(28 * 28, 200),
            nn.LeakyReLU(0.02),
            nn.LayerNorm(200),
            nn.Linear(200, 1),
            nn.Sigmoid(),
        )
        self.loss_function = nn.BCELoss()
        self.optimizer = torch.optim.Adam(self.parameters(), lr=0.0001)
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
    """One number -> an image."""

    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Linear(1, 200),
            nn.LeakyReLU(0.02),
            nn.LayerNorm(200),
            nn.Linear(200, 28 * 28),
            nn.Sigmoid(),
        )
        self.optimizer = torch.optim.Adam(self.parameters(), lr=0.0001)
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
    """The two players between calls of `play`, and the images that D is shown."""

    generator: Generator
    discriminator: Discriminator
    images: Tensor


def setup(pixels: Tensor) -> Match:
    """`pixels` is uint8 `(N, 1, 28, 28)`; the images are scaled once, to [0, 1]."""
    return Match(Generator(), Discriminator(), pixels / 255)


def play(rounds: int, match: Match) -> None:
    generator, discriminator, images = match.generator, match.discriminator, match.images
    for _ in range(rounds):
        image = images[random.randrange(len(images))]
        discriminator.learn(image, torch.FloatTensor([[1.0]]))
        discriminator.learn(generator(torch.rand(1, 1)).detach(), torch.FloatTensor([[0.0]]))
        generator.learn(discriminator, torch.rand(1, 1), torch.FloatTensor([[1.0]]))
