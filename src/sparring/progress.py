"""Work that takes a while, told on stderr: a bar with the time left on a terminal, else a line and an estimate."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

ESTIMATED_AFTER = 0.05
"""Share of the work after which what is left is told."""
BRIEF = 5.0
"""Seconds of work left that are not worth a line."""


def say(line: str) -> None:
    """On stderr, where it does not disturb a command's result."""
    Console(stderr=True).print(line, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def progress(title: str, total: int) -> Generator[Callable[[int], None]]:
    """`title` is said; call what is yielded with how many of `total` pieces of the work are done."""
    console = Console(stderr=True)
    if console.is_terminal:
        columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task(title, total=total)
            yield lambda done: bar.update(task, completed=done)
        return
    say(title)
    begun, estimated = time.perf_counter(), False

    def hear(done: int) -> None:
        nonlocal estimated
        if not estimated and done >= ESTIMATED_AFTER * total:
            estimated = True
            left = (time.perf_counter() - begun) * (total - done) / done
            if left > BRIEF:
                say(f"about {left:.0f} s left")

    yield hear
