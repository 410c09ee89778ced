"""Phrases about the findings of a diagnosis, for the terminal and the page. Loads no torch."""

from __future__ import annotations

import numpy as np

from sparring.analysis.diagnosis import Diagnosis, continues, remedied
from sparring.analysis.differences import recipe_changes
from sparring.analysis.wording import count, named_seeds, whole_number
from sparring.languages import Text
from sparring.recipe import Recipe
from sparring.record import RunFolder
from sparring.rules import Evidence, Finding


def when_to_stop(run: RunFolder, diagnosis: Diagnosis) -> str:
    """Whether more training pays, and where the best checkpoint is; empty where neither is known."""
    texts = [diagnosis.plateau.words] if diagnosis.plateau else []
    if diagnosis.best is not None and run.best is not None:
        best = Text(
            "The best samples so far are those of round {round}, saved as weights/{file}.",
            round=f"{diagnosis.best:,}",
            file=run.best.name,
        )
        texts.append(best)
    return Text.joined(texts, " ")


def out_of_range(diagnosis: Diagnosis) -> str:
    """What lies outside its healthy range and is no evidence of a fault, but for what the line says."""
    words = [evidence.words(fault=True) for evidence in diagnosis.unexplained]
    words = [each for each in words if each not in diagnosis.line]
    return Text("Also outside its healthy range: {numbers}.", numbers=Text.joined(words, "; ")) if words else ""


def members_of(finding: Finding) -> str:
    """`11 of 16 seeds`, with their names where they are few."""
    if finding.of == 1:
        return named_seeds(finding.members)
    some, of = f"{len(finding.members):,}", count(finding.of, "seed")
    if len(finding.members) == finding.of:
        return Text("{some} of {of}", some=some, of=of)
    return Text("{some} of {of} ({named})", some=some, of=of, named=named_seeds(finding.members, 8))


def evidence_table(finding: Finding) -> tuple[list[str], list[list[str]]]:
    """A finding's evidence over the members that it holds for.

    Returns:
        Titles of the columns, and a row for each figure: its name, its median, from where to where it goes if members
        differ, and its healthy range.
    """
    several = any(each.min != each.max for each in finding.evidence)
    columns = ["", "median", "min to max", "healthy range"] if several else ["", "value", "healthy range"]
    rows: list[list[str]] = []
    for each in finding.evidence:
        median, low, high = (_text(each, value) for value in (each.value, each.min, each.max))
        spread = "" if each.min == each.max else Text("{low} to {high}", low=low, high=high)
        rows.append([each.name, median, *([spread] if several else []), each.range])
    return columns, rows


def _text(evidence: Evidence, value: float) -> str:
    return f"{value:.1%}" if evidence.percent else whole_number(value)


def is_healthy(evidence: Evidence) -> bool:
    """Whether the median lies in the healthy range."""
    return bool(evidence.healthy.contains(np.array(evidence.value)))


def since_of(finding: Finding) -> str:
    """`since round 3,100`, or `from the start`."""
    return Text("since round {round}", round=f"{finding.since:,}") if finding.since else Text("from the start")


def changes_of(diagnosis: Diagnosis, remedy: str) -> list[str]:
    """What a remedy changes in the run's recipe, a phrase for each change; or from where to where the run goes on."""
    recipe = Recipe.from_dict(diagnosis.story.recipe, placeholders=True)
    changed = remedied(recipe, remedy)
    if continues(remedy):
        end = changed.rounds if diagnosis.story.round >= recipe.rounds else recipe.rounds
        now = f"{diagnosis.story.round:,}"
        return [Text("the run goes on, from round {now} to {end}", now=now, end=f"{end:,}")]
    return recipe_changes(recipe.to_dict(), changed.to_dict())
