"""Folders that were opened to look at their runs: which runs are in them, and nothing outside is ever read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from sparring.errors import SparringError, UsageError
from sparring.record import legacy
from sparring.record.run import RunFolder

MAX_DEPTH = 6
"""Folders below an opened one in which runs are looked for."""
MAX_RUNS = 5_000
"""Runs of one opened folder; further ones are left out."""
PARTS = (
    *("recipe.json", "journal.jsonl", "about.json", "measures.json", "weights", "weights/kept", "samples"),
    *("shards", legacy.SHARDS),
    *("commands.jsonl", ".commands.lock", "moves.jsonl", "planes", "figures", "export"),
)
"""What is read or written of a run."""


class Opened:
    """Runs, and folders with runs, that a reader was allowed to see.

    A run has a key, its path below the opened folder, by which a stranger may ask for it. Keys are looked up among
    the runs that were found, so no key stands for what is outside. Links are followed only where they stay inside.
    """

    def __init__(self, paths: Sequence[Path]):
        """Raises UsageError where a path is no folder."""
        for path in paths:
            if not path.is_dir():
                raise UsageError(f"{path} is no folder: name runs, or a folder with runs")
        self.roots = [path.resolve() for path in paths]
        self._known: dict[str, Path] = {}

    def runs(self) -> dict[str, RunFolder]:
        """Every run by its key. It looks through the folders again."""
        # Replaced when it is whole, never filled in place: another thread may be looking a run up meanwhile.
        known = {self._key(root, path): path for root in self.roots for path in _runs_below(root)}
        self._known = known
        return {key: RunFolder(path) for key, path in known.items()}

    def find(self, key: str) -> RunFolder | None:
        """The run of this key; None where there is none."""
        path = self._known.get(key)
        if path is not None and (path / "recipe.json").is_file():
            return RunFolder(path)
        return self.runs().get(key)

    def add(self, path: Path) -> str:
        """Open the folder of one more run, which may not exist yet. Returns its key."""
        path = path.resolve()
        if not any(path.is_relative_to(root) for root in self.roots):
            self.roots.append(path)
        return self.key_of(path) or path.name

    def key_of(self, path: Path) -> str | None:
        """The key of the run in a folder, which may not exist yet; None for one outside."""
        path = path.resolve()
        root = next((root for root in self.roots if path.is_relative_to(root)), None)
        return None if root is None else self._key(root, path)

    def file(self, run: RunFolder, name: str) -> Path:
        """A file of a run that its journal names, such as a picture.

        Raises SparringError for one that is not in the run's folder, whatever the name or a link says.
        """
        path = (run.path / name).resolve()
        if not path.is_relative_to(run.path.resolve()) or not path.is_file():
            raise SparringError(f"{name!r} is no file of this run")
        return path

    def _key(self, root: Path, path: Path) -> str:
        """Folders of the same name differ by a number."""
        same = [each for each in self.roots if each.name == root.name]
        first = root.name if len(same) == 1 else f"{root.name}-{same.index(root) + 1}"
        return "/".join([first or "runs", *path.relative_to(root).parts])


def _runs_below(root: Path) -> Iterator[Path]:
    """Folders of runs, in alphabetical order, the root itself included."""
    found = 0
    for folder, inside, files in os.walk(root, followlinks=False):
        path = Path(folder)
        if "recipe.json" in files:
            inside[:] = _unjoined(RunFolder(path))
            if is_safe(root, path) and found < MAX_RUNS:
                found += 1
                yield path
        elif len(path.relative_to(root).parts) >= MAX_DEPTH:
            inside[:] = []
        else:
            inside[:] = sorted(name for name in inside if not name.startswith("."))


def _unjoined(run: RunFolder) -> list[str]:
    """A run's own folders are no runs, except the folder of shards that went on since they were joined last."""
    if not run.sharded:
        return []
    joined = run.path / "journal.jsonl"
    journals = [path.stat().st_mtime for path in run.shards.glob("*/journal.jsonl")]
    is_newer = bool(journals) and (not joined.is_file() or max(journals) > joined.stat().st_mtime)
    return [run.shards.name] if is_newer else []


def is_safe(root: Path, run: Path) -> bool:
    """Whether what is read of a run are files and folders, none of them a link out of the opened folder."""
    parts = [run / part for part in PARTS]
    # Links are rare, and asking where a path ends takes twenty times as long as asking whether it is one.
    inside = all(part.resolve().is_relative_to(root) for part in parts if _is_link(part))
    lock = run.with_name(f".{run.name}.lock")  # beside the run, and so beside the opened folder where that is the run
    return inside and not lock.is_symlink() and all(part.is_file() or part.is_dir() for part in parts if part.exists())


def _is_link(part: Path) -> bool:
    """Whether a part of a run, or the folder that it is in, is a link; the run's own folder is none."""
    return part.is_symlink() or part.parent.is_symlink()
