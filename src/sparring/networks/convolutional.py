from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, final

from sparring.networks import Network, Shape
from sparring.networks._images import spectral

if TYPE_CHECKING:
    from torch import nn


@final
@dataclass(frozen=True)
class Convolutional(Network):
    """Convolutions that shrink the image, then linear layers: a discriminator.

    Each convolution is convolution, batch normalization if wanted, LeakyReLU, dropout; each hidden linear layer is
    linear, LeakyReLU, dropout. The first convolution is not normalized.
    """

    channels: tuple[int, ...] = (32, 64)
    """Of the convolutions' outputs, from the image on."""
    kernel: int = 4
    """Side of every kernel, in pixels."""
    stride: int = 2
    padding: int = 1
    hidden: tuple[int, ...] = ()
    """Widths of the linear layers before the output."""
    slope: float = 0.2
    """Of the leaky ReLU below zero."""
    normalization: Literal["none", "batch", "spectral"] = "none"
    """Each convolution but the first over the batch; or every layer by its largest singular value (Miyato et al.,
    "Spectral normalization for generative adversarial networks", ICLR 2018)."""
    dropout: float = 0.0
    """Share of the numbers set to 0 after each hidden layer while training."""
    minibatch_deviation: bool = False
    """Whether the linear layers are told how much the last maps differ over the batch (Karras et al., "Progressive
    growing of GANs", ICLR 2018)."""

    def build(self, takes: Shape, gives: Shape) -> nn.Module:
        from torch import nn

        from sparring.networks.layers import MinibatchStandardDeviation

        if len(takes) != 3:
            raise ValueError(f"convolutions take images (C, H, W), not {takes}")
        before, height, width = takes
        layers: list[nn.Module] = []
        for index, after in enumerate(self.channels):
            normalized = self.normalization == "batch" and index > 0
            # A bias before a normalization is undone by it.
            convolution = nn.Conv2d(before, after, self.kernel, self.stride, self.padding, bias=not normalized)
            layers.append(self._divided(convolution))
            if normalized:
                layers.append(nn.BatchNorm2d(after))
            layers += self._activation()
            before = after
            height, width = self._shrunk(height), self._shrunk(width)
        if min(height, width) < 1:
            raise ValueError(f"{len(self.channels)} convolutions leave nothing of {takes}")
        if self.minibatch_deviation:
            layers.append(MinibatchStandardDeviation())
            before += 1
        layers.append(nn.Flatten())
        wide = before * height * width
        for after in self.hidden:
            layers += [self._divided(nn.Linear(wide, after)), *self._activation()]
            wide = after
        layers.append(self._divided(nn.Linear(wide, math.prod(gives))))
        if len(gives) != 1:
            layers.append(nn.Unflatten(1, gives) if gives else nn.Flatten(0))
        return nn.Sequential(*layers)

    def _divided(self, layer: nn.Linear | nn.Conv2d) -> nn.Module:
        return spectral(layer) if self.normalization == "spectral" else layer

    def _activation(self) -> list[nn.Module]:
        from torch import nn

        return [nn.LeakyReLU(self.slope), *([nn.Dropout(self.dropout)] if self.dropout else [])]

    def _shrunk(self, side: int) -> int:
        return (side + 2 * self.padding - self.kernel) // self.stride + 1
