"""What a person sees while a run is trained in shards: how far each is, the speed of all, values over all seeds."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from sparring.analysis.wording import count
from sparring.languages import Text as Said
from sparring.languages import said
from sparring.progress import Display, progress_bar
from sparring.report.live.shared import (
    CTRL_C,
    PLAIN_SECONDS,
    REFRESH_SECONDS,
    STOPPING,
    bar_width,
    fitting,
    joined,
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
            begins = Said("{name}: {size}. {keys}", name=recipe.name, size=Said.joined(size, ", "), keys=CTRL_C)
            self._display.print(said(begins))
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
        said(Said("{restarts} ({shard})", restarts=_restarts(n), shard=shard.name))
        for shard in session.shards
        if (n := session.deaths.get(shard.number, 0))
    ]
    slowest = Said(
        "slowest shard at round {round} of {rounds} ({share})",
        round=f"{session.round:,}",
        rounds=f"{rounds:,}",
        share=f"{session.round / rounds:.0%}",
    )
    return joined([said(slowest), *spread_phrases(spreads_of(session.recent_means())), *_times(session), *restarts])


def picture(session: Session, width: int) -> RenderableType:
    """The progress of the session and of each shard, for a terminal of `width` characters."""
    table = Table.grid(padding=(0, 2, 0, 0))
    rounds = f"{session.recipe.rounds:,}"
    total = Said("{round} of {rounds} by the slowest shard", round=f"{session.round:,}", rounds=rounds)
    _add_row(table, session, Text(session.recipe.name, "bold"), session.round, [said(total), *_times(session)], width)
    slowest = sorted(session.shards, key=lambda shard: session.status(shard).round)[:MAX_ROWS]
    for shard in sorted(slowest, key=lambda shard: shard.number):
        status = session.status(shard)
        _add_row(table, session, Text(shard.name, "dim"), status.round, _status(session, shard), width)
    parts: list[RenderableType] = [table]
    if (rest := len(session.shards) - len(slowest)) > 0:
        parts.append(Text(said(Said("and {shards} further on", shards=count(rest, "shard"))), "dim"))
    if spreads := spreads_of(session.recent_means()):
        parts += [Text(), spreads_table(spreads)]
    end = STOPPING if session.stopping else CTRL_C
    return Group(*parts, Text(), Text(said(Said("{first}. {second}", first=_workers(session), second=end)), "dim"))


def _add_row(table: Table, session: Session, name: Text, round: int, phrases: list[str], width: int) -> None:
    bar, names = bar_width(width), [session.recipe.name, *(shard.name for shard in session.shards)]
    text = fitting(phrases, width - max(map(len, names)) - bar - 4)
    table.add_row(name, progress_bar(round, session.recipe.rounds, bar), text)


def _status(session: Session, shard: Shard) -> list[str]:
    status = session.status(shard)
    phrases = [f"{status.round:,}"]
    if status.end:
        phrases.append(Said("done") if status.end == "finished" else Said(status.end))
    elif status.rounds_per_second:
        phrases.append(Said("{count} rounds/s", count=f"{status.rounds_per_second:,.0f}"))
    else:
        phrases.append(Said("starting"))
    if status.n_diverged:
        phrases.append(Said("{seeds} diverged", seeds=count(status.n_diverged, "seed")))
    if deaths := session.deaths.get(shard.number, 0):
        phrases.append(_restarts(deaths))
    return list(map(said, phrases))


def _times(session: Session) -> list[str]:
    pace, shards = session.rounds_per_second, count(len(session.shards), "shard")
    by_all = Said("{count} rounds/s by {shards} together", count=f"{pace or 0:,.0f}", shards=shards)
    return time_phrases(said(by_all) if pace else "", session.seconds_left, session.seconds)


def _restarts(times: int) -> str:
    return Said("worker died and was restarted {times}", times=count(times, "time"))


def _workers(session: Session) -> str:
    return Said(
        "{workers} with {threads} each{where}",
        workers=count(session.n_workers, "worker"),
        threads=count(session.threads, "thread"),
        where=Said(" on {place}", place=session.where) if session.where else "",
    )
