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

from sparring.analysis.facts import TITLES
from sparring.analysis.stats import Spread
from sparring.analysis.wording import count, duration, plus_minus
from sparring.report.live.training import PLAIN_SECONDS, REFRESH_SECONDS, SAFE, spreads_table

if TYPE_CHECKING:
    from sparring.training.distributed.shards import Shard
    from sparring.training.distributed.status import Session

MOST_ROWS = 16
"""Parts that are shown one by one; of more, those that are furthest behind."""


class LiveShards:
    """A spectator of a run's parts. Use it as a context:

    `with LiveShards() as live: train(..., session_watchers=[live])`."""

    def __init__(self, console: Console | None = None):
        # Asked of the stream itself: FORCE_COLOR must not send escape codes into a file.
        self.console = console or Console(stderr=True, force_terminal=sys.stderr.isatty())
        self._display: Display | None = None
        self._sitting: Session | None = None
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

    def __call__(self, session: Session) -> None:
        if self._sitting is None:
            self._begin(session)
        if time.monotonic() >= self._next:
            self._show(session)
            self._next = time.monotonic() + (REFRESH_SECONDS if self._display else PLAIN_SECONDS)

    def _begin(self, session: Session) -> None:
        self._sitting = session
        if self.console.is_terminal and not self.console.is_dumb_terminal:
            self._display = Display(console=self.console, auto_refresh=False)
            self._display.start()
            return
        recipe = session.recipe
        told = [count(len(recipe.seeds), "seed"), count(recipe.rounds, "round"), _by(session)]
        self._line(f"{recipe.name}: {', '.join(told)}; {SAFE}")
        self._next = time.monotonic() + PLAIN_SECONDS

    def _show(self, session: Session) -> None:
        if self._display is not None:
            self._display.update(picture(session, self.console.width), refresh=True)
            return
        channel = plain_line(session)
        if channel != self._told:
            self._line(channel)
            self._told = channel

    def _line(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)


def plain_line(session: Session) -> str:
    """How far all parts are, in one line, for logs."""
    rounds = session.recipe.rounds
    lost = [f"{_lost(n)} ({shard.name})" for shard in session.shards if (n := session.deaths.get(shard.number, 0))]
    spreads = {name: Spread.of(values) for name, values in session.recent_means().items()}
    told = [f"slowest part at round {session.round:,} of {rounds:,} ({session.round / rounds:.0%})"]
    told += [f"{TITLES[name]} {plus_minus(spread)}" for name, spread in spreads.items()]
    return ", ".join([*told, *_pace(session), *lost])


def picture(session: Session, width: int) -> RenderableType:
    """The same on a terminal."""
    wide = max(8, width // 4 - 8)
    table = Table.grid(padding=(0, 2, 0, 0))
    told = ", ".join([f"{session.round:,} of {session.recipe.rounds:,} by the slowest part", *_pace(session)])
    table.add_row(Text(session.recipe.name, "bold"), _bar(session, session.round, wide), _cut(told))
    shown = sorted(session.shards, key=lambda shard: session.status(shard).round)[:MOST_ROWS]
    for shard in sorted(shown, key=lambda shard: shard.number):
        bar = _bar(session, session.status(shard).round, wide)
        table.add_row(Text(shard.name, "dim"), bar, _cut(_standing(session, shard)))
    shards: list[RenderableType] = [table]
    if len(shown) < len(session.shards):
        shards.append(Text(f"and {count(len(session.shards) - len(shown), 'shard')} further on", "dim"))
    if lately := {name: Spread.of(values) for name, values in session.recent_means().items()}:
        shards += [Text(), spreads_table(lately)]
    safe = "stopping: rounds are ended and saved" if session.stopping else SAFE
    return Group(*shards, Text(), Text(f"{_by(session)}. {safe}", "dim", no_wrap=True, overflow="ellipsis"))


def _standing(session: Session, shard: Shard) -> str:
    status = session.status(shard)
    told = [f"{status.round:,}"]
    if status.end:
        told.append("done" if status.end == "finished" else status.end)
    elif status.rounds_per_second:
        told.append(f"{status.rounds_per_second:,.0f} rounds/s")
    else:
        told.append("starting")
    if status.n_diverged:
        told.append(f"{count(status.n_diverged, 'seed')} diverged")
    if deaths := session.deaths.get(shard.number, 0):
        told.append(_lost(deaths))
    return ", ".join(told)


def _pace(session: Session) -> list[str]:
    told: list[str] = []
    if session.rounds_per_second:
        told.append(f"{session.rounds_per_second:,.0f} rounds/s by {count(len(session.shards), 'shard')} together")
    left = session.seconds_left
    if left:
        told.append(f"{duration(left)} left")
    return [*told, f"{duration(session.seconds)} spent"]


def _lost(times: int) -> str:
    return f"process lost {count(times, 'time')} and begun again"


def _by(session: Session) -> str:
    processes = f"{count(session.n_workers, 'process')[:-1]}es" if session.n_workers > 1 else "1 process"
    return f"{processes} of {count(session.threads, 'thread')}{f' on {session.where}' if session.where else ''}"


def _bar(session: Session, round: int, width: int) -> ProgressBar:
    return ProgressBar(total=session.recipe.rounds, completed=round, width=width)


def _cut(text: str) -> Text:
    return Text(text, no_wrap=True, overflow="ellipsis")
