"""Runs that were branched off each other, as a tree. Loads no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sparring.analysis.run_rows import RunRow, row_of
from sparring.analysis.steered import settings_text
from sparring.errors import SparringError
from sparring.record import RunFolder
from sparring.record.schema import CHANGES, COUNT, TEXT


@dataclass
class Branch:
    """A run in the tree, below the one that it was branched off."""

    row: RunRow
    trunk: str = ""
    """Key of the run that it was branched off; empty for a run that began by itself, or whose trunk is not here."""
    since: int = 0
    """The round at which it was branched off."""
    changes: str = ""
    """What is different from there on."""
    checkpoints: tuple[int, ...] = ()
    branches: list[Branch] = field(default_factory=list["Branch"])

    def all(self) -> list[tuple[int, Branch]]:
        """It and everything below it, each with its depth, from top to bottom."""
        below = [(depth + 1, each) for branch in self.branches for depth, each in branch.all()]
        return [(0, self), *below]

    @property
    def last_round(self) -> int:
        """The longest of the tree."""
        return max(each.row.round for _, each in self.all())


def tree_of(key: str, runs: Mapping[str, RunFolder], key_of: Callable[[Path], str | None]) -> Branch | None:
    """The tree that a run is part of, from its first trunk down.

    Args:
        key: The run's key.
        runs: All runs that are opened, by their keys.
        key_of: The key of a run in a folder.

    Returns:
        The root; None where there is no such run.
    """
    if key not in runs:
        return None
    origins = {each: origin for each, run in runs.items() if (origin := _origin(run, key_of)) and origin[0] in runs}
    root, seen = key, {key}
    while root in origins and origins[root][0] not in seen:
        root = origins[root][0]
        seen.add(root)
    return _grown(root, runs, origins, set())


def _grown(
    key: str, runs: Mapping[str, RunFolder], origins: Mapping[str, tuple[str, int, str]], seen: set[str]
) -> Branch:
    seen.add(key)
    trunk, since, changes = origins.get(key, ("", 0, ""))
    made = Branch(row_of(key, runs[key]), trunk, since, changes, tuple(runs[key].rounds_saved()))
    below = sorted((origins[each][1], each) for each in origins if origins[each][0] == key and each not in seen)
    made.branches = [_grown(each, runs, origins, seen) for _, each in below]
    return made


def _origin(run: RunFolder, key_of: Callable[[Path], str | None]) -> tuple[str, int, str] | None:
    """The trunk's key, the round and what changed; None for a run that is no branch, or says nothing usable."""
    try:
        origin = run.about.get("origin")
    except SparringError:
        return None
    if not isinstance(origin, dict) or not TEXT.holds(origin.get("run")) or not COUNT.holds(origin.get("round")):
        return None
    changes: Any = origin.get("settings")
    key = key_of(Path(origin["run"]))
    text = settings_text(changes) if CHANGES.holds(changes) else ""
    return (key, origin["round"], text) if key else None
