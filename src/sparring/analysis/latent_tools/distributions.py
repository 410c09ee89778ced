"""How latent vectors are drawn, as plain data that the exported scripts and the page read."""

from __future__ import annotations

from typing import Any

from sparring.analysis.watched import WatchedLatent
from sparring.latents import Latent
from sparring.latents.constant import Constant
from sparring.latents.normal import Normal
from sparring.latents.normal_and_signs import NormalAndSigns
from sparring.latents.uniform import Uniform

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
