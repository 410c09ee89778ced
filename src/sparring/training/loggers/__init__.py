"""Other people's loggers: a run's journal, mirrored to TensorBoard or Weights & Biases while it grows.

A mirror reads the journal, and so it serves a run of `train`, a watched loop, and a run that is long over. It sends
what counts, and each round once: not what a kill or a rewind made void, and not what an earlier session has sent.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

from sparring.analysis.diagnosis import diagnosis, story_of
from sparring.errors import UsageError
from sparring.record import RunFolder
from sparring.record.following import Following
from sparring.record.journal import Event
from sparring.record.members import names_of
from sparring.record.story import CURVES, GRADIENTS

NAMES = ("tensorboard", "wandb")
NOTHING = -1
"""The round before the first one that is logged."""
RESTARTS = ("started", "resumed", "rewound")
"""Events after which later rounds are those that are played from then on."""


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

    @property
    @abstractmethod
    def has_earlier(self) -> bool:
        """Whether an earlier session wrote there already, as far as can be seen."""

    @abstractmethod
    def forget_after(self, round: int) -> None:
        """Hide what was sent of later rounds, which count no more, where the logger can do that."""


class Mirror:
    """Copies what is new in a run's journal to a logger, each time it is called.

    It is a watcher of `train`: `train(recipe, out, watchers=[mirror("tensorboard")])`.

    Args:
        open_logger: Makes the logger of a run's folder.
    """

    def __init__(self, open_logger: Callable[[RunFolder], Logger]):
        self._open_logger = open_logger
        self._logger: Logger | None = None
        self._following: Following | None = None
        self._said = ""

    def __call__(self, trainer: Any) -> None:
        """Watch a training; one that is resumed from where it goes on."""
        self._update(trainer.run, trainer.started_at if trainer.started_at > 0 else NOTHING)

    def update(self, run: RunFolder) -> None:
        """Mirror what is new in the journal of a run; the first time all that is in it."""
        self._update(run, NOTHING)

    def close(self, run: RunFolder) -> None:
        """Mirror the rest, and the run's diagnosis."""
        logger = self._update(run, NOTHING)
        logger.text("diagnosis", diagnosis(story_of(run)).line, run.story.round)
        logger.close()

    def _update(self, run: RunFolder, sent: int) -> Logger:
        """`sent` is the round up to which an earlier session has sent it, if one did; NOTHING sends all again."""
        logger, following = self._logger, self._following
        if logger is None or following is None:
            logger = self._logger = self._open_logger(run)
            following = self._following = Following(run.path / "journal.jsonl")
            behind = sent if logger.has_earlier else NOTHING
            if logger.has_earlier:
                logger.forget_after(behind)
            new = [event for event in following.read() if event.get("round", 0) > behind]
        else:
            generation = following.generation
            new = following.read()
            if following.generation != generation:
                again = [NOTHING if e["event"] == "started" else e["round"] for e in new if e["event"] in RESTARTS]
                if again:
                    logger.forget_after(min(again))
        for event in new:
            if event["event"] == "log":
                self._mirror(logger, run, event)
        return logger

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
