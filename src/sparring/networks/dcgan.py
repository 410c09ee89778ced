from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, final

from sparring.networks import Network, Shape
from sparring.networks._images import cropping, halving, maps, only_a_score, sides, spectral, squashed, width_for

if TYPE_CHECKING:
    from torch import nn

SD = 0.02
"""Standard deviation of the initial weights, with mean 0; of the initial gains of normalizations, with mean 1."""


@final
@dataclass(frozen=True)
class DCGANGenerator(Network):
    """DCGAN's generator: a linear layer to small maps, then 4x4 transposed convolutions that double their side.

    Or, with `upsampling="nearest"`, in place of each of them: every pixel is repeated, then a 3x3 convolution, which
    leaves no checkered pattern (Odena et al., "Deconvolution and checkerboard artifacts", Distill, 2016).

    Each but the last is followed by batch normalization and ReLU. The smallest maps have a side of 4 to 7 pixels.
    Radford et al., "Unsupervised representation learning with deep convolutional generative adversarial networks", ICLR
    2016, section 3; weights are initialized normal with SD 0.02, gains with mean 1, as in the authors' code.

    Parameters, from 64 latent dimensions: 133,377 for (1, 8, 8), 234,177 for (1, 28, 28), 296,899 for (3, 32, 32),
    3,281,795 for (3, 64, 64).
    """

    width: int = 0
    """Channels at half the image's side, doubling with each further halving up to 512 (or 8 x `width`); the paper has
    128 for 64 x 64. 0 chooses by the image's side: 128 for 8 pixels, 64 up to 16, 32 up to 32; 64 up to 64, 32 up to
    128, 16 up to 256."""
    output: Literal["sigmoid", "tanh"] = "sigmoid"
    """Activation of the output: sigmoid for data in [0, 1], tanh for data in [-1, 1]."""
    upsampling: Literal["transposed", "nearest"] = "transposed"
    """What doubles the side of maps: a transposed convolution, or repeated pixels and a convolution."""

    def build(self, in_shape: Shape, out_shape: Shape) -> nn.Module:
        from torch import nn

        from sparring.networks.layers import UpsampledConvolution

        *larger, (height, width) = sizes = sides(out_shape)
        *_, first = widths = maps(self.width or 2 * width_for(sizes[0]), max(1, len(larger)))
        layers = [nn.Linear(in_shape[0], first * height * width, bias=False), nn.Unflatten(1, (first, height, width))]
        channels = pairwise((*reversed(widths), out_shape[0]))
        for (small, large), (before, after) in zip(pairwise(reversed(sizes)), channels, strict=False):
            is_last = large == sizes[0]
            layers += _batch_norm(before)
            if self.upsampling == "nearest":
                doubled = large == (2 * small[0], 2 * small[1])
                layers += (
                    [UpsampledConvolution(before, after, bias=is_last)]
                    if doubled
                    else [nn.Upsample(size=large), nn.Conv2d(before, after, 3, padding=1, bias=is_last)]
                )
                continue
            at = halving(large, small)
            layers.append(nn.ConvTranspose2d(before, after, **at, output_padding=cropping(large, small), bias=is_last))
        if not larger:  # the smallest maps have the image's size already
            layers += [*_batch_norm(first), nn.Conv2d(first, out_shape[0], 3, padding=1)]
        return _initialized(nn.Sequential(*layers, *squashed(self.output)))


@final
@dataclass(frozen=True)
class DCGANDiscriminator(Network):
    """DCGAN's discriminator: 4x4 convolutions halve the image down to 4 to 7 pixels, then a linear layer scores it.

    Each convolution is followed by LeakyReLU(0.2). Radford et al., ICLR 2016, section 3; weights are initialized normal
    with SD 0.02.

    Parameters: 4,225 for (1, 8, 8), 36,577 for (1, 28, 28), 167,841 for (3, 32, 32), 2,765,633 for (3, 64, 64).
    """

    width: int = 0
    """Channels, as for the generator."""
    normalization: Literal["none", "batch", "spectral"] = "batch"
    """batch: batch normalization of each convolution but the first, as in the paper; none, for use with a gradient
    penalty; spectral: spectral normalization of every layer (Miyato et al., ICLR 2018)."""
    minibatch_deviation: bool = False
    """Whether a channel with the standard deviation over the batch is added to the last maps (Karras et al.,
    "Progressive growing of GANs", ICLR 2018)."""

    def build(self, in_shape: Shape, out_shape: Shape) -> nn.Module:
        from torch import nn

        from sparring.networks.layers import MinibatchStandardDeviation

        only_a_score(out_shape)
        *larger, (height, width) = sizes = sides(in_shape)
        *_, last = widths = maps(self.width or 2 * width_for(sizes[0]), max(1, len(larger)))
        steps = tuple(pairwise(sizes)) or ((sizes[0], sizes[0]),)
        layers: list[nn.Module] = []
        for index, (before, after) in enumerate(pairwise((in_shape[0], *widths))):
            normalized = self.normalization == "batch" and index > 0
            # A batch normalization removes a bias before it.
            layers.append(nn.Conv2d(before, after, **halving(*steps[index]), bias=not normalized))
            layers += [nn.BatchNorm2d(after)] if normalized else []
            layers.append(nn.LeakyReLU(0.2))
        if self.minibatch_deviation:
            layers.append(MinibatchStandardDeviation())
            last += 1
        layers += [nn.Flatten(), nn.Linear(last * height * width, 1)]
        network = _initialized(nn.Sequential(*layers))
        if self.normalization == "spectral":
            network = nn.Sequential(*(spectral(x) if isinstance(x, nn.Conv2d | nn.Linear) else x for x in network))
        return network.append(nn.Flatten(0))


def _batch_norm(width: int) -> list[nn.Module]:
    from torch import nn

    return [nn.BatchNorm2d(width), nn.ReLU()]


def _initialized(network: nn.Sequential) -> nn.Sequential:
    from torch import nn

    for layer in network:
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d | nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0 if isinstance(layer, nn.BatchNorm2d) else 0.0, SD)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network
