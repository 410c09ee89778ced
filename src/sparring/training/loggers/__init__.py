"""Other people's loggers: a run's journal, mirrored to TensorBoard or Weights & Biases while it grows.

A mirror reads the journal, and so it serves a run of `train`, a watched loop, and a run that is long over.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

from sparring.analysis.diagnosis import diagnosis, story_of
from sparring.errors import UsageError
from sparring.record import RunFolder
from sparring.record.journal import Event
from sparring.record.members import names_of
from sparring.record.story import CURVES, GRADIENTS

NAMES = ("tensorboard", "wandb")


class Logger(ABC):
    """Where a mirror writes to."""

    @abstractmethod
    def scalar(self, name: str, value: float, step: int) -> None:
        """One number of one member."""

    @abstractmethod
    def picture(self, name: str, path: Path, step: int) -> None:
        """A grid of samples, a PNG file."""

    @abstractmethod
    def text(self, name: str, text: str, step: int) -> None:
        """A finding."""

    @abstractmethod
    def close(self) -> None:
        """Write what is left."""


class Mirror:
    """Copies what is new in a run's journal to a logger, each time it is called.

    It is a watcher of `train`: `train(recipe, out, watchers=[mirror("tensorboard")])`.

    Args:
        open_logger: Makes the logger of a run's folder.
    """

    def __init__(self, open_logger: Callable[[RunFolder], Logger]):
        self._open_logger = open_logger
        self._logger: Logger | None = None
        self._read, self._said = 0, ""

    def __call__(self, trainer: Any) -> None:
        """Watch a training."""
        self.update(trainer.run)

    def update(self, run: RunFolder) -> None:
        """Mirror what is new in the journal of a run."""
        logger = self._logger = self._logger or self._open_logger(run)
        path = run.path / "journal.jsonl"
        if not path.is_file():
            return
        with path.open("rb") as file:
            file.seek(self._read)
            lines = file.read().splitlines(keepends=True)
        for line in lines:
            if not line.endswith(b"\n"):
                break  # it is still being written
            self._read += len(line)
            event = json.loads(line)
            if event["event"] == "log":
                self._mirror(logger, run, event)

    def close(self, run: RunFolder) -> None:
        """Mirror the rest, and the run's diagnosis."""
        self.update(run)
        logger = self._logger
        if logger is not None:
            logger.text("diagnosis", diagnosis(story_of(run)).line, run.story.round)
            logger.close()

    def _mirror(self, logger: Logger, run: RunFolder, event: Event) -> None:
        seeds = names_of(run.recipe)
        for name in (*CURVES, *GRADIENTS):
            for round, row in zip(event["logged"], event.get(name, ()), strict=False):
                self._row(logger, name, row, seeds, round)
        for name, row in event.get("metrics", {}).items():
            self._row(logger, f"metrics/{name}", row, seeds, event["round"])
        if "picture" in event:
            logger.picture("samples", run.path / event["picture"], event["round"])
            line = diagnosis(story_of(run)).line
            if line != self._said:
                self._said = line
                logger.text("diagnosis", line, event["round"])

    @staticmethod
    def _row(logger: Logger, name: str, row: list[float | None], seeds: list[Any], round: int) -> None:
        for seed, value in zip(seeds, row, strict=True):
            if value is not None:
                logger.scalar(f"{name}/seed {seed}" if len(seeds) > 1 else name, value, round)


def mirror(name: str, folder: str | PathLike[str] | None = None) -> Mirror:
    """A mirror to a logger by its name.

    Args:
        name: `tensorboard` or `wandb`.
        folder: Where it writes; by default in the run's folder.

    Returns:
        A watcher for `train`; call its `close(run)` when the run is over.

    Raises:
        UsageError: There is no logger of that name.
        SparringError: Its package is not installed.
    """
    home = Path(folder) if folder is not None else None
    if name == "tensorboard":
        from sparring.training.loggers.tensorboard import TensorBoard

        return Mirror(lambda run: TensorBoard(run, home))
    if name == "wandb":
        from sparring.training.loggers.weights_and_biases import WeightsAndBiases

        return Mirror(lambda run: WeightsAndBiases(run, home))
    raise UsageError(f"there is no logger {name!r}; there are: {', '.join(NAMES)}")
