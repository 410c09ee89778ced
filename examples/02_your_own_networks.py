"""Use your own networks, any nn.Module. From the shell: sparring train examples/02_your_own_networks.py"""

import tempfile

from torch import Tensor, nn

import sparring
from sparring import Recipe, latents


class Generator(nn.Module):
    """Latent vectors `(B, 16)` -> images `(B, 1, 8, 8)` in [-1, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 64), nn.Tanh())

    def forward(self, z: Tensor) -> Tensor:
        return self.model(z).view(-1, 1, 8, 8)


class Discriminator(nn.Module):
    """Images `(B, 1, 8, 8)` -> one score each, `(B, 1)`."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 16, 3, stride=2, padding=1), nn.LeakyReLU(0.2))
        self.score = nn.Linear(16 * 4 * 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.score(self.features(x).flatten(1))  # a logit: no sigmoid


def my_gan() -> Recipe:
    """The recipe `digits` with these networks. Every seed gets its own initial weights."""
    return sparring.recipe("digits").replace(
        name="my-gan",
        generator=Generator,
        discriminator=Discriminator,
        latent=latents.Normal(16),
        rounds=300,
        seeds=2,
    )


if __name__ == "__main__":
    run = sparring.train(my_gan(), out=tempfile.mkdtemp() + "/mine")
    print(f"{run.path}: {run.status} after {run.round} rounds")
