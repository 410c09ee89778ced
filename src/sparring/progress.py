"""Progress on stderr: a bar with the time left on a terminal, else one line and an estimate."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

ESTIMATE_AFTER = 0.05
"""Share of the work after which the time left is estimated."""
MIN_SECONDS_LEFT = 5.0
"""Seconds of work left below which no estimate is printed."""


def say(line: str) -> None:
    """Print a line on stderr, where it does not disturb a command's result."""
    Console(stderr=True).print(line, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def progress(title: str, total: int) -> Generator[Callable[[int], None]]:
    """Show how far some work is.

    Args:
        title: What the work is.
        total: Pieces of work.

    Yields:
        A function to call with the number of pieces that are done.
    """
    console = Console(stderr=True)
    if console.is_terminal:
        columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task(title, total=total)
            yield lambda done: bar.update(task, completed=done)
        return
    say(title)
    start, estimated = time.perf_counter(), False

    def update(done: int) -> None:
        nonlocal estimated
        if not estimated and done >= ESTIMATE_AFTER * total:
            estimated = True
            left = (time.perf_counter() - start) * (total - done) / done
            if left > MIN_SECONDS_LEFT:
                say(f"about {left:.0f} s left")

    yield update
