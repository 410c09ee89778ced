"""Judges of a user's own data, trained on the spot and cached: one that runs are watched with, one that reports them.

A judge is cached under a hash of everything that decides it: the images, their classes and the training settings. Its
name is a hash of its weights, because values measured with other weights, from another machine say, are not comparable.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import torch
from torch import nn

from sparring import judges
from sparring.errors import SparringError, UsageError
from sparring.judges import independent, own_training
from sparring.judges.independent import train_independent_judge
from sparring.judges.network import MIN_SIDE
from sparring.judges.own_training import settings_for, train_own_judge
from sparring.judges.training import TrainingSettings
from sparring.judges.treatments import treatments
from sparring.progress import progress, say
from sparring.record import one_process_at_a_time, write_atomically

MIN_IMAGES = 64
"""Images without which no judge is trained."""
MAX_TRAINING, MAX_TEST = 8_192, 4_096
"""Images that a judge is trained on and tested on, at most."""
MIN_OF_CLASS = 20
"""Images that a class must have."""
COVERED = 0.9
"""Share of the images that must belong to such classes."""
OWN, INDEPENDENT = "own", "own-independent"
"""Their names, before a hash of the weights."""
FORMAT = 1
"""Version of the cached files and of the training; another number trains every judge anew."""


@dataclass(frozen=True)
class LabeledImages:
    """Images, and their classes where the data has any."""

    pixels: np.ndarray
    """uint8 `(N, C, H, W)`."""
    labels: np.ndarray | None
    """int `(N,)`; None for data without classes."""

    def select(self, indices: np.ndarray) -> LabeledImages:
        """Those of these indices."""
        return LabeledImages(self.pixels[indices], None if self.labels is None else self.labels[indices])


def own_judge(training: LabeledImages, test: LabeledImages, is_independent: bool = False) -> judges.Judge:
    """The judge that is trained on some images and tested on others; the cached one if there is one.

    Args:
        training: What it is trained on.
        test: What it is tested on.
        is_independent: Whether it is the one that results are reported by (`independent.py`).

    Raises:
        UsageError: The images are too few or too small.
    """
    count, shape = len(training.pixels), training.pixels.shape[1:]
    if not can_train_on(count, shape):
        raise UsageError(
            f"a judge cannot be trained on {count:,} images of {shape}: "
            f"it takes at least {MIN_IMAGES} of at least {MIN_SIDE}x{MIN_SIDE} pixels"
        )
    path = _cache_path(training, test, is_independent)
    with one_process_at_a_time(path, "the judge", say) as may_write:
        cached = _cached(path)
        if cached is not None:
            return cached
        network, facts = _train(training, test, is_independent)
        if may_write:
            _cache(network, facts, path)
        return judges.Judge(facts["name"], network, tuple(shape), facts)


def can_train_on(count: int, shape: tuple[int, ...]) -> bool:
    """Whether so many images `(C, H, W)` are enough, and large enough."""
    return len(shape) == 3 and count >= MIN_IMAGES and min(shape[1:]) >= MIN_SIDE


def has_classes(labels: np.ndarray | None) -> bool:
    """Whether there are at least two classes with enough images, and few images of others."""
    if labels is None or not len(labels):
        return False
    counts = np.bincount(labels)
    large = counts[counts >= MIN_OF_CLASS]
    return len(large) > 1 and bool(large.sum() >= COVERED * len(labels))


def _train(training: LabeledImages, test: LabeledImages, is_independent: bool) -> tuple[nn.Module, dict[str, Any]]:
    """On the classes of the data where it has some that images show; else without."""
    if test.labels is not None and has_classes(training.labels) and has_classes(test.labels):
        network, facts = _train_on(training, test, is_independent)
        commonest = float(np.bincount(test.labels).max() / len(test.labels))
        # Two standard errors above always naming the commonest: folders named by date or by camera are no classes.
        if facts["accuracy"] > commonest + 2 * (commonest * (1 - commonest) / len(test.labels)) ** 0.5:
            return network, facts
        say(f"the images do not show their classes ({facts['accuracy']:.0%} of held-out ones are classified correctly)")
    return _train_on(LabeledImages(training.pixels, None), LabeledImages(test.pixels, None), is_independent)


def _train_on(training: LabeledImages, test: LabeledImages, is_independent: bool) -> tuple[nn.Module, dict[str, Any]]:
    """A judge and what is known of it, both as they are cached: in half precision."""
    count, shape, labels = len(training.pixels), training.pixels.shape[1:], training.labels
    settings = _settings(count, shape, is_independent)
    which = "an independent judge" if is_independent else "a judge"
    how = "without classes" if labels is None else f"and their {len(np.unique(labels))} classes"
    title = f"training {which} on {count:,} images {how}, once for this data"
    with progress(title, settings.epochs * (count // settings.batch), with_estimate=True) as advance:
        if is_independent:
            network = train_independent_judge(training.pixels, labels, settings, lambda step, *_: advance(step))
            recognized = None
        else:
            network, recognized = train_own_judge(
                training.pixels, labels, test.pixels, settings, lambda step, *_: advance(step)
            )
    half = judges.half_precision(network)
    network.load_state_dict({name: torch.from_numpy(array) for name, array in half.items()}, strict=False)
    accuracy = None if test.labels is None else _accuracy(network, test)
    facts = {
        "name": f"{INDEPENDENT if is_independent else OWN}:{_digest(network)}",
        "shape": list(shape),
        "classes": network.name.out_features,
        "accuracy": accuracy,
        "words": _words(count, accuracy, recognized, len(treatments(shape))),
        "trained_on": count,
        "held_out": len(test.pixels),
        "parameters": sum(p.numel() for p in network.parameters()),
        "lesson": asdict(settings),
        **({"architecture": "residual", "features": network.features} if is_independent else {}),
        **({} if recognized is None else {"treatments_found": recognized}),
    }
    return network.requires_grad_(False), facts


def _settings(count: int, shape: tuple[int, ...], is_independent: bool) -> TrainingSettings:
    settings = settings_for(count, shape)
    return replace(settings, lr=independent.LR, seed=independent.SEED) if is_independent else settings


def _words(count: int, accuracy: float | None, recognized: float | None, total: int) -> str:
    """What to say of it in one clause."""
    if accuracy is not None:
        return f"trained on {count:,} of these images and their classes, {accuracy:.1%} accurate on held-out ones"
    if recognized is None:
        return f"trained on {count:,} of these images without classes, to recognize crops of one image"
    how_well = f"recognizes the treatment of {recognized:.0%} of held-out ones, out of {total} treatments"
    return f"trained on {count:,} of these images without classes, {how_well}"


@torch.no_grad()
def _accuracy(network: nn.Module, test: LabeledImages) -> float:
    """Share of images that are classified correctly."""
    scores = torch.cat([network(part.float() / 255)[1] for part in torch.from_numpy(test.pixels).split(1_000)])
    return float((scores.argmax(1).numpy() == test.labels).mean())


def _digest(network: nn.Module) -> str:
    """Eight hexadecimal digits that depend on every weight."""
    digest = hashlib.blake2b(digest_size=4)
    for name, array in sorted(judges.half_precision(network).items()):
        digest.update(name.encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


# The cache.


def _cache_path(training: LabeledImages, test: LabeledImages, is_independent: bool) -> Path:
    import pooch

    settings = _settings(len(training.pixels), training.pixels.shape[1:], is_independent)
    how = independent if is_independent else own_training
    constants = {name: value for name, value in vars(how).items() if name.isupper()}
    decided_by = [FORMAT, asdict(settings), constants, MIN_OF_CLASS, COVERED, training.pixels.shape, test.pixels.shape]
    digest = hashlib.blake2b(json.dumps(decided_by).encode(), digest_size=12)
    for array in (training.pixels, training.labels, test.pixels, test.labels):
        digest.update(b"-" if array is None else np.ascontiguousarray(array).data)
    return Path(pooch.os_cache("sparring")) / "judges" / f"{digest.hexdigest()}.safetensors"


def _cached(path: Path) -> judges.Judge | None:
    """The judge in that file; None where there is none, or where it is damaged, which is reported."""
    if not path.exists():
        return None
    try:
        cached = judges.read(path)
        if cached.name.rpartition(":")[2] == _digest(cached.network):
            return cached
    except (OSError, safetensors.SafetensorError, KeyError, ValueError, TypeError, RuntimeError):
        pass
    say(f"the judge in {path} is damaged: it is trained again")
    return None


def _cache(network: nn.Module, facts: dict[str, Any], path: Path) -> None:
    try:
        write_atomically(path, lambda temporary: judges.write(network, temporary, facts))
    except SparringError as error:
        say(f"the judge cannot be cached, so it will be trained again next time: {error}")
