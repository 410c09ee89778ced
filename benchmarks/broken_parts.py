"""Networks, data sets and moves that break a GAN where a recipe's fields cannot."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, final

import numpy as np
import torch
from torch import Tensor, nn

from sparring.datasets import Card, Dataset, Shape, Source
from sparring.datasets._images import Images
from sparring.datasets.digits import Digits
from sparring.datasets.mnist import MNIST
from sparring.game.game import Game


class Saturated(nn.Module):
    """A generator whose last layer starts in the saturated range of its tanh."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(32, 128), nn.LeakyReLU(0.2), nn.Linear(128, 64))

    def forward(self, z: Tensor) -> Tensor:
        """`(B, 32)` -> `(B, 1, 8, 8)`."""
        return (60 * self.body(z)).tanh().unflatten(1, (1, 8, 8))


class Copier(nn.Module):
    """A generator that looks up one in eight of the training images, blurs nothing and learns nothing else."""

    images: Tensor

    def __init__(self) -> None:
        super().__init__()
        source = Digits(span=(-1.0, 1.0)).open(None, "cpu")
        assert isinstance(source, Images)
        self.register_buffer("images", source.pixels[::8].float() * (2 / 255) - 1)
        self.brightness = nn.Parameter(torch.zeros(1))
        self.picks = nn.Parameter(torch.randn(32, len(source.pixels[::8])), requires_grad=False)

    def forward(self, z: Tensor) -> Tensor:
        """`(B, 32)` -> `(B, 1, 8, 8)`."""
        chosen = torch.nn.functional.one_hot((z @ self.picks).argmax(1), len(self.images)).to(z.dtype)
        return (chosen @ self.images.flatten(1)).unflatten(1, (1, 8, 8)) + 0.01 * self.brightness


@final
@dataclass(frozen=True)
class Few(Dataset):
    """The first of scikit-learn's digits alone; the others are held out."""

    count: int = 24
    span: tuple[float, float] = (-1.0, 1.0)
    shape: ClassVar[Shape] = (1, 8, 8)
    card: ClassVar[Card] = replace(Digits.card, title="A few digits", examples=None)

    def open(self, data_dir: Path | None, device: str | torch.device) -> Source:
        return Images.of(_pixels()[: self.count], self.span, device)

    def held_out(self, data_dir: Path | None) -> np.ndarray:
        return _pixels()[self.count :]


@final
@dataclass(frozen=True)
class FewMNIST(Dataset):
    """The first images of MNIST alone, with its test split."""

    count: int = 200
    span: tuple[float, float] = (-1.0, 1.0)
    shape: ClassVar[Shape] = (1, 28, 28)
    card: ClassVar[Card] = replace(MNIST.card, title="A few of MNIST", examples=None)

    def open(self, data_dir: Path | None, device: str | torch.device) -> Source:
        source = MNIST().open(data_dir, device)
        assert isinstance(source, Images)
        return Images.of(source.pixels[: self.count].cpu().numpy(), self.span, device)

    def held_out(self, data_dir: Path | None) -> np.ndarray | None:
        return MNIST().held_out(data_dir)


def _pixels() -> np.ndarray:
    source = Digits().open(None, "cpu")
    assert isinstance(source, Images)
    return source.pixels.numpy()


def d_never_sees_four_classes(game: Game) -> None:
    """D is shown real examples of six classes only, so that G drops the other four."""
    _d_sees_first_classes(game, 6, drawn=3)


def d_sees_one_class(game: Game) -> None:
    """D is shown real examples of the first class only."""
    _d_sees_first_classes(game, 1, drawn=20)


def _d_sees_first_classes(game: Game, count: int, drawn: int) -> None:
    """The move `d_sees_both` with real examples of the first `count` classes, sought among `drawn` batches."""
    source = game.source
    assert isinstance(source, Images)
    x, classes = source.draw_with_classes(game.rng, drawn * game.batch)
    wanted = torch.argsort((classes < count).to(torch.int8), dim=1, descending=True, stable=True)[:, : game.batch]
    real = x.gather(1, wanted[:, :, None, None, None].expand(-1, -1, *x.shape[2:]))
    fake = game.fake().detach()
    assert isinstance(fake, Tensor)
    game.learn("D", game.d_loss(1, game.D(real)) + game.d_loss(0, game.D(fake)) + game.penalty(real, fake))
