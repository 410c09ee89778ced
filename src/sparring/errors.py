"""The one kind of error that a user should see: one line that says what is wrong, where, and what to do next."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from pathlib import Path
from types import TracebackType

PACKAGE = Path(__file__).parent


class SparringError(Exception):
    """A failure that the user can fix. The message is one line; the command prints it and exits with status 1."""

    language = ""
    """Code of the language that the command was to answer in; empty where none was asked for."""


class UsageError(SparringError):
    """A command, flag or value that does not exist or does not fit. The command exits with status 2."""


def in_one_line(error: BaseException) -> str:
    """The type and the message of any error, on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def reason_of(error: OSError) -> str:
    """Why the system refused something, in words."""
    return "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else error.strerror or str(error)


def shortened(value: object, max_length: int = 60) -> str:
    """A value as text, cut after `max_length` characters so that it fits a message."""
    text = str(value)
    return text if len(text) <= max_length else f"{text[:max_length]}..."


def users_frame(trace: TracebackType | None) -> traceback.FrameSummary | None:
    """The last line of a user's own code that an error passed through, in a file or a notebook's cell; None if none."""
    return next((frame for frame in reversed(traceback.extract_tb(trace)) if _is_users(frame.filename)), None)


def is_cell(file: str) -> bool:
    """Whether the code of this file is a notebook's cell."""
    path = Path(file)
    return path.name.startswith("<ipython") or any(part.startswith("ipykernel_") for part in path.parts)


def _is_users(file: str) -> bool:
    """Whether a file of Python code is neither this package's, nor installed, nor the interpreter's."""
    path = Path(file)
    installed = (PACKAGE, sys.prefix, sys.base_prefix, os.path.dirname(os.__file__))  # noqa: PTH120 - of a module
    return is_cell(file) or (path.is_file() and not any(path.is_relative_to(place) for place in installed))
