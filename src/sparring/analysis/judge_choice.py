"""Which judge goes with a data set: one that is shipped, one trained on the data itself, or Inception."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sparring import catalogue
from sparring.analysis.samples import drawn_images
from sparring.datasets import Dataset
from sparring.datasets._images import Images
from sparring.errors import UsageError
from sparring.judges import Judge, judge, names
from sparring.judges.inception import inception
from sparring.judges.network import MIN_SIDE
from sparring.judges.own import MAX_TEST, MAX_TRAINING, MIN_IMAGES, LabeledImages, own_judge
from sparring.progress import say

OWN, INCEPTION = "own", "inception"
"""Judges that are no files of the package: one trained on the data itself, and the one of published FID and KID."""
DRAWN_AT_ONCE = 512
"""How many images for a judge to learn from are drawn at a time, of data that is drawn without end."""


def judge_of(data: Dataset, name: str | None = None) -> Judge | None:
    """The shipped judge that goes with a data set, or the one called `name`; None where there is none.

    Raises:
        UsageError: There is no judge of that name, or it does not take examples of this shape.
    """
    if name is None:
        of_data = catalogue.name_of(type(data)) or ""
        by = {"stacked-mnist": "mnist"}.get(of_data, of_data)
        return judge(by) if by in names() else None
    return _fitting(judge(name), data)


def judge_for(data: Dataset, name: str | None = None, data_dir: Path | None = None) -> Judge | None:
    """The judge to measure with: `judge_of`; for images without a shipped one, or for "own", one trained on them.

    Raises:
        UsageError: As for `judge_of`.
        SparringError: "inception" was asked for and is not installed, or its weights cannot be downloaded.
    """
    if name == INCEPTION:
        return _fitting(inception(), data)
    shipped = None if name == OWN else judge_of(data, name)
    if shipped is not None or (name is None and (len(data.shape) != 3 or min(data.shape[1:]) < MIN_SIDE)):
        return shipped
    if len(data.shape) != 3:
        raise UsageError(f"a judge takes images, not examples of shape {data.shape}")
    training, test = images_for_judge(data, data_dir)
    if name is None and len(training.pixels) < MIN_IMAGES:
        count = f"{len(training.pixels):,} images are too few to train a judge on ({MIN_IMAGES})"
        say(f"{count}: only metrics of pixels are measured")
        return None
    return own_judge(training, test)


def images_for_judge(data: Dataset, data_dir: Path | None) -> tuple[LabeledImages, LabeledImages]:
    """Images that a judge of this data is trained on, and images that it is then tested on.

    Of data without a held-out part it is trained on one half, so that the held-out examples of the real-data baseline
    are as new to the judge as what a generator makes.
    """
    source = data.open(data_dir, "cpu")
    if not isinstance(source, Images):
        images = LabeledImages(*drawn_images(data, source, MAX_TRAINING + MAX_TEST, DRAWN_AT_ONCE))
        indices = np.arange(MAX_TRAINING + MAX_TEST)
        return images.select(indices[:MAX_TRAINING]), images.select(indices[MAX_TRAINING:])
    pixels, labels = source.pixels.numpy(), source.labels
    if labels is None and source.read_labels is not None:
        labels = source.read_labels()
    images, order = LabeledImages(pixels, labels), np.random.default_rng(0).permutation(len(pixels))
    split = len(order) // 2 if data.held_out(data_dir) is None else 4 * len(order) // 5
    return images.select(order[:split][:MAX_TRAINING]), images.select(order[split:][:MAX_TEST])


def _fitting(chosen: Judge, data: Dataset) -> Judge:
    if not chosen.accepts(data.shape):
        raise UsageError(chosen.refusal(data.shape))
    return chosen
