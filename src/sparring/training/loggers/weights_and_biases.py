"""Weights & Biases."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from sparring.errors import SparringError
from sparring.record import RunFolder
from sparring.training.loggers import Logger


class WeightsAndBiases(Logger):
    """A run of Weights & Biases, offline unless WANDB_MODE says otherwise; `wandb sync` sends it.

    Raises:
        SparringError: wandb is not installed.
    """

    def __init__(self, run: RunFolder, folder: Path | None = None):
        try:
            self._wandb: Any = importlib.import_module("wandb")
        except ImportError as error:
            raise SparringError("logging to Weights & Biases needs it: pip install 'sparring[track]'") from error
        import os

        home = folder or run.path
        self._has_earlier = any((home / "wandb").glob("*run-*"))
        self._run = self._wandb.init(
            project="sparring",
            name=run.path.name,
            dir=str(home),
            config=run.recipe,
            mode=os.environ.get("WANDB_MODE", "offline"),
        )

    @property
    def has_earlier(self) -> bool:
        return self._has_earlier

    def forget_after(self, round: int) -> None:
        """Nothing: what Weights & Biases was sent stays. A session is a run of its own there."""

    def scalar(self, name: str, value: float, step: int) -> None:
        self._run.log({name: value, "round": step})

    def picture(self, name: str, path: Path, step: int) -> None:
        self._run.log({name: self._wandb.Image(str(path)), "round": step})

    def text(self, name: str, text: str, step: int) -> None:
        self._run.log({name: self._wandb.Html(text), "round": step})

    def close(self) -> None:
        self._run.finish()
