"""Which judges go with a data set: shipped ones, ones made of the data itself, or Inception."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sparring import catalogue
from sparring.analysis.samples import drawn_images, first_draws, one_pass, to_pixels
from sparring.datasets import Dataset, Source
from sparring.datasets._images import Images
from sparring.errors import UsageError
from sparring.game.runtime import idle_cores, threads_set
from sparring.judges import INDEPENDENT, Judge, judge, names
from sparring.judges.fixed import MAX_FITTED, fixed_judge
from sparring.judges.inception import inception
from sparring.judges.network import MIN_SIDE
from sparring.judges.own import MAX_TEST, MAX_TRAINING, MIN_IMAGES, LabeledImages, own_judge
from sparring.progress import say

OWN, INCEPTION = "own", "inception"
"""Judges that are no files of the package: one made of the data itself, and the one of published FID and KID."""
MAX_NUMBERS = 2**28
"""Of the images that a judge is trained on, or tested on, at most: a quarter of a gigabyte."""
MIN_ROWS = 32
"""Examples, other than images, without which no judge is made of them."""


@dataclass(frozen=True)
class Choice:
    """The judge of some data, or why there is none."""

    judge: Judge | None
    missing: str = ""
    """Why there is none, in words, where one would be needed to say whether samples are like the data."""


NO_JUDGE = Choice(None, "the run had no judge (--no-judge; `sparring measure` uses one)")


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
    """The judge to measure with: the one called `name`, or by default the one that `choose_judge` chooses.

    Raises:
        UsageError: As for `judge_of`.
        SparringError: "inception" was asked for and is not installed, or its weights cannot be downloaded.
    """
    if name == INCEPTION:
        return _fitting(inception(), data)
    if name == f"{OWN}{INDEPENDENT}":
        return _trained(*images_for_judge(data, data_dir), is_independent=True)
    if name == OWN:
        source = data.open(data_dir, "cpu")
        return _trained(*images_for_judge(data, data_dir, source)) if is_seen(data) else _of_rows(data, source).judge
    if name is not None:
        return judge_of(data, name)
    choice = choose_judge(data, data_dir)
    if choice.missing:
        say(f"{choice.missing}: only metrics of the examples themselves are measured")
    return choice.judge


def choose_judge(data: Dataset, data_dir: Path | None = None, source: Source | None = None) -> Choice:
    """The judge of a data set: a shipped one; else for images one trained on them, for other examples fixed features.

    Data whose modes or whose target are known need none: its own metrics say how near samples are.

    Args:
        data: The data set.
        data_dir: Where data sets are kept.
        source: The same, opened; it is opened where it is not given.
    """
    shipped = judge_of(data)
    if shipped is not None:
        return Choice(shipped if shipped.accepts(data.shape) else None)
    if data.modes or data.target is not None:
        return Choice(None)
    source = source or data.open(data_dir, "cpu")
    if not is_seen(data):
        return _of_rows(data, source)
    training, test = images_for_judge(data, data_dir, source)
    if len(training.pixels) < MIN_IMAGES:
        count = len(training.pixels) + len(test.pixels)
        return Choice(None, f"{count:,} images are too few to train a judge on ({2 * MIN_IMAGES} are needed)")
    return Choice(_trained(training, test))


def independent_judge(data: Dataset, data_dir: Path | None = None, source: Source | None = None) -> Judge | None:
    """The judge that results on this data are reported by, and that no setting was chosen with; see `choose_judge`.

    None for data that is compared without a trained judge, and for images that are too few to train one on.
    """
    shipped = judge_of(data)
    if shipped is not None:
        return judge(f"{shipped.name}{INDEPENDENT}") if shipped.accepts(data.shape) else None
    if data.modes or data.target is not None or not is_seen(data):
        return None
    training, test = images_for_judge(data, data_dir, source or data.open(data_dir, "cpu"))
    return _trained(training, test, is_independent=True) if len(training.pixels) >= MIN_IMAGES else None


def is_seen(data: Dataset) -> bool:
    """Whether examples are images that are large enough for a judge that is trained."""
    return len(data.shape) == 3 and min(data.shape[1:]) >= MIN_SIDE


def images_for_judge(
    data: Dataset, data_dir: Path | None, source: Source | None = None
) -> tuple[LabeledImages, LabeledImages]:
    """Images that a judge of this data is trained on, and images that it is then tested on.

    Of data without a held-out part it is trained on one half, so that the held-out examples of the real-data baseline
    are as new to the judge as what a generator makes.
    """
    source = source or data.open(data_dir, "cpu")
    if not isinstance(source, Images):
        return _images_drawn(data, source)
    pixels, labels = source.pixels.cpu().numpy(), source.labels
    if labels is None and source.read_labels is not None:
        labels = source.read_labels()
    images, order = LabeledImages(pixels, labels), np.random.default_rng(0).permutation(len(pixels))
    split = len(order) // 2 if data.held_out(data_dir) is None else 4 * len(order) // 5
    fit = max(MIN_IMAGES, MAX_NUMBERS // pixels[0].size)
    return images.select(order[:split][: min(MAX_TRAINING, fit)]), images.select(order[split:][: min(MAX_TEST, fit)])


def _images_drawn(data: Dataset, source: Source) -> tuple[LabeledImages, LabeledImages]:
    once = one_pass(data, source)
    if once is not None:
        half = len(once) // 2
        return LabeledImages(to_pixels(once[:half]), None), LabeledImages(to_pixels(once[half:]), None)
    images = LabeledImages(*drawn_images(data, source, MAX_TRAINING + MAX_TEST))
    indices = np.arange(MAX_TRAINING + MAX_TEST)
    return images.select(indices[:MAX_TRAINING]), images.select(indices[MAX_TRAINING:])


def _trained(training: LabeledImages, test: LabeledImages, is_independent: bool = False) -> Judge:
    with threads_set(idle_cores()):
        return own_judge(training, test, is_independent)


def _of_rows(data: Dataset, source: Source) -> Choice:
    """Of examples that are no images, or tiny ones: the first half of them scales the features."""
    if isinstance(source, Images):
        pixels = source.pixels.cpu().numpy()
        half = np.random.default_rng(0).permutation(len(pixels))[: len(pixels) // 2]
        examples = pixels[half[:MAX_FITTED]].astype(np.float32) / 255
    else:
        once = one_pass(data, source)
        examples = once[: len(once) // 2] if once is not None else first_draws(data, source, MAX_FITTED)
    if len(examples) < MIN_ROWS // 2:
        return Choice(None, f"{2 * len(examples):,} examples are too few to compare samples with ({MIN_ROWS} needed)")
    return Choice(fixed_judge(examples))


def _fitting(chosen: Judge, data: Dataset) -> Judge:
    if not chosen.accepts(data.shape):
        raise UsageError(chosen.refusal(data.shape))
    return chosen
