"""TensorBoard."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sparring.errors import SparringError
from sparring.record import RunFolder
from sparring.training.loggers import Logger


class TensorBoard(Logger):
    """Event files for `tensorboard --logdir RUN/tensorboard`.

    Raises:
        SparringError: TensorBoard is not installed.
    """

    def __init__(self, run: RunFolder, folder: Path | None = None):
        try:
            self._open: Any = importlib.import_module("torch.utils.tensorboard").SummaryWriter
        except ImportError as error:
            raise SparringError("logging to TensorBoard needs it: pip install 'sparring[track]'") from error
        self._folder = folder or run.path / "tensorboard"
        self._has_earlier = any(self._folder.glob("events.out.tfevents.*"))
        self._writer = self._open(str(self._folder))

    @property
    def has_earlier(self) -> bool:
        return self._has_earlier

    def forget_after(self, round: int) -> None:
        self._writer.close()
        self._writer = self._open(str(self._folder), purge_step=round + 1)

    def scalar(self, name: str, value: float, step: int) -> None:
        self._writer.add_scalar(name, value, step)

    def picture(self, name: str, path: Path, step: int) -> None:
        with Image.open(path) as image:
            self._writer.add_image(name, np.asarray(image.convert("RGB")), step, dataformats="HWC")

    def text(self, name: str, text: str, step: int) -> None:
        self._writer.add_text(name, text, step)

    def close(self) -> None:
        self._writer.close()
