"""What a person sees while a run is trained in parts: how far each is, the pace of all, numbers over all seeds."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live as Display
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from sparring.report.facts import TITLES, Spread, count, duration, plus_minus
from sparring.report.live import PLAIN_SECONDS, REFRESH_SECONDS, SAFE, spreads_table

if TYPE_CHECKING:
    from sparring.dealt import Part, Sitting

MOST_ROWS = 16
"""Parts that are shown one by one; of more, those that are furthest behind."""


class LiveParts:
    """A spectator of a run's parts. Use it as a context: `with LiveParts() as live: train(..., spectators=[live])`."""

    def __init__(self, console: Console | None = None):
        # Asked of the stream itself: FORCE_COLOR must not send escape codes into a file.
        self.console = console or Console(stderr=True, force_terminal=sys.stderr.isatty())
        self._display: Display | None = None
        self._sitting: Sitting | None = None
        self._next = 0.0
        self._told = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._sitting is not None:
            self._show(self._sitting)
        if self._display is not None:
            self._display.stop()

    def __call__(self, sitting: Sitting) -> None:
        if self._sitting is None:
            self._begin(sitting)
        if time.monotonic() >= self._next:
            self._show(sitting)
            self._next = time.monotonic() + (REFRESH_SECONDS if self._display else PLAIN_SECONDS)

    def _begin(self, sitting: Sitting) -> None:
        self._sitting = sitting
        if self.console.is_terminal and not self.console.is_dumb_terminal:
            self._display = Display(console=self.console, auto_refresh=False)
            self._display.start()
            return
        recipe = sitting.recipe
        told = [count(len(recipe.seeds), "seed"), count(recipe.rounds, "round"), _by(sitting)]
        self._line(f"{recipe.name}: {', '.join(told)}; {SAFE}")
        self._next = time.monotonic() + PLAIN_SECONDS

    def _show(self, sitting: Sitting) -> None:
        if self._display is not None:
            self._display.update(picture(sitting, self.console.width), refresh=True)
            return
        line = plain_line(sitting)
        if line != self._told:
            self._line(line)
            self._told = line

    def _line(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)


def plain_line(sitting: Sitting) -> str:
    """How far all parts are, in one line, for logs."""
    rounds = sitting.recipe.rounds
    lost = [f"{_lost(n)} ({part.name})" for part in sitting.parts if (n := sitting.deaths.get(part.number, 0))]
    spreads = {name: Spread.of(values) for name, values in sitting.lately().items()}
    told = [f"slowest part at round {sitting.round:,} of {rounds:,} ({sitting.round / rounds:.0%})"]
    told += [f"{TITLES[name]} {plus_minus(spread)}" for name, spread in spreads.items()]
    return ", ".join([*told, *_pace(sitting), *lost])


def picture(sitting: Sitting, width: int) -> RenderableType:
    """The same on a terminal."""
    wide = max(8, width // 4 - 8)
    table = Table.grid(padding=(0, 2, 0, 0))
    told = ", ".join([f"{sitting.round:,} of {sitting.recipe.rounds:,} by the slowest part", *_pace(sitting)])
    table.add_row(Text(sitting.recipe.name, "bold"), _bar(sitting, sitting.round, wide), _cut(told))
    shown = sorted(sitting.parts, key=lambda part: sitting.standing(part).round)[:MOST_ROWS]
    for part in sorted(shown, key=lambda part: part.number):
        bar = _bar(sitting, sitting.standing(part).round, wide)
        table.add_row(Text(part.name, "dim"), bar, _cut(_standing(sitting, part)))
    parts: list[RenderableType] = [table]
    if len(shown) < len(sitting.parts):
        parts.append(Text(f"and {count(len(sitting.parts) - len(shown), 'part')} further on", "dim"))
    if lately := {name: Spread.of(values) for name, values in sitting.lately().items()}:
        parts += [Text(), spreads_table(lately)]
    safe = "stopping: rounds are ended and saved" if sitting.stopping else SAFE
    return Group(*parts, Text(), Text(f"{_by(sitting)}. {safe}", "dim", no_wrap=True, overflow="ellipsis"))


def _standing(sitting: Sitting, part: Part) -> str:
    standing = sitting.standing(part)
    told = [f"{standing.round:,}"]
    if standing.end:
        told.append("done" if standing.end == "finished" else standing.end)
    elif standing.pace:
        told.append(f"{standing.pace:,.0f} rounds/s")
    else:
        told.append("starting")
    if standing.lost:
        told.append(f"{count(standing.lost, 'seed')} diverged")
    if deaths := sitting.deaths.get(part.number, 0):
        told.append(_lost(deaths))
    return ", ".join(told)


def _pace(sitting: Sitting) -> list[str]:
    told: list[str] = []
    if sitting.rounds_per_second:
        told.append(f"{sitting.rounds_per_second:,.0f} rounds/s by {count(len(sitting.parts), 'part')} together")
    left = sitting.seconds_left
    if left:
        told.append(f"{duration(left)} left")
    return [*told, f"{duration(sitting.seconds)} spent"]


def _lost(times: int) -> str:
    return f"process lost {count(times, 'time')} and begun again"


def _by(sitting: Sitting) -> str:
    processes = f"{count(sitting.processes, 'process')[:-1]}es" if sitting.processes > 1 else "1 process"
    return f"{processes} of {count(sitting.threads, 'thread')}{f' on {sitting.where}' if sitting.where else ''}"


def _bar(sitting: Sitting, round: int, width: int) -> ProgressBar:
    return ProgressBar(total=sitting.recipe.rounds, completed=round, width=width)


def _cut(text: str) -> Text:
    return Text(text, no_wrap=True, overflow="ellipsis")
