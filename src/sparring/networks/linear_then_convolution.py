from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, final

from sparring.networks import Network, Shape

if TYPE_CHECKING:
    from torch import nn


@final
@dataclass(frozen=True)
class LinearThenConvolution(Network):
    """Linear layers that lay out feature maps of the image's size, then convolutions that draw: a generator."""

    hidden: tuple[int, ...] = (256,)
    """Widths of the linear layers before the one that lays out the maps."""
    channels: tuple[int, ...] = (8,)
    """Feature maps that the linear layers lay out, then those of each convolution but the last."""
    kernel: int = 3
    """Side of every kernel, in pixels; odd, so that the image keeps its size."""
    slope: float = 0.2
    """Of the leaky ReLU below zero; 0 is a ReLU."""
    output: Literal["sigmoid", "tanh"] = "sigmoid"

    def build(self, takes: Shape, gives: Shape) -> nn.Module:
        from torch import nn

        if len(gives) != 3:
            raise ValueError(f"convolutions give images (C, H, W), not {gives}")
        colors, height, width = gives
        layers: list[nn.Module] = []
        wide = takes[0]
        for after in (*self.hidden, self.channels[0] * height * width):
            layers += [nn.Linear(wide, after), nn.LeakyReLU(self.slope)]
            wide = after
        layers.append(nn.Unflatten(1, (self.channels[0], height, width)))
        for before, after in zip(self.channels, (*self.channels[1:], colors), strict=True):
            layers.append(nn.Conv2d(before, after, self.kernel, padding=self.kernel // 2))
            layers.append(nn.LeakyReLU(self.slope))
        layers[-1] = nn.Sigmoid() if self.output == "sigmoid" else nn.Tanh()
        return nn.Sequential(*layers)
