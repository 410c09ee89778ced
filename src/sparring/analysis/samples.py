"""Real examples to compare generated ones with, and how metrics see both: shared by evaluations and measurements."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from sparring.datasets import Dataset, LabeledSource, Source
from sparring.datasets._images import Images
from sparring.datasets.files.memory import available_memory
from sparring.judges import Judge
from sparring.metrics import MIN_EXAMPLES, Metric, all_metrics
from sparring.progress import say
from sparring.record.story import QUANTILES
from sparring.rng import RandomStreams

DRAWN_BY = 2**62
"""The seed of the real examples that are drawn to compare with: far from the seeds that people give their runs."""
QUANTILES_OF = 2**15
"""From so many numbers, drawn once, quantiles are computed; the smallest and the largest number are those of all."""
COMPARED_SHARE = 0.5
"""Share of the free memory that training images may take while samples are compared with them."""
OWN_FEATURES = 16
"""Up to this many numbers an example is its own feature vector, so that data without a judge is measured too."""

Views = Mapping[str, np.ndarray]
"""The space of a metric -> examples in that space, `(..., D)`."""


@dataclass(frozen=True)
class Real:
    """Real data for both sides of a comparison, each `(N, *shape)` in data units."""

    reference: np.ndarray
    """What generated examples are compared with."""
    held_out: np.ndarray
    """As many others, which take the generated examples' place to give the real-data baseline."""
    training: np.ndarray | None
    """Everything that a run may have trained on; None for data that is drawn without end."""
    held_out_from: str
    """Where `held_out` comes from, in words."""
    training_without_held_out: np.ndarray | None = None
    """`training` without the examples that `held_out` took from it; None where it took none."""


def real_data(data: Dataset, count: int, data_dir: Path | None = None) -> Real:
    """At most `count` real examples for each side, the same ones every time.

    Held-out ones are the publisher's where there are any; otherwise half of the training data takes their place.
    """
    source = data.open(data_dir, "cpu")
    if not isinstance(source, Images):
        return _endless(data, count, data_dir)
    training = source.pixels.numpy()
    order = np.random.default_rng(0).permutation(len(training))
    compared = np.sort(order[: _that_fit(training)])
    everything = to_unit(training[compared])
    held_out = data.held_out(data_dir)
    if held_out is not None:
        n = min(count, len(training), len(held_out))
        chosen = np.random.default_rng(1).permutation(len(held_out))[:n]
        return Real(to_unit(training[order[:n]]), to_unit(held_out[chosen]), everything, "its test split")
    half = len(training) // 2
    n = min(count, half)
    taken = order[half : half + n]  # a judge that is trained on this data learns from the first half
    rest = everything[~np.isin(compared, taken)]
    return Real(to_unit(training[order[:n]]), to_unit(training[taken]), everything, "other training examples", rest)


def _that_fit(training: np.ndarray) -> int:
    """How many training images fit in memory as fractions, twice; says it where that is not all of them."""
    fit = int(COMPARED_SHARE * available_memory() / (2 * 4 * training[0].size))
    if fit < len(training):
        say(f"copies are searched for among {fit:,} of {len(training):,} training images: more do not fit in memory")
    return max(fit, 2 * MIN_EXAMPLES)


def draw(source: Source, rng: RandomStreams, count: int, classes: bool) -> tuple[Tensor, Tensor | None]:
    """`count` real examples of every seed of `rng`, `(P, count, *shape)` as the networks see them, and their classes.

    The classes are int64 `(P, count)`, or None where they are not asked for.
    """
    if classes:
        return cast(LabeledSource, source).draw_with_classes(rng, count)
    return source.draw(rng, count), None


def views(examples: np.ndarray, judge: Judge | None) -> Views:
    """Examples in every space that metrics are computed in.

    Args:
        examples: Real ones `(N, *shape)` or generated ones `(P, n, *shape)`, in data units.
        judge: Whose features and classes to use; without one there are no classes, and features of tiny examples only.
    """
    shape = examples.shape[2:] if examples.ndim in (3, 5) else examples.shape[1:]
    lead = examples.shape[: examples.ndim - len(shape)]
    flat = examples.reshape(*lead, math.prod(shape))  # there may be no example
    spaces = {"pixels": flat, "coordinates": flat}
    if judge is not None:
        judged = judge(examples.reshape(-1, *shape))
        given = {"features": judged.features, "classes": judged.probabilities}
        spaces |= {name: array.reshape(*lead, -1) for name, array in given.items() if array is not None}
        # A judge gives features of NaN images too; the member must still count as diverged.
        diverged = ~np.isfinite(flat).all(-1)
        for name in given.keys() & spaces.keys():
            spaces[name][diverged] = np.nan
    elif flat.shape[-1] <= OWN_FEATURES:
        spaces["features"] = flat
    return spaces


def fitting_metrics(data: Dataset, spaces: Collection[str]) -> dict[str, Metric]:
    """Every metric that can be computed for such data in one of these spaces, by name, in the order of display."""
    known = {"centers": data.modes.centers, "sd": data.modes.sd} if data.modes else {}
    fitting: dict[str, Metric] = {}
    for name, leaf in all_metrics().items():
        if leaf.space not in spaces or (leaf.space == "coordinates" and not data.modes):
            continue
        metric = leaf(**known) if leaf.space == "coordinates" else leaf()
        if metric.fits(data.shape):
            fitting[name] = metric
    return fitting


def to_unit(pixels: np.ndarray) -> np.ndarray:
    """uint8 pixels in data units: float32 in [0, 1]."""
    return pixels.astype(np.float32) / 255


def in_data_units(data: Dataset, examples: Tensor) -> np.ndarray:
    """Examples as the networks see them -> float32 in data units."""
    return data.in_data_units(examples).float().cpu().numpy()


def quantiles_of(examples: Tensor) -> np.ndarray:
    """QUANTILES of all the numbers of examples `(P, ...)`: float64 `(P, Q)`, NaN where one is not finite."""
    flat = examples.flatten(1)
    low, high = flat.aminmax(dim=1)
    if flat.shape[1] > QUANTILES_OF:
        chosen = np.random.default_rng(0).integers(flat.shape[1], size=QUANTILES_OF)
        flat = flat[:, torch.from_numpy(chosen).to(flat.device)]
    finite = torch.isfinite(low) & torch.isfinite(high)
    between = np.quantile(flat.nan_to_num().float().cpu().numpy(), QUANTILES[1:-1], axis=1).T
    ends = [end.double().cpu().numpy()[:, None] for end in (low, high)]
    values = np.concatenate([ends[0], between, ends[1]], 1)
    return np.where(finite.cpu().numpy()[:, None], values, np.nan)


def _endless(data: Dataset, count: int, data_dir: Path | None) -> Real:
    """From data that is drawn without end: two rounds of one member's draws."""
    sides: list[np.ndarray] = []
    for round in (0, 1):
        rng = RandomStreams((DRAWN_BY,))
        rng.begin(round)
        examples, _ = draw(data.open(data_dir, "cpu"), rng, count, classes=False)
        sides.append(in_data_units(data, examples[0]))
    return Real(sides[0], sides[1], None, "other draws from the same distribution")


def drawn_images(data: Dataset, source: Source, count: int, at_once: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Images from data that is drawn without end, different from those of `real_data`: uint8, and their classes."""
    rng, pixels, labels = RandomStreams((DRAWN_BY + 1,)), list[np.ndarray](), list[np.ndarray]()
    for round in range(-(-count // at_once)):
        rng.begin(round)
        examples, classes = draw(source, rng, at_once, bool(data.classes))
        if classes is not None:
            labels.append(classes[0].numpy())
        unit = data.in_data_units(examples[0]).float().clamp(0, 1)
        pixels.append((255 * unit).round().to(torch.uint8).numpy())
    return np.concatenate(pixels)[:count], np.concatenate(labels)[:count] if labels else None
