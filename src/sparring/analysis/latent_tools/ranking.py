"""The dimensions of a latent vector ranked by their influence, as rows for a table or JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sparring.analysis.latent_tools.influence import Influence, effect, region
from sparring.record.journal import json_numbers


@dataclass(frozen=True)
class Row:
    """The influence of one dimension on one member's examples."""

    dim: int
    """Counted from 1."""
    strength: float | None
    """Mean absolute change of an output, in data units; None where it is not finite."""
    error: float | None
    """Its standard error over the latent vectors; None for one vector."""
    share: float | None
    """Of the sum of all strengths."""
    region: str
    """Where examples change, in words."""
    effect: str
    """How they change, in words."""


def ranking(influence: Influence, member: int, dims: Sequence[int] | None = None) -> list[Row]:
    """One member's dimensions from the strongest to the weakest, or the given `dims` (from 1) in their order."""
    chosen = influence.order[member].tolist() if dims is None else [dim - 1 for dim in dims]
    return [
        Row(
            dim + 1,
            json_numbers(influence.strength[member, dim]),
            json_numbers(influence.error[member, dim]),
            json_numbers(influence.share[member, dim]),
            region(influence.moved[member, dim]),
            effect(influence.change[member, dim]),
        )
        for dim in chosen
    ]


def ranking_summary(influence: Influence, seeds: Sequence[int], dims: Sequence[int] | None) -> list[dict[str, Any]]:
    """Every member's ranking as plain data for JSON."""
    return [
        {
            "seed": seed,
            "whole_vector": json_numbers(influence.whole[member]),
            "dims": [vars(row) for row in ranking(influence, member, dims)],
        }
        for member, seed in enumerate(seeds)
    ]
