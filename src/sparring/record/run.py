"""The run folder: which file is where, and how each is written so that killing the process at any instant leaves a
folder that opens and resumes. A file appears under its name only when it is whole and on the disk."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from filelock import FileLock, Timeout

from sparring.errors import SparringError
from sparring.record import legacy
from sparring.record.journal import Journal, replay, saving
from sparring.record.story import Story

MEASURES = "measures.json"
KEPT_CHECKPOINTS = 2
"""Checkpoints kept: the newest, and the one before it in case the newest cannot be read."""


class Run:
    """The folder at `path`, which may not exist yet."""

    def __init__(self, path: str | Path):
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @classmethod
    def open(cls, path: str | Path) -> Run:
        """A folder that holds a run. Raises SparringError when it does not."""
        run = cls(path)
        if not run.path.exists():
            raise SparringError(f"{path} does not exist; `sparring train RECIPE --out {path}` would make it")
        if not run.exists:
            raise SparringError(f"{path} is not a run: it has no recipe.json")
        return run

    @property
    def exists(self) -> bool:
        return (self.path / "recipe.json").is_file()

    @property
    def shards(self) -> Path:
        """Where the shards lie of a run whose members are trained by several processes."""
        old = self.path / legacy.SHARDS
        return old if old.is_dir() else self.path / "shards"

    @property
    def sharded(self) -> bool:
        """Whether several processes train this run's members."""
        return self.shards.is_dir()

    @property
    def is_blank(self) -> bool:
        """Whether the folder holds nothing, or no more than a run that was killed before its recipe was written."""
        return all(path.name == ".recipe.json.partial" for path in self.path.iterdir())

    def create(self, recipe_json: str) -> None:
        """Make the folder and write what decides the run, which comes first: without it the folder is no run."""
        self.write_text("recipe.json", recipe_json)
        with saving(self.path):
            for folder in ("weights", "samples", "figures"):
                (self.path / folder).mkdir(parents=True, exist_ok=True)

    @property
    def recipe_json(self) -> str:
        return (self.path / "recipe.json").read_text(encoding="utf-8")

    @property
    def recipe(self) -> dict[str, Any]:
        """The recipe as plain data. Raises SparringError when the file is damaged."""
        try:
            return legacy.recipe(json.loads(self.recipe_json))
        except ValueError as error:
            raise SparringError(f"{self.path / 'recipe.json'} is not JSON ({error})") from error

    @property
    def journal(self) -> Journal:
        return Journal(self.path / "journal.jsonl")

    @property
    def story(self) -> Story:
        return Story(self.recipe, replay(self.path / "journal.jsonl"))

    @property
    def about(self) -> dict[str, Any]:
        try:
            return legacy.about(json.loads((self.path / "about.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}

    @property
    def measures(self) -> dict[str, Any] | None:
        """What `sparring measure` last wrote, as plain data, or None. Raises SparringError when the file is damaged."""
        path = self.path / MEASURES
        try:
            return legacy.measures(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError) as error:
            raise SparringError(f"{path} is not a measurement ({error}): measure the run again") from error

    def write_text(self, name: str, text: str) -> Path:
        return self.write(name, lambda path: path.write_text(text, encoding="utf-8"))

    def write(self, name: str, put: Callable[[Path], object]) -> Path:
        """`put` a file in the run's folder; see `write_whole`."""
        return write_whole(self.path / name, put)

    def save(self, round: int, state: Mapping[str, np.ndarray]) -> Path:
        """A checkpoint: the state after `round` rounds. Older ones but KEPT_CHECKPOINTS go once it is safe."""
        data = {name: np.asarray(array, order="C") for name, array in state.items()}
        facts = {"round": str(round), "format": "sparring 1"}
        path = self.write(f"weights/round-{round:09d}.safetensors", lambda p: _save_arrays(data, p, facts))
        for old in self.checkpoints()[:-KEPT_CHECKPOINTS]:
            old.unlink(missing_ok=True)
        return path

    def save_best(self, round: int, state: Mapping[str, np.ndarray]) -> Path:
        """A checkpoint that stays until a better one comes."""
        data = {name: np.asarray(array, order="C") for name, array in state.items()}
        facts = {"round": str(round), "format": "sparring 1"}
        path = self.write(f"weights/best-round-{round:09d}.safetensors", lambda p: _save_arrays(data, p, facts))
        for old in (self.path / "weights").glob("best-*.safetensors"):
            if old != path:
                old.unlink(missing_ok=True)
        return path

    @property
    def best(self) -> Path | None:
        """The checkpoint of the round at which samples were nearest to the data, of those looked at."""
        held = sorted((self.path / "weights").glob("best-*.safetensors"))
        return held[-1] if held else None

    def checkpoints(self) -> list[Path]:
        """Checkpoint files, oldest first."""
        return sorted((self.path / "weights").glob("round-*.safetensors"))

    def load(self, prefix: str = "", best: bool = False) -> tuple[int, dict[str, np.ndarray]] | None:
        """The newest readable checkpoint: its round and the arrays whose name starts with `prefix`; None if none is.

        With `best`, the best one instead. Raises SparringError when there are checkpoints but none can be read.
        """
        problems: list[str] = []
        held = ([self.best] if self.best else []) if best else list(reversed(self.checkpoints()))
        for path in held:
            try:
                with safetensors.safe_open(path, framework="numpy") as file:
                    names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118 - no __iter__
                    return int((file.metadata() or {})["round"]), {name: file.get_tensor(name) for name in names}
            except (safetensors.SafetensorError, KeyError, ValueError, OSError) as error:
                problems.append(f"{path.name}: {error}")
        if problems:
            raise SparringError(f"no checkpoint in {self.path / 'weights'} can be read ({'; '.join(problems)})")
        return None


def write_whole(path: Path, put: Callable[[Path], object]) -> Path:
    """`put` a file beside `path`, then let it appear there, whole and on the disk.

    Raises SparringError when the disk refuses; what was there before stays.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with saving(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            put(partial)
            with partial.open("rb+") as file:
                os.fsync(file.fileno())
            partial.replace(path)
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
    return path


def _save_arrays(data: Mapping[str, np.ndarray], path: Path, facts: dict[str, str]) -> None:
    try:
        safetensors.numpy.save_file(dict(data), path, metadata=facts)
    except safetensors.SafetensorError as error:
        # safetensors reports the disk's refusals in its own error; the number is the operating system's.
        code = next((int(w.rstrip(")")) for w in str(error).split() if w.rstrip(")").isdigit()), 0)
        raise OSError(code, os.strerror(code) if code else str(error)) from error


@contextmanager
def alone(place: Path, what: str) -> Generator[bool]:
    """One process at a time makes `what` is kept at `place`; the others wait. Yields whether it can be kept there."""
    from sparring.progress import say

    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(place.with_suffix(".lock"))
        lock.acquire()
    except OSError as error:
        say(f"{what} cannot be kept in {place.parent} ({error.strerror})")
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Only one process trains in a folder. The lock goes with its process, however that ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=0)
    try:
        with lock:
            yield
    except Timeout as error:
        raise SparringError(f"another process is training in {path}") from error
