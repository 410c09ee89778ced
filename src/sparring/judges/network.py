"""The judges' network: three small convolutions, features, class scores."""

from __future__ import annotations

from typing import final

from torch import Tensor, nn

from sparring.errors import UsageError

WIDTHS = (32, 64, 64)
FEATURES = 64
"""Few enough that a thousand examples give a reliable covariance."""
MIN_SIDE = 8
"""The smallest side, in pixels or patches, that can be halved three times."""
GRID = 32
"""About how many patches a side is divided into: patches of one pixel up to 47 pixels, 4x4 at 128."""


@final
class JudgeNetwork(nn.Module):
    """Images `(B, C, H, W)` in data units -> features `(B, 64)` and class scores `(B, classes)`."""

    def __init__(self, shape: tuple[int, ...], classes: int, dropout: float = 0.0):
        super().__init__()
        if len(shape) != 3 or min(shape[1:]) < MIN_SIDE:
            raise UsageError(f"a judge takes images of at least {MIN_SIDE}x{MIN_SIDE} pixels, not {shape}")
        channels, height, width = shape
        # Large images are not downsampled, which would hide faults in their details: the first convolution strides.
        patch = patch_of(shape)
        first = nn.Conv2d(channels, WIDTHS[0], patch + 2, stride=patch, padding=1, bias=False)
        layers: list[nn.Module] = []
        for before, out in zip((channels, *WIDTHS), WIDTHS, strict=False):
            convolution = nn.Conv2d(before, out, 3, padding=1, bias=False) if layers else first
            layers += [convolution, nn.BatchNorm2d(out), nn.ReLU(), nn.MaxPool2d(2)]
        self.look = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(dropout))
        cells = (height // patch // 8) * (width // patch // 8)
        self.describe = nn.Sequential(nn.Linear(WIDTHS[-1] * cells, FEATURES), nn.ReLU())
        self.name = nn.Linear(FEATURES, classes)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.describe(self.look(x))
        return features, self.name(features)


def patch_of(shape: tuple[int, ...]) -> int:
    """Pixels along the side of a patch: 1 for small images."""
    return max(1, min(round(max(shape[1:]) / GRID), min(shape[1:]) // MIN_SIDE))
