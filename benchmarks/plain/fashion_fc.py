"""The baseline for `fashion-fc`: the same game in plain PyTorch, as a learner would write it, without sparring."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

BATCH = 64
WIDTH = 128


class Discriminator(nn.Module):
    """Images -> how real they look, between 0 and 1."""

    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Flatten(),
            nn.Linear(28 * 28, WIDTH),
            nn.LeakyReLU(0.2),
            nn.Linear(WIDTH, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class Generator(nn.Module):
    """100 numbers -> an image between -1 and 1."""

    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Linear(100, WIDTH),
            nn.LeakyReLU(0.2),
            nn.Linear(WIDTH, 28 * 28),
            nn.Tanh(),
            nn.Unflatten(1, (1, 28, 28)),
        )

    def forward(self, z: Tensor) -> Tensor:
        return self.model(z)


class Match:
    """The two players between calls of `play`, their optimizers, and the batches that D is shown."""

    def __init__(self, pixels: Tensor) -> None:
        self.generator, self.discriminator = Generator(), Discriminator()
        self.generator_optimizer = torch.optim.SGD(self.generator.parameters(), lr=0.03)
        self.discriminator_optimizer = torch.optim.SGD(self.discriminator.parameters(), lr=0.03)
        self.loss_function = nn.BCELoss()
        dataset = TensorDataset(pixels / 127.5 - 1)
        self.batches = epochs(DataLoader(dataset, batch_size=BATCH, shuffle=True, drop_last=True))
        self.rounds = 0
        self.losses: list[tuple[float, float]] = []


def setup(pixels: Tensor) -> Match:
    """`pixels` is uint8 `(N, 1, 28, 28)`; the images are scaled once, to [-1, 1]."""
    return Match(pixels)


def epochs(loader: DataLoader[tuple[Tensor, ...]]) -> Iterator[Tensor]:
    while True:
        for (images,) in loader:
            yield images


def play(rounds: int, match: Match) -> None:
    generator, discriminator, loss_function = match.generator, match.discriminator, match.loss_function
    called_real, called_fake = torch.ones(BATCH, 1), torch.zeros(BATCH, 1)
    for _ in range(rounds):
        real = next(match.batches)
        fake = generator(torch.randn(BATCH, 100)).detach()
        d_loss = loss_function(discriminator(real), called_real) + loss_function(discriminator(fake), called_fake)
        match.discriminator_optimizer.zero_grad()
        d_loss.backward()
        match.discriminator_optimizer.step()

        g_loss = loss_function(discriminator(generator(torch.randn(BATCH, 100))), called_real)
        match.generator_optimizer.zero_grad()
        g_loss.backward()
        match.generator_optimizer.step()

        match.rounds += 1
        if match.rounds % 10 == 0:
            match.losses.append((d_loss.item(), g_loss.item()))
