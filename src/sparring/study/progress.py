"""How far a whole study is, on stderr: a bar with the time left in a terminal, else a line when a cell is done."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Group
from rich.table import Table
from rich.text import Text

from sparring.progress import BAR_WIDTH, REDRAW_SECONDS, Display, progress_bar
from sparring.study.definition import Study
from sparring.study.pilot import Pilot, in_words
from sparring.study.tasks import Task

MIN_SHARE = 0.02
"""Share of the work after which the pilot's estimate is corrected by how long that took."""


class StudyProgress:
    """Counts the work that is left in seconds of the pilot, and corrects them by the pace so far."""

    def __init__(self, study: Study, tasks: Sequence[Task], pilot: Pilot, processes: int):
        self._study, self._pilot, self._processes = study, pilot, max(1, processes)
        self._tasks = list(tasks)
        self._total = {task.run.path: max(pilot.seconds(task, task.recipe.rounds), 1e-9) for task in tasks}
        self._played = {task.run.path: task.played for task in tasks}
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

    def update(self, task: Task, round: int) -> None:
        """A run has come to this round."""
        self._played[task.run.path] = round
        now = time.monotonic()
        if self._display.redraws and now - self._shown >= REDRAW_SECONDS:
            self._shown = now
            self._display.draw(self._picture(task, round))

    def finish(self, task: Task, until: int) -> None:
        """A run has been trained until this round."""
        self.update(task, until)
        if until == task.recipe.rounds:
            self._done += 1
            left = self.seconds_left
            more = f"; about {in_words(left)} left" if left > 1 and self._done < len(self._tasks) else ""
            self._display.print(f"{self._done} of {len(self._tasks)} runs: {task.cell.label}{more}")

    def drop(self, cells: Sequence[str]) -> None:
        """Cells that need no more training."""
        self._tasks = [task for task in self._tasks if task.cell.id not in cells]

    @property
    def seconds_left(self) -> float:
        """An estimate, of all that is left to train."""
        done = sum(self._seconds(task, self._began_with[task.run.path], self._at(task)) for task in self._tasks)
        left = sum(self._seconds(task, self._at(task), task.recipe.rounds) for task in self._tasks)
        elapsed = time.monotonic() - self._start
        if done > MIN_SHARE * (done + left):
            return left * elapsed / done
        return left / min(self._processes, max(1, len(self._tasks)))

    def _at(self, task: Task) -> int:
        return min(self._played[task.run.path], task.recipe.rounds)

    def _seconds(self, task: Task, start: int, end: int) -> float:
        """By the pilot."""
        whole = task.recipe.rounds - self._began_with[task.run.path]
        return self._total[task.run.path] * max(0, end - start) / max(1, whole)

    def _picture(self, task: Task, round: int) -> Group:
        total = sum(self._total[each.run.path] for each in self._tasks)
        done = sum(self._seconds(each, self._began_with[each.run.path], self._at(each)) for each in self._tasks)
        row = Table.grid(padding=(0, 1))
        left = f"about {in_words(self.seconds_left)} left"
        row.add_row(f"study {self._study.name}", progress_bar(done, total, BAR_WIDTH), left)
        now = f"{task.cell.label}, round {round:,} of {task.recipe.rounds:,}"
        place = f"{self._done} of {len(self._tasks)} runs done; {now}"
        return Group(row, Text(place, style="dim", overflow="ellipsis", no_wrap=True))
