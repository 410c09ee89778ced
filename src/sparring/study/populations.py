"""Cells that differ in numbers alone, trained as one population, which is then split into a run for each of them.

What is trained together is written into the study's journal first, so that whoever resumes the study keeps to it.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field

from sparring.analysis.evaluator import AT_ONCE, COUNT
from sparring.errors import UsageError
from sparring.languages import Text
from sparring.recipe import Recipe
from sparring.recipe.per_member import together
from sparring.record import RunFolder
from sparring.study.folder import CELLS, StudyFolder
from sparring.study.tasks import Task, is_over
from sparring.training.prepare import saved_round
from sparring.training.splitting import split

HOME = ".populations"
"""Folder of a study for runs of several cells, until they are split."""
MAX_MEMBERS = 256


@dataclass(frozen=True)
class Unit:
    """What is trained at once: one run of one cell, or the runs of several cells as one population."""

    tasks: tuple[Task, ...]
    recipe: Recipe
    run: RunFolder = field(compare=False)

    @classmethod
    def of(cls, task: Task) -> Unit:
        """One run by itself."""
        return cls((task,), task.recipe, task.run)

    @property
    def is_population(self) -> bool:
        return len(self.tasks) > 1

    @property
    def label(self) -> str:
        """Its cells, in words."""
        first, *others = self.tasks
        if not others:
            return first.cell.label
        return Text("{cell} and {count} more, side by side", cell=first.cell.label, count=len(others))

    @property
    def played(self) -> int:
        """Rounds from which it goes on."""
        return saved_round(self.run) or 0

    def is_over(self, until: int) -> bool:
        """Whether it needs no more training to have been trained for so many rounds."""
        return is_over(self.run, until)


def units_of(folder: StudyFolder, tasks: Sequence[Task], due: Sequence[Task], processes: int = 1) -> list[Unit]:
    """Runs in units: populations that were begun, and new runs that can be trained as one.

    Args:
        folder: The study's folder.
        tasks: Every run of the study.
        due: Those that are not over.
        processes: No unit is so large that other processes have nothing to do.
    """
    begun = _begun(folder, tasks)
    left = [task for task in due if not any(task in unit.tasks for unit in begun)]
    largest = math.ceil(len(left) / max(1, processes))
    groups: list[list[Task]] = []
    for task in left:
        fitting = (group for group in groups if len(group) < largest and _fits(group, task))
        group = next(fitting, None)
        if group is None:
            groups.append([task])
        else:
            group.append(task)
    return [*begun, *(_unit(folder, group) for group in groups)]


def announce(folder: StudyFolder, units: Sequence[Unit]) -> None:
    """Write into the study's journal which runs are trained together, and where each is to be."""
    known = {event["population"] for event in folder.events if event["event"] == "population"}
    for unit in units:
        if unit.is_population and unit.run.path.name not in known:
            cells = [[task.cell.id, list(task.recipe.seeds)] for task in unit.tasks]
            runs = [folder.relative(task.run) for task in unit.tasks]
            folder.append("population", population=unit.run.path.name, cells=cells, runs=runs)


def split_what_is_over(folder: StudyFolder) -> None:
    """Write the runs of the cells of every population that has been trained to its end, and drop the population's own.

    A split that was cut short is done again, whatever is asked of the study by now.
    """
    for event in folder.events:
        run = RunFolder(folder.path / HOME / event["population"]) if event["event"] == "population" else None
        if run is None or not run.exists or not is_over(run, run.recipe["rounds"]):
            continue
        (folder.path / CELLS).mkdir(exist_ok=True)
        split(run, folders=[folder.path / name for name in event["runs"]])
        folder.append("split", population=event["population"], runs=event["runs"], together=len(run.recipe["seeds"]))
        shutil.rmtree(run.path)


def _begun(folder: StudyFolder, tasks: Sequence[Task]) -> list[Unit]:
    """Populations whose run is there still, if all of their cells are asked for."""
    units: list[Unit] = []
    for event in folder.events:
        if event["event"] != "population" or not RunFolder(folder.path / HOME / event["population"]).exists:
            continue
        known = {(task.cell.id, task.recipe.seeds): task for task in tasks}
        members = [known.get((id, tuple(seeds))) for id, seeds in event["cells"]]
        if all(members):
            units.append(_unit(folder, [task for task in members if task is not None], event["population"]))
    return units


def _unit(folder: StudyFolder, group: Sequence[Task], name: str = "") -> Unit:
    if len(group) == 1:
        return Unit.of(group[0])
    recipe = together([task.recipe for task in group])
    return Unit(tuple(group), recipe, RunFolder(folder.path / HOME / (name or recipe.id)))


def _fits(group: Sequence[Task], task: Task) -> bool:
    """Whether a run can be trained with these as one population: none was begun, and they differ in numbers alone."""
    members = sum(len(each.recipe.seeds) for each in (*group, task))
    per_example = math.prod(task.recipe.data.shape)
    if any(each.run.exists or each.cell.id == task.cell.id for each in (*group, task) if each is not task):
        return False
    if task.run.exists or members > min(MAX_MEMBERS, AT_ONCE // (COUNT * per_example)):
        return False
    try:
        return len(together([each.recipe for each in (*group, task)]).cells) == len(group) + 1
    except UsageError:
        return False
