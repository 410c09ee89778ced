"""Shapes and widths that networks are tried with."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch

from sparring.game.population import Population
from sparring.rng import RandomStreams

NARROW = {"width": 4, "channels": 4, "hidden": 16}
"""The most maps or numbers in a layer of a network that is tried here, so that all of them take seconds."""


SEEDS = (5, 0, 2**40)


def narrow(network: Any) -> Any:
    held = {name: getattr(network, name) for name in NARROW if hasattr(network, name)}
    return dataclasses.replace(
        network,
        **{n: tuple(min(w, NARROW[n]) for w in v) if isinstance(v, tuple) else NARROW[n] for n, v in held.items()},
    )


def populated(make: Any, seeds: tuple[int, ...] = SEEDS) -> Population:
    return Population(make, seeds, RandomStreams(seeds, dtype=torch.float64).for_layers("G"), dtype=torch.float64)
