"""Progress on stderr: a picture that is redrawn while work goes on in a terminal, else plain lines now and then."""

from __future__ import annotations

import contextvars
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import ClassVar

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from sparring.characters import tolerant
from sparring.languages import Text, said, said_again

ESTIMATE_AFTER = 0.05
"""Share of the work after which the time left is estimated."""
ESTIMATE_SECONDS = 0.5
"""Of work, at least, by which the time left is estimated before half of it is done."""
MIN_SECONDS_LEFT = 5.0
"""Seconds of work left below which no estimate is printed."""
REDRAW_SECONDS = 0.1
"""Between two drawings of a progress bar, at least."""
MAX_FILLED = 0.98
"""Of a bar that fills with the time that work is expected to take: it is full only when the work is done."""
BAR_WIDTH = 40
LEFT = Text("about {seconds} s left")
"""What is said of the time that work still takes."""


def say(line: str) -> None:
    """Print a line on stderr, where it does not disturb a command's result: above the picture, if one is shown.

    It is said in the language of the command, also where it was put together in English.
    """
    shown = Display.shown[-1] if Display.shown else Display()
    shown.print(said_again(line))


def _with_estimate(title: str, seconds: float) -> Text:
    return Text("{title}: {left}", title=title, left=LEFT.filled(seconds=f"{seconds:.0f}"))


class Display:
    """A place on stderr to show how far work is: `draw` pictures in a terminal, `print` lines elsewhere.

    Args:
        console: Where to show it; stderr if None.
        transient: Whether the picture disappears when the work is done.
    """

    shown: ClassVar[list[Display]] = []
    """Those that show a picture now, the newest last."""

    def __init__(self, console: Console | None = None, transient: bool = False):
        tolerant(sys.stderr)
        # Asked of the stream itself: FORCE_COLOR must not send escape codes into a file.
        self.console = console or Console(stderr=True, force_terminal=sys.stderr.isatty())
        self._transient = transient
        self._live: Live | None = None

    @property
    def redraws(self) -> bool:
        """Whether pictures can be drawn: stderr is a terminal that can move its cursor."""
        return self.console.is_terminal and not self.console.is_dumb_terminal

    def draw(self, picture: RenderableType) -> None:
        """Show a picture in place of the last one."""
        if self._live is None:
            self._live = Live(console=self.console, auto_refresh=False, transient=self._transient)
            self._live.start()
            self.shown.append(self)
        self._live.update(picture, refresh=True)

    def print(self, line: str) -> None:
        """Print a line as it is, without markup, colors or line breaks."""
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def stop(self) -> None:
        """Leave the last picture as it is, or remove it if it is transient."""
        if self._live is not None:
            self._live.stop()
            self._live = None
            self.shown.remove(self)


def progress_bar(done: float, total: float, width: int = BAR_WIDTH) -> ProgressBar:
    """A bar of so many characters, filled up to the share that is done."""
    return ProgressBar(total=total, completed=done, width=width)


@contextmanager
def progress(
    title: str, total: int, quiet: bool = False, with_estimate: bool = False
) -> Generator[Callable[[int], None]]:
    """Show how far some work is.

    Args:
        title: What the work is.
        total: Pieces of work.
        quiet: Print nothing where there is no terminal.
        with_estimate: Where there is no terminal, wait with the title until it can say how long the work takes.

    Yields:
        A function to call with the number of pieces that are done. Where there is no terminal, it says how long the
        rest takes, and again each time that this has halved.
    """
    display = Display(transient=True)
    title = said_again(title)
    shown, estimated, stated = 0.0, False, float("inf")
    first: tuple[float, int] | None = None  # the first piece takes longer: what it needs is loaded meanwhile
    if not display.redraws and not quiet and not with_estimate:
        display.print(title)

    def update(done: int) -> None:
        nonlocal shown, estimated, stated, first
        now = time.perf_counter()
        first = first or (now, done)
        took, since = now - first[0], done - first[1]
        known = since and done >= ESTIMATE_AFTER * total and (took >= ESTIMATE_SECONDS or 2 * done >= total)
        left = took * (total - done) / since if known else None
        if display.redraws:
            if now - shown >= REDRAW_SECONDS:
                shown = now
                row = Table.grid(padding=(0, 1, 0, 0))
                row.add_row(
                    title,
                    progress_bar(done, total),
                    "" if left is None else said(Text("{seconds} s left", seconds=f"{left:.0f}")),
                )
                display.draw(row)
        elif left is None or quiet:
            return
        elif with_estimate:
            if not estimated:
                display.print(said(Text("{title}: about {seconds} s", title=title, seconds=f"{left:.0f}")))
        elif MIN_SECONDS_LEFT < left < stated / 2:
            stated = left
            display.print(said(_with_estimate(title, left)))
        estimated = True

    try:
        yield update
    finally:
        display.stop()
    if with_estimate and not (estimated or display.redraws or quiet):
        display.print(title)


@contextmanager
def expected_progress(title: str, seconds: float, with_estimate: bool = False) -> Generator[Callable[[], None]]:
    """Show some work that cannot say how far it is, by the time that it is expected to take.

    Args:
        title: What the work is.
        seconds: It is expected to take.
        with_estimate: Say that where there is no terminal, too.

    Yields:
        A function to call when the work begins; before that nothing is shown. Further calls do nothing.
    """
    title = said_again(title)
    display, done = Display(transient=True), threading.Event()
    threads: list[threading.Thread] = []

    def fill() -> None:
        start = time.monotonic()
        while not done.wait(2 * REDRAW_SECONDS):
            elapsed = time.monotonic() - start
            row = Table.grid(padding=(0, 1))
            left = LEFT.filled(seconds=f"{seconds - elapsed:.0f}")
            if elapsed >= seconds:
                left = Text("{seconds} s so far", seconds=f"{elapsed:.0f}")
            row.add_row(title, progress_bar(min(elapsed, MAX_FILLED * seconds), seconds), said(left))
            display.draw(row)
        display.stop()

    def begin() -> None:
        if threads:
            return
        if not display.redraws:
            display.print(said(_with_estimate(title, seconds)) if with_estimate else title)
        here = contextvars.copy_context()  # a thread begins without the command's language
        work = fill if display.redraws else done.wait
        threads.append(threading.Thread(target=here.run, args=(work,), daemon=True))
        threads[0].start()

    try:
        yield begin
    finally:
        done.set()
        for thread in threads:
            thread.join()
