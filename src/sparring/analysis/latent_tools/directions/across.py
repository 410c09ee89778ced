"""What directions of one way do in all members: how much, and which attribute in how many of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sparring.analysis.latent_tools.directions.survey import PAIRED, WAYS, Found, Survey
from sparring.analysis.stats import Spread
from sparring.record.journal import json_numbers


@dataclass(frozen=True)
class Across:
    """One direction in every member: the same dimension or class, or the one of the same rank."""

    way: str
    label: str
    share: Spread
    """Mean absolute change as a share of how much two random examples differ, over members."""
    moves: dict[str, int]
    """Attribute or region -> in how many members the direction moves that most, most first."""
    found: float
    """The mean share of the other members that have a direction which does the same; NaN where there are no others."""
    n: int
    """Members that have the direction."""

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "found": json_numbers(self.found)}


def across(survey: Survey, way: str) -> list[Across]:
    """One row for each label of a way: its rank, or the class or dimension."""
    by_label: dict[str, list[Found]] = {}
    for member in survey.members:
        for found in member:
            if found.way == way:
                by_label.setdefault(found.label, []).append(found)
    rows = [_row(way, label, found) for label, found in by_label.items()]
    return sorted(rows, key=lambda row: int(row.label)) if way in PAIRED else rows


def all_across(survey: Survey) -> dict[str, list[dict[str, Any]]]:
    """For JSON: way -> its rows."""
    return {way: [row.plain() for row in across(survey, way)] for way in WAYS}


def _row(way: str, label: str, found: list[Found]) -> Across:
    shares = np.array([each.effect.share for each in found])
    others = [each.stability.found / each.stability.of for each in found if each.stability.of]
    moves = dict(Counter(each.effect.moves for each in found).most_common())
    return Across(way, label, Spread.of(shares), moves, float(np.mean(others)) if others else float("nan"), len(found))
