"""How a judge of a user's own data is trained, on images with or without classes.

Such a judge learns two tasks: which treatment an image was given (`treatments`), and, for an untreated one, its class
where the data has classes, or else which cluster of similar images it belongs to (Caron et al., "Deep clustering for
unsupervised learning of visual features", ECCV 2018).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from sparring.judges.network import FEATURES, JudgeNetwork
from sparring.judges.training import OnStep, TrainingSettings, augmented, fit, with_unit_features
from sparring.judges.treatments import treated, treatments

PASSES = 64_000
"""How many images are processed in training: 500 steps."""
MAX_EPOCHS = 100
"""More epochs would overfit the few images of a small data set."""
STEPS, BATCHES = 16, (32, 128)
"""Steps in an epoch where there are images enough, and the smallest and the largest batch."""
SHIFT = 1 / 16
"""By how much an image is shifted at most, as a share of its side."""
UNTOUCHED = 0.4
"""Share of a batch that is left untreated, for the second task."""
CLUSTERS, CLUSTER_SIZE, CLUSTER_SIDE = 20, 20, 8
"""Clusters at most, mean images in one at least, and the side in pixels at which images are compared."""
CLUSTER_WEIGHT = 0.3
"""Weight of the second task where clusters take the place of classes. With more a judge finds fewer faults."""


def settings_for(count: int, shape: tuple[int, ...]) -> TrainingSettings:
    """How a judge is trained on so many images `(C, H, W)`."""
    epochs = max(1, min(MAX_EPOCHS, round(PASSES / count)))
    batch = min(BATCHES[1], max(BATCHES[0], count // STEPS))
    return TrainingSettings(epochs, shift=max(1, round(SHIFT * min(shape[1:]))), batch=batch)


def train_own_judge(
    pixels: np.ndarray,
    labels: np.ndarray | None,
    test: np.ndarray,
    settings: TrainingSettings,
    on_step: OnStep | None = None,
) -> tuple[JudgeNetwork, float]:
    """Train a judge of a user's own images.

    Args:
        pixels: uint8 `(N, C, H, W)`.
        labels: The class of each, `(N,)`; None for data without classes.
        test: Images to test it on, uint8 `(M, C, H, W)`.
        settings: How to train.
        on_step: Called after every step.

    Returns:
        The judge, whose classes are those of the data or clusters; and the share of test images, each treated in some
        way, whose treatment it recognized.
    """
    images, kinds = torch.from_numpy(pixels), _clusters(pixels, settings.seed) if labels is None else labels
    groups, weight = torch.from_numpy(kinds.astype(np.int64)), CLUSTER_WEIGHT if labels is None else 1.0
    total = len(treatments(pixels.shape[1:]))
    rng = torch.Generator().manual_seed(settings.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = JudgeNetwork(pixels.shape[1:], int(groups.max()) + 1, settings.dropout)
        head = nn.Linear(FEATURES, total)

        def loss(chosen: Tensor) -> Tensor:
            left = torch.rand(len(chosen), generator=rng) < UNTOUCHED
            treatment = torch.randint(total, (len(chosen),), generator=rng).masked_fill(left, 0)
            features, scores = network(treated(augmented(images[chosen], settings, rng), treatment, rng))
            untreated = treatment == 0
            of_kind = functional.cross_entropy(scores[untreated], groups[chosen][untreated], reduction="sum")
            of_treatment = functional.cross_entropy(head(features), treatment)
            return of_treatment + weight * of_kind / untreated.sum().clamp(min=1)

        fit([*network.parameters(), *head.parameters()], loss, len(images), settings, rng, on_step)
    recognized = _recognized(network.eval(), head, torch.from_numpy(test), total, rng)
    return with_unit_features(network, images), recognized


@torch.no_grad()
def _recognized(network: JudgeNetwork, head: nn.Linear, images: Tensor, total: int, rng: torch.Generator) -> float:
    """Share of images whose treatment, a random one of `total`, is recognized."""
    right = 0
    for part in images.split(1_000):
        treatment = torch.randint(total, (len(part),), generator=rng)
        features, _ = network(treated(part.float() / 255, treatment, rng))
        right += int((head(features).argmax(1) == treatment).sum())
    return right / len(images)


def _clusters(pixels: np.ndarray, seed: int) -> np.ndarray:
    """The cluster of each image, int `(N,)`: k-means of the downsampled images."""
    from sklearn.cluster import KMeans  # takes a second, and only data without classes needs it

    parts = torch.from_numpy(pixels).split(1_000)
    small = torch.cat([functional.adaptive_avg_pool2d(part.float() / 255, CLUSTER_SIDE) for part in parts])
    points = small.flatten(1).numpy()
    total = min(CLUSTERS, max(1, len(points) // CLUSTER_SIZE), len(np.unique(points, axis=0)))
    return KMeans(total, n_init=2, random_state=seed).fit_predict(points)
