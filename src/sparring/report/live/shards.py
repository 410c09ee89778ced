"""What a person sees while a run is trained in shards: how far each is, the speed of all, values over all seeds."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from sparring.analysis.wording import count
from sparring.progress import Display, progress_bar
from sparring.report.live.shared import (
    CTRL_C,
    PLAIN_SECONDS,
    REFRESH_SECONDS,
    STOPPING,
    bar_width,
    fitting,
    spread_phrases,
    spreads_of,
    spreads_table,
    time_phrases,
)

if TYPE_CHECKING:
    from sparring.training.distributed.shards import Shard
    from sparring.training.distributed.status import Session

MAX_ROWS = 16
"""Shards that have a row of their own; of more shards, the slowest have."""


class LiveShards:
    """A watcher of a session of several shards; use it as a context manager.

    `with LiveShards() as live: train(..., session_watchers=[live])`
    """

    def __init__(self, console: Console | None = None):
        self._display = Display(console)
        self._session: Session | None = None
        self._next = 0.0
        self._last_line = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            self._show(self._session)
        self._display.stop()

    def __call__(self, session: Session) -> None:
        if self._session is None:
            self._begin(session)
        if time.monotonic() >= self._next:
            self._show(session)
            self._next = time.monotonic() + (REFRESH_SECONDS if self._display.redraws else PLAIN_SECONDS)

    def _begin(self, session: Session) -> None:
        self._session = session
        if not self._display.redraws:
            recipe = session.recipe
            size = [count(len(recipe.seeds), "seed"), count(recipe.rounds, "round"), _workers(session)]
            self._display.print(f"{recipe.name}: {', '.join(size)}. {CTRL_C}")
            self._next = time.monotonic() + PLAIN_SECONDS

    def _show(self, session: Session) -> None:
        if self._display.redraws:
            self._display.draw(picture(session, self._display.console.width))
        elif (line := plain_line(session)) != self._last_line:
            self._display.print(line)
            self._last_line = line


def plain_line(session: Session) -> str:
    """The progress of all shards in one line, for logs."""
    rounds = session.recipe.rounds
    restarts = [
        f"{_restarts(n)} ({shard.name})" for shard in session.shards if (n := session.deaths.get(shard.number, 0))
    ]
    slowest = f"slowest shard at round {session.round:,} of {rounds:,} ({session.round / rounds:.0%})"
    return ", ".join([slowest, *spread_phrases(spreads_of(session.recent_means())), *_times(session), *restarts])


def picture(session: Session, width: int) -> RenderableType:
    """The progress of the session and of each shard, for a terminal of `width` characters."""
    table = Table.grid(padding=(0, 2, 0, 0))
    total = f"{session.round:,} of {session.recipe.rounds:,} by the slowest shard"
    _add_row(table, session, Text(session.recipe.name, "bold"), session.round, [total, *_times(session)], width)
    slowest = sorted(session.shards, key=lambda shard: session.status(shard).round)[:MAX_ROWS]
    for shard in sorted(slowest, key=lambda shard: shard.number):
        status = session.status(shard)
        _add_row(table, session, Text(shard.name, "dim"), status.round, _status(session, shard), width)
    parts: list[RenderableType] = [table]
    if (rest := len(session.shards) - len(slowest)) > 0:
        parts.append(Text(f"and {count(rest, 'shard')} further on", "dim"))
    if spreads := spreads_of(session.recent_means()):
        parts += [Text(), spreads_table(spreads)]
    end = STOPPING if session.stopping else CTRL_C
    return Group(*parts, Text(), Text(f"{_workers(session)}. {end}", "dim"))


def _add_row(table: Table, session: Session, name: Text, round: int, phrases: list[str], width: int) -> None:
    bar, names = bar_width(width), [session.recipe.name, *(shard.name for shard in session.shards)]
    text = fitting(phrases, width - max(map(len, names)) - bar - 4)
    table.add_row(name, progress_bar(round, session.recipe.rounds, bar), text)


def _status(session: Session, shard: Shard) -> list[str]:
    status = session.status(shard)
    phrases = [f"{status.round:,}"]
    if status.end:
        phrases.append("done" if status.end == "finished" else status.end)
    elif status.rounds_per_second:
        phrases.append(f"{status.rounds_per_second:,.0f} rounds/s")
    else:
        phrases.append("starting")
    if status.n_diverged:
        phrases.append(f"{count(status.n_diverged, 'seed')} diverged")
    if deaths := session.deaths.get(shard.number, 0):
        phrases.append(_restarts(deaths))
    return phrases


def _times(session: Session) -> list[str]:
    shards = f"{count(len(session.shards), 'shard')} together"
    speed = f"{session.rounds_per_second:,.0f} rounds/s by {shards}" if session.rounds_per_second else ""
    return time_phrases(speed, session.seconds_left, session.seconds)


def _restarts(times: int) -> str:
    return f"worker died and was restarted {count(times, 'time')}"


def _workers(session: Session) -> str:
    where = f" on {session.where}" if session.where else ""
    return f"{count(session.n_workers, 'worker')} with {count(session.threads, 'thread')} each{where}"
