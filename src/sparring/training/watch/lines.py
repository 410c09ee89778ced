"""The line of the user's program that is running."""

from __future__ import annotations

import linecache
import sys
import sysconfig
from pathlib import Path

from sparring.record.loop import Line

OWN = str(Path(__file__).parents[2])
"""Sparring's own code."""
_PATHS = [Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib")]
LIBRARIES = tuple({str(path) for path in (*_PATHS, *(path.resolve() for path in _PATHS))})
PACKAGES = ("site-packages", "dist-packages")
MAX_CODE = 160


def user_line() -> Line | None:
    """The innermost line on the stack that belongs neither to Sparring nor to an installed package."""
    frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame is not None:
        file = frame.f_code.co_filename
        if is_users(file):
            return line_at(file, frame.f_lineno)
        frame = frame.f_back
    return None


def is_users(file: str) -> bool:
    """Whether a file belongs neither to Sparring nor to an installed package."""
    return not file.startswith(("<frozen", OWN, *LIBRARIES)) and not any(name in file for name in PACKAGES)


def line_at(file: str, number: int) -> Line:
    """A line with its text. A file below the working directory is named from there."""
    code = linecache.getline(file, number).strip()
    path = Path(file)
    try:
        name = str(path.relative_to(Path.cwd()))
    except ValueError:
        name = str(path)
    return Line(name, number, code[:MAX_CODE])
