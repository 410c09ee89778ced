"""How a judge is trained: labelled pictures in, a network that tells their classes out. The same numbers every time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from sparring.judges.network import JudgeNetwork


@dataclass(frozen=True)
class Lesson:
    """What decides how a judge learns."""

    epochs: int
    shift: int
    """Most pixels by which a picture is moved, each way: a judge should not mind where a thing lies."""
    mirrored: bool = False
    """Whether half of the pictures are seen in a mirror: for things, not for writing."""
    dropout: float = 0.0
    rate: float = 4e-3
    """Highest learning rate of the one-cycle schedule (Smith and Topin, "Super-convergence", 2019)."""
    batch: int = 128
    decay: float = 0.01
    seed: int = 0


def taught(
    pixels: np.ndarray, labels: np.ndarray, lesson: Lesson, tell: Callable[[int, float], None] | None = None
) -> JudgeNetwork:
    """A judge of these pictures: uint8 `(N, C, H, W)` with classes `(N,)`.

    `tell` hears each epoch's number and mean loss. On one machine and one version of torch the same lesson ends with
    the same weights.
    """
    chance = torch.Generator().manual_seed(lesson.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(lesson.seed)
        network = JudgeNetwork(pixels.shape[1:], int(labels.max()) + 1, lesson.dropout)
        images, classes = torch.from_numpy(pixels), torch.from_numpy(labels.astype(np.int64))
        steps = len(images) // lesson.batch
        optimiser = torch.optim.AdamW(network.parameters(), lr=lesson.rate, weight_decay=lesson.decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, lesson.rate, total_steps=lesson.epochs * steps)
        for epoch in range(lesson.epochs):
            order, total = torch.randperm(len(images), generator=chance), 0.0
            for chosen in order[: steps * lesson.batch].split(lesson.batch):
                _, scores = network(_seen(images[chosen], lesson, chance))
                loss = functional.cross_entropy(scores, classes[chosen])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
                total += float(loss.detach())
            if tell:
                tell(epoch + 1, total / steps)
    return balanced(network.eval(), images)


@torch.no_grad()
def balanced(network: JudgeNetwork, images: Tensor) -> JudgeNetwork:
    """The same judge with features whose mean square over its training images is 1.

    So distances between features mean about the same through every judge. What the features lose the class scores gain:
    a rectifier passes a factor on.
    """
    square = torch.cat([network(part.float() / 255)[0].square().mean(1) for part in images.split(1_000)]).mean()
    first, last = network.describe[0], network.name
    assert isinstance(first, nn.Linear)
    first.weight.div_(square.sqrt())
    assert first.bias is not None
    first.bias.div_(square.sqrt())
    last.weight.mul_(square.sqrt())
    return network


def _seen(images: Tensor, lesson: Lesson, chance: torch.Generator) -> Tensor:
    """A batch in data units, each picture moved by a few pixels and perhaps mirrored."""
    batch = images.float() / 255
    if lesson.mirrored:
        turned = torch.rand(len(batch), 1, 1, 1, generator=chance) < 0.5
        batch = torch.where(turned, batch.flip(-1), batch)
    return _moved(batch, lesson.shift, chance) if lesson.shift else batch


def _moved(batch: Tensor, most: int, chance: torch.Generator) -> Tensor:
    count, _, height, width = batch.shape
    padded = functional.pad(batch, (most, most, most, most))
    down, right = torch.randint(0, 2 * most + 1, (2, count, 1, 1), generator=chance)
    rows, columns = torch.arange(height)[:, None] + down, torch.arange(width) + right
    # Indices around a slice put what they choose first: (B, H, W, C).
    return padded[torch.arange(count)[:, None, None], :, rows, columns].permute(0, 3, 1, 2).contiguous()
