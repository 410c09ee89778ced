"""Judges of a user's own data, trained on the spot and kept in the user's cache.

A judge lies there under a hash of all that decides it: the pictures, their classes and how it learns. Its name is a
hash of its weights, because figures through other weights, from another machine say, are other figures.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import torch

from sparring import judges
from sparring.errors import SparringError, UsageError
from sparring.judges import own_training
from sparring.judges.network import MIN_SIDE, JudgeNetwork
from sparring.judges.own_training import learnt, lesson_for
from sparring.judges.treatments import treatments
from sparring.progress import progress, say
from sparring.record import one_process_at_a_time, write_atomically

MIN_IMAGES = 64
"""Pictures without which nothing is learnt."""
MAX_TRAINING, MAX_TEST = 8_192, 4_096
"""Pictures that are worth learning from, and asking of afterwards, at most."""
ENOUGH = 20
"""Pictures that a class needs to be learnt."""
COVERED = 0.9
"""Share of the pictures that must be of such classes."""
FORMAT = 1
"""Of what is kept and of how it was learnt; another number trains every judge anew."""


@dataclass(frozen=True)
class LabeledImages:
    """`pixels` is uint8 `(N, C, H, W)`; `labels` int `(N,)`, or None where the data tells no classes."""

    pixels: np.ndarray
    labels: np.ndarray | None

    def select(self, indices: np.ndarray) -> LabeledImages:
        """Those of these indices."""
        return LabeledImages(self.pixels[indices], None if self.labels is None else self.labels[indices])


def own(learn: LabeledImages, ask: LabeledImages) -> judges.Judge:
    """The judge that learns from some pictures and is then asked of others; the one in the cache if it is there.

    Raises UsageError for pictures that are too few or too small.
    """
    count, shape = len(learn.pixels), learn.pixels.shape[1:]
    if not can_be_taught(count, shape):
        raise UsageError(
            f"a judge cannot be trained on {count:,} images of {shape}: "
            f"it takes at least {MIN_IMAGES} of at least {MIN_SIDE}x{MIN_SIDE} pixels"
        )
    place = _place(learn, ask)
    with one_process_at_a_time(place, "the judge") as may_keep:
        held = _kept(place)
        if held is None:
            network, facts = _made(learn, ask)
            if may_keep:
                _keep(network, facts, place)
            held = judges.Judge(facts["name"], network, tuple(shape), facts)
    return held


def can_be_taught(count: int, shape: tuple[int, ...]) -> bool:
    """Whether so many pictures `(C, H, W)` are enough, and large enough."""
    return len(shape) == 3 and count >= MIN_IMAGES and min(shape[1:]) >= MIN_SIDE


def tells_classes(labels: np.ndarray | None) -> bool:
    """Whether there are at least two classes with enough pictures, and few pictures of others."""
    if labels is None or not len(labels):
        return False
    counts = np.bincount(labels)
    large = counts[counts >= ENOUGH]
    return len(large) > 1 and bool(large.sum() >= COVERED * len(labels))


def _made(learn: LabeledImages, ask: LabeledImages) -> tuple[JudgeNetwork, dict[str, Any]]:
    if ask.labels is not None and tells_classes(learn.labels) and tells_classes(ask.labels):
        network, facts = _taught(learn, ask)
        commonest = float(np.bincount(ask.labels).max() / len(ask.labels))
        # Two standard errors above naming the commonest: folders named by date or by camera are no classes.
        if facts["accuracy"] > commonest + 2 * (commonest * (1 - commonest) / len(ask.labels)) ** 0.5:
            return network, facts
        say(f"the images do not tell their classes ({facts['accuracy']:.0%} of held-out ones are named rightly)")
    return _taught(LabeledImages(learn.pixels, None), LabeledImages(ask.pixels, None))


def _taught(learn: LabeledImages, ask: LabeledImages) -> tuple[JudgeNetwork, dict[str, Any]]:
    """A judge and what is known of it, both as they will be kept: in half precision."""
    count, shape = len(learn.pixels), learn.pixels.shape[1:]
    lesson = lesson_for(count, shape)
    how = "without classes" if learn.labels is None else f"and their {len(np.unique(learn.labels))} classes"
    title = f"training a judge on {count:,} images {how}; it is kept for the next time"
    with progress(title, lesson.epochs * (count // lesson.batch)) as tell:
        network, found = learnt(learn.pixels, learn.labels, ask.pixels, lesson, lambda step, *_: tell(step))
    network.load_state_dict({n: torch.from_numpy(w) for n, w in judges.kept(network).items()}, strict=False)
    right = None if ask.labels is None else _accuracy(network, ask)
    facts = {
        "name": f"own:{_digest(network)}",
        "shape": list(shape),
        "classes": network.name.out_features,
        "accuracy": right,
        "words": _words(count, right, found, len(treatments(shape))),
        "trained_on": count,
        "held_out": len(ask.pixels),
        "treatments_found": found,
        "parameters": sum(p.numel() for p in network.parameters()),
        "lesson": asdict(lesson),
    }
    return network.requires_grad_(False), facts


def _words(count: int, right: float | None, found: float, ways: int) -> str:
    """What to say of it in one clause."""
    if right is not None:
        return f"trained on {count:,} of these images and their classes, {right:.1%} right on held-out ones"
    told = f"names what was done to {found:.0%} of held-out ones, of {ways} treatments"
    return f"trained on {count:,} of these images without classes, {told}"


@torch.no_grad()
def _accuracy(network: JudgeNetwork, ask: LabeledImages) -> float:
    """Share of pictures whose class it names."""
    scores = torch.cat([network(part.float() / 255)[1] for part in torch.from_numpy(ask.pixels).split(1_000)])
    return float((scores.argmax(1).numpy() == ask.labels).mean())


def _digest(network: JudgeNetwork) -> str:
    """Eight hexadecimal digits that depend on every weight."""
    digest = hashlib.blake2b(digest_size=4)
    for name, array in sorted(judges.kept(network).items()):
        digest.update(name.encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


# The cache.


def _place(learn: LabeledImages, ask: LabeledImages) -> Path:
    import pooch

    lesson = lesson_for(len(learn.pixels), learn.pixels.shape[1:])
    constants = {name: value for name, value in vars(own_training).items() if name.isupper()}
    decided_by = [FORMAT, asdict(lesson), constants, ENOUGH, COVERED, learn.pixels.shape, ask.pixels.shape]
    digest = hashlib.blake2b(json.dumps(decided_by).encode(), digest_size=12)
    for array in (learn.pixels, learn.labels, ask.pixels, ask.labels):
        digest.update(b"-" if array is None else np.ascontiguousarray(array).data)
    return Path(pooch.os_cache("sparring")) / "judges" / f"{digest.hexdigest()}.safetensors"


def _kept(place: Path) -> judges.Judge | None:
    """The judge that is kept there; None where there is none, or none that is whole, which is said."""
    if not place.exists():
        return None
    try:
        held = judges.read(place)
        network = held.network
        if isinstance(network, JudgeNetwork) and held.name == f"own:{_digest(network)}":
            return held
    except (OSError, safetensors.SafetensorError, KeyError, ValueError, TypeError, RuntimeError):
        pass
    say(f"the judge in {place} is damaged: it is trained again")
    return None


def _keep(network: JudgeNetwork, facts: dict[str, Any], place: Path) -> None:
    try:
        write_atomically(place, lambda path: judges.write(network, path, facts))
    except SparringError as error:
        say(f"the judge is not kept, it will be trained again next time: {error}")
