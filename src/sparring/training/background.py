"""Training in a process of its own, which lives on when the one that started it ends."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from sparring.errors import UsageError
from sparring.recipe import Recipe
from sparring.record import RunFolder

ENDED_WELL = (0, 130)
"""Exit statuses of a training that came to its end, or was asked to stop."""
MAX_SAID = 4_000
"""Bytes of what a process said last that are kept in mind."""


@dataclass
class Background:
    """A training process, and what it says."""

    run: RunFolder
    process: subprocess.Popen[bytes]
    said: IO[bytes]
    ended: float | None = field(default=None, init=False)
    """When the process ended; None while it runs."""

    def __post_init__(self) -> None:
        threading.Thread(target=self._await_end, daemon=True).start()

    def _await_end(self) -> None:
        self.process.wait()
        self.ended = time.time()

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self.process.poll() is None

    @property
    def problem(self) -> str:
        """Why it ended, in one line; empty while it runs, where it ended well, and where it was asked to stop."""
        if self.process.poll() in (None, *ENDED_WELL):
            return ""
        self.said.seek(0, 2)
        self.said.seek(max(0, self.said.tell() - MAX_SAID))
        lines = self.said.read().decode(errors="replace").split("\n")
        ours = [line.removeprefix("sparring: ") for line in lines if line.startswith("sparring: ")]
        return ours[-1] if ours else f"training ended with status {self.process.returncode}"


def start(recipe: Recipe, out: Path, compile: bool | None = None, minutes: float | None = None) -> Background:
    """Train a recipe in the folder `out`, which must not exist or be empty, in a new process.

    Args:
        recipe: What to train.
        out: The run's folder.
        compile: Whether to compile the training step first; by the run's length for None.
        minutes: In place of the recipe's rounds, as of `train`.
    """
    run = RunFolder(out)
    if run.exists or (out.exists() and any(out.iterdir())):
        raise UsageError(f"{out} exists; choose another name")
    run.create(recipe.to_json())
    return go_on(run, compile, minutes)


def go_on(run: RunFolder, compile: bool | None = None, minutes: float | None = None) -> Background:
    """Train a run on from where it is, in a new process; `compile` and `minutes` are as of `start`.

    Raises:
        UsageError: Its recipe came from a file of Python, which opening a page must not execute.
    """
    refuse_own_code(run.recipe, run.path)
    folder = str(run.path.resolve())
    command = [sys.executable, "-m", "sparring", "train", "--from", folder, "--out", folder]
    command += [] if compile is None else ["--compile" if compile else "--no-compile"]
    command += [] if minutes is None else ["--minutes", f"{minutes}"]
    said = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process is looked after
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said, start_new_session=True
    )
    return Background(run, process, said)


def refuse_own_code(recipe: Mapping[str, Any], path: Path) -> None:
    """Raises UsageError for a recipe with code of somebody's own: a folder may have come from a stranger."""
    if recipe.get("origin"):
        raise UsageError(
            f"the recipe of {path.name} comes from a file of Python, {recipe['origin']['file']}, which is executed: "
            f"type `sparring train --from {path} --out {path}` in a terminal if you trust it"
        )
