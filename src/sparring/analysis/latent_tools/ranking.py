"""The dimensions of a latent vector ranked by their influence, as rows for a table or JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sparring.analysis.latent_tools.influence import Influence, effect, region
from sparring.record.journal import json_numbers

FEW = 0.25
"""Share of the dimensions that are few if half of all change comes from them."""


@dataclass(frozen=True)
class Row:
    """The influence of one dimension on one member's examples."""

    dim: int
    """Counted from 1."""
    strength: float | None
    """Mean absolute change of an output, in data units; None where it is not finite."""
    error: float | None
    """Its standard error over the latent vectors; None for one vector."""
    relative: float | None
    """The strength as a share of how much two random latent vectors differ; None where these do not differ."""
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
            json_numbers(influence.strength[member, dim] / influence.whole[member]),
            json_numbers(influence.share[member, dim]),
            region(influence.moved[member, dim]),
            effect(influence.change[member, dim], influence.moved[member, dim]),
        )
        for dim in chosen
    ]


def concentration(influence: Influence, member: int) -> str:
    """In one sentence, whether a few of a member's dimensions do most or all do about the same."""
    size = influence.share.shape[1]
    shares = influence.share[member].sort(descending=True).values
    if not shares.isfinite().all() or not shares.sum() > 0:
        return "no dimension changes the samples"
    if size == 1:
        return "the latent vector has one dimension"
    half = int((shares.cumsum(0) < 0.5).sum()) + 1
    how = "a few dimensions do most" if half <= FEW * size else "no dimension stands out"
    return f"{how}: half of all change comes from {half} of {size}"


def ranking_summary(influence: Influence, seeds: Sequence[int], dims: Sequence[int] | None) -> list[dict[str, Any]]:
    """Every member's ranking as plain data for JSON."""
    return [
        {
            "seed": seed,
            "whole_vector": json_numbers(influence.whole[member]),
            "summary": concentration(influence, member),
            "dims": [vars(row) for row in ranking(influence, member, dims)],
        }
        for member, seed in enumerate(seeds)
    ]
