"""How to train a judge for a user's own data: how well each procedure's Fréchet distance detects corrupted images.

    python benchmarks/own_judges.py --images DIR [--only NAME ...] [--data-dir DIR] [--seeds 3]

Half of the images train the judge. The other half takes the place of generated images: unmodified, and corrupted in
ways of which some are among the `treatments` and others are not. The table shows how many times as far as unmodified
held-out images the corrupted ones lie. Results are written to `results/own-judges.json`, from which docs/metrics.md is
made.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor, nn
from torch.nn import functional

from sparring.datasets import _idx
from sparring.datasets.folder import Folder
from sparring.judges import Judge, own_training
from sparring.judges.network import FEATURES, JudgeNetwork
from sparring.judges.own import LabeledImages
from sparring.judges.own_training import settings_for, train_own_judge
from sparring.judges.training import TrainingSettings, fit, train_judge, with_unit_features
from sparring.metrics.frechet_distance import FrechetDistance

RESULTS = Path(__file__).parent / "results" / "own-judges.json"
COUNT, OF_FASHION = 1_000, 4_000
"""Images on each side; and images of Fashion-MNIST in the role of a user's own."""
SEEN = "unseen, over seen"
"""The row for memorization: how much farther from training images held-out ones lie than other training images do."""
ROWS = {
    SEEN: "held-out, relative to training images",
    "noise, SD 0.05 (shown: 0.1)": "noise, SD 0.05 (trained with 0.1)",
    "Gaussian blur, SD 0.7 px (shown: a mean of 3x3)": "Gaussian blur, SD 0.7 px (trained with a mean of 3x3)",
}
"""A row's name in the results -> its title in the table, where they differ."""


# Training procedures: images and settings -> a network.


def untrained(learn: LabeledImages, settings: TrainingSettings) -> JudgeNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = JudgeNetwork(learn.pixels.shape[1:], 2)
    return with_unit_features(network.eval(), torch.from_numpy(learn.pixels))


def two_views(learn: LabeledImages, settings: TrainingSettings) -> JudgeNetwork:
    """Which two of 256 views show one image? Chen et al., "A simple framework for contrastive learning", ICML 2020.

    A view is a cut-out of 36 to 100 % of the image, in other brightness and color, mirrored or not.
    """
    images, rng = torch.from_numpy(learn.pixels), torch.Generator().manual_seed(settings.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = JudgeNetwork(learn.pixels.shape[1:], 2)
        project = nn.Sequential(nn.Linear(FEATURES, 128), nn.ReLU(), nn.Linear(128, 64))

        def loss(chosen: Tensor) -> Tensor:
            batch = images[chosen].float() / 255
            views = torch.cat([_view(batch, rng), _view(batch, rng)])
            z = functional.normalize(project(network(views)[0]))
            alike = (z @ z.T / 0.2).fill_diagonal_(-1e9)
            return functional.cross_entropy(alike, torch.arange(len(z)).roll(len(batch)))

        fit([*network.parameters(), *project.parameters()], loss, len(images), settings, rng)
    return with_unit_features(network.eval(), images)


def _view(batch: Tensor, rng: torch.Generator) -> Tensor:
    count, channels = batch.shape[:2]
    side = 0.6 + 0.4 * torch.rand(count, generator=rng)
    where = (2 * torch.rand(2, count, generator=rng) - 1) * (1 - side)
    turn = torch.randint(2, (count,), generator=rng) * 2 - 1
    cut = torch.zeros(count, 2, 3)
    cut[:, 0, 0], cut[:, 1, 1], cut[:, :, 2] = side * turn, side, where.T
    grid = functional.affine_grid(cut, list(batch.shape), align_corners=False)
    batch = functional.grid_sample(batch, grid, padding_mode="border", align_corners=False)
    color = 1 + 0.2 * (2 * torch.rand(count, channels, 1, 1, generator=rng) - 1)
    return batch * color + 0.1 * (2 * torch.rand(count, 1, 1, 1, generator=rng) - 1)


def classes(learn: LabeledImages, settings: TrainingSettings) -> JudgeNetwork:
    assert learn.labels is not None
    return train_judge(learn.pixels, learn.labels, settings)


def treatments(learn: LabeledImages, settings: TrainingSettings) -> JudgeNetwork:
    weight, own_training.CLUSTER_WEIGHT = own_training.CLUSTER_WEIGHT, 0.0
    try:
        return treatments_and_clusters(learn, settings)
    finally:
        own_training.CLUSTER_WEIGHT = weight


def treatments_and_clusters(learn: LabeledImages, settings: TrainingSettings) -> JudgeNetwork:
    return train_own_judge(learn.pixels, None, learn.pixels[:1], settings)[0]


def treatments_and_classes(learn: LabeledImages, settings: TrainingSettings) -> JudgeNetwork:
    return train_own_judge(learn.pixels, learn.labels, learn.pixels[:1], settings)[0]


LESSONS: dict[str, Callable[[LabeledImages, TrainingSettings], JudgeNetwork]] = {
    "untrained": untrained,
    "two views": two_views,
    "treatments": treatments,
    "treatments, clusters": treatments_and_clusters,
    "classes": classes,
    "treatments, classes": treatments_and_classes,
}


# Corruptions of images.


def corrupted(unseen: LabeledImages) -> dict[str, np.ndarray]:
    """Corruption -> images `(N, C, H, W)` in data units, made from the same number of held-out ones."""
    assert unseen.labels is not None
    rng, whole = np.random.default_rng(3), _units(unseen.pixels)
    count, _, height, width = whole.shape
    flat = whole.reshape(count, -1)
    _, values, axes = np.linalg.svd(flat - flat.mean(0), full_matrices=False)
    kept = axes[: np.searchsorted((values**2).cumsum() / (values**2).sum(), 0.9) + 1]
    left = np.flatnonzero(unseen.labels != np.bincount(unseen.labels).argmax())
    return {
        "noise, SD 0.05 (shown: 0.1)": (whole + 0.05 * rng.normal(size=whole.shape)).clip(0, 1),
        "Gaussian blur, SD 0.7 px (shown: a mean of 3x3)": ndimage.gaussian_filter(whole, (0, 0, 0.7, 0.7)),
        "chessboard, ±0.05": (whole + 0.1 * (np.indices((height, width)).sum(0) % 2 - 0.5)).clip(0, 1),
        "bent by up to 2 px": bent(whole, 2.0, rng),
        "quarters exchanged": np.roll(whole, (height // 2, width // 2), (2, 3)),
        "dimmed to 80 %": 0.8 * whole,
        "90 % of the variance": ((flat - flat.mean(0)) @ kept.T @ kept + flat.mean(0)).reshape(whole.shape).clip(0, 1),
        "the largest class left out": whole[rng.choice(left, count)],
        "100 images, repeated": whole[rng.integers(100, size=count)],
    }


def bent(images: np.ndarray, max_shift: float, rng: np.random.Generator) -> np.ndarray:
    """A smooth warp: each pixel comes from up to `max_shift` pixels shifts, its neighbors from nearby."""
    made, grid = np.empty_like(images), np.indices(images.shape[2:])
    for image, to in zip(images, made, strict=True):
        shifts = ndimage.gaussian_filter(rng.normal(size=grid.shape), (0, 4, 4))
        shifts *= max_shift / np.abs(shifts).max()
        for channel, into in zip(image, to, strict=True):
            into[:] = ndimage.map_coordinates(channel, grid + shifts, order=1, mode="nearest")
    return made


def detected(
    network: JudgeNetwork, learn: LabeledImages, unseen: LabeledImages, faults: dict[str, np.ndarray]
) -> dict[str, float]:
    """Corruption -> distance from the training images, as a multiple of that of held-out images."""
    judge = Judge("", network, tuple(learn.pixels.shape[1:]), {"accuracy": None})

    def features(images: np.ndarray) -> np.ndarray:
        return judge(images).features.astype(np.float64)

    seen, fresh, distance = features(_units(learn.pixels)), features(_units(unseen.pixels)), FrechetDistance()
    half = len(seen) // 2
    few, there = fresh[:half], seen[half : 2 * half]
    ratios = {SEEN: float(distance(seen[:half], few[None])[0] / distance(seen[:half], there[None])[0])}
    real = float(distance(seen[:COUNT], fresh[None])[0])
    for fault, images in faults.items():
        ratios[fault] = float(distance(seen[:COUNT], features(images.astype(np.float32))[None])[0]) / real
    return ratios


def table(name: str) -> str:
    """Markdown: a row for each corruption, a column for each training procedure, as last measured."""
    stored = json.loads(RESULTS.read_text())[name]
    lessons = [lesson for lesson in LESSONS if lesson in stored]
    lines = ["| | " + " | ".join(lessons) + " |", "| --- |" + " ---: |" * len(lessons)]
    for row in stored[lessons[0]]["figures"][0]:
        values = [np.mean([one[row] for one in stored[lesson]["figures"]]) for lesson in lessons]
        cells = [f"{value:.2g}" if value < 9.95 else f"{value:.0f}" for value in values]
        lines.append(f"| {ROWS.get(row, row)} | {' | '.join(cells)} |")
    seconds = [f"{np.mean(stored[lesson]['seconds']):.0f}" for lesson in lessons]
    return "\n".join([*lines, f"| seconds of one core | {' | '.join(seconds)} |"])


def data(images: Path | None, data_dir: Path | None) -> dict[str, Callable[[], LabeledImages]]:
    """The data sets, by name. All have classes, though not every training procedure uses them."""

    def fashion() -> LabeledImages:
        chosen = np.random.default_rng(5).permutation(60_000)[:OF_FASHION]
        pixels, labels = (read(_idx.FASHION_MNIST, "train", data_dir) for read in (_idx.images, _idx.labels))
        return LabeledImages(pixels[chosen], labels[chosen].astype(np.int64))

    def folder() -> LabeledImages:
        source = Folder(str(images), alpha=False).open(None, "cpu")
        return LabeledImages(source.pixels.numpy(), source.labels)

    return {"fashion-mnist": fashion, **({"images": folder} if images else {})}


def _units(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.float32) / 255


def main() -> None:
    """Train with each procedure and measure."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--images", type=Path, help="a folder of images with subfolders as classes")
    asked.add_argument("--data-dir", type=Path)
    asked.add_argument("--only", nargs="+", choices=LESSONS, default=list(LESSONS))
    asked.add_argument("--seeds", type=int, default=3)
    flags = asked.parse_args()
    torch.set_num_threads(1)
    for name, read in data(flags.images, flags.data_dir).items():
        whole = read()
        order = np.random.default_rng(0).permutation(len(whole.pixels))
        half = len(order) // 2
        learn, unseen = whole.select(order[:half]), whole.select(order[half : half + COUNT])
        faults, settings = corrupted(unseen), settings_for(half, learn.pixels.shape[1:])
        for title in flags.only:
            values, seconds = list[dict[str, float]](), list[float]()
            for seed in range(flags.seeds):
                began = time.process_time()
                network = LESSONS[title](learn, replace(settings, seed=seed))
                seconds.append(time.process_time() - began)
                values.append(detected(network, learn, unseen, faults))
            stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
            stored.setdefault(name, {})[title] = {"figures": values, "seconds": seconds, "learnt": half, "n": COUNT}
            RESULTS.write_text(json.dumps(stored, indent=1) + "\n")
            print(f"{name}, {title}: {np.mean(seconds):.0f} s of one core each", flush=True)


if __name__ == "__main__":
    main()
