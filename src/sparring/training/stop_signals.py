"""Ctrl-C and SIGTERM, turned into a request to stop."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

from sparring.languages import Text

STOPPING = Text("stopping: finishing the current step, saving a checkpoint (Ctrl-C again ends at once)")
"""What is said when training is to stop."""


@contextmanager
def on_stop_signal(react: Callable[[], None]) -> Generator[None]:
    """For as long as this lasts, Ctrl-C and SIGTERM call `react` in place of what they did before.

    Outside the main thread nothing changes: whoever runs the code there has their own way to stop it.
    """

    def handle(number: int, frame: FrameType | None) -> None:
        react()

    try:
        before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
