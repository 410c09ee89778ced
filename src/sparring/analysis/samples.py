"""Real examples to compare generated ones with, and how metrics see both: shared by evaluations and measurements."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from sparring.datasets import Dataset, LabeledSource, Source
from sparring.datasets._images import Images
from sparring.datasets._shares import class_shares
from sparring.datasets._stored import Rows
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
MAX_TRAINING = 2_048
"""How many training examples nearest neighbors are searched among. More would cost more than a judge."""
MAX_SEARCHED, SEARCHED_NUMBERS = 16_384, 2**25
"""While a run trains, copies are searched for among so many training images at most, of so many numbers together: an
eighth of a gigabyte. Of large images it is MAX_TRAINING."""
DRAWN_AT_ONCE, MAX_DRAWN = 512, 8_192
"""Of data that is drawn: how many examples at a time, and how many at most to find out whether it begins again."""
MIN_PASS, REPEATED = 32, 0.9
"""A pass through the data has so many examples at least, and of as many draws after it this share was drawn before."""

JUDGED, AGREEMENT = "judged", "agreement"
"""The spaces of metrics within each class, and of those of class-conditional runs."""

Views = Mapping[str, np.ndarray]
"""The space of a metric -> examples in that space, `(..., D)`."""


@dataclass(frozen=True)
class Real:
    """Real data for both sides of a comparison, each `(N, *shape)` in data units."""

    reference: np.ndarray
    """What generated examples are compared with."""
    held_out: np.ndarray
    """As many others, which take the generated examples' place to give the real-data baseline."""
    some_training: np.ndarray
    """At most MAX_TRAINING examples that a run may have trained on."""
    searched: np.ndarray
    """Those that copies are searched for among while a run trains; `some_training` are the first of them."""
    unseen: np.ndarray | None
    """Examples that no run is trained on; None where there are none."""
    training: np.ndarray | None
    """Everything that a run may have trained on; None for data that is drawn without end, and where not asked for."""
    held_out_from: str
    """Where `held_out` comes from, in words."""
    training_without_held_out: np.ndarray | None = None
    """`training` without the examples that `held_out` took from it; None where it took none."""
    held_out_at: np.ndarray | None = None
    """Which of the images that no run is trained on, or else of the training images, `held_out` are, `(N,)`; None where
    they are no images."""
    class_shares: np.ndarray | None = None
    """The share of the examples that each class has `(K,)`; None where not asked for, or about equal."""


def real_data(data: Dataset, count: int, data_dir: Path | None = None, classes: int = 0) -> Real:
    """At most `count` real examples for each side, the same ones every time, and everything else of the data.

    Held-out ones are the publisher's where there are any; otherwise half of the training data takes their place. Where
    `classes` are asked for, how frequent each is comes with it.
    """
    source = data.open(data_dir, "cpu")
    held_out = data.held_out(data_dir) if isinstance(source, Images) else None
    real = real_examples(data, source, count, held_out, everything=True)
    return replace(real, class_shares=class_shares(source, classes)) if classes else real


def classes_of_held_out(data: Dataset, real: Real, data_dir: Path | None = None) -> np.ndarray | None:
    """The class of each of `real.held_out`, `(N,)`; None where they are not known. Raises SparringError."""
    if real.held_out_at is None:
        return None
    unseen = None if real.unseen is None else data.held_out_classes(data_dir)
    return classes_of(real, data.open(data_dir, "cpu"), unseen)


def classes_of(real: Real, source: Source, unseen: np.ndarray | None) -> np.ndarray | None:
    """The class of each of `real.held_out`, `(N,)`; those of all images that no run is trained on are `unseen`."""
    if not isinstance(source, Images) or real.held_out_at is None:
        return None
    known = source.classes if real.unseen is None else unseen
    return None if known is None else known[real.held_out_at]


def real_examples(
    data: Dataset, source: Source, count: int, held_out: np.ndarray | None, everything: bool = False
) -> Real:
    """The same of an opened data set, whose held-out part is `held_out`; all of the training data if `everything`."""
    if not isinstance(source, Images):
        once = one_pass(data, source)
        return _endless(data, source, count) if once is None else _halves(once, once, count, everything)
    pixels = source.pixels.cpu().numpy()
    order = np.random.default_rng(0).permutation(len(pixels))
    searched = to_unit(pixels[order[: max(MAX_TRAINING, min(MAX_SEARCHED, SEARCHED_NUMBERS // pixels[0].size))]])
    if held_out is None:
        return _halves(pixels, searched, count, everything, order)
    n = min(count, len(pixels), len(held_out))
    chosen = np.random.default_rng(1).permutation(len(held_out))[:n]
    unseen = to_unit(held_out[chosen])
    some = searched[:MAX_TRAINING]
    reference = some[:n] if n <= len(some) else to_unit(pixels[order[:n]])
    training = to_unit(pixels[np.sort(order[: _that_fit(pixels)])]) if everything else None
    return Real(reference, unseen, some, searched, unseen, training, "its test split", held_out_at=chosen)


def _halves(
    examples: np.ndarray, searched: np.ndarray, count: int, everything: bool, order: np.ndarray | None = None
) -> Real:
    """From finite data without a held-out part: a judge that is trained on it learns from the first half."""
    order = np.arange(len(examples)) if order is None else order
    half = len(order) // 2
    n = min(count, half)
    taken = order[half : half + n]
    compared = np.sort(order[: _that_fit(examples)]) if everything else order[:0]
    training = to_unit(examples[compared])
    return Real(
        reference=to_unit(examples[order[:n]]),
        held_out=to_unit(examples[taken]),
        some_training=searched[:MAX_TRAINING],
        searched=searched,
        unseen=None,
        training=training if everything else None,
        held_out_from="other training examples",
        training_without_held_out=training[~np.isin(compared, taken)] if everything else None,
        held_out_at=taken,
    )


def _that_fit(training: np.ndarray) -> int:
    """How many training images fit in memory as fractions, twice; says it where that is not all of them."""
    fit = int(COMPARED_SHARE * available_memory() / (2 * 4 * training[0].size))
    if fit < len(training):
        say(f"copies are searched for among {fit:,} of {len(training):,} training images: more do not fit in memory")
    return max(fit, 2 * MIN_EXAMPLES)


def one_pass(data: Dataset, source: Source) -> np.ndarray | None:
    """Every example of finite data that is drawn in passes, `(N, *shape)` in data units, in the order of one pass.

    None for data that is drawn without end. Of a source that does not say how many examples it has, a pass ends where
    the first example comes again, and None is also for a pass of more than MAX_DRAWN.
    """
    if isinstance(source, Rows):  # which may have the same row twice in a pass
        return first_draws(data, source, len(source.rows))
    drawn = first_draws(data, source, MAX_DRAWN)
    rows = [row.tobytes() for row in drawn]
    first = {row: index for index, row in reversed(list(enumerate(rows)))}
    again = np.array([first[row] < index for index, row in enumerate(rows)])
    if not again.any():
        return None
    end = int(again.argmax())
    return drawn[:end] if end >= MIN_PASS and again[end : 2 * end].mean() >= REPEATED else None


def first_draws(data: Dataset, source: Source, count: int, seed: int = DRAWN_BY) -> np.ndarray:
    """What a member of that seed, which does not train, would see first: `(count, *shape)` in data units."""
    rng, parts = RandomStreams((seed,)), list[np.ndarray]()
    for round in range(-(-count // DRAWN_AT_ONCE)):
        rng.begin(round)
        parts.append(in_data_units(data, source.draw(rng, DRAWN_AT_ONCE)[0]))
    return np.concatenate(parts)[:count]


def draw(source: Source, rng: RandomStreams, count: int, classes: bool) -> tuple[Tensor, Tensor | None]:
    """`count` real examples of every seed of `rng`, `(P, count, *shape)` as the networks see them, and their classes.

    The classes are int64 `(P, count)`, or None where they are not asked for.
    """
    if classes:
        return cast(LabeledSource, source).draw_with_classes(rng, count)
    return source.draw(rng, count), None


def views(
    examples: np.ndarray, judge: Judge | None, dims: int | None = None, classes: np.ndarray | None = None
) -> Views:
    """Examples in every space that metrics are computed in.

    Args:
        examples: Real ones `(N, *shape)` or generated ones `(P, n, *shape)`, in data units.
        judge: Whose features and classes to use; without one there are no classes, and features of tiny examples only.
        dims: Dimensions of one example; by default 1 or 3, which leaves out signals of several channels.
        classes: The class that each real one has, or that generated ones were asked for, int64 `(N,)` or `(n,)`.
    """
    dims = dims or (1 if examples.ndim <= 3 else 3)
    lead, shape = examples.shape[:-dims], examples.shape[-dims:]
    flat = examples.reshape(*lead, math.prod(shape))  # there may be no example
    spaces = {"pixels": flat, "coordinates": flat}
    if judge is not None:
        judged = judge(examples.reshape(-1, *shape))
        given = {"features": judged.features, "classes": judged.probabilities}
        spaces |= {name: array.reshape(*lead, -1) for name, array in given.items() if array is not None}
        if given.keys() <= spaces.keys():
            likeliest = spaces["classes"].argmax(-1)
            spaces[JUDGED] = np.concatenate([likeliest[..., None], spaces["features"]], -1, dtype=np.float32)
            if classes is not None:
                spaces[AGREEMENT] = (likeliest == classes)[..., None].astype(np.float32)
        # A judge gives features of NaN images too; the member must still count as diverged.
        diverged = ~np.isfinite(flat).all(-1)
        for name in {*given, JUDGED, AGREEMENT} & spaces.keys():
            spaces[name][diverged] = np.nan
    elif flat.shape[-1] <= OWN_FEATURES:
        spaces["features"] = flat
    return spaces


def with_agreement(reference: Views, held_out: Views) -> Views:
    """Views of reference examples, with the agreement of held-out ones where that is known.

    A metric of agreement does not look at the reference, whose classes need not be known; it only has to be there.
    """
    return {**reference, AGREEMENT: held_out[AGREEMENT]} if AGREEMENT in held_out else reference


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
    """uint8 pixels in data units, float32 in [0, 1]; other examples are in data units already."""
    return pixels.astype(np.float32) / 255 if pixels.dtype == np.uint8 else pixels


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


def _endless(data: Dataset, source: Source, count: int) -> Real:
    """From data that is drawn without end."""
    drawn = first_draws(data, source, 2 * count)
    some = first_draws(data, source, MAX_TRAINING, DRAWN_BY + 1)
    return Real(drawn[:count], drawn[count:], some, some, drawn[count:], None, "other draws from the same distribution")


def drawn_images(data: Dataset, source: Source, count: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Images from data that is drawn without end, different from those of `real_data`: uint8, and their classes."""
    rng, pixels, labels = RandomStreams((DRAWN_BY + 2,)), list[np.ndarray](), list[np.ndarray]()
    for round in range(-(-count // DRAWN_AT_ONCE)):
        rng.begin(round)
        examples, classes = draw(source, rng, DRAWN_AT_ONCE, bool(data.classes))
        if classes is not None:
            labels.append(classes[0].numpy())
        pixels.append(to_pixels(in_data_units(data, examples[0])))
    return np.concatenate(pixels)[:count], np.concatenate(labels)[:count] if labels else None


def to_pixels(images: np.ndarray) -> np.ndarray:
    """Images in data units -> uint8; what lies outside of [0, 1] is clipped."""
    return (255 * np.clip(np.nan_to_num(images), 0, 1)).round().astype(np.uint8)
