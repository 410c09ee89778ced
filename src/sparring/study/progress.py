"""How far a whole study is, on stderr: a bar with the time left in a terminal, else a line when a cell is done."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Group
from rich.table import Table
from rich.text import Text

from sparring.languages import Text as Said
from sparring.languages import said
from sparring.progress import BAR_WIDTH, REDRAW_SECONDS, Display, progress_bar
from sparring.study.definition import Study
from sparring.study.pilot import Pilot, in_words
from sparring.study.populations import Unit

MIN_SHARE = 0.02
"""Share of the work after which the pilot's estimate is corrected by how long that took."""


class StudyProgress:
    """Counts the work that is left in seconds of the pilot, and corrects them by the pace so far."""

    def __init__(self, study: Study, units: Sequence[Unit], pilot: Pilot, processes: int):
        self._study, self._pilot, self._processes = study, pilot, max(1, processes)
        self._units = list(units)
        self._total = {unit.run.path: max(pilot.seconds(unit, unit.recipe.rounds), 1e-9) for unit in units}
        self._played = {unit.run.path: unit.played for unit in units}
        self._began_with = dict(self._played)
        self._display = Display(transient=True)
        self._start, self._shown = time.monotonic(), 0.0
        self._done = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._display.stop()

    def update(self, unit: Unit, round: int) -> None:
        """A run has come to this round."""
        self._played[unit.run.path] = round
        now = time.monotonic()
        if self._display.redraws and now - self._shown >= REDRAW_SECONDS:
            self._shown = now
            self._display.draw(self._picture(unit, round))

    def finish(self, unit: Unit, until: int) -> None:
        """A run has been trained until this round."""
        self.update(unit, until)
        if until == unit.recipe.rounds:
            self._done += len(unit.tasks)
            left = self.seconds_left
            more = [Said("; about {time} left", time=in_words(left))] if left > 1 and self._done < self._runs else []
            done = Said("{some} of {total} runs: {cell}", some=self._done, total=self._runs, cell=unit.label)
            self._display.print(said(Said.joined([done, *more])))

    def drop(self, cells: Sequence[str]) -> None:
        """Cells that need no more training."""
        self._units = [u for u in self._units if any(task.cell.id not in cells for task in u.tasks)]

    @property
    def _runs(self) -> int:
        return sum(len(unit.tasks) for unit in self._units)

    @property
    def seconds_left(self) -> float:
        """An estimate, of all that is left to train."""
        done = sum(self._seconds(unit, self._began_with[unit.run.path], self._at(unit)) for unit in self._units)
        left = sum(self._seconds(unit, self._at(unit), unit.recipe.rounds) for unit in self._units)
        elapsed = time.monotonic() - self._start
        if done > MIN_SHARE * (done + left):
            return left * elapsed / done
        return left / min(self._processes, max(1, len(self._units)))

    def _at(self, unit: Unit) -> int:
        return min(self._played[unit.run.path], unit.recipe.rounds)

    def _seconds(self, unit: Unit, start: int, end: int) -> float:
        """By the pilot."""
        whole = unit.recipe.rounds - self._began_with[unit.run.path]
        return self._total[unit.run.path] * max(0, end - start) / max(1, whole)

    def _picture(self, unit: Unit, round: int) -> Group:
        total = sum(self._total[each.run.path] for each in self._units)
        done = sum(self._seconds(each, self._began_with[each.run.path], self._at(each)) for each in self._units)
        row = Table.grid(padding=(0, 1))
        left = said(Said("about {time} left", time=in_words(self.seconds_left)))
        row.add_row(said(Said("study {name}", name=self._study.name)), progress_bar(done, total, BAR_WIDTH), left)
        place = Said(
            "{some} of {total} runs done; {cell}, round {round} of {rounds}",
            some=self._done,
            total=self._runs,
            cell=unit.label,
            round=f"{round:,}",
            rounds=f"{unit.recipe.rounds:,}",
        )
        return Group(row, Text(said(place), style="dim", overflow="ellipsis", no_wrap=True))
