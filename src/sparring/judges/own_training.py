"""How a judge of a user's own data is trained: pictures in, with or without classes, and what they can teach comes out.

Such a judge learns to answer two questions. What was done to this picture (`treatments`)? And, of one that nothing was
done to, what is it: its class where the data tells classes, else the cluster of like pictures that it falls into (Caron
et al., "Deep clustering for unsupervised learning of visual features", ECCV 2018)?
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from sparring.judges.network import FEATURES, JudgeNetwork
from sparring.judges.training import Lesson, balanced, descend, seen
from sparring.judges.treatments import treated, treatments

PASSES = 64_000
"""Pictures that are looked at while learning: 500 steps."""
MOST_EPOCHS = 100
"""Few pictures are seen so often at most, or they would be learnt by heart."""
STEPS, BATCHES = 16, (32, 128)
"""Steps that an epoch has where it can, and the smallest and the largest batch."""
SHIFT = 1 / 16
"""Of the side: the most by which a picture is moved."""
UNTOUCHED = 0.4
"""Share of a batch that is left untouched for the second question's sake."""
CLUSTERS, CLUSTER_SIZE, CLUSTER_SIDE = 20, 20, 8
"""Clusters at most, pictures in one on average at least, and the side in pixels at which pictures are compared."""
CLUSTER_WEIGHT = 0.3
"""Of the second question where clusters stand in for classes. With more of it a judge sees faults less."""


def lesson_for(count: int, shape: tuple[int, ...]) -> Lesson:
    """How a judge learns from so many pictures `(C, H, W)`."""
    epochs = max(1, min(MOST_EPOCHS, round(PASSES / count)))
    batch = min(BATCHES[1], max(BATCHES[0], count // STEPS))
    return Lesson(epochs, shift=max(1, round(SHIFT * min(shape[1:]))), batch=batch)


def learnt(
    pixels: np.ndarray,
    labels: np.ndarray | None,
    asked: np.ndarray,
    lesson: Lesson,
    tell: Callable[[int, int, float], None] | None = None,
) -> tuple[JudgeNetwork, float]:
    """A judge of these pictures, uint8 `(N, C, H, W)`, with classes `(N,)` or None; its classes are those, or clusters.

    Beside it the share of the pictures `asked`, each treated in some way, of which it told what was done. `tell` hears
    as in `taught`.
    """
    images, kinds = torch.from_numpy(pixels), _clusters(pixels, lesson.seed) if labels is None else labels
    groups, weight = torch.from_numpy(kinds.astype(np.int64)), CLUSTER_WEIGHT if labels is None else 1.0
    ways = len(treatments(pixels.shape[1:]))
    rng = torch.Generator().manual_seed(lesson.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(lesson.seed)
        network = JudgeNetwork(pixels.shape[1:], int(groups.max()) + 1, lesson.dropout)
        detect = nn.Linear(FEATURES, ways)

        def loss(chosen: Tensor) -> Tensor:
            left = torch.rand(len(chosen), generator=rng) < UNTOUCHED
            done = torch.randint(ways, (len(chosen),), generator=rng).masked_fill(left, 0)
            features, scores = network(treated(seen(images[chosen], lesson, rng), done, rng))
            whole = done == 0
            of_kind = functional.cross_entropy(scores[whole], groups[chosen][whole], reduction="sum")
            return functional.cross_entropy(detect(features), done) + weight * of_kind / whole.sum().clamp(min=1)

        descend([*network.parameters(), *detect.parameters()], loss, len(images), lesson, rng, tell)
    found = _found(network.eval(), detect, torch.from_numpy(asked), ways, rng)
    return balanced(network, images), found


@torch.no_grad()
def _found(network: JudgeNetwork, detect: nn.Linear, images: Tensor, ways: int, rng: torch.Generator) -> float:
    right = 0
    for part in images.split(1_000):
        done = torch.randint(ways, (len(part),), generator=rng)
        features, _ = network(treated(part.float() / 255, done, rng))
        right += int((detect(features).argmax(1) == done).sum())
    return right / len(images)


def _clusters(pixels: np.ndarray, seed: int) -> np.ndarray:
    """The cluster of each picture, int `(N,)`: k-means of the pictures, shrunk."""
    from sklearn.cluster import KMeans  # takes a second, and only data without classes needs it

    parts = torch.from_numpy(pixels).split(1_000)
    small = torch.cat([functional.adaptive_avg_pool2d(part.float() / 255, CLUSTER_SIDE) for part in parts])
    points = small.flatten(1).numpy()
    total = min(CLUSTERS, max(1, len(points) // CLUSTER_SIZE), len(np.unique(points, axis=0)))
    return KMeans(total, n_init=2, random_state=seed).fit_predict(points)
