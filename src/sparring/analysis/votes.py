"""What members vote for: of all that was found, each names what explains most about it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from sparring.rules import Finding

CLEAR = 2 / 3
"""Share of the members that the verdict must explain."""
UNFINISHED = "undertrained"
"""The rule that finds members which need more training before anything can be said."""


def with_votes(findings: Sequence[Finding]) -> list[Finding]:
    """The findings, each with its votes, sorted by them: every member votes for what explains most about it.

    What explains more is the same for every member, and does not depend on how many members a finding holds for. A
    mistake in a loop comes before what follows from it. Where members that are all sick vote for different faults, a
    fault that nearly all of them have gets the votes of these.
    """

    def rank(finding: Finding) -> tuple[bool, float]:
        return not finding.mended, -finding.strength * finding.of / len(finding.members)

    ranked = _voted(sorted(findings, key=rank))
    if shared := _shared(ranked):
        ranked = _voted([shared, *(finding for finding in ranked if finding.rule != shared.rule)])
    return sorted(_waiting(ranked), key=lambda finding: (-finding.votes, *rank(finding)))


def explanations(findings: Sequence[Finding]) -> dict[Any, Finding]:
    """Member, named as findings name it -> the finding that it votes for, of those of a diagnosis.

    A member that nothing is found of, or nothing but blemishes, is not in it.
    """
    return {member: finding for finding in findings for member in finding.voters}


def _voted(ranked: Sequence[Finding]) -> list[Finding]:
    """Every member votes for the first finding that holds for it."""
    made, voted = list[Finding](), set[Any]()
    for finding in ranked:
        explained = frozenset(finding.members) - finding.blemishes
        made.append(dataclasses.replace(finding, voters=explained - voted))
        voted |= explained
    return made


def _shared(ranked: Sequence[Finding]) -> Finding | None:
    """The first fault of nearly all members, where these vote for different faults: what they have in common."""
    faults = [finding for finding in ranked if finding.fault and finding.rule != UNFINISHED]
    if any(finding.votes >= CLEAR * finding.of for finding in ranked):
        return None
    if not faults or sum(finding.votes for finding in faults) < CLEAR * faults[0].of:
        return None
    return next(
        (finding for finding in faults if len(finding.members) - len(finding.blemishes) >= CLEAR * finding.of), None
    )


def _waiting(ranked: Sequence[Finding]) -> list[Finding]:
    """Where at least half of the sick members are unfinished, and the others have what every G begins with, these are.

    Their seeds are all that sets them apart.
    """
    unfinished = sum(finding.votes for finding in ranked if finding.rule == UNFINISHED)
    others = [finding for finding in ranked if finding.fault and finding.votes and finding.rule != UNFINISHED]
    rest = sum(finding.votes for finding in others)
    clear = any(finding.votes >= CLEAR * finding.of for finding in others)
    if clear or not unfinished or not rest <= unfinished or not all(finding.fades for finding in others):
        return list(ranked)
    early = {UNFINISHED, *(finding.rule for finding in others)}
    waiting = frozenset(member for each in ranked if each.rule in early for member in each.voters)
    return [
        dataclasses.replace(each, voters=waiting if each.rule == UNFINISHED else frozenset())
        if each.rule in early
        else each
        for each in ranked
    ]
