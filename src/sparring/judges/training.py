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
    lr: float = 4e-3
    """Highest learning rate of the one-cycle schedule (Smith and Topin, "Super-convergence", 2019)."""
    batch: int = 128
    decay: float = 0.01
    seed: int = 0


def taught(
    pixels: np.ndarray, labels: np.ndarray, lesson: Lesson, tell: Callable[[int, int, float], None] | None = None
) -> JudgeNetwork:
    """A judge of these pictures: uint8 `(N, C, H, W)` with classes `(N,)`.

    `tell` hears after each step its number, how many there are and its loss. On one machine and one version of torch
    the same lesson ends with the same weights.
    """
    rng = torch.Generator().manual_seed(lesson.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(lesson.seed)
        network = JudgeNetwork(pixels.shape[1:], int(labels.max()) + 1, lesson.dropout)
        images, classes = torch.from_numpy(pixels), torch.from_numpy(labels.astype(np.int64))

        def loss(chosen: Tensor) -> Tensor:
            _, scores = network(seen(images[chosen], lesson, rng))
            return functional.cross_entropy(scores, classes[chosen])

        descend(list(network.parameters()), loss, len(images), lesson, rng, tell)
    return balanced(network.eval(), images)


def descend(
    parameters: list[nn.Parameter],
    loss: Callable[[Tensor], Tensor],
    count: int,
    lesson: Lesson,
    rng: torch.Generator,
    tell: Callable[[int, int, float], None] | None = None,
) -> None:
    """Learn from `count` pictures: `loss` is that of a batch of their numbers, `(B,)`. `tell` hears as in `taught`."""
    per_epoch = count // lesson.batch
    steps = lesson.epochs * per_epoch
    optimizer = torch.optim.AdamW(parameters, lr=lesson.lr, weight_decay=lesson.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lesson.lr, total_steps=steps)
    for epoch in range(lesson.epochs):
        order = torch.randperm(count, generator=rng)[: per_epoch * lesson.batch]
        for place, chosen in enumerate(order.split(lesson.batch), 1):
            value = loss(chosen)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            schedule.step()
            if tell:
                tell(epoch * per_epoch + place, steps, float(value.detach()))


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


def seen(images: Tensor, lesson: Lesson, rng: torch.Generator) -> Tensor:
    """A batch in data units, each picture moved by a few pixels and perhaps mirrored."""
    batch = images.float() / 255
    if lesson.mirrored:
        turned = torch.rand(len(batch), 1, 1, 1, generator=rng) < 0.5
        batch = torch.where(turned, batch.flip(-1), batch)
    return _moved(batch, lesson.shift, rng) if lesson.shift else batch


def _moved(batch: Tensor, most: int, rng: torch.Generator) -> Tensor:
    count, _, height, width = batch.shape
    padded = functional.pad(batch, (most, most, most, most))
    down, right = torch.randint(0, 2 * most + 1, (2, count, 1, 1), generator=rng)
    rows, columns = torch.arange(height)[:, None] + down, torch.arange(width) + right
    # Indices around a slice put what they choose first: (B, H, W, C).
    return padded[torch.arange(count)[:, None, None], :, rows, columns].permute(0, 3, 1, 2).contiguous()
