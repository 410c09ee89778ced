"""How latent vectors are drawn, as plain data that the exported scripts and the page read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sparring.analysis.watched import WatchedLatent
from sparring.latents import Latent
from sparring.latents.constant import Constant
from sparring.latents.normal import Normal
from sparring.latents.normal_and_signs import NormalAndSigns
from sparring.latents.uniform import Uniform

if TYPE_CHECKING:
    from torch import Tensor

Part = dict[str, Any]
"""`law` (normal, signs, uniform, constant, one-hot) and `size`; of a uniform one `low` and `high`, of a constant
`value`, of a one-hot one `shares`."""


def parts_of(latent: Latent) -> list[Part]:
    """The parts that a latent vector is made of, one after another; empty for a distribution of the user's own."""
    match latent:
        case Normal():
            return [{"law": "normal", "size": latent.size}]
        case Uniform():
            return [{"law": "uniform", "size": latent.size, "low": 0.0, "high": 1.0}]
        case Constant():
            return [{"law": "constant", "size": latent.size, "value": latent.value}]
        case NormalAndSigns():
            signs = min(latent.signs, latent.size)
            parts = [{"law": "normal", "size": latent.size - signs}, {"law": "signs", "size": signs}]
            return [part for part in parts if part["size"]]
        case WatchedLatent() if latent.facts.law == "uniform":
            return [{"law": "uniform", "size": latent.size, "low": latent.facts.low, "high": latent.facts.high}]
        case WatchedLatent() if latent.inputs is None:
            return [{"law": "normal", "size": latent.size}]
        case _:
            return []


def sd_of(parts: Sequence[Part], drawn: Tensor) -> float:
    """Standard deviation of one number of a latent vector: that of the distribution; 1 where all vectors are equal.

    Args:
        parts: What vectors are made of; a one-hot class or cluster does not count.
        drawn: Vectors `(..., size)`, by which it is estimated where the distribution is not known.
    """
    if not parts:
        return float(drawn.std()) or 1.0
    counted = [part for part in parts if part["law"] != "one-hot"]
    variances = [_variance(part) * part["size"] for part in counted]
    return math.sqrt(sum(variances) / sum(part["size"] for part in counted)) or 1.0


def _variance(part: Part) -> float:
    match part["law"]:
        case "uniform":
            return (part["high"] - part["low"]) ** 2 / 12
        case "constant":
            return 0.0
        case _:
            return 1.0  # normal, and signs: -1 or 1
