"""What is wrong with a GAN, or right: every rule applied to one run's story, findings sorted. Loads no torch."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from os import PathLike
from pathlib import Path
from typing import Any

from sparring import catalogue
from sparring.analysis.plateau import Plateau as Plateau
from sparring.analysis.steered import departure
from sparring.analysis.votes import CLEAR, UNFINISHED
from sparring.analysis.votes import with_votes as with_votes
from sparring.characters import quoted
from sparring.errors import SparringError, UsageError
from sparring.languages import Name, Text
from sparring.recipe import Recipe
from sparring.record import RunFolder, Story
from sparring.record.journal import Event
from sparring.record.members import label_of, numbers_of
from sparring.rules import Evidence, Finding, Rule
from sparring.rules import Signals as Signals
from sparring.rules._doubt import doubt
from sparring.rules._measured import Measured
from sparring.rules._unexplained import unexplained

NOT_SURE = "not-sure"
"""The verdict where nothing explains nearly all members."""
COMPARISONS = frozenset({"metrics", "errors", "quantiles"})
"""Fields of a log event that samples and real examples give together."""
MAX_CELLS = 8
"""Verdicts of members with other numbers that a line states."""
MAX_NAMED = 3
"""How many of the numbers that no rule explains are named in a line."""


@dataclass(frozen=True)
class Diagnosis:
    """Every finding of one run, the strongest first."""

    story: Story = field(repr=False)
    findings: tuple[Finding, ...]
    plateau: Plateau | None
    doubt: str = ""
    """Why the samples of most members are not called like the data; empty where they may be."""
    unexplained: tuple[Evidence, ...] = ()
    """Numbers outside their healthy range that no fault gives as evidence, of members that have not diverged."""
    cells: tuple[tuple[str, Diagnosis], ...] = ()
    """Where members differ in numbers: the numbers in words, and the diagnosis of the members that have these. Each is
    as that of a run of its own; `findings` are those of all."""

    @property
    def verdict(self) -> str:
        """The name of the finding that explains most of nearly all members, or NOT_SURE."""
        if self.cells:
            return self.cells[0][1].verdict if self.is_clear else NOT_SURE
        return self.findings[0].rule if self.is_clear else NOT_SURE

    @property
    def is_clear(self) -> bool:
        """Whether the first finding is the verdict of at least CLEAR of the members.

        A smaller majority would be a matter of which seeds were trained. Members that are good already do not speak
        against the others being unfinished: with these they may be that many.
        """
        if self.cells:
            verdicts = {cell.verdict for _, cell in self.cells}
            return len(verdicts) == 1 and NOT_SURE not in verdicts
        if not self.findings:
            return False
        first, *others = self.findings
        good = sum(finding.votes for finding in others if not finding.fault) if first.rule == UNFINISHED else 0
        return first.votes + good >= CLEAR * first.of

    @property
    def line(self) -> str:
        """The verdict in one line."""
        verdict = Name(self.verdict)
        if not self.is_clear:
            return Text("{verdict}: {why}", verdict=verdict, why=self.why_not_sure)
        if self.cells:
            return Text(
                "{verdict} (all {count} settings of the numbers in which members differ)",
                verdict=verdict,
                count=f"{len(self.cells):,}",
            )
        first = self.findings[0]
        return Text(
            "{verdict} ({count} of {of}): {claim}",
            verdict=verdict,
            count=f"{len(first.members):,}",
            of=f"{first.of:,}",
            claim=first.claim,
        )

    @property
    def beside_verdict(self) -> str:
        """What the line says after the verdict: the first finding's claim, or why there is no clear one."""
        if not self.is_clear:
            return self.why_not_sure
        return "" if self.cells else self.findings[0].claim

    @property
    def why_not_sure(self) -> str:
        """What keeps the verdict from being clear, in one phrase; empty where it is clear."""
        if self.is_clear:
            return ""
        if self.cells:
            shown = [
                Text("{label}: {verdict}", label=label, verdict=Name(cell.verdict))
                for label, cell in self.cells[:MAX_CELLS]
            ]
            more = len(self.cells) - MAX_CELLS
            rest = [Text("and {count} more", count=f"{more:,}")] if more > 0 else []
            parts = Text.joined([*shown, *rest], "; ")
            return Text("members differ in numbers, and in what comes of them; {parts}", parts=parts)
        if not any(finding.votes for finding in self.findings):
            return self.doubt or self._unnamed or Text("nothing stands out, good or bad")
        total, named = self.findings[0].of, [finding for finding in self.findings if finding.votes]
        parts = [
            Text("{rule} in {count} of {of}", rule=Name(finding.rule), count=f"{finding.votes:,}", of=f"{total:,}")
            for finding in named
        ]
        rest = total - sum(finding.votes for finding in named)
        if not rest:
            return Text("the seeds are mixed, {parts}", parts=Text.joined(parts, ", "))
        doubt = Text("; {doubt}", doubt=self.doubt) if self.doubt and rest > total / 2 else ""
        return Text(
            "the seeds are mixed, {parts}, nothing clear in {count}{doubt}",
            parts=Text.joined(parts, ", "),
            count=f"{rest:,}",
            doubt=doubt,
        )

    @property
    def _unnamed(self) -> str:
        """What is out of its healthy range, though no rule has a name for it; empty where nothing is."""
        words = [evidence.words(fault=True) for evidence in self.unexplained[:MAX_NAMED]]
        return Text("no rule explains that {numbers}", numbers=Text.joined(words, ", and ")) if words else ""

    @property
    def evaluated(self) -> str:
        """Of which rounds the numbers are that it rests on, in one to three sentences; empty before a log point."""
        if not len(self.story.logged_rounds):
            return ""
        curves = Text("Losses, D's outputs and gradients are means of the last tenth of the logged rounds.")
        rounds = [event["round"] for event in self.story.log_points if "metrics" in event]
        if not rounds:
            return curves
        last, now = rounds[-1], self.story.round
        stale = Text(", and not since: the run is at round {now}", now=f"{now:,}") if last < now else ""
        measured = Measured.of(self.story)
        better = ""
        if measured:
            better = Text(" What `sparring measure` found counts more (round {round}).", round=f"{measured.round:,}")
        samples = Text(
            "Metrics of samples are medians of the last evaluations, up to round {last}{stale}.{better}",
            last=f"{last:,}",
            stale=stale,
            better=better,
        )
        return Text.joined([curves, samples], " ")

    @property
    def departure(self) -> str:
        """What was changed while the run trained, in a phrase; empty for a run that is its recipe's."""
        return departure(self.story)

    @property
    def best(self) -> int | None:
        """The round whose samples were nearest to the data, of those evaluated; its checkpoint is kept."""
        rounds = [event["round"] for event in self.story.events if event["event"] == "best"]
        return rounds[-1] if rounds else None

    def command(self, run: str | Path, remedy: str, encoding: str | None = None) -> str:
        """What to type to try a remedy: for a run that has not come to its end, the remedy of more rounds is to resume.

        Args:
            run: The run's folder.
            remedy: One of a finding's.
            encoding: Of the terminal; UTF-8 for None.
        """
        if continues(remedy) and self.story.round < self.story.recipe["rounds"]:
            path = _quoted(run, encoding)
            return f"sparring train --from {path} --out {path}"
        return command(run, remedy, encoding)

    def plain(self, run: str | Path | None = None) -> dict[str, Any]:
        """What `sparring diagnose --json` prints."""
        return {
            "verdict": self.verdict,
            "findings": [_plain(self, finding, run) for finding in self.findings],
            "unexplained": [evidence.plain() for evidence in self.unexplained],
            "plateau": self.plateau.plain() if self.plateau else None,
            "why_not_sure": self.why_not_sure or None,
            "best": self.best,
            "round": self.story.round,
            "steered": self.departure or None,
            **({"cells": [{"numbers": label, **cell.plain()} for label, cell in self.cells]} if self.cells else {}),
        }


def diagnose(run: RunFolder | str | PathLike[str]) -> Diagnosis:
    """What a run's journal says is wrong with it, or right.

    Args:
        run: The run or its folder, also while it trains.

    Returns:
        The findings, the strongest first, with their evidence and remedies, and the verdict.

    Raises:
        SparringError: The folder contains no run.
    """
    run = run if isinstance(run, RunFolder) else RunFolder.open(run)
    return diagnosis(story_of(run))


def story_of(run: RunFolder) -> Story:
    """A run's story, with its newest measurement."""
    return completed(run.story, run)


def completed(story: Story, run: RunFolder) -> Story:
    """A story with what other files of the run say: its newest measurement, and the objective's levels.

    The levels come from about.json where an older journal does not state them.
    """
    levels = run.about_for_reports.get("equilibrium")
    stated = not levels or any(event.get("levels") for event in story.events)
    before = [] if stated else [{"event": "levels", "levels": levels}]
    measured = _measured(run)
    if not before and measured is None:
        return story
    return Story(story.recipe, [*before, *story.events, *([measured] if measured else [])])


def _measured(run: RunFolder) -> Event | None:
    """What `measure` wrote, as an event; None where it wrote nothing that can be read."""
    try:
        measures = run.measures
    except SparringError:
        return None
    return None if measures is None else {"event": "measured", **measures}


def diagnosis(story: Story) -> Diagnosis:
    """The diagnosis of a story. Rules go by the recipe in force, and the run says where that was changed."""
    story = Story(story.recipe_now, _without_vain_comparisons(story))
    cells = story.cells
    return _diagnosis(story) if len(cells) == 1 else _diagnosis_of_cells(story, cells)


def _without_vain_comparisons(story: Story) -> list[Event]:
    """The events without comparisons of samples with what D was given long ago, which it is given no more."""
    if story.loop is None or not (story.loop.data.changes or story.loop.data.renewed):
        return story.events
    renewed = [at for at, event in enumerate(story.events) if event.get("renewed")] if story.loop.data.renewed else []
    first = renewed[-1] if renewed else len(story.events)
    events = [event for event in story.events[:first] if event["event"] not in ("measured", "real-baseline")]
    vain = [{name: value for name, value in event.items() if name not in COMPARISONS} for event in events]
    return vain + story.events[first:]


def _diagnosis_of_cells(story: Story, cells: Sequence[Sequence[int]]) -> Diagnosis:
    """Members that differ in numbers are judged as runs of their own, each by its own recipe."""
    names, parts, findings = story.names, list[tuple[str, Diagnosis]](), list[Finding]()
    for members in cells:
        label, of_these = label_of(numbers_of(story.recipe, members[0])), story.of(members)
        called = dict(zip(of_these.names, (names[member] for member in members), strict=True))
        part = _diagnosis(of_these)
        parts.append((label, part))
        for finding in part.findings:
            found = dataclasses.replace(
                finding,
                members=tuple(called[name] for name in finding.members),
                voters=frozenset(called[name] for name in finding.voters),
                blemishes=frozenset(called[name] for name in finding.blemishes),
            )
            # A remedy changes one recipe; here it would be another for each of them.
            claim = Text("{label}: {claim}", label=label, claim=finding.claim)
            findings.append(dataclasses.replace(found, claim=claim, remedies=()))
    unexplained = {each.words(fault=True): each for _, part in parts for each in part.unexplained}
    plateau = Plateau.of(Signals(story))
    return Diagnosis(story, tuple(findings), plateau, "", tuple(unexplained.values()), tuple(parts))


def _diagnosis(story: Story) -> Diagnosis:
    signals = Signals(story)
    found = with_votes(_found(signals))
    recipe = _recipe_of(story)
    if story.loop is not None:  # the loop is the user's: no recipe changes it
        found = [dataclasses.replace(each, remedies=()) for each in found]
    elif recipe is not None:
        found = [dataclasses.replace(each, remedies=fitting_remedies(recipe, each.remedies)) for each in found]
    return Diagnosis(story, tuple(found), Plateau.of(signals), doubt(signals), unexplained(signals, found))


def _found(signals: Signals) -> list[Finding]:
    """What rules find in all members, and in those alone of which that says nothing, good or bad."""
    found = [finding for rule in rules().values() if (finding := rule.find(signals))]
    explained = {name for finding in found for name in set(finding.members) - finding.blemishes}
    names, everyone = signals.story.names, signals.members
    left = [member for member in range(everyone) if names[member] not in explained]
    too_early = any(finding.rule == UNFINISHED for finding in found)
    if not left or len(left) == everyone or too_early:
        return found
    few, known = Signals(signals.story.of(left)), {finding.rule for finding in found}
    for finding in (rule.find(few) for name, rule in rules().items() if name not in known):
        if finding:
            named = tuple(names[left[few.story.names.index(name)]] for name in finding.members)
            strength = finding.strength * len(left) / everyone
            found.append(dataclasses.replace(finding, members=named, of=everyone, strength=strength))
    return found


@cache
def rules() -> Mapping[str, Rule]:
    """Every rule, by name."""
    return {name: catalogue.find("rules", name)() for name in catalogue.entries("rules")}


def remedied(recipe: Recipe, name: str) -> Recipe:
    """A recipe changed by a remedy.

    Args:
        recipe: Also one with placeholders for a user's own parts.
        name: The remedy's name in the catalogue.

    Raises:
        UsageError: There is no remedy of that name, or it changes nothing in this recipe.
    """
    if recipe.per_member:
        raise UsageError(
            f"the members of this recipe differ in numbers ({', '.join(recipe.per_member)}), and a remedy changes one "
            "recipe: `sparring split RUN` makes a run of each, to which it can be applied"
        )
    changed = catalogue.make("remedies", name, {})(recipe)
    if changed is None:
        fitting = fitting_remedies(recipe, list(catalogue.entries("remedies")))
        raise UsageError(f"the remedy {name} has nothing to change in this recipe; these have: {', '.join(fitting)}")
    return changed


def fitting_remedies(recipe: Recipe, names: Sequence[str]) -> tuple[str, ...]:
    """Of these remedies, those that change something in a recipe."""
    return tuple(name for name in names if catalogue.make("remedies", name, {})(recipe) is not None)


def command(run: str | Path, remedy: str, encoding: str | None = None) -> str:
    """What to type to try a remedy, in a terminal of this encoding (UTF-8 for None)."""
    return f"sparring train --from {_quoted(run, encoding)} --remedy {remedy}"


def continues(remedy: str) -> bool:
    """Whether with this remedy the run itself goes on; else a new one is trained."""
    return catalogue.find("remedies", remedy).continues


def _quoted(run: str | Path, encoding: str | None) -> str:
    path = str(run)
    return quoted(path if path[:1] != "-" else f"./{path}", encoding)


def _recipe_of(story: Story) -> Recipe | None:
    """A story's recipe; None for one that is not complete."""
    try:
        return Recipe.from_dict(story.recipe, placeholders=True)
    except SparringError:
        return None


def _plain(diagnosis: Diagnosis, finding: Finding, run: str | Path | None) -> dict[str, Any]:
    remedy = finding.remedies[0] if finding.remedies else None
    return {
        "rule": finding.rule,
        "claim": finding.claim,
        "members": list(finding.members),
        "of": finding.of,
        "since": finding.since,
        "reasons": [each.name for each in finding.reasons],
        "evidence": [each.plain() for each in finding.evidence],
        "remedy": remedy,
        "remedies": list(finding.remedies),
        "command": diagnosis.command(run, remedy) if run is not None and remedy else None,
        "strength": finding.strength,
        "line": dataclasses.asdict(finding.line) if finding.line else None,
        "mended": finding.mended or None,
    }
