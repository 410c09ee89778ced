"""The judges' network: three small convolutions, features, class scores."""

from __future__ import annotations

from typing import final

from torch import Tensor, nn

from sparring.errors import UsageError

WIDTHS = (32, 64, 64)
FEATURES = 64
"""Few enough that a thousand examples give a covariance that means something."""
SMALLEST = 8
"""Side, in pixels, that survives being halved three times."""


@final
class JudgeNetwork(nn.Module):
    """Images `(B, C, H, W)` in data units -> features `(B, 64)` and class scores `(B, classes)`."""

    def __init__(self, shape: tuple[int, ...], classes: int, dropout: float = 0.0):
        super().__init__()
        if len(shape) != 3 or min(shape[1:]) < SMALLEST:
            raise UsageError(f"a judge looks at images of at least {SMALLEST}x{SMALLEST} pixels, not at {shape}")
        channels, height, width = shape
        layers: list[nn.Module] = []
        for out in WIDTHS:
            layers += [nn.Conv2d(channels, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
            layers.append(nn.MaxPool2d(2))
            channels = out
        self.look = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(dropout))
        self.describe = nn.Sequential(nn.Linear(channels * (height // 8) * (width // 8), FEATURES), nn.ReLU())
        self.name = nn.Linear(FEATURES, classes)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.describe(self.look(x))
        return features, self.name(features)
