"""A command that is printed to be pasted: on one line however narrow the terminal, quoted for its encoding."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment


class Pasteable:
    """A command for the terminal that it is printed on.

    Args:
        command: Writes it for an encoding.
    """

    def __init__(self, command: Callable[..., str]):
        self._command = command

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Segment(f"  {self._command(encoding=options.encoding)}")
        yield Segment.line()
