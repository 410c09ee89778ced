"""A loop as a recipe: what was seen of it, in the words that the catalogue has for it."""

from __future__ import annotations

import functools
import hashlib
import inspect
from collections.abc import Sequence
from typing import Any

from torch import nn

from sparring import catalogue
from sparring.record.loop import LoopFacts, OptimizerFacts, PlayerFacts
from sparring.training.watch import terms
from sparring.training.watch.provenance import SQUARES

MAX_STEPS = 50
"""Steps of a player in one round that a recipe lists."""
RELATIVISTIC = {"pairs": "relativistic-paired", "averages": "relativistic-average"}
LOGITS = ("binary_cross_entropy_with_logits", "soft_margin_loss")


def recipe_of_loop(
    facts: LoopFacts, functions: set[str], g: nn.Module, d: nn.Module, name: str, round: int
) -> dict[str, Any]:
    """Plain data as `Recipe.to_dict` gives it, with the user's own parts as such.

    Args:
        facts: What was seen.
        functions: The functions that were called on D's scores.
        g: The generator itself.
        d: The discriminator itself.
        name: Of the run.
        round: Rounds played so far, which stand for the length of a run that is not over.
    """
    size = 1
    for side in facts.latent.shape:
        size *= side
    return {
        "name": name,
        "data": {"yours": "the loop's data", "sha256": _hash(str(facts.data.shape))},
        "generator": _own(g),
        "discriminator": _own(d),
        "objective": _objective(facts, functions),
        "latent": _latent(facts, size),
        "round": ["d_sees_both"] * _steps(facts.d.steps) + ["g_fools_d"] * _steps(facts.g.steps),
        "generator_optimizer": _optimizer(facts.optimizers, "G"),
        "discriminator_optimizer": _optimizer(facts.optimizers, "D"),
        "tricks": _tricks(facts),
        "conditional": bool(facts.latent.classes),
        "batch": facts.data.size * max(1, facts.data.parts)
        or max((call.score_shape[0] for call in facts.losses if call.score_shape), default=1),
        "precision": "float32",
        "rounds": max(1, round),
        "seeds": [0],
        "log_points": 1,
        "samples_per_grid": 64,
        "origin": None,
    }


def objective_name(facts: LoopFacts, functions: set[str]) -> str | None:
    """The objective of the catalogue that the loop's losses are; None where they are none of these."""
    if facts.d.rebuilds:
        return None
    if kind := terms.main_kind(facts.d.terms):
        return _name_of_kind(kind, facts.d)
    called = {call.function for call in facts.losses}
    plain = {name.partition(" ")[2] for name in functions}
    relativistic = any(
        name.startswith("both ") and name.endswith(("softplus", *LOGITS, "log_sigmoid")) for name in functions
    )
    if called & set(LOGITS) or plain & {"softplus", "log_sigmoid"}:
        return "relativistic-paired" if relativistic else "bce-with-logits"
    if "binary_cross_entropy" in called or "log" in plain:
        return "bce-with-logits"
    targets = {call.target for call in facts.losses if call.function == "mse_loss"}
    if targets - {0.0} or plain & SQUARES:  # others only keep scores near 0, as the drift term of a critic does
        return "mse" if facts.d.ends_in == "sigmoid" else "least-squares"
    if plain & {"relu", "clamp", "clamp_min", "minimum", "min"}:
        return "hinge"
    return "wasserstein" if "mean" in plain and not facts.d.ends_in else None


def _name_of_kind(kind: str, d: PlayerFacts) -> str | None:
    """The objective of the catalogue whose losses are of such terms; None for relativistic ones that it has not."""
    compared = {name.partition(" of ")[2] for name in d.terms if name.startswith(kind)} - {""}
    if kind == terms.LOGITS and compared:
        return RELATIVISTIC.get(min(compared))
    if kind in (terms.HINGE, terms.SQUARE) and kind not in d.terms:
        return None
    if kind == terms.SQUARE:
        return "mse" if d.ends_in == "sigmoid" else "least-squares"
    if kind == terms.LINEAR:
        return None if d.ends_in else "wasserstein"
    return "hinge" if kind == terms.HINGE else "bce-with-logits"


def _tricks(facts: LoopFacts) -> list[dict[str, Any]]:
    """Labels of D's losses that are neither 0 nor 1."""
    labels: dict[str, float] = {"real": 1.0, "fake": 0.0}
    for call in facts.losses:
        if call.player == "D" and call.sees in labels and call.target is not None and "cross_entropy" in call.function:
            labels[call.sees] = call.target
    real, fake = labels["real"], labels["fake"]
    if (real, fake) == (1.0, 0.0) or not 0 <= fake < real <= 1:
        return []
    return [{"is": "label-smoothing", "real": [real, real], "fake": [fake, fake]}]


def _objective(facts: LoopFacts, functions: set[str]) -> dict[str, Any]:
    name = objective_name(facts, functions)
    if name is None:
        return {"yours": "the loop's losses", "sha256": _hash(" ".join(sorted(functions)))}
    return {"is": name}


def _latent(facts: LoopFacts, size: int) -> dict[str, Any]:
    latent = facts.latent
    if latent.law == "normal" or (latent.law == "uniform" and latent.low >= 0):
        return {"is": latent.law, "size": size}
    if latent.law == "constant":
        return {"is": "constant", "size": size, "value": latent.low}
    return {"yours": latent.law or "latent", "sha256": "", "size": size}


def _optimizer(optimizers: Sequence[OptimizerFacts], who: str) -> dict[str, Any]:
    mine = next((each for each in optimizers if each.player == who), None)
    if mine is None:
        return {"yours": "no optimizer", "sha256": ""}
    entry = next((name for name in catalogue.entries("optimizers") if name.replace("-", "") == mine.kind.lower()), None)
    lr = mine.lr if mine.highest is None else mine.highest
    if entry is None:
        return {"yours": mine.kind, "sha256": "", "lr": lr}
    fields = {
        "betas": mine.settings.get("betas"),
        "weight_decay": mine.settings.get("weight_decay"),
        "momentum": mine.settings.get("momentum"),
    }
    known = catalogue.find("optimizers", entry).__dataclass_fields__
    return {
        "is": entry,
        "lr": lr,
        **{k: list(v) if isinstance(v, tuple) else v for k, v in fields.items() if k in known and v is not None},
    }


def _own(module: nn.Module) -> dict[str, Any]:
    return {"yours": type(module).__qualname__, "sha256": _hash_of_source(type(module)) or _hash(str(module))}


@functools.lru_cache(maxsize=32)
def _hash_of_source(kind: type[nn.Module]) -> str | None:
    """None where there is no source. Python parses the whole file for it, which a loop is not to pay for again."""
    try:
        return _hash(inspect.getsource(kind))
    except (OSError, TypeError):
        return None


def _steps(each_round: float) -> int:
    return min(MAX_STEPS, max(1, round(each_round)))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
