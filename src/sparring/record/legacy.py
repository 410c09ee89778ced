"""Names of older versions and what they are called today: the one place that knows both.

The readers of a run (`Run.recipe`, `Run.about`, `Run.measures` and the journal) pass what they read through here, so
that nothing else in the code ever meets an old name. Files on disk stay as they were written. An older run that is
resumed appends lines with today's names to the same journal, and reads as one.

Whoever renames a field of a recipe or of a leaf, a leaf, an event, a field of an event or a metric adds a row below.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

Plain = dict[str, Any]

RECIPE_FIELDS = {
    "generator_optimiser": "generator_optimizer",
    "discriminator_optimiser": "discriminator_optimizer",
    "ticks": "log_points",
    "pictured": "samples_per_grid",
}
LEAVES = {
    "sigmoid-twice": "double-sigmoid",
    "zero-centred": "r1-r2",
    "r3-gan-generator": "r3gan-generator",
    "r3-gan-discriminator": "r3gan-discriminator",
}
"""Catalogue names of objectives, tricks, networks and so on."""
LEAF_FIELDS = {
    "adam": {"rate": "lr"},
    "sgd": {"rate": "lr"},
    "fully-connected": {"normalise": "normalization"},
    "convolutional": {"normalise": "normalization"},
    "dcgan-discriminator": {"normalise": "normalization"},
    "adaptive-augmentation": {"colours": "colors"},
    "gradient-clipping": {"most": "max_norm"},
    "weight-clipping": {"most": "limit"},
    "top-k": {"least": "final"},
    "folder": {"colours": "colors"},
}
"""Fields of a leaf, by its name of today."""
LEAF_VALUES = {
    ("folder", "colors"): {"grey": "gray"},
    ("diff-augment", "policy"): {"colour": "color"},
}
"""Values of a leaf's field, both by their names of today."""
EVENTS = {
    "tick": "log",
    "yardstick": "real-baseline",
    "still": "plateau",
}
EVENT_FIELDS = {
    "started": {"parts": "shards"},
    "log": {"noted": "logged", "figures": "metrics", "look_seconds": "evaluation_seconds"},
    "real-baseline": {"unseen": "held_out", "figures": "metrics"},
    "best": {"figure": "metric"},
}
"""Fields of an event, by its name of today."""
METRICS = {
    "average-likeness": "similarity-to-mean",
    "nearest-training": "nearest-neighbor",
    "d_seen": "d_train",
    "d_unseen": "d_held_out",
}
"""What an evaluation during training is keyed by."""
MEASURES_FIELDS = {"unseen_from": "held_out"}
SCORE_FIELDS = {"through": "space"}
"""Fields of measures.json, and of each metric in it."""
SHARDS, PLAN, EVALUATIONS = "parts", "deal.json", "looks"
"""A run of several processes: the folder of its shards, in it the file that says which members each has, and the folder
of their decisions when to evaluate."""
FLAGS = {
    "--ticks": "--log-points",
    "--pictured": "--samples-per-grid",
    "--until-still": "--early-stop",
    "--figures": "--metrics",
    "--no-figures": "--no-metrics",
    "--number": "--z-seed",
    "--numbers": "--z-seeds",
    "--colours": "--colors",
    "--generator-optimiser": "--generator-optimizer",
    "--discriminator-optimiser": "--discriminator-optimizer",
}
"""Flags of the command, which answers an old name with today's."""
REMEDIES = {
    "clipped-gradients": "gradient-clipping",
    "even-steps": "equal-steps",
    "faster-discriminator": "higher-d-lr",
    "flatter-discriminator": "r1-r2-penalty",
    "held-critic": "gradient-penalty",
    "honest-labels": "no-label-swapping",
    "leaky-activation": "leaky-relu",
    "less-momentum": "lower-momentum",
    "longer": "more-rounds",
    "lower-rates": "lower-lr",
    "matching-scale": "matching-data-range",
    "packed-pairs": "packing",
    "plain-generator": "fully-connected-generator",
    "slower-discriminator": "lower-d-lr",
    "usual-rates": "usual-lr",
}
"""Remedies, which a page that an older version wrote says to type."""


def recipe(data: Plain) -> Plain:
    """A recipe, as plain data, in today's names."""
    return {RECIPE_FIELDS.get(name, name): _leaves(value) for name, value in data.items()}


def event(data: Plain) -> Plain:
    """One event of a journal in today's names."""
    kind = EVENTS.get(data["event"], data["event"])
    if kind not in EVENT_FIELDS:
        return {**data, "event": kind}
    made = {**_renamed(data, EVENT_FIELDS[kind]), "event": kind}
    if isinstance(metrics := made.get("metrics"), dict):
        made["metrics"] = _renamed(cast(Plain, metrics), METRICS)
    return made


def about(data: Plain) -> Plain:
    """about.json in today's names."""
    if changed := data.get("changed"):
        return {**data, "changed": recipe(changed)}
    return data


def measures(data: Plain) -> Plain:
    """measures.json in today's names."""
    made = _renamed(data, MEASURES_FIELDS)
    scores = _renamed(made["metrics"], METRICS)
    return {**made, "metrics": {name: _renamed(score, SCORE_FIELDS) for name, score in scores.items()}}


def _leaves(value: Any) -> Any:
    """A recipe's value: a leaf (`{"is": name, ...}`), several of them, or what is neither and stays."""
    if isinstance(value, list):
        return [_leaves(each) for each in cast(list[Any], value)]
    if not isinstance(value, dict) or "is" not in value:
        return value
    leaf = cast(Plain, value)
    name = str(LEAVES.get(leaf["is"], leaf["is"]))
    fields = _renamed(leaf, LEAF_FIELDS.get(name, {}))
    return {field: _value(each, LEAF_VALUES.get((name, field), {})) for field, each in fields.items()} | {"is": name}


def _value(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_value(each, names) for each in cast(list[Any], value)]
    return names.get(value, value) if isinstance(value, str) else value


def _renamed(data: Plain, names: Mapping[str, str]) -> Plain:
    return {names.get(name, name): value for name, value in data.items()}
