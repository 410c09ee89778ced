"""Runs side by side: which, in what order, what each changes from the one before, and which numbers may be compared."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

from sparring import catalogue
from sparring.analysis.differences import between
from sparring.analysis.facts import Facts, summary
from sparring.analysis.wording import count, listed
from sparring.errors import SparringError, UsageError
from sparring.record import Run

MOST_RUNS = 20
"""More on one page help nobody."""
LONGER = 8
"""Times as long as the shortest run that the longest may be before the shortest would be a sliver on its axis."""


@dataclass(frozen=True)
class Comparison:
    """Runs in the order in which their story is told."""

    runs: list[Facts]

    @classmethod
    def of(cls, folders: Sequence[Path]) -> Comparison:
        """These runs, in this order; a folder of runs stands for all in it, in the order of the catalogue.

        Raises SparringError for a folder that is neither, UsageError for fewer runs than two or too many.
        """
        found = {run.path.resolve(): run for folder in folders for run in _runs_in(folder)}
        if len(found) < 2:
            raise UsageError(f"compare needs two runs or more, and was given {count(len(found), 'run')}")
        if len(found) > MOST_RUNS:
            raise UsageError(f"{len(found):,} runs are too many for one page; name at most {MOST_RUNS}")
        return cls([Facts.of(run) for run in found.values()])

    @property
    def folder(self) -> Path:
        """Where the first run lies."""
        return self.runs[0].run.path.resolve().parent

    @cached_property
    def names(self) -> list[str]:
        """The recipe's name, with as much of the folder's as tells it from the others."""
        told = [facts.name for facts in self.runs]
        for folders in (1, 2, None):
            twice = Counter(told)
            told = [
                f"{facts.name} in {_tail(facts.run.path, folders)}" if twice[name] > 1 else name
                for name, facts in zip(told, self.runs, strict=True)
            ]
        return told

    @cached_property
    def lineage(self) -> str | None:
        """What the file that holds all these recipes says of them; None when they lie in several."""
        cards = [facts.card for facts in self.runs]
        modules = {card.module if card else None for card in cards}
        return catalogue.lineage(cards[0]) if cards[0] and len(modules) == 1 else None

    @property
    def title(self) -> str:
        if self.lineage:
            return self.lineage.partition("\n")[0].rstrip(".")
        return listed(self.names) if len(self.names) <= 3 else f"{count(len(self.runs), 'run')} side by side"

    @cached_property
    def steps(self) -> list[list[str]]:
        """What each recipe does differently from the one before it, in words; of the first, nothing."""
        recipes = [facts.recipe for facts in self.runs]
        return [[], *(between(old, new) for old, new in pairwise(recipes))]

    @cached_property
    def shared_changes(self) -> list[str]:
        """How every run departs from its recipe, where all do so alike, as with fewer rounds than it asks for."""
        first, *others = [facts.changes for facts in self.runs]
        return first if all(changes == first for changes in others) else []

    @cached_property
    def objectives(self) -> list[str]:
        """What the objectives are called, each once."""
        return list(dict.fromkeys(facts.objective for facts in self.runs))

    def rivals(self, facts: Facts) -> list[Facts]:
        """The runs whose losses may be compared with this one's: those of the same objective."""
        return [other for other in self.runs if other.recipe["objective"] == facts.recipe["objective"]]

    @property
    def losses_compare(self) -> bool:
        return len(self.rivals(self.runs[0])) == len(self.runs)

    @property
    def answers_compare(self) -> bool:
        """Whether D's answers mean the same in all runs: the same number says that it cannot tell."""
        return len({f.equilibrium["d_real"] for f in self.runs if "d_real" in f.equilibrium}) < 2

    @property
    def lengths_compare(self) -> bool:
        """Whether one axis of rounds can show all runs."""
        lengths = [facts.rounds for facts in self.runs]
        return max(lengths) <= LONGER * min(lengths)

    @property
    def notes(self) -> list[str]:
        """What a reader must know before setting one run's numbers beside another's."""
        told = [f"Every run changes its recipe: {'; '.join(self.shared_changes)}."] if self.shared_changes else []
        if not self.losses_compare:
            instead = "; compare D(real) and D(fake) instead" if self.answers_compare else ""
            told.append(
                f"The objectives differ ({listed(self.objectives)}), so losses are not comparable across them{instead}."
            )
        elif self._vary("tricks"):
            told.append("The tricks differ. Losses are under the labels that D was told, so those may not compare.")
        if not self.answers_compare:
            told.append("D's answers are on different scales; set each beside its own dashed line.")
        if self._vary("data"):
            told.append("The data differ.")
        if self._vary("rounds") or self._vary("batch"):
            told.append("The runs differ in rounds or batch: they had different amounts of training.")
        if short := [
            n for n, f in zip(self.names, self.runs, strict=True) if f.story.status in ("stopped", "unfinished")
        ]:
            told.append(f"Not finished: {', '.join(short)}. What is shown of them is not final.")
        if lost := sum(len(facts.diverged) for facts in self.runs):
            of = count(sum(len(facts.seeds) for facts in self.runs), "seed")
            told.append(f"{lost:,} of {of} diverged: counted under n, and left out of the means.")
        return told

    def _vary(self, field: str) -> bool:
        return any(facts.recipe.get(field) != self.runs[0].recipe.get(field) for facts in self.runs)


def comparison_summary(held: Comparison) -> dict[str, Any]:
    """All that `sparring compare --json` tells: of each run what `show --json` does, and what it changes."""
    return {
        "title": held.title,
        "losses_compare": held.losses_compare,
        "answers_compare": held.answers_compare,
        "notes": held.notes,
        "runs": [
            {"name": name, "changes_from_previous": step, **summary(facts.run)}
            for name, step, facts in zip(held.names, held.steps, held.runs, strict=True)
        ],
    }


def _tail(path: Path, folders: int | None) -> str:
    """The last so many names of a path; all of it for None."""
    return str(path.resolve()) if folders is None else "/".join(path.resolve().parts[-folders:])


def _runs_in(folder: Path) -> list[Run]:
    run = Run(folder)
    if run.exists or not folder.is_dir():
        return [Run.open(folder)]
    inside = [Run(path) for path in sorted(folder.iterdir()) if Run(path).exists]
    if not inside:
        raise SparringError(f"{folder} is not a run and holds none: no recipe.json in it nor in a folder below it")
    order = {name: index for index, name in enumerate(catalogue.entries("recipes"))}
    return sorted(inside, key=lambda run: (order.get(str(run.recipe.get("name")), len(order)), _natural(run.path.name)))


def _natural(name: str) -> list[tuple[int, str]]:
    """So that run-2 comes before run-10."""
    return [(int(part or 0), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", name)]
