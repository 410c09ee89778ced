from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, final

from sparring.networks import Network, Shape

if TYPE_CHECKING:
    from torch import nn


@final
@dataclass(frozen=True)
class FullyConvolutional(Network):
    """A generator of convolutions only, from a large random array to an image.

    The latent vector is reshaped to one map with twice the image's sides, which the first convolution halves; the
    others keep the size. An image of 28 x 28 takes a latent vector of 56 x 56 = 3,136 dimensions.
    """

    channels: tuple[int, ...] = (16, 32, 16)
    """Output channels of each convolution but the last."""
    kernel: int = 3
    """Side of every kernel, in pixels; odd."""
    slope: float = 0.2
    """Negative slope of the LeakyReLU; 0 is a ReLU."""
    output: Literal["sigmoid", "tanh"] = "sigmoid"
    """Activation of the output: sigmoid for data in [0, 1], tanh for data in [-1, 1]."""

    def build(self, in_shape: Shape, out_shape: Shape) -> nn.Module:
        from torch import nn

        if len(out_shape) != 3:
            raise ValueError(f"convolutions give images (C, H, W), not {out_shape}")
        colors, height, width = out_shape
        if in_shape[0] != 4 * height * width:
            raise ValueError(f"an image of {height} x {width} needs latent size {4 * height * width}")
        layers: list[nn.Module] = [nn.Unflatten(1, (1, 2 * height, 2 * width))]
        for index, (before, after) in enumerate(zip((1, *self.channels), (*self.channels, colors), strict=True)):
            layers.append(
                nn.Conv2d(before, after, self.kernel, stride=2 if index == 0 else 1, padding=self.kernel // 2)
            )
            layers.append(nn.LeakyReLU(self.slope))
        layers[-1] = nn.Sigmoid() if self.output == "sigmoid" else nn.Tanh()
        return nn.Sequential(*layers)
