"""How a judge is trained: labeled images in, a classifier out. The same settings give the same weights every time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from sparring.judges.network import JudgeNetwork

OnStep = Callable[[int, int, float], None]
"""Called after each step with its number, the total of steps, and the loss."""


@dataclass(frozen=True)
class TrainingSettings:
    """Everything that decides how a judge is trained."""

    epochs: int
    shift: int
    """By how many pixels an image is shifted at most, in each direction: position should not matter to a judge."""
    mirrored: bool = False
    """Whether half of the images are mirrored: for objects, not for writing."""
    dropout: float = 0.0
    lr: float = 4e-3
    """Highest learning rate of the one-cycle schedule (Smith and Topin, "Super-convergence", 2019)."""
    batch: int = 128
    decay: float = 0.01
    """AdamW's weight decay."""
    seed: int = 0


def train_judge(
    pixels: np.ndarray, labels: np.ndarray, settings: TrainingSettings, on_step: OnStep | None = None
) -> JudgeNetwork:
    """Train a judge on images: uint8 `(N, C, H, W)` with classes `(N,)`.

    On one machine and one version of torch the same settings give the same weights.
    """
    rng = torch.Generator().manual_seed(settings.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = JudgeNetwork(pixels.shape[1:], int(labels.max()) + 1, settings.dropout)
        images, classes = torch.from_numpy(pixels), torch.from_numpy(labels.astype(np.int64))

        def loss(chosen: Tensor) -> Tensor:
            _, scores = network(augmented(images[chosen], settings, rng))
            return functional.cross_entropy(scores, classes[chosen])

        fit(list(network.parameters()), loss, len(images), settings, rng, on_step)
    return with_unit_features(network.eval(), images)


def fit(
    parameters: list[nn.Parameter],
    loss: Callable[[Tensor], Tensor],
    count: int,
    settings: TrainingSettings,
    rng: torch.Generator,
    on_step: OnStep | None = None,
) -> None:
    """Minimize `loss`, that of a batch given by the indices `(B,)` of its images, over epochs of `count` images."""
    per_epoch = count // settings.batch
    steps = settings.epochs * per_epoch
    optimizer = torch.optim.AdamW(parameters, lr=settings.lr, weight_decay=settings.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, settings.lr, total_steps=steps)
    for epoch in range(settings.epochs):
        order = torch.randperm(count, generator=rng)[: per_epoch * settings.batch]
        for step, chosen in enumerate(order.split(settings.batch), 1):
            value = loss(chosen)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            schedule.step()
            if on_step:
                on_step(epoch * per_epoch + step, steps, float(value.detach()))


@torch.no_grad()
def with_unit_features(network: JudgeNetwork, images: Tensor) -> JudgeNetwork:
    """The same judge with features scaled so that their mean square over its training images is 1.

    Distances between features then mean about the same with every judge. The class scores stay as they were, because
    the last layer is scaled by the inverse and a ReLU commutes with scaling.
    """
    square = torch.cat([network(part.float() / 255)[0].square().mean(1) for part in images.split(1_000)]).mean()
    first, last = network.describe[0], network.name
    assert isinstance(first, nn.Linear)
    first.weight.div_(square.sqrt())
    assert first.bias is not None
    first.bias.div_(square.sqrt())
    last.weight.mul_(square.sqrt())
    return network


def augmented(images: Tensor, settings: TrainingSettings, rng: torch.Generator) -> Tensor:
    """A batch in data units, each image shifted by a few pixels and perhaps mirrored."""
    batch = images.float() / 255
    if settings.mirrored:
        mirrored = torch.rand(len(batch), 1, 1, 1, generator=rng) < 0.5
        batch = torch.where(mirrored, batch.flip(-1), batch)
    return _shifted(batch, settings.shift, rng) if settings.shift else batch


def _shifted(batch: Tensor, limit: int, rng: torch.Generator) -> Tensor:
    count, _, height, width = batch.shape
    padded = functional.pad(batch, (limit, limit, limit, limit))
    down, right = torch.randint(0, 2 * limit + 1, (2, count, 1, 1), generator=rng)
    rows, columns = torch.arange(height)[:, None] + down, torch.arange(width) + right
    # Indices around a slice put what they choose first: (B, H, W, C).
    return padded[torch.arange(count)[:, None, None], :, rows, columns].permute(0, 3, 1, 2).contiguous()
