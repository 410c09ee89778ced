"""What a direction of the latent space moves: how much, where, and which attribute that has a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sparring.analysis.latent_tools.directions.moments import ATTRIBUTES, TITLES, attributes
from sparring.analysis.latent_tools.directions.sensitivity import Generator
from sparring.analysis.latent_tools.influence import effect, region

NAMED = 0.6
"""A direction is called after an attribute that it changes by at least so many standard deviations over samples,"""
SURE = 3.0
"""and by at least so many standard errors of that change over latent vectors."""
DIMMER = ("brightness", "contrast")
"""Attributes that go with many changes of an image: they name a direction only if no other does."""
FADING = 1.5
"""Standard deviations of ink from which on it is the name: of an image that fades, place and shape say little."""


@dataclass(frozen=True)
class Effect:
    """What one direction does to examples when a latent vector goes along it from -reach to reach."""

    change: Tensor
    """Mean signed change of each output, of an example's shape, in data units."""
    share: float
    """Mean absolute change, as a share of how much two random examples differ; NaN where these do not differ."""
    error: float
    """Standard error of `share` over latent vectors."""
    words: str
    """Where examples change, and how."""
    attributes: dict[str, tuple[float, float]]
    """Attribute -> its change in standard deviations over samples, and the standard error of that. Images only."""

    @property
    def names(self) -> list[tuple[str, str]]:
        """Attributes that it changes for certain, most first: what its low and its high end are called."""
        ends = {each: ATTRIBUTES[each] for each in self.sure}
        return [(less, more) if self.attributes[each][0] > 0 else (more, less) for each, (more, less) in ends.items()]

    @property
    def sure(self) -> list[str]:
        """Attributes that it changes for certain, most first."""
        sure = {
            attribute: size
            for attribute, (size, error) in self.attributes.items()
            if abs(size) >= NAMED and abs(size) >= SURE * error
        }
        fades = abs(sure.get("ink", 0.0)) >= FADING
        return ["ink"] if fades else sorted(sure, key=lambda each: (each in DIMMER, -abs(sure[each])))

    @property
    def moves(self) -> str:
        """The attribute that it changes most, whichever way, or else the region that changes."""
        if self.sure:
            return TITLES.get(self.sure[0], self.sure[0])
        where = region(self.change.abs())
        return where if where in ("all over", "nowhere") or where.startswith("number") else f"the {where}"


def unique_names(found: Sequence[Effect]) -> list[tuple[str, str] | None]:
    """A name for each direction that no stronger one has; None where none is left."""
    taken: set[frozenset[str]] = set()
    names: list[tuple[str, str] | None] = []
    for each in found:
        free = [ends for ends in each.names if frozenset(ends) not in taken]
        names.append(free[0] if free else None)
        taken |= {frozenset(ends) for ends in free[:1]}
    return names


def effects(G: Generator, z: Tensor, directions: Tensor, reach: float) -> list[Effect]:
    """Measure what each direction moves.

    Args:
        G: Latent vectors `(B, size)` -> examples `(B, *shape)`.
        z: Base vectors, `(N, size)`, N at least 2, or with one-hot classes appended.
        directions: `(K, size)`, of length 1 each.
        reach: How far along a direction examples are compared: at z - reach v and z + reach v.

    Returns:
        K effects, in the order of the directions.
    """
    with torch.no_grad():
        base = G(z)
        apart = float((base - base.roll(-1, 0)).abs().mean())
        is_image = base.dim() == 4
        before = attributes(base.numpy()) if is_image else {}
        whole = torch.nn.functional.pad(directions, (0, z.shape[1] - directions.shape[1]))
        return [_effect(G, z, direction, reach, apart, before) for direction in whole]


def _effect(
    G: Generator, z: Tensor, direction: Tensor, reach: float, apart: float, before: dict[str, np.ndarray]
) -> Effect:
    low, high = G(z - reach * direction), G(z + reach * direction)
    steps = high - low
    by_vector = steps.abs().flatten(1).mean(1)
    whole = apart if apart > 0 else float("nan")
    share, error = float(by_vector.mean()) / whole, float(by_vector.std()) / whole / len(z) ** 0.5
    change = steps.mean(0)
    changed: dict[str, tuple[float, float]] = {}
    if before:
        ends = attributes(low.numpy()), attributes(high.numpy())
        for name, values in before.items():
            spread = float(np.nanstd(values)) if np.isfinite(values).sum() > 1 else 0.0
            step = ends[1][name] - ends[0][name]
            step = step[np.isfinite(step)]
            if spread > 0 and len(step) > 1:
                changed[name] = float(step.mean()) / spread, float(step.std(ddof=1)) / spread / len(step) ** 0.5
    return Effect(change, share, error, effect(change, steps.abs().mean(0)), changed)
