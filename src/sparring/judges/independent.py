"""Independent judges: what results are reported by. No setting of a recipe, rule or judge was ever chosen with one.

A figure by the judge that a setting was chosen with flatters the setting. So each data set has a second judge, of
another architecture (`residual.py`) and another training: of images with classes, classification of turned, scaled and
shifted images; of images without, recognizing two random crops of one image among crops of others (Chen et al., "A
simple framework for contrastive learning of visual representations", ICML 2020, eq. 1).
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from sparring.judges.residual import LEARNED, ResidualNetwork
from sparring.judges.training import OnStep, TrainingSettings, fit

TEMPERATURE = 0.2
PROJECTED = 64
"""Dimensions in which crops are compared; the features lie one layer before."""
SMOOTHING = 0.1
"""Share of a label's weight that is spread over all classes."""
TURN, ZOOM, MOVE = 10.0, 0.1, 0.08
"""Of an image with a class: degrees either way, share of its size either way, share of its side either way."""
CROP = 0.45
"""The smallest crop, as a share of an image's side."""
CONTRAST = 0.2
"""By which share a crop's contrast and brightness change at most."""
LR = 2e-3
"""Highest learning rate; contrastive training needs a lower one than classification."""
SEED = 1
"""Another one than the first judge's."""


def train_independent_judge(
    pixels: np.ndarray, labels: np.ndarray | None, settings: TrainingSettings, on_step: OnStep | None = None
) -> ResidualNetwork:
    """Train an independent judge.

    Args:
        pixels: uint8 `(N, C, H, W)`.
        labels: The class of each, `(N,)`; None for data without classes.
        settings: How to train; its shift and its mirroring are not used.
        on_step: Called after every step.
    """
    images = torch.from_numpy(pixels)
    rng = torch.Generator().manual_seed(settings.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        classes = 1 if labels is None else int(labels.max()) + 1
        network = ResidualNetwork(pixels.shape[1:], classes)
        if labels is None:
            head = nn.Sequential(nn.Linear(LEARNED, LEARNED), nn.SiLU(), nn.Linear(LEARNED, PROJECTED))
            parameters = [*network.trunk.parameters(), *head.parameters()]

            def loss(chosen: Tensor) -> Tensor:
                batch = images[chosen].float() / 255
                crops = torch.cat([_cropped(batch, rng), _cropped(batch, rng)])
                return contrastive_loss(head(network.learned(crops)))
        else:
            targets, parameters = torch.from_numpy(labels.astype(np.int64)), list(network.parameters())

            def loss(chosen: Tensor) -> Tensor:
                scores = network.name(network.learned(_moved(images[chosen].float() / 255, rng)))
                return functional.cross_entropy(scores, targets[chosen], label_smoothing=SMOOTHING)

        fit(parameters, loss, len(images), settings, rng, on_step)
    return network.eval().standardize(images)


def contrastive_loss(projected: Tensor) -> Tensor:
    """NT-Xent of `(2 B, D)`: row k and row k + B are of one image.

    Chen et al. 2020, eq. 1: the cross-entropy of naming the partner among all others by cosine similarity.
    """
    unit = functional.normalize(projected, dim=1)
    similarity = (unit @ unit.T / TEMPERATURE).fill_diagonal_(-torch.inf)
    half = len(projected) // 2
    partner = torch.arange(2 * half).roll(half)
    return functional.cross_entropy(similarity, partner)


def _cropped(images: Tensor, rng: torch.Generator) -> Tensor:
    """A random crop of each at the image's own size, its contrast and brightness changed a little."""
    count = len(images)
    size = CROP + (1 - CROP) * torch.rand(count, generator=rng)
    across, down = ((1 - size) * (2 * torch.rand(count, generator=rng) - 1) for _ in range(2))
    crops = _affine(images, torch.zeros(count), size, across, down)
    contrast, brightness = (1 + CONTRAST * (2 * torch.rand(count, 1, 1, 1, generator=rng) - 1) for _ in range(2))
    middle = crops.mean((1, 2, 3), keepdim=True)
    return ((crops - middle) * contrast + middle * brightness).clamp(0, 1)


def _moved(images: Tensor, rng: torch.Generator) -> Tensor:
    """Each image turned, scaled and shifted a little."""
    turn, zoom, across, down = (2 * torch.rand(4, len(images), generator=rng) - 1).unbind()
    return _affine(images, math.radians(TURN) * turn, 1 + ZOOM * zoom, 2 * MOVE * across, 2 * MOVE * down)


def _affine(images: Tensor, turn: Tensor, size: Tensor, across: Tensor, down: Tensor) -> Tensor:
    """What of each image `(B, C, H, W)` lies in a frame of this size, turn (radians) and place (half sides)."""
    cos, sin = size * turn.cos(), size * turn.sin()
    matrix = torch.stack([torch.stack([cos, -sin, across], 1), torch.stack([sin, cos, down], 1)], 1)
    grid = functional.affine_grid(matrix, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
