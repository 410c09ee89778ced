"""Several runs compared: their order, what each changes from the one before, and which numbers may be compared."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from sparring import catalogue
from sparring.analysis.differences import recipe_changes
from sparring.analysis.facts import Facts
from sparring.analysis.summary import summary
from sparring.analysis.wording import count, listed
from sparring.errors import SparringError, UsageError
from sparring.languages import Text, said_again
from sparring.progress import say
from sparring.record import RunFolder

MAX_RUNS = 20
"""More runs on one page would not be readable."""
MAX_RATIO = 8
"""The axis of rounds that all runs share is linear when the longest is at most this many times as long as the shortest;
else it is logarithmic, or the shortest could not be seen."""


T = TypeVar("T")


@dataclass(frozen=True)
class Comparison:
    """Runs to be compared, in the order in which they are shown."""

    runs: list[Facts]

    @classmethod
    def of(cls, folders: Sequence[Path]) -> Comparison:
        """Compare the runs in these folders.

        Args:
            folders: Runs in the order wanted. A folder that contains runs stands for all of them, in the order of the
                catalogue's recipes, but for those that cannot be read, which are left out and named.

        Returns:
            The comparison, with each run once.

        Raises:
            SparringError: A folder is not a run and contains none.
            UsageError: There are fewer than two runs, or more than MAX_RUNS.
        """
        found = {run.path.resolve(): run for folder in folders for run in _runs_in(folder)}
        if len(found) > MAX_RUNS:
            raise UsageError(f"{len(found):,} runs are too many for one page; name at most {MAX_RUNS}")
        named = {folder.resolve() for folder in folders}
        runs = [facts for path, run in found.items() if (facts := _facts(run, path in named)) is not None]
        if len(runs) < 2:
            raise UsageError(f"compare needs two runs or more, and was given {count(len(runs), 'run')}")
        return cls(runs)

    @property
    def folder(self) -> Path:
        """The folder that contains the first run."""
        return self.runs[0].run.path.resolve().parent

    @cached_property
    def names(self) -> list[str]:
        """Each run's recipe, with as much of its folder's path as makes the name unique."""
        names = [facts.name for facts in self.runs]
        for folders in (1, 2, None):
            uses = Counter(names)
            names = [
                Text("{name} in {folder}", name=facts.name, folder=_tail(facts.run.path, folders))
                if uses[name] > 1
                else name
                for name, facts in zip(names, self.runs, strict=True)
            ]
        return names

    @cached_property
    def lineage(self) -> str | None:
        """The introduction to the one lineage that all the recipes belong to; None when they belong to several."""
        entries = [facts.entry for facts in self.runs]
        modules = {entry.module if entry else None for entry in entries}
        return catalogue.lineage(entries[0]) if entries[0] and len(modules) == 1 else None

    @property
    def title(self) -> str:
        if self.lineage:
            return Text(self.lineage.partition("\n")[0].rstrip("."))
        return (
            listed(self.names)
            if len(self.names) <= 3
            else Text("{runs} side by side", runs=count(len(self.runs), "run"))
        )

    @cached_property
    def steps(self) -> list[list[str]]:
        """How each run's recipe differs from the one before it, as text; the first has no differences."""
        steps = [recipe_changes(old.recipe, new.recipe) for old, new in pairwise(self.runs)]
        return [[], *([*self._branching(new), *step] for new, step in zip(self.runs[1:], steps, strict=True))]

    @cached_property
    def shared_changes(self) -> list[str]:
        """How the runs differ from the catalogue's recipes, where all differ alike, for example in rounds."""
        first, *others = [facts.changes for facts in self.runs]
        return first if all(changes == first for changes in others) else []

    @cached_property
    def objectives(self) -> list[str]:
        """The names of the objectives, each once."""
        leaves = [facts.recipe["objective"] for facts in self.runs]
        return list(dict.fromkeys(str(leaf.get("is") or leaf.get("yours")) for leaf in leaves))

    def same_objective(self, facts: Facts) -> list[Facts]:
        """The runs whose losses may be compared with this run's: those of the same objective, this one among them."""
        return [other for other in self.runs if other.recipe["objective"] == facts.recipe["objective"]]

    @property
    def losses_comparable(self) -> bool:
        """Whether all runs have the same objective."""
        return len(self.same_objective(self.runs[0])) == len(self.runs)

    @property
    def outputs_comparable(self) -> bool:
        """Whether D's outputs are on one scale: D(x) at equilibrium is the same in all runs."""
        return len({f.equilibrium["d_real"] for f in self.runs if "d_real" in f.equilibrium}) < 2

    @property
    def linear_rounds(self) -> bool:
        """Whether the axis of rounds, the same for all runs, is linear."""
        lengths = [facts.rounds for facts in self.runs]
        return max(lengths) <= MAX_RATIO * min(lengths)

    @property
    def notes(self) -> list[str]:
        """Sentences that a reader must know before comparing one run's numbers with another's."""
        notes: list[str] = []
        if self.shared_changes:
            notes.append(
                Text("Every run changes its recipe: {changes}.", changes=Text.joined(self.shared_changes, "; "))
            )
        notes += self._scales()
        if self._vary("data"):
            notes.append(Text("The data differ, so losses and metrics are not comparable across data sets."))
        if self._vary("rounds") or self._vary("batch"):
            notes.append(Text("The runs differ in rounds or batch size: they had different amounts of training."))
        named = list(zip(self.names, self.runs, strict=True))
        if short := [name for name, facts in named if facts.story.status in ("stopped", "unfinished")]:
            notes.append(Text("Not finished: {runs}. Their values are not final.", runs=Text.joined(short, ", ")))
        if changed := [name for name, facts in named if facts.departure]:
            runs = Text.joined(changed, ", ")
            notes.append(Text("Changed while training, so that they are no runs of their recipes: {runs}.", runs=runs))
        notes += [Text("{run}: {sentence}", run=name, sentence=line) for name, facts in named for line in facts.history]
        if lost := sum(len(facts.diverged) for facts in self.runs):
            of = count(sum(len(facts.seeds) for facts in self.runs), "seed")
            notes.append(
                Text(
                    "{some} of {seeds} diverged; the means leave them out, and n says how many are left.",
                    some=f"{lost:,}",
                    seeds=of,
                )
            )
        return notes

    def _scales(self) -> list[str]:
        """Sentences on losses and D's outputs of other scales."""
        notes: list[str] = []
        if not self.losses_comparable:
            differ = Text(
                "The objectives differ ({objectives}), so losses are not comparable across them; compare D(real) and "
                "D(fake) instead."
                if self.outputs_comparable
                else "The objectives differ ({objectives}), so losses are not comparable across them.",
                objectives=listed(self.objectives),
            )
            notes.append(differ)
        elif self._vary("tricks"):
            notes.append(Text("The tricks differ; those that change D's labels also change its losses."))
        if not self.outputs_comparable:
            notes.append(
                Text("D's outputs are on different scales; compare each with its value at equilibrium (dashed line).")
            )
        return notes

    def _branching(self, facts: Facts) -> list[str]:
        """Where a run was branched off another one that is compared."""
        branch = facts.story.steering.branch
        if branch is None:
            return []
        places = {other.run.path.resolve(): name for name, other in zip(self.names, self.runs, strict=True)}
        trunk = places.get(Path(branch.run))
        return [Text("branch of {run} at round {round}", run=trunk, round=f"{branch.round:,}")] if trunk else []

    def _vary(self, field: str) -> bool:
        return any(facts.recipe.get(field) != self.runs[0].recipe.get(field) for facts in self.runs)


def comparison_summary(comparison: Comparison) -> dict[str, Any]:
    """Everything `sparring compare --json` prints: of each run its summary and its changes from the one before."""
    return {
        "title": comparison.title,
        "losses_comparable": comparison.losses_comparable,
        "outputs_comparable": comparison.outputs_comparable,
        "notes": comparison.notes,
        "runs": [
            {"name": name, "changes_from_previous": step, **summary(facts.run)}
            for name, step, facts in zip(comparison.names, comparison.steps, comparison.runs, strict=True)
        ],
    }


def _tail(path: Path, folders: int | None) -> str:
    """The last so many parts of a path; the whole path for None."""
    return str(path.resolve()) if folders is None else "/".join(path.resolve().parts[-folders:])


def _runs_in(folder: Path) -> list[RunFolder]:
    run = RunFolder(folder)
    if run.exists or not folder.is_dir():
        return [RunFolder.open(folder)]
    inside = [RunFolder(path) for path in sorted(folder.iterdir()) if RunFolder(path).exists]
    if not inside:
        raise SparringError(
            f"{folder} is not a run and contains none: neither it nor a folder in it has a recipe.json; name a run"
        )
    names = {run: name for run in inside if (name := _unless_damaged(run, lambda run: str(run.recipe.get("name"))))}
    order = {name: index for index, name in enumerate(catalogue.entries("recipes"))}
    return sorted(names, key=lambda run: (order.get(names[run], len(order)), _natural(run.path.name)))


def _facts(run: RunFolder, is_named: bool) -> Facts | None:
    """Of a run; None where it cannot be read and was not named itself."""
    return Facts.of(run) if is_named else _unless_damaged(run, Facts.of)


def _unless_damaged(run: RunFolder, read: Callable[[RunFolder], T]) -> T | None:
    """What is read of a run; None for one that is damaged, which is said."""
    try:
        return read(run)
    except SparringError as error:
        say(Text("left out: {error}", error=said_again(str(error))))
        return None


def _natural(name: str) -> list[tuple[int, str]]:
    """A sort key by which run-2 comes before run-10."""
    return [(int(part or 0), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", name)]
