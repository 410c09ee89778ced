"""A peer of the speedruns: DCGAN as tutorials write it, in plain PyTorch without sparring, for images of any even size.

Radford et al. (2016) with the settings of PyTorch's tutorial: 64 maps, 100 latent numbers, Adam at 0.0002 with betas
0.5 and 0.999, batches of 128, weights from N(0, 0.02). With classes, as tutorials add them: one-hot numbers beside the
latent ones, and a map for each class beside the image.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import torch
from torch import Tensor, nn

LATENT, MAPS, BATCH = 100, 64, 128
LR, BETAS = 2e-4, (0.5, 0.999)


def halvings(side: int) -> int:
    """How often a side is halved until at most 7 pixels are left: 32 -> 16 -> 8 -> 4, 28 -> 14 -> 7."""
    count = 0
    while side % 2 == 0 and side > 7:
        side, count = side // 2, count + 1
    return count


def generator(shape: tuple[int, int, int], classes: int = 0, maps: int = MAPS) -> nn.Module:
    """Latent vectors `(B, 100 + classes, 1, 1)` -> images `(B, *shape)` in [-1, 1]."""
    channels, side, _ = shape
    steps = halvings(side)
    width = maps * 2 ** (steps - 1)
    first = nn.ConvTranspose2d(LATENT + classes, width, side // 2**steps, 1, 0, bias=False)
    layers: list[nn.Module] = [first, nn.BatchNorm2d(width), nn.ReLU()]
    for _ in range(steps - 1):
        layers += [nn.ConvTranspose2d(width, width // 2, 4, 2, 1, bias=False), nn.BatchNorm2d(width // 2), nn.ReLU()]
        width //= 2
    return nn.Sequential(*layers, nn.ConvTranspose2d(width, channels, 4, 2, 1, bias=False), nn.Tanh())


def discriminator(shape: tuple[int, int, int], classes: int = 0, maps: int = MAPS) -> nn.Module:
    """Images with a map for each class `(B, C + classes, H, W)` -> how real they look `(B, 1)`, between 0 and 1."""
    channels, side, _ = shape
    steps = halvings(side)
    layers: list[nn.Module] = [nn.Conv2d(channels + classes, maps, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
    width = maps
    for _ in range(steps - 1):
        layers += [nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * width), nn.LeakyReLU(0.2)]
        width *= 2
    last = nn.Conv2d(width, 1, side // 2**steps, 1, 0, bias=False)
    return nn.Sequential(*layers, last, nn.Flatten(), nn.Sigmoid())


def initialized(network: nn.Module) -> nn.Module:
    """The same network with the tutorial's weights."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, 0.02)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, 0.02)
            nn.init.zeros_(layer.bias)
    return network


def batches(images: Tensor, labels: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Shuffled batches, without end; the last ones of a pass are left out."""
    batch = min(BATCH, len(images))
    while True:
        order = torch.randperm(len(images))
        for part in order[: len(order) // batch * batch].split(batch):
            yield images[part], labels[part]


def train(
    images: Tensor, labels: Tensor, classes: int, seconds: float, seed: int, maps: int = MAPS
) -> tuple[nn.Module, int]:
    """Train for some seconds of the clock.

    Args:
        images: `(N, C, H, W)` in [-1, 1].
        labels: int64 `(N,)`; ignored where `classes` is 0.
        classes: How many there are, or 0.
        seconds: How long.
        seed: Of everything that is drawn.
        maps: How many maps the widest images have.

    Returns:
        The generator, and how many rounds were played.
    """
    torch.manual_seed(seed)
    channels, height, width = images.shape[1:]
    shape = (channels, height, width)
    G, D = initialized(generator(shape, classes, maps)), initialized(discriminator(shape, classes, maps))
    opt_G = torch.optim.Adam(G.parameters(), lr=LR, betas=BETAS)
    opt_D = torch.optim.Adam(D.parameters(), lr=LR, betas=BETAS)
    criterion, rounds, end = nn.BCELoss(), 0, time.monotonic() + seconds
    for x, y in batches(images, labels):
        if time.monotonic() >= end:
            break
        kinds = nn.functional.one_hot(y, classes).float()[..., None, None] if classes else x[:, :0, :1, :1]
        maps_of = kinds.expand(-1, -1, height, width)
        real, fake = torch.ones(len(x), 1), torch.zeros(len(x), 1)
        made = G(torch.cat([torch.randn(len(x), LATENT, 1, 1), kinds], 1))
        opt_D.zero_grad()
        d_loss = criterion(D(torch.cat([x, maps_of], 1)), real)
        d_loss = d_loss + criterion(D(torch.cat([made.detach(), maps_of], 1)), fake)
        d_loss.backward()
        opt_D.step()
        opt_G.zero_grad()
        criterion(D(torch.cat([made, maps_of], 1)), real).backward()
        opt_G.step()
        rounds += 1
    return G, rounds


@torch.no_grad()
def sample(G: nn.Module, classes: Tensor, count: int, kinds: int) -> Tensor:
    """`count` images in [0, 1], of these classes `(count,)` where there are `kinds` of them."""
    G.eval()
    torch.manual_seed(0)
    one_hot = nn.functional.one_hot(classes, kinds).float() if kinds else torch.zeros(count, 0)
    z = torch.cat([torch.randn(count, LATENT), one_hot], 1)[..., None, None]
    return torch.cat([G(part) for part in z.split(250)]).add(1).div(2).clamp(0, 1)
