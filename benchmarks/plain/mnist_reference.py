"""The baseline for `mnist-reference`: the same game in plain PyTorch, as a learner would write it, without sparring."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

BATCH, ROUNDS = 64, 9380


class Discriminator(nn.Module):
    """Images -> how real they look, between 0 and 1."""

    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Conv2d(1, 64, 3, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(64, 128, 3, 2, 1, bias=False),
            nn.BatchNorm2d(128),
            nn.LeakyReLU(0.2),
            nn.Conv2d(128, 256, 3, 2, 1, bias=False),
            nn.BatchNorm2d(256),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(4096, 2048),
            nn.LeakyReLU(0.2),
            nn.Linear(2048, 512),
            nn.LeakyReLU(0.2),
            nn.Linear(512, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class Generator(nn.Module):
    """100 numbers -> an image between 0 and 1."""

    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Linear(100, 128),
            nn.LeakyReLU(0.2),
            nn.BatchNorm1d(128),
            nn.Dropout(0.3),
            nn.Linear(128, 256),
            nn.LeakyReLU(0.2),
            nn.BatchNorm1d(256),
            nn.Dropout(0.3),
            nn.Linear(256, 28 * 28),
            nn.Sigmoid(),
            nn.Unflatten(1, (1, 28, 28)),
        )

    def forward(self, z: Tensor) -> Tensor:
        return self.model(z)


class Match:
    """The two players between calls of `play`, their optimizers, and the batches that D is shown."""

    def __init__(self, pixels: Tensor) -> None:
        self.generator, self.discriminator = Generator(), Discriminator()
        settings = {"lr": 1e-4, "betas": (0.5, 0.999), "weight_decay": 1e-4}
        self.generator_optimizer = torch.optim.Adam(self.generator.parameters(), **settings)
        self.discriminator_optimizer = torch.optim.Adam(self.discriminator.parameters(), **settings)
        self.loss_function = nn.BCELoss()
        dataset = TensorDataset(pixels / 255)
        self.batches = epochs(DataLoader(dataset, batch_size=BATCH, shuffle=True, drop_last=True))
        self.rounds = 0
        self.losses: list[tuple[float, float]] = []


def setup(pixels: Tensor) -> Match:
    """`pixels` is uint8 `(N, 1, 28, 28)`; the images are scaled once, to [0, 1]."""
    return Match(pixels)


def epochs(loader: DataLoader[tuple[Tensor, ...]]) -> Iterator[Tensor]:
    while True:
        for (images,) in loader:
            yield images


def swapped(labels: Tensor, rate: float) -> Tensor:
    """Some of them, drawn one by one, turned into their opposite."""
    return torch.where(torch.rand(len(labels), 1) < rate, 1 - labels, labels)


def play(rounds: int, match: Match) -> None:
    generator, discriminator, loss_function = match.generator, match.discriminator, match.loss_function
    called_real = torch.ones(BATCH, 1)
    for _ in range(rounds):
        rate = 0.1 * max(0.0, 1 - match.rounds / (0.5 * ROUNDS))
        real = next(match.batches)
        fake = generator(torch.randn(BATCH, 100)).detach()
        nearly_real = swapped(0.9 + 0.1 * torch.rand(BATCH, 1), rate)
        nearly_fake = swapped(torch.zeros(BATCH, 1), rate)
        d_loss = loss_function(discriminator(real), nearly_real) + loss_function(discriminator(fake), nearly_fake)
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
