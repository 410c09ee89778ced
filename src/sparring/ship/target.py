"""Where an export goes: a folder, or one that is laid out as a Space. Loads no torch, so that it is checked at once."""

from __future__ import annotations

import os
import re
from pathlib import Path

from sparring.errors import UsageError

SPACE = "hf://"
"""How a target begins that is laid out as a static Space of the Hugging Face hub."""
MANIFEST = "export.json"
"""Says what was exported. A folder that has one may be written over."""


def target_of(run: Path, to: str | Path) -> tuple[Path, str]:
    """The folder to write for a run, and `user/name` where it is a Space. Raises UsageError for what cannot be one."""
    space = _space_of(str(to))
    return _checked_folder(run / "space" / space if space else Path(to)), space


def _space_of(to: str) -> str:
    """`user/name` of `hf://user/name`; empty for a folder. Raises UsageError for a name that the hub would not take."""
    name = to.removeprefix(SPACE)
    if name == to:
        return ""
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name) or ".." in name:
        raise UsageError(f"a Space is hf://user/name, not {to!r}")
    return name


def _checked_folder(folder: Path) -> Path:
    """The folder to write to. Raises UsageError for one that holds files of another kind, or cannot be written."""
    _check_place(next((each for each in (folder, *folder.parents) if each.exists()), Path()))
    if folder.is_dir() and not (folder / MANIFEST).is_file() and any(folder.iterdir()):
        raise UsageError(f"{folder} holds other files: give an empty folder, or one that does not exist yet")
    return folder


def _check_place(folder: Path) -> None:
    """Raises UsageError where nothing can be written into what exists of the folder's path."""
    if not folder.is_dir():
        raise UsageError(f"--to must be a folder, and {folder} is a file")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"--to must be a folder that can be written, and {folder} is none")
