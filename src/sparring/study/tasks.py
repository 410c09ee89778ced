"""What a study has to train: a run for each cell, another for seeds that were added, each with the rounds it lacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sparring.errors import SparringError
from sparring.recipe import Recipe
from sparring.record import RunFolder
from sparring.study.definition import PlannedCell, Study
from sparring.study.folder import StudyFolder
from sparring.training.prepare import saved_round


@dataclass(frozen=True)
class Task:
    """One run of one cell."""

    cell: PlannedCell
    run: RunFolder
    recipe: Recipe
    """With the seeds of this run."""

    @property
    def played(self) -> int:
        """Rounds from which it goes on."""
        return saved_round(self.run) or 0

    def is_over(self, until: int) -> bool:
        """Whether it needs no more training to have been trained for so many rounds."""
        return is_over(self.run, until)

    @property
    def is_measured(self) -> bool:
        """Whether its samples were measured after its last round; a run that diverged has none."""
        if not self.run.exists:
            return False
        story, measures = self.run.story, _measures(self.run)
        return story.status == "diverged" or (measures is not None and measures["round"] == story.round)

    def has_other_count(self, samples: int | None, before: int | None) -> bool:
        """Whether another number of samples was asked for before: where that is not known, that was measured.

        The two differ where the data have fewer examples to compare with.
        """
        if samples is None or self.run.story.status == "diverged":
            return False
        measures = _measures(self.run)
        return samples != (before or (measures["n"] if measures is not None else None))


def is_over(run: RunFolder, until: int) -> bool:
    """Whether a run needs no more training to have been trained for so many rounds."""
    if not run.exists:
        return False
    story = run.story
    return story.status in ("finished", "diverged") or (story.status == "stopped" and (saved_round(run) or 0) >= until)


def tasks_of(folder: StudyFolder, study: Study) -> list[Task]:
    """Every run of every cell, whether it is over or not, in the order of the cells."""
    tasks: list[Task] = []
    for cell in study.cells:
        wanted = set(study.seeds)
        for run in folder.runs(cell):
            seeds = tuple(run.recipe["seeds"])
            if wanted & set(seeds):
                tasks.append(Task(cell, run, cell.recipe.replace(seeds=seeds)))
        if missing := folder.missing_seeds(study, cell):
            tasks.append(Task(cell, folder.new_run(cell, missing), cell.recipe.replace(seeds=missing)))
    return tasks


def _measures(run: RunFolder) -> dict[str, Any] | None:
    """What was measured; None also where that file is damaged, so that it is measured again."""
    try:
        return run.measures
    except SparringError:
        return None
