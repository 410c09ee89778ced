"""What a person sees while a run trains: progress, values over seeds, sparklines, metrics, verdict and a few samples.

In a terminal it is one picture, redrawn rarely enough to cost next to nothing; elsewhere a plain line now and then.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
from rich.cells import cell_len, set_cell_size
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from sparring.analysis.diagnosis import diagnosis, story_of
from sparring.analysis.facts import TITLES
from sparring.analysis.stats import Spread
from sparring.analysis.wording import count, number
from sparring.characters import quoted
from sparring.languages import Text as Said
from sparring.languages import said
from sparring.progress import Display, progress_bar
from sparring.record.members import names_of
from sparring.report.live.preview import preview, sparkline
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
from sparring.report.metric_names import phrases

if TYPE_CHECKING:
    from sparring.training.trainer import Trainer

COST = 0.004
"""Share of the time that drawing may take: a slow terminal is drawn to less often."""
VERDICT_SECONDS, VERDICT_COST = 5.0, 0.01
"""Seconds between two diagnoses, at least; and the share of the time that they may take."""
MIN_HEIGHT, SPARKLINE_HEIGHT, CLAIM_HEIGHT = 20, 26, 30
"""Lines that a terminal must have to show samples, to show sparklines as well as metrics, and more than a verdict's
name."""
HUES = {"d_loss": "blue", "g_loss": "yellow"}


COLON = re.compile("[:\uff1a]")
"""What stands between a verdict and its claim."""
LABEL = 9
"""Columns of what stands before a line."""


class Live:
    """A watcher of one training session; use it as a context manager.

    `with Live() as live: train(..., watchers=[live])`
    """

    def __init__(self, console: Console | None = None):
        self._display = Display(console)
        self._trainer: Trainer | None = None
        self._threads: int | None = None
        self._losses: dict[str, list[float]] = {"d_loss": [], "g_loss": []}
        self._next = 0.0
        self._preview_of: tuple[np.ndarray, RenderableType] | None = None
        self._round_shown = -1
        self._verdict, self._judged_round, self._next_verdict = "", 0, 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._trainer is not None and self._trainer.game.round != self._round_shown:
            self._next_verdict = 0.0
            self._show(self._trainer)
        self._display.stop()

    def __call__(self, trainer: Trainer) -> None:
        if self._trainer is not trainer:
            self._begin(trainer)
        now = time.monotonic()
        if now < self._next:
            return
        start = time.thread_time()
        self._show(trainer)
        cost = time.thread_time() - start
        self._next = now + (max(REFRESH_SECONDS, cost / COST) if self._display.redraws else PLAIN_SECONDS)

    def _begin(self, trainer: Trainer) -> None:
        self._trainer, self._threads = trainer, trainer.run.about.get("threads")
        if not self._display.redraws:
            recipe = trainer.recipe
            size = [count(len(recipe.seeds), "seed"), count(recipe.rounds, "round"), _threads(self._threads)]
            begins = Said("{name}: {size}. {keys}", name=recipe.name, size=Said.joined(size, ", "), keys=CTRL_C)
            self._display.print(said(begins))
            self._next = time.monotonic() + PLAIN_SECONDS
            self._round_shown = trainer.game.round

    def _show(self, trainer: Trainer) -> None:
        self._round_shown = trainer.game.round
        self._diagnose(trainer)
        spreads = spreads_of(trainer.latest.recent_means())
        for name, history in self._losses.items():
            median = spreads[name].median if name in spreads else None
            if median is not None:
                history.append(median)
        if self._display.redraws:
            self._display.draw(self._picture(trainer, spreads))
        else:
            self._display.print(plain_line(trainer, spreads, self._verdict_of(trainer, short=True)))

    def _diagnose(self, trainer: Trainer) -> None:
        """Update the verdict from the journal so far: rarely enough to cost next to nothing, and at the end."""
        now, at_end = time.monotonic(), trainer.game.round >= trainer.recipe.rounds
        if (now < self._next_verdict and not at_end) or not trainer.game.round:
            return
        start, story = time.thread_time(), story_of(trainer.run)
        self._verdict, self._judged_round = said(diagnosis(story).line), story.round
        cost = time.thread_time() - start
        self._next_verdict = now + max(VERDICT_SECONDS, cost / VERDICT_COST)

    def _picture(self, trainer: Trainer, spreads: dict[str, Spread]) -> RenderableType:
        console, examples = self._display.console, trainer.latest.picture
        parts: list[RenderableType] = [_progress(trainer, console.width)]
        metrics = _metrics(trainer)
        if spreads:
            parts += [Text(), spreads_table(spreads)]
        if spreads and (not metrics or console.height >= SPARKLINE_HEIGHT):
            parts += [Text(), *self._sparklines()]
        if metrics:
            parts += [Text(), Text.assemble((set_cell_size(said("samples"), LABEL), "bold"), joined(metrics))]
        if self._verdict:
            verdict = self._verdict_of(trainer, short=not self._has_room(console))
            parts += [Text(), Text.assemble((set_cell_size(said("so far"), LABEL), "bold"), verdict)]
        if examples is not None and console.height >= MIN_HEIGHT:
            parts += [Text(), self._preview(examples, trainer)]
        end = STOPPING if trainer.stopping else _paused(trainer) or CTRL_C
        return Group(
            *parts, Text(), Text(said(Said("{first}. {second}", first=_threads(self._threads), second=end)), "dim")
        )

    def _has_room(self, console: Console) -> bool:
        """Whether the terminal is high enough for a second line of the verdict's claim, or wide enough."""
        return cell_len(self._verdict) + LABEL <= console.width or console.height >= CLAIM_HEIGHT

    def _verdict_of(self, trainer: Trainer, short: bool) -> str:
        """The verdict, without its claim if it is to be short, and of which round it is where that is not this one."""
        verdict = COLON.split(self._verdict, maxsplit=1)[0] if short else self._verdict
        return f"{verdict}{_of_round(self._judged_round, trainer)}" if verdict else ""

    def _sparklines(self) -> Iterable[Text]:
        for name, history in self._losses.items():
            if len(history) > 1:
                ends = Said("{low} to {high}", low=number(min(history)), high=number(max(history)))
                reach = f"  {said(ends)}"
                yield Text.assemble(
                    (set_cell_size(said(TITLES[name]), LABEL), "bold"), (sparkline(history), HUES[name]), (reach, "dim")
                )

    def _preview(self, examples: np.ndarray, trainer: Trainer) -> RenderableType:
        """The preview of these examples, computed only when they are new."""
        if self._preview_of is None or self._preview_of[0] is not examples:
            recipe, console = trainer.recipe, self._display.console
            color = console.color_system is not None and not console.options.ascii_only
            picture = preview(examples, names_of(recipe.to_dict()), console.width, color, recipe.data.modes)
            self._preview_of = examples, picture
        return self._preview_of[1]


def plain_line(trainer: Trainer, spreads: dict[str, Spread], verdict: str = "") -> str:
    """Progress in one line, for logs."""
    played, rounds = trainer.game.round, trainer.recipe.rounds
    share, paused = f"{played / rounds:.0%}", [state] if (state := _paused(trainer)) else []
    texts = [
        said(Said("round {played} of {rounds} ({share})", played=f"{played:,}", rounds=f"{rounds:,}", share=share)),
        *paused,
        *spread_phrases(spreads),
        *_metrics(trainer),
    ]
    so_far = [said(Said("so far {verdict}", verdict=verdict))] if verdict else []
    return joined([*texts, *so_far, *_times(trainer)])


def _metrics(trainer: Trainer) -> list[str]:
    """The headline metrics of the last evaluation, and of which round they are; empty before the first."""
    texts = list(map(said, phrases(spreads_of(trainer.latest.metrics), trainer.latest.real_baseline)))
    return [*texts[:-1], f"{texts[-1]}{_of_round(trainer.latest.evaluated, trainer)}"] if texts else []


def _of_round(round: int, trainer: Trainer) -> str:
    """` (round 1,200)` of what was found in an earlier round than now, else nothing."""
    return said(Said(" (round {round})", round=f"{round:,}")) if round < trainer.game.round else ""


def _paused(trainer: Trainer) -> str:
    """What to type for a run that is paused or slow; empty for one that plays at full speed."""
    if trainer.control is None or trainer.control.mode == "running":
        return ""
    return said(
        Said(
            "paused: `sparring control {run} go` plays on"
            if trainer.control.mode == "paused"
            else "in slow motion: `sparring control {run} go` plays on",
            run=quoted(trainer.run.path),
        )
    )


def _progress(trainer: Trainer, width: int) -> Table:
    played, rounds, name, bar = trainer.game.round, trainer.recipe.rounds, trainer.recipe.name, bar_width(width)
    place = said(Said("{round} of {rounds}", round=f"{played:,}", rounds=f"{rounds:,}"))
    text = fitting([place, *_times(trainer)], width - len(name) - bar - 4)
    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_row(Text(name, "bold"), progress_bar(played, rounds, bar), text)
    return row


def _times(trainer: Trainer) -> list[str]:
    pace = trainer.rounds_per_second
    speed = said(Said("{count} rounds/s", count=f"{pace:,.0f}")) if pace else ""
    done = trainer.game.round >= trainer.recipe.rounds
    return time_phrases(speed, None if done else trainer.seconds_left, trainer.seconds)


def _threads(threads: int | None) -> str:
    return count(threads, "thread") if threads else Said("threads unknown")
