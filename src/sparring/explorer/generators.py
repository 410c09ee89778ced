"""What pages keep of generators: those that were steered last, and the training images of their runs."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sparring.analysis.latent_tools.explored import Direction, Explored, found_directions
from sparring.analysis.latent_tools.training_images import TrainingImages
from sparring.errors import SparringError
from sparring.explorer.session import Session
from sparring.explorer.tasks import answer_file, answer_of
from sparring.record import RunFolder
from sparring.training.background import refuse_own_code

MAX_KEPT, MAX_DATA = 6, 2
"""Generators and data sets that stay in memory; what was asked for longest ago goes first."""


class Generators:
    """Shared by all windows. Nothing of it executes code that a run brought along."""

    def __init__(self, session: Session):
        self.session = session
        self._kept: OrderedDict[tuple[Any, ...], tuple[Explored, threading.RLock]] = OrderedDict()
        self._data: OrderedDict[Path, TrainingImages] = OrderedDict()
        self._lock, self._loading = threading.Lock(), threading.Lock()

    @contextmanager
    def of(self, run: RunFolder, seed: int, round: int | None) -> Generator[Explored]:
        """A member's generator that no other thread uses meanwhile.

        Raises SparringError where there is none, and UsageError where reading it would execute a file.
        """
        refuse_own_code(run.recipe, run.path)
        saved = run.rounds_saved()
        at = max(saved, default=None) if round is None else round
        # A run that was taken back and trained again has another generator of the same round.
        weights = _version(saved[at]) if at in saved else None
        key = run.path, seed, at, weights, _version(answer_file(run, "directions"))
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
        if key not in self._kept:
            with self._loading:
                if round is not None and round not in saved:
                    raise SparringError(f"{run.path.name} has no checkpoint of round {round:,}")
                explored = Explored(run, seed, round)
                explored.directions = directions_of(run, seed, explored.size)
                with self._lock:
                    self._kept[key] = explored, threading.RLock()
                    while len(self._kept) > MAX_KEPT:
                        self._kept.popitem(last=False)
        with self._lock:
            explored, lock = self._kept[key]
        with lock:
            yield explored

    def training_images(self, run: RunFolder, explored: Explored) -> TrainingImages:
        """The data of a run. Raises SparringError where they are not at hand, or are no images."""
        with self._loading:
            if run.path not in self._data:
                self._data[run.path] = TrainingImages(explored.recipe.data)
                while len(self._data) > MAX_DATA:
                    self._data.popitem(last=False)
            return self._data[run.path]


def directions_of(run: RunFolder, seed: int, size: int) -> list[Direction]:
    """The directions that were found in a member; none where nobody looked for them."""
    return found_directions(answer_of(run, "directions"), seed, size)


def _version(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size
