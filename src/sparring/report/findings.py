"""Phrases about the findings of a diagnosis, for the terminal and the page. Loads no torch."""

from __future__ import annotations

import numpy as np

from sparring.analysis.diagnosis import Diagnosis, remedied
from sparring.analysis.differences import recipe_changes
from sparring.analysis.wording import count, named_seeds, whole_number
from sparring.recipe import Recipe
from sparring.record import RunFolder
from sparring.rules import Evidence, Finding

EVIDENCE_COLUMNS = ("", "median", "min to max", "healthy range")
"""Titles of the columns of a finding's evidence, over the members that it holds for."""


def when_to_stop(run: RunFolder, diagnosis: Diagnosis) -> str:
    """Whether more training pays, and where the best checkpoint is; empty where neither is known."""
    texts = [diagnosis.plateau.words] if diagnosis.plateau else []
    if diagnosis.best is not None and run.best is not None:
        texts.append(
            f"The best samples so far are those of round {diagnosis.best:,}, saved as weights/{run.best.name}."
        )
    return " ".join(texts)


def members_of(finding: Finding) -> str:
    """`11 of 16 seeds`, with their names where they are few."""
    if finding.of == 1:
        return named_seeds(finding.members)
    text = f"{len(finding.members):,} of {count(finding.of, 'seed')}"
    return text if len(finding.members) == finding.of else f"{text} ({named_seeds(finding.members, 8)})"


def median_text(evidence: Evidence) -> str:
    """`0.25`, or `25.0%` of a share: the median over members."""
    return _text(evidence, evidence.value)


def min_to_max(evidence: Evidence) -> str:
    """`0.1 to 0.3` over members; empty when all have the same value."""
    ends = (_text(evidence, end) for end in (evidence.min, evidence.max))
    return "" if evidence.min == evidence.max else " to ".join(ends)


def _text(evidence: Evidence, value: float) -> str:
    return f"{value:.1%}" if evidence.percent else whole_number(value)


def is_healthy(evidence: Evidence) -> bool:
    """Whether the median lies in the healthy range."""
    return bool(evidence.healthy.contains(np.array(evidence.value)))


def changes_of(diagnosis: Diagnosis, remedy: str) -> list[str]:
    """What a remedy changes in the run's recipe, a phrase for each change."""
    recipe = Recipe.from_dict(diagnosis.story.recipe, placeholders=True)
    return recipe_changes(recipe.to_dict(), remedied(recipe, remedy).to_dict())
