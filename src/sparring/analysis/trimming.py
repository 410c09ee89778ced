"""Which images of a folder are least typical of it, and may be left out: instance selection.

After DeVries, Drozdzal and Taylor, "Instance selection for GANs" (NeurIPS 2020): a Gaussian is fitted to the images'
features, and the images of lowest density are left out. Samples get better and less varied, the more so the more is
left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparring.analysis.doctor import Examination
from sparring.analysis.judge_choice import choose_judge
from sparring.datasets import Dataset
from sparring.datasets._images import Images
from sparring.errors import SparringError, UsageError

LARGEST_SHARE = 0.9
"""Of the images that may be left out."""
RIDGE = 1e-2
"""Share of the features' mean variance that is added to the variance along each direction: few images leave some
directions without any."""
AT_ONCE = 4_096
"""Images whose features are computed at a time."""


@dataclass(frozen=True)
class Trimmed:
    """The least typical images of a folder."""

    share: float
    """Of the images of each class, or of all, as asked."""
    left_out: tuple[str, ...]
    """Names of their files, the least typical first."""
    typical: tuple[str, ...]
    """Names of all others, the most typical first."""
    judge: str
    """The judge whose features tell."""
    spared: int = 0
    """Classes that are too small to lose any image."""


def least_typical(examination: Examination, data: Dataset, share: float) -> Trimmed:
    """The images of lowest density under a Gaussian, fitted to the features that the choosing judge has of all.

    Of every class the same share goes, rounded down, so that none disappears.

    Args:
        examination: Of the images.
        data: The same as a data set. Its judge is trained first where it is not in the cache.
        share: Of the images to leave out.

    Raises:
        UsageError: The share lies outside its limits, or the images are too few for a judge.
        SparringError: The images have changed since they were examined.
    """
    if not 0 < share <= LARGEST_SHARE:
        raise UsageError(f"--trim takes the share of images to leave out, above 0 and at most {LARGEST_SHARE}")
    names = np.array([file.name for file in examination.good for _ in range(file.frames)])
    source = data.open()
    if not isinstance(source, Images) or len(source.pixels) != len(names):
        raise SparringError(
            f"the images in {examination.contents.path} have changed while they were examined: examine them again"
        )
    choice = choose_judge(data, None, source)
    if choice.judge is None:
        raise UsageError(f"nothing tells which images are typical: {choice.missing}")
    pixels = source.pixels.numpy()
    parts = [pixels[k : k + AT_ONCE].astype(np.float32) / 255 for k in range(0, len(pixels), AT_ONCE)]
    far = distances(np.concatenate([choice.judge(part).features for part in parts]))
    firsts, of = np.unique(names, return_inverse=True)
    of_file = dict(zip(map(str, firsts), np.bincount(of, far) / np.bincount(of), strict=True))
    return _trimmed(of_file, examination, share, choice.judge.name)


def distances(features: np.ndarray) -> np.ndarray:
    """How far each row `(N, F)` lies from the mean, squared, in standard deviations: less is denser."""
    centered = features.astype(np.float64) - features.mean(0, dtype=np.float64)
    covariance = centered.T @ centered / max(1, len(centered) - 1)
    covariance += RIDGE * max(np.trace(covariance) / len(covariance), 1e-12) * np.eye(len(covariance))
    return np.einsum("nf,nf->n", centered, np.linalg.solve(covariance, centered.T).T)


def _trimmed(of_file: dict[str, float], examination: Examination, share: float, judge: str) -> Trimmed:
    labels = examination.labels.of or dict.fromkeys(of_file, 0)
    ranked = sorted(of_file, key=lambda name: -of_file[name])
    left_out: set[str] = set()
    spared = 0
    for label in set(labels.values()):
        mine = [name for name in ranked if labels[name] == label]
        left_out |= set(mine[: int(share * len(mine))])
        spared += int(share * len(mine)) == 0
    kept = [name for name in ranked if name not in left_out]
    names = tuple(name for name in ranked if name in left_out)
    return Trimmed(share, names, tuple(reversed(kept)), judge, spared if examination.labels.of else 0)
