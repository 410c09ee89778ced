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
    """A discriminator of convolutions that shrink the image, then linear layers.

    Each convolution is followed by batch normalization if chosen, LeakyReLU and dropout; each hidden linear layer by
    LeakyReLU and dropout. The first convolution is never batch-normalized.
    """

    channels: tuple[int, ...] = (32, 64)
    """Output channels of each convolution, from the image on."""
    kernel: int = 4
    """Side of every kernel, in pixels."""
    stride: int = 2
    """Of every convolution, in pixels."""
    padding: int = 1
    """Of every convolution, in pixels."""
    hidden: tuple[int, ...] = ()
    """Widths of the linear layers before the output."""
    slope: float = 0.2
    """Negative slope of the LeakyReLU."""
    normalization: Literal["none", "batch", "spectral"] = "none"
    """batch: batch normalization of each convolution but the first; spectral: spectral normalization of every layer
    (Miyato et al., "Spectral normalization for generative adversarial networks", ICLR 2018)."""
    dropout: float = 0.0
    """Dropout probability after each hidden layer."""
    minibatch_deviation: bool = False
    """Whether a channel with the standard deviation over the batch is added to the last maps (Karras et al.,
    "Progressive growing of GANs", ICLR 2018)."""

    def build(self, in_shape: Shape, out_shape: Shape) -> nn.Module:
        from torch import nn

        from sparring.networks.layers import MinibatchStandardDeviation

        if len(in_shape) != 3:
            raise ValueError(f"convolutions take images (C, H, W), not {in_shape}")
        before, height, width = in_shape
        layers: list[nn.Module] = []
        for index, after in enumerate(self.channels):
            normalized = self.normalization == "batch" and index > 0
            # A normalization removes a bias before it.
            convolution = nn.Conv2d(before, after, self.kernel, self.stride, self.padding, bias=not normalized)
            layers.append(self._normalized(convolution))
            if normalized:
                layers.append(nn.BatchNorm2d(after))
            layers += self._activation()
            before = after
            height, width = self._side_after(height), self._side_after(width)
        if min(height, width) < 1:
            raise ValueError(
                f"{len(self.channels)} convolutions shrink {in_shape} to nothing: use fewer, or a smaller stride"
            )
        if self.minibatch_deviation:
            layers.append(MinibatchStandardDeviation())
            before += 1
        layers.append(nn.Flatten())
        wide = before * height * width
        for after in self.hidden:
            layers += [self._normalized(nn.Linear(wide, after)), *self._activation()]
            wide = after
        layers.append(self._normalized(nn.Linear(wide, math.prod(out_shape))))
        if len(out_shape) != 1:
            layers.append(nn.Unflatten(1, out_shape) if out_shape else nn.Flatten(0))
        return nn.Sequential(*layers)

    def _normalized(self, layer: nn.Linear | nn.Conv2d) -> nn.Module:
        return spectral(layer) if self.normalization == "spectral" else layer

    def _activation(self) -> list[nn.Module]:
        from torch import nn

        return [nn.LeakyReLU(self.slope), *([nn.Dropout(self.dropout)] if self.dropout else [])]

    def _side_after(self, side: int) -> int:
        return (side + 2 * self.padding - self.kernel) // self.stride + 1
