from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, final

from sparring.networks import Network, Shape

if TYPE_CHECKING:
    from torch import nn


@final
@dataclass(frozen=True)
class LinearThenConvolution(Network):
    """A generator of linear layers up to feature maps of the image's size, then convolutions."""

    hidden: tuple[int, ...] = (256,)
    """Widths of the linear layers before the one that makes the feature maps."""
    channels: tuple[int, ...] = (8,)
    """Channels of those feature maps, then output channels of each convolution but the last."""
    kernel: int = 3
    """Side of every kernel, in pixels; odd, so that the image keeps its size."""
    slope: float = 0.2
    """Negative slope of the LeakyReLU; 0 is a ReLU."""
    output: Literal["sigmoid", "tanh"] = "sigmoid"
    """Activation of the output: sigmoid for data in [0, 1], tanh for data in [-1, 1]."""

    def build(self, in_shape: Shape, out_shape: Shape) -> nn.Module:
        from torch import nn

        if len(out_shape) != 3:
            raise ValueError(f"convolutions give images (C, H, W), not {out_shape}")
        colors, height, width = out_shape
        layers: list[nn.Module] = []
        wide = in_shape[0]
        for after in (*self.hidden, self.channels[0] * height * width):
            layers += [nn.Linear(wide, after), nn.LeakyReLU(self.slope)]
            wide = after
        layers.append(nn.Unflatten(1, (self.channels[0], height, width)))
        for before, after in zip(self.channels, (*self.channels[1:], colors), strict=True):
            layers.append(nn.Conv2d(before, after, self.kernel, padding=self.kernel // 2))
            layers.append(nn.LeakyReLU(self.slope))
        layers[-1] = nn.Sigmoid() if self.output == "sigmoid" else nn.Tanh()
        return nn.Sequential(*layers)
