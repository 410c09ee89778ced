"""Networks as users write them, each with something that a population could get wrong."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sparring.networks.layers import MinibatchStandardDeviation, SpectralNorm


class ConvG(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Linear(32, 8 * 4 * 4),
            nn.LeakyReLU(0.2),
            nn.Unflatten(1, (8, 4, 4)),
            nn.ConvTranspose2d(8, 1, 4, 2, 1),
            nn.Tanh(),
        )

    def forward(self, z: Tensor) -> Tensor:
        return self.model(z)


class ConvD(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Conv2d(1, 4, 3, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(64, 16), nn.GELU(), nn.Linear(16, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class BatchNormG(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Sequential(
            # A bias that batch normalization takes away again has gradients of pure rounding noise.
            nn.Linear(32, 48, bias=False),
            nn.BatchNorm1d(48),
            nn.ReLU(),
            nn.Linear(48, 64),
            nn.Tanh(),
            nn.Unflatten(1, (1, 8, 8)),
        )

    def forward(self, z: Tensor) -> Tensor:
        return self.model(z)


class BatchNormD(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Conv2d(1, 8, 3, 2, 1, bias=False),
            nn.BatchNorm2d(8, momentum=0.3),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(128, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class DropoutG(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Linear(32, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8))
        )

    def forward(self, z: Tensor) -> Tensor:
        return self.model(z)


class DropoutD(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Conv2d(1, 8, 3, 2, 1), nn.LeakyReLU(), nn.Dropout2d(0.25), nn.Flatten(), nn.Linear(128, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class ResidualG(nn.Module):
    """A forward of its own, with weights used twice and weights that are no layer's."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(32, 64)
        self.again = nn.Linear(64, 64)
        self.gain = nn.Parameter(torch.rand(64) + 0.5)

    def forward(self, z: Tensor) -> Tensor:
        h = torch.relu(self.first(z))
        h = h + torch.tanh(self.again(h))
        return torch.tanh(self.again(h) * self.gain).view(-1, 1, 8, 8)


class MinibatchD(nn.Module):
    """Looks at the batch as a whole, and gives scores as `(B,)`."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Linear(64, 16)
        self.score = nn.Linear(17, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.tanh(self.features(x.flatten(1)))
        spread = h.std(0).mean().expand(len(h), 1)
        return self.score(torch.cat([h, spread], 1)).squeeze(1)


class HiddenRandomnessD(nn.Module):
    """Draws random numbers where nobody sees it, after a layer that has already counted the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Linear(64, 16, bias=False)
        self.norm = nn.BatchNorm1d(16)
        self.score = nn.Linear(16, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(self.features(x.flatten(1)))
        h = nn.functional.dropout(h, 0.3, self.training)
        return self.score(h + 0.1 * torch.randn_like(h))


class MovingScaleD(nn.Module):
    """Keeps a running value the plain way: a buffer that every call replaces."""

    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.Tanh(), nn.Linear(16, 1))
        self.register_buffer("scale", torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.scale = 0.9 * self.scale + 0.1 * x.detach().std()
        return self.model(x / self.scale)


class SpectralD(nn.Module):
    """torch's spectral normalization, which torch itself cannot map."""

    def __init__(self) -> None:
        super().__init__()
        spectral = nn.utils.parametrizations.spectral_norm
        self.model = nn.Sequential(
            nn.Flatten(), spectral(nn.Linear(64, 16)), nn.LeakyReLU(0.2), spectral(nn.Linear(16, 1))
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class OurLayersD(nn.Module):
    """The package's own layers in a forward of the user's, so that they are mapped rather than batched by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.features = SpectralNorm(nn.Conv2d(1, 4, 3, 2, 1, bias=False))
        self.spread = MinibatchStandardDeviation()
        self.score = SpectralNorm(nn.Linear(5 * 16, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        h = nn.functional.leaky_relu(self.features(x), 0.2)
        return self.score(self.spread(h).flatten(1))


PAIRS = {
    "convolutions": (ConvG, ConvD),
    "batch normalization": (BatchNormG, BatchNormD),
    "dropout": (DropoutG, DropoutD),
    "own forward": (ResidualG, MinibatchD),
    "hidden randomness": (ResidualG, HiddenRandomnessD),
    "a buffer that every call replaces": (ConvG, MovingScaleD),
    "spectral normalization": (ConvG, SpectralD),
    "our layers": (ConvG, OurLayersD),
}
"""What is special -> (generator, discriminator) for 8x8 digits from 32 numbers."""
