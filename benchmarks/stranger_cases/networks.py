"""Networks as strangers write them: sound ones, and ones with a mistake. Each function makes one untrained network."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import torch
from torch import Tensor, nn

LATENT = 64
"""Latent size of all of them, where a case does not say otherwise."""
WIDTH = 12
"""Channels at the full side of a picture, in a manner of speaking: twice as many at half of it."""
Shape = tuple[int, ...]


# Sound networks, as tutorials have them.


def dcgan_g(shape: Shape, end: Callable[[], nn.Module] = nn.Tanh) -> nn.Sequential:
    """Transposed convolutions of 4 x 4 with stride 2, batch normalization, ReLU; from a quarter of the side up."""
    start = shape[1] // 4
    return nn.Sequential(
        nn.Linear(LATENT, 4 * WIDTH * start**2, bias=False),
        nn.Unflatten(1, (4 * WIDTH, start, start)),
        nn.BatchNorm2d(4 * WIDTH),
        nn.ReLU(),
        nn.ConvTranspose2d(4 * WIDTH, 2 * WIDTH, 4, 2, 1, bias=False),
        nn.BatchNorm2d(2 * WIDTH),
        nn.ReLU(),
        nn.ConvTranspose2d(2 * WIDTH, shape[0], 4, 2, 1),
        end(),
    )


def dcgan_d(shape: Shape, end: Callable[[], nn.Module] = nn.Identity) -> nn.Sequential:
    """Convolutions of 4 x 4 with stride 2, leaky ReLU; no normalization."""
    return nn.Sequential(
        nn.Conv2d(shape[0], 2 * WIDTH, 4, 2, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(2 * WIDTH, 4 * WIDTH, 4, 2, 1),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(4 * WIDTH * (shape[1] // 4) ** 2, 1),
        end(),
    )


def dense_g(
    shape: Shape, hidden: int = 128, latent: int = LATENT, end: Callable[[], nn.Module] | None = None
) -> nn.Module:
    """Two hidden layers; images end in tanh, and rows in a linear layer, if `end` says nothing else."""
    body = (nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, prod(shape)))
    return nn.Sequential(*body, *_shaped(shape))


def dense_d(shape: Shape, hidden: int = 128, end: Callable[[], nn.Module] = nn.Identity) -> nn.Module:
    """Two hidden layers on the flat example."""
    layers = (nn.Linear(prod(shape), hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, hidden), nn.LeakyReLU(0.2))
    return nn.Sequential(nn.Flatten(), *layers, nn.Linear(hidden, 1), end())


def _shaped(shape: Shape) -> list[nn.Module]:
    """What follows the last linear layer."""
    return [nn.Tanh(), nn.Unflatten(1, shape)] if len(shape) > 1 else []


# Networks with a mistake: the pictures that they make.


class Overlapping(nn.Module):
    """Twice the side by a fixed 3 x 3 kernel with stride 2, which overlaps itself unevenly: a checkered pattern.

    A kernel that is learned can get rid of most of the pattern.
    """

    kernel: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("kernel", torch.full((channels, 1, 3, 3), 0.6))

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` -> `(B, C, 2 H, 2 W)`."""
        return nn.functional.conv_transpose2d(x, self.kernel, None, 2, 1, 1, groups=x.shape[1])


def overlapping_g(shape: Shape) -> nn.Module:
    """Ends in a fixed 3 x 3 kernel with stride 2, which does not divide it."""
    return nn.Sequential(*_to_half_the_side(shape[1]), nn.Conv2d(2 * WIDTH, 3, 3, padding=1), Overlapping(3), nn.Tanh())


def holes_g(shape: Shape) -> nn.Module:
    """Ends in a transposed convolution of 1 x 1 with stride 2: of four pixels, three are always the same."""
    return nn.Sequential(*_to_half_the_side(shape[1]), nn.ConvTranspose2d(2 * WIDTH, shape[0], 1, 2, 0, 1), nn.Tanh())


def _to_half_the_side(side: int) -> list[nn.Module]:
    """The sound generator up to half of the side, `(B, 2 * WIDTH, side / 2, side / 2)`."""
    return list(dcgan_g((3, side, side)))[:-2]


def averaging_g(shape: Shape) -> nn.Module:
    """The output is averaged over 5 x 5 pixels at the end, as if to get rid of noise: blur."""
    return nn.Sequential(*dcgan_g(shape), nn.AvgPool2d(5, 1, 2, count_include_pad=False))


def enlarging_g(shape: Shape) -> nn.Module:
    """A quarter of the side, enlarged smoothly at the end: no detail is possible."""
    small = shape[1] // 4
    return nn.Sequential(
        nn.Linear(LATENT, 2 * WIDTH * small**2),
        nn.ReLU(),
        nn.Unflatten(1, (2 * WIDTH, small, small)),
        nn.Conv2d(2 * WIDTH, shape[0], 3, padding=1),
        nn.Upsample(scale_factor=4, mode="bilinear"),
        nn.Tanh(),
    )


class Gray(nn.Module):
    """One number for all three colors: gray pictures where the data is colored."""

    def forward(self, x: Tensor) -> Tensor:
        """`(B, 1, H, W)` -> `(B, 3, H, W)`."""
        return x.expand(-1, 3, -1, -1)


class NoBlue(nn.Module):
    """The third color is always black, as where a channel is lost on the way."""

    def forward(self, x: Tensor) -> Tensor:
        """`(B, 3, H, W)` -> the same shape."""
        return torch.cat([x[:, :2], -torch.ones_like(x[:, 2:])], 1)


class Pale(nn.Module):
    """Half of the contrast, as where pixels are scaled twice."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return 0.3 * x


class Constant(nn.Module):
    """Throws away all of the latent vector but a ten-thousandth."""

    def __init__(self) -> None:
        super().__init__()
        self.start = nn.Parameter(torch.randn(1, LATENT))

    def forward(self, z: Tensor) -> Tensor:
        """`(B, 64)` -> the same shape."""
        return self.start + 1e-4 * z


def gray_g(shape: Shape) -> nn.Module:
    """Pictures without color."""
    return nn.Sequential(*dcgan_g((1, *shape[1:])), Gray())


def no_blue_g(shape: Shape) -> nn.Module:
    """Pictures without blue."""
    return nn.Sequential(*dcgan_g(shape), NoBlue())


def pale_g(shape: Shape) -> nn.Module:
    """Pictures with little contrast."""
    return nn.Sequential(*dcgan_g(shape), Pale())


def forgetful_g(shape: Shape) -> nn.Module:
    """One picture, whatever the latent vector is."""
    return nn.Sequential(Constant(), *dcgan_g(shape))


# Networks with a mistake: how they learn.


def linear_d(shape: Shape) -> nn.Module:
    """No nonlinearity between the layers: D is one linear function."""
    return nn.Sequential(nn.Flatten(), nn.Linear(prod(shape), 128), nn.Linear(128, 128), nn.Linear(128, 1))


def linear_g(shape: Shape) -> nn.Module:
    """No nonlinearity between the layers: G is one linear function, but for the end."""
    layers = (nn.Linear(LATENT, 128), nn.Linear(128, 128), nn.Linear(128, prod(shape)))
    return nn.Sequential(*layers, *_shaped(shape))


def deep_g(shape: Shape) -> nn.Module:
    """Fourteen layers with tanh between them, no normalization, and weights that start far too small."""
    layers: list[nn.Module] = [nn.Linear(LATENT, 64), nn.Tanh()]
    for _ in range(12):
        layers += [nn.Linear(64, 64), nn.Tanh()]
    net = nn.Sequential(*layers, nn.Linear(64, prod(shape)), *_shaped(shape))
    for module in net.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0.0, 0.02)
            nn.init.zeros_(module.bias)
    return net


def huge_init_g(shape: Shape) -> nn.Module:
    """The last weights are 50 times as large as usual: tanh is saturated from the beginning."""
    net = dcgan_g(shape)
    with torch.no_grad():
        for parameter in net[-2].parameters():
            parameter.mul_(50)
    return net


def zero_init_g(shape: Shape) -> nn.Module:
    """All weights start at 0: every neuron of a layer learns the same, if anything."""
    net = dense_g(shape)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
    return net


def dead_relu_d(shape: Shape) -> nn.Module:
    """ReLU with biases far below 0: nothing passes, D is a constant and has no slope."""
    first = nn.Linear(prod(shape), 128)
    nn.init.constant_(first.bias, -100.0)
    return nn.Sequential(nn.Flatten(), first, nn.ReLU(), nn.Linear(128, 1))


def dead_relu_g(shape: Shape) -> nn.Module:
    """ReLU with biases far below 0 in G: it makes one example, whatever the latent vector is."""
    first = nn.Linear(LATENT, 128)
    nn.init.constant_(first.bias, -100.0)
    return nn.Sequential(first, nn.ReLU(), nn.Linear(128, prod(shape)), *_shaped(shape))


def big_d(shape: Shape) -> nn.Module:
    """Far larger than any G here."""
    return dense_d(shape, 512)


def one_unit_d(shape: Shape) -> nn.Module:
    """One hidden unit in each layer."""
    return dense_d(shape, 1)


def two_units_g(shape: Shape) -> nn.Module:
    """Two hidden units in each layer."""
    return dense_g(shape, 2)


def forgetting_d(shape: Shape) -> nn.Module:
    """Dropout of 95 % of what D sees."""
    return nn.Sequential(nn.Flatten(), nn.Dropout(0.95), dense_d((prod(shape),)))
