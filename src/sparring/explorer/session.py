"""What one launch of the explorer keeps: the opened folders, and the runs that pages follow."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sparring.analysis.diagnosis import diagnose
from sparring.analysis.followed import FollowedRun
from sparring.errors import SparringError
from sparring.explorer.tasks import Tasks
from sparring.record import RunFolder
from sparring.record.opened import Opened
from sparring.training.background import Background

MODES = ("training", "paused", "slow")
"""Statuses of a run that a process has."""
DRAWINGS = "drawings"
"""The folder of points that were drawn on a page, beside the runs that are started."""
MAX_FOLLOWED = 12
"""Runs that stay in memory; the one that was asked for longest ago goes first."""


class Session:
    """Shared by all windows: two of them on one run read the same."""

    def __init__(self, opened: Opened, new_runs: Path):
        self.opened = opened
        self.new_runs = new_runs
        """The folder that runs are started in."""
        self._started: dict[Path, tuple[Background, float]] = {}
        """Training processes that pages started, and when, by the folder of their run."""
        self.tasks = Tasks()
        """Long computations of pages."""
        self._seen: set[str] = set()
        self._verdicts: dict[tuple[Path, int, int, int], str] = {}
        self._followed: OrderedDict[Path, tuple[FollowedRun, threading.RLock]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: str) -> RunFolder | None:
        """The run of this key; None where there is none, or none any more."""
        found = self.opened.find(key)
        if found is not None:
            self._seen.add(key)
        return found

    def is_gone(self, key: str) -> bool:
        """Whether a page has shown this run, and its folder is there no longer."""
        return key in self._seen and self.find(key) is None

    def problem_of(self, run: RunFolder) -> str:
        """Why a training that a page started has ended; empty where it has not, or ended well, or the run went on."""
        started = self._started.get(run.path)
        if started is None or not (problem := started[0].problem):
            return ""
        try:
            written = (run.path / "journal.jsonl").stat().st_mtime
        except OSError:
            return problem
        ended = started[0].ended
        return "" if ended is not None and written > ended else problem

    def look_after(self, training: Background) -> None:
        """Know of a training process that a page has just started."""
        self._started[training.run.path] = training, time.time()

    def status_of(self, followed: FollowedRun) -> str:
        """A run's status; `starting` while a process that a page started has not begun to train.

        Once the run's journal goes on, it has; one that was stopped lives on for a while, to write its report.
        """
        status, started = followed.status, self._started.get(followed.run.path)
        if status in MODES or started is None:
            return status
        process, since = started
        return "starting" if process.is_running and followed.at < since else status

    def verdict_of(self, run: RunFolder) -> str:
        """The name of a run's verdict, kept until its journal or measurement changes; empty where it cannot be read."""
        try:
            status = (run.path / "journal.jsonl").stat()
            key = run.path, status.st_mtime_ns, status.st_size, run.measured_at
            if key not in self._verdicts:
                self._verdicts = {k: v for k, v in self._verdicts.items() if k[0] != run.path}
                self._verdicts[key] = diagnose(run).verdict
            return self._verdicts[key]
        except (SparringError, OSError):
            return ""

    @contextmanager
    def following(self, run: RunFolder) -> Generator[FollowedRun]:
        """A run, read up to now, that no other thread reads meanwhile. Raises SparringError for a damaged one."""
        with self._lock:
            if run.path not in self._followed:
                self._followed[run.path] = FollowedRun(run), threading.RLock()
            self._followed.move_to_end(run.path)
            while len(self._followed) > MAX_FOLLOWED:
                self._followed.popitem(last=False)
            followed, lock = self._followed[run.path]
        with lock:
            followed.update()
            yield followed
