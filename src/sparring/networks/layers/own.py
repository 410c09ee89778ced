"""Modules around a user's own network, which fit it to the game."""

from __future__ import annotations

from typing import final

from torch import Tensor, nn


@final
class ChosenOutput(nn.Module):
    """One of several outputs of a network: of a tuple by its index, of a dictionary by its key."""

    def __init__(self, network: nn.Module, key: int | str):
        super().__init__()
        self.network, self.key = network, key

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.network(*inputs)[self.key]


@final
class ClassesApart(nn.Module):
    """A user's own class-conditional network that takes classes as integers, or apart from the latent vector.

    Args:
        network: Takes examples or latent vectors, and the classes as its second input.
        latent: Size of the latent vector, for a generator: its input `(B, latent + K)` ends in one-hot classes.
        as_integers: Whether the network gets classes as integers `(B,)` rather than one-hot, `(B, K)`.
    """

    def __init__(self, network: nn.Module, latent: int, as_integers: bool):
        super().__init__()
        self.network, self.latent, self.as_integers = network, latent, as_integers

    def forward(self, x: Tensor, classes: Tensor | None = None) -> Tensor:
        if classes is None:
            x, classes = x[:, : self.latent], x[:, self.latent :]
        return self.network(x, classes.argmax(-1) if self.as_integers else classes)


@final
class Scores(nn.Module):
    """A user's own class-conditional discriminator with one score for each example, `(B,)`: the mean of what it gives.

    That may be `(B, 1)`, or a map of scores, `(B, 1, H, W)`.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, classes: Tensor) -> Tensor:
        given = self.network(x, classes)
        return given if given.dim() == 1 else given.flatten(1).mean(1)
