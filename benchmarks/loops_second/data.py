"""What the loops are trained on, and the networks that several of them have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

Watching = Callable[..., Any]
Loop = Callable[[Watching, int], object]


def stripes(count: int = 320, size: int = 16) -> tuple[Tensor, Tensor]:
    """Stripes of four directions, `(count, 1, size, size)` in [0, 1] as `ToTensor` gives them, and the direction."""
    rng = torch.Generator().manual_seed(21)
    kind = torch.randint(4, (count,), generator=rng)
    phase, period = torch.rand(2, count, 1, 1, generator=rng)
    axis = torch.linspace(0, 1, size)
    angle = kind[:, None, None] * torch.pi / 4
    along = axis[None, :, None] * angle.cos() + axis[None, None, :] * angle.sin()
    waves = (2 * torch.pi * (along * (1.5 + 2 * period) + phase)).sin()
    return (0.5 + 0.45 * waves)[:, None], kind


def blobs(count: int = 512) -> Tensor:
    """Eight Gaussians on a circle, `(count, 2)`."""
    rng = torch.Generator().manual_seed(22)
    angle = torch.randint(8, (count,), generator=rng) * torch.pi / 4
    return torch.stack([angle.cos(), angle.sin()], 1) + 0.05 * torch.randn(count, 2, generator=rng)


class Stripes(Dataset[tuple[Tensor, Tensor]]):
    """The stripes as a data set of (image, direction), with a transform as torchvision's have one."""

    def __init__(self, transform: Callable[[Tensor], Tensor] | None = None, by_class: bool = False) -> None:
        self.images, self.labels = stripes()
        if by_class:
            order = self.labels.argsort()
            self.images, self.labels = self.images[order], self.labels[order]
        self.transform = transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image = self.images[index]
        return (self.transform(image) if self.transform else image), self.labels[index]


def normalize(x: Tensor) -> Tensor:
    """[0, 1] -> [-1, 1], as `Normalize(0.5, 0.5)` does."""
    return (x - 0.5) / 0.5


def endless(loader: DataLoader[Any]) -> Iterator[Any]:
    """Batch after batch, epoch after epoch."""
    while True:
        yield from loader


class UpNet(nn.Module):
    """A DCGAN's generator for 16 x 16 pixels."""

    def __init__(self, nz: int = 32, ngf: int = 12, last: nn.Module | None = None, channels: int = 1) -> None:
        super().__init__()
        self.nz = nz
        self.main = nn.Sequential(
            nn.ConvTranspose2d(nz, ngf * 2, 4, 1, 0, bias=False),
            nn.BatchNorm2d(ngf * 2),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ngf),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf, channels, 4, 2, 1, bias=False),
            last or nn.Tanh(),
        )

    def forward(self, z: Tensor) -> Tensor:
        return self.main(z.view(len(z), self.nz, 1, 1))


class DownNet(nn.Module):
    """A DCGAN's discriminator for 16 x 16 pixels; its scores are `(B, 1)`, or `(B,)`."""

    def __init__(
        self, ndf: int = 12, norm: bool = True, sigmoid: bool = False, flat: bool = False, channels: int = 1
    ) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(channels, ndf, 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf, ndf * 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ndf * 2) if norm else nn.Identity(),
            nn.LeakyReLU(0.2, inplace=True),
        )
        self.classifier = nn.Conv2d(ndf * 2, 1, 4, 1, 0, bias=False)
        self.sigmoid, self.flat = sigmoid, flat

    def forward(self, x: Tensor) -> Tensor:
        y = self.classifier(self.features(x)).flatten(1)
        y = torch.sigmoid(y) if self.sigmoid else y
        return y.view(-1) if self.flat else y


def dense(*sizes: int, act: type[nn.Module] = nn.ReLU, last: nn.Module | None = None) -> nn.Sequential:
    """Linear layers."""
    layers: list[nn.Module] = []
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), act()]
    layers[-1] = last or nn.Identity()
    return nn.Sequential(*layers)
