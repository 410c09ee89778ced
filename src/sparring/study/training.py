"""Training a study: every run of every cell, resumed where it was, in this process or in several, then measured.

Killing the process at any instant loses nothing but the rounds since the last checkpoint: what is over is known by the
runs themselves, and what a race has decided by the study's journal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from sparring.analysis.measure import keep, measure
from sparring.errors import SparringError, UsageError
from sparring.game.runtime import resolve_device
from sparring.interruption import when_ended
from sparring.languages import Text
from sparring.metrics import MIN_EXAMPLES
from sparring.progress import say
from sparring.recipe import Recipe, remember
from sparring.record import RunFolder, training_lock
from sparring.record.journal import json_numbers
from sparring.study.collecting import collect
from sparring.study.definition import Study
from sparring.study.folder import RESULTS, StudyFolder
from sparring.study.looks import badness_at, look_round
from sparring.study.outcome import Outcome
from sparring.study.pilot import Pilot, forecast, pilot, plain
from sparring.study.populations import Unit, announce, split_what_is_over, units_of
from sparring.study.progress import StudyProgress
from sparring.study.racing import losers
from sparring.study.results import Results
from sparring.study.tasks import Task, tasks_of
from sparring.study.workers import train_in_workers
from sparring.training.chores.keep import Budget
from sparring.training.prepare import Settings, prepare
from sparring.training.single import train_here
from sparring.training.trainer import Trainer

SAMPLES = 1_000
"""Samples of each member that are measured at the end, where no number is given."""
KEPT = "ended; what was trained is kept, and rerun the same command to go on"


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Where and how a study is trained: nothing that its results depend on, but for the number of samples measured."""

    processes: int = 1
    on: Literal["here", "ray"] = "here"
    data_dir: Path | None = None
    device: str = "auto"
    threads: int | None = None
    compile: bool | None = None
    samples: int | None = None
    """SAMPLES if None; where it is given, what was measured with another number is measured again."""

    @property
    def count(self) -> int:
        """Samples of each member that are measured at the end."""
        return SAMPLES if self.samples is None else self.samples

    def settings(self) -> Settings:
        """Those of every run. Samples are evaluated at every log point, so that cells are compared at the same ones."""
        made = Settings(
            self.data_dir,
            resolve_device(self.device),
            self.threads,
            compile=self.compile,
            evaluate_all=True,
            keep=Budget(0, 0),  # of many runs, none of which is rewound
        )
        made.check(sharded=self.processes > 1 or self.on == "ray")
        if (samples := self.count) < MIN_EXAMPLES:
            raise UsageError(f"samples must be at least {MIN_EXAMPLES}, not {samples}")
        if self.processes < 1:
            raise UsageError(f"processes must be at least 1, not {self.processes}")
        if self.on == "ray":
            from sparring.training.distributed.ray import check_installed

            check_installed()
        return made


@dataclass(frozen=True)
class Trained:
    """What training a study has come to."""

    results: Results
    stopped: bool
    """Whether Ctrl-C ended it before all was trained."""


def train_study(study: Study, folder: StudyFolder, machine: Machine) -> Trained:
    """Train all that is missing of a study, measure it, and collect the results.

    Args:
        study: What is asked; a user's own parts are in it, not placeholders for them.
        folder: Where its runs are kept, or are to be.
        machine: Where and how to train.

    Raises:
        UsageError: The folder holds something else.
        SparringError: A cell cannot be trained or measured, or another process is training the study.
    """
    settings = machine.settings()
    with training_lock(folder.path), when_ended(KEPT):
        folder.begin(study)
        for cell in study.cells:
            remember(cell.recipe)
        session = _Session(study, folder, machine, settings)
        stopped = not session.run()
        results = collect(folder, study)
        folder.write_text(RESULTS, results.to_json())
        if not stopped and not folder.is_complete:
            folder.append("complete", cells=len(study.cells), seeds=list(study.seeds))
    return Trained(results, stopped)


@dataclass
class _Session:
    """One session of training a study."""

    study: Study
    folder: StudyFolder
    machine: Machine
    settings: Settings

    def run(self) -> bool:
        """Whether all is trained and measured: not where Ctrl-C was pressed."""
        split_what_is_over(self.folder)
        left = self._units(1.0)
        if left:
            tried = pilot(left, self.settings)
            Outcome.read(self.study.outcome).check(tried.metrics, races=bool(self.study.looks))
            when = forecast(tried, left, self.machine.processes)
            say(Text("study {name}: {forecast}", name=self.study.name, forecast=when))
            self.folder.append("session", units=len(left), costs=plain(tried), processes=self.machine.processes)
            if not self._train(left, tried):
                return False
        return self._measure()

    def _tasks(self) -> list[Task]:
        """All runs, but those of cells that a race has stopped."""
        stopped = self.folder.stopped() if self.study.looks else {}
        return [task for task in tasks_of(self.folder, self.study) if task.cell.id not in stopped]

    def _units(self, share: float) -> list[Unit]:
        """What is to be trained for that share of its rounds; a race, which stops cells, trains each by itself."""
        tasks = self._tasks()
        due = [task for task in tasks if (until := _rounds(task.recipe, share)) and not task.is_over(until)]
        if self.study.looks:
            return [Unit.of(task) for task in due]
        units = units_of(self.folder, tasks, due, self._processes)
        announce(self.folder, units)
        return units

    @property
    def _processes(self) -> int:
        return len(self.study.cells) if self.machine.on == "ray" else self.machine.processes

    def _train(self, left: Sequence[Unit], tried: Pilot) -> bool:
        with StudyProgress(self.study, left, tried, self._processes) as progress:
            for share in self.study.looks:
                if any(event["event"] == "look" and event["share"] == share for event in self.folder.events):
                    continue
                if not self._train_until(share, progress):
                    return False
                progress.drop(self._look(share))
            return self._train_until(1.0, progress)

    def _train_until(self, share: float, progress: StudyProgress) -> bool:
        """Train every run for that share of its rounds; False where Ctrl-C was pressed."""
        due = [(unit, _rounds(unit.recipe, share)) for unit in self._units(share)]
        if self.machine.processes > 1 or self.machine.on == "ray":
            done = not due or train_in_workers(self.folder, due, self.settings, self.machine, progress)
            split_what_is_over(self.folder)
            return done
        return all(self._train_one(unit, until, progress) for unit, until in due)

    def _train_one(self, unit: Unit, until: int, progress: StudyProgress) -> bool:
        """Train one unit here; False where Ctrl-C was pressed."""
        settings = self.settings if until == unit.recipe.rounds else replace(self.settings, until=until)

        def watch(trainer: Trainer) -> None:
            progress.update(unit, trainer.game.round)

        progress.update(unit, unit.played)
        try:
            run = train_here(prepare(unit.recipe, unit.run.path, settings, sharded=False), settings, (watch,))
        except SparringError as error:
            if not _has_diverged(unit.run):
                raise SparringError(f"{unit.label}: {error}") from error
            run = unit.run
        if run.story.status == "stopped" and run.story.round < until:
            return False
        progress.finish(unit, until)
        split_what_is_over(self.folder)
        if until == unit.recipe.rounds:
            for task in unit.tasks:
                if not task.is_measured:
                    self._measure_one(task)
        return True

    def _look(self, share: float) -> list[str]:
        """Compare the cells, and stop those that are losing. Returns the ids of these."""
        results, stopped = collect(self.folder, self.study), self.folder.stopped()
        rounds = {cell.id: look_round(cell.recipe, share) for cell in self.study.cells}
        asked, cells = Outcome.read(results.outcome), list(rounds)
        racing = np.array([cell not in stopped for cell in cells])
        values = badness_at(results, asked.name, rounds)
        found = losers(values, racing, len(self.study.looks))
        new = {cells[loss.cell]: rounds[cells[loss.cell]] for loss in found}
        losses = [[cells[loss.cell], cells[loss.against], loss.level, json_numbers(loss.low)] for loss in found]
        self.folder.append("look", share=share, metric=asked.name, losses=losses, stopped=new)
        for loss in found:
            losing, rival = self.study.cells[loss.cell], self.study.cells[loss.against]
            lost = Text(
                "stopped at round {round}: {cell} is losing against {rival}",
                round=f"{rounds[losing.id]:,}",
                cell=losing.label,
                rival=rival.label,
            )
            say(lost)
        return list(new)

    def _measure(self) -> bool:
        stated = {event["run"]: event.get("samples") for event in self.folder.events if event["event"] == "measured"}
        for task in self._tasks():
            if not task.is_measured or task.has_other_count(self.machine.samples, stated.get(self._name(task))):
                self._measure_one(task)
            elif self._name(task) not in stated:  # by the process that trained it
                self._state_measured(task)
        return True

    def _measure_one(self, task: Task) -> None:
        count = self.machine.count
        keep(measure(task.run, count, data_dir=self.machine.data_dir, recipe=task.recipe))
        self._state_measured(task, samples=count)

    def _state_measured(self, task: Task, **known: int) -> None:
        self.folder.append("measured", cell=task.cell.id, run=self._name(task), **known)

    def _name(self, task: Task) -> str:
        return self.folder.relative(task.run)


def _rounds(recipe: Recipe, share: float) -> int:
    return recipe.rounds if share == 1.0 else look_round(recipe, share)


def _has_diverged(run: RunFolder) -> bool:
    return run.exists and run.story.status == "diverged"
