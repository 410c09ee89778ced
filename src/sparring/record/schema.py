"""What a run's files must hold so that readers can rely on it: the types of fields, checked when a file is read.

A field that is not named here may be anything. Arrays of the journal are checked where the story makes columns of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sparring.errors import shortened

MAX_COUNT = 2**53
"""Whole numbers up to here are exact in every reader of JSON."""


class Kind(NamedTuple):
    """A type of values."""

    words: str
    """What such a value is, for messages."""
    holds: Callable[[Any], bool]


def _whole(value: Any, low: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= MAX_COUNT


def _all(value: Any, holds: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and all(map(holds, value))  # pyright: ignore[reportUnknownArgumentType]


def _part(value: Any) -> bool:
    return isinstance(value, dict) and any(isinstance(value.get(key), str) for key in ("is", "yours"))


def _seeds(value: Any) -> bool:
    return _all(value, lambda seed: isinstance(seed, int) and 0 <= seed < 2**63) and len(value) > 0


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _score(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("title"), str)
        and value.get("better") in ("lower", "higher", "as-real")
        and all(each is None or _number(each) for each in (value.get("real"), *(value.get("members") or ["none"])))
    )


def _or_none(kind: Kind) -> Kind:
    return Kind(f"{kind.words}, or null", lambda value: value is None or kind.holds(value))


TEXT = Kind("text", lambda value: isinstance(value, str))
FLAG = Kind("true or false", lambda value: isinstance(value, bool))
NUMBER = Kind("a number", _number)
COUNT = Kind("a whole number", lambda value: _whole(value, 0))
POSITIVE = Kind("a whole number of at least 1", lambda value: _whole(value, 1))
OBJECT = Kind("an object", lambda value: isinstance(value, dict))
LIST = Kind("a list", lambda value: isinstance(value, list))
COUNTS = Kind("a list of whole numbers", lambda value: _all(value, COUNT.holds))
NUMBERS = Kind("a list of numbers", lambda value: _all(value, NUMBER.holds))
SEEDS = Kind("a list of seeds", _seeds)
DISTINCT_SEEDS = Kind("a list of distinct seeds", lambda value: _seeds(value) and len(value) == len(set(value)))
"""Of a recipe whose members differ in nothing else."""
PART = Kind('a component, as {"is": its name}', _part)
PARTS = Kind("a list of components", lambda value: _all(value, _part))
MOVES = Kind("a list of moves", lambda value: _all(value, lambda move: isinstance(move, str) or _part(move)) and value)
LEVELS = Kind(
    "an object of numbers",
    lambda value: isinstance(value, dict) and all(level is None or NUMBER.holds(level) for level in value.values()),
)
RANGES = Kind(
    "an object of pairs, from and to",
    lambda value: (
        isinstance(value, dict)
        and all(_all(ends, lambda end: end is None or NUMBER.holds(end)) and len(ends) == 2 for ends in value.values())
    ),
)
CHANGES = Kind(
    "an object of pairs, before and after",
    lambda value: isinstance(value, dict) and all(isinstance(p, list) and len(p) == 2 for p in value.values()),
)
COLUMNS = Kind(
    "an object of lists, a value for each member",
    lambda value: isinstance(value, dict) and all(isinstance(column, list) for column in value.values()),
)
ORIGIN = Kind(
    "an object of file, function and sha256",
    lambda value: isinstance(value, dict) and all(TEXT.holds(value.get(k)) for k in ("file", "function", "sha256")),
)

REQUIRED = {
    "name": TEXT,
    "data": PART,
    "generator": PART,
    "discriminator": PART,
    "objective": PART,
    "latent": PART,
    "round": MOVES,
    "generator_optimizer": PART,
    "discriminator_optimizer": PART,
    "rounds": POSITIVE,
    "seeds": SEEDS,
}
"""Fields that every recipe has; older versions lack some of the others."""
RECIPE = REQUIRED | {
    "tricks": PARTS,
    "conditional": FLAG,
    "clusters": COUNT,
    "cluster_sizes": COUNTS,
    "batch": POSITIVE,
    "precision": TEXT,
    "log_points": POSITIVE,
    "samples_per_grid": POSITIVE,
    "start_from": _or_none(OBJECT),
    "per_member": COLUMNS,
    "origin": _or_none(ORIGIN),
}
EVENT = {
    "event": TEXT,
    "round": COUNT,
    "at": NUMBER,
    "seconds": NUMBER,
    "logged": COUNTS,
    "picture": TEXT,
    "members": COUNTS,
    "metrics": OBJECT,
    "errors": _or_none(OBJECT),
    "levels": _or_none(LEVELS),
    "output_ranges": _or_none(RANGES),
    "evaluation_seconds": NUMBER,
    "draws": POSITIVE,
    "n": _or_none(COUNT),
    "examples": _or_none(COUNT),
    "settings": CHANGES,
    "index": COUNT,
    "position": COUNT,
    **dict.fromkeys(("d_loss", "g_loss", "d_real", "d_fake", "d_gradient", "g_gradient"), LIST),
}
NEEDS = {
    "log": ("round", "logged"),
    "diverged": ("round", "members"),
    "best": ("round",),
    "rewound": ("round",),
    "changed": ("round", "settings"),
    "branched": ("round", "settings", "run"),
    "stepped": ("round", "index", "position", "player"),
    "slowed": ("round",),
    "resumed": ("round",),
    "real-baseline": ("metrics",),
}
"""Fields that events of a kind must have."""
ABOUT = {
    "equilibrium": _or_none(LEVELS),
    "changed": _or_none(CHANGES),
    "threads": _or_none(COUNT),
    "versions": _or_none(OBJECT),
    "target": _or_none(NUMBERS),
    "data_hash": TEXT,
}
SCORES = Kind(
    "an object of scores, each with title, better, real and members",
    lambda value: isinstance(value, dict) and all(map(_score, value.values())),
)
MEASURES = {"seeds": SEEDS, "n": COUNT, "round": COUNT, "metrics": SCORES, "held_out": TEXT, "judge": _or_none(TEXT)}
INDEPENDENT = {"metrics": SCORES, "judge": _or_none(TEXT)}
"""What a measurement holds of the independent judge."""


def check(value: Any, fields: Mapping[str, Kind], required: Sequence[str] = ()) -> dict[str, Any]:
    """An object of a run's file, if its fields are as they must be. Raises ValueError, which says what is not."""
    if not isinstance(value, dict):
        raise ValueError(f"an object was expected, not {shortened(value)}")
    missing = [name for name in required if name not in value]
    if missing:
        raise ValueError(f"it lacks {', '.join(missing)}")
    for name, kind in fields.items():
        if name in value and not kind.holds(value[name]):
            raise ValueError(f"its {name} must be {kind.words}, not {shortened(value[name])}")
    return value  # pyright: ignore[reportUnknownVariableType]


def check_measures(value: Any) -> dict[str, Any]:
    """A measurement, if it is as it must be: a number or null for each seed. Raises ValueError as `check`."""
    measures = check(value, MEASURES, tuple(MEASURES))
    independent = measures.get("independent")
    parts = [measures] if independent is None else [measures, check(independent, INDEPENDENT, ("metrics",))]
    for name, score in (each for part in parts for each in part["metrics"].items()):
        for key, values in (("members", score["members"]), ("errors", score.get("errors"))):
            right = _all(values, lambda each: each is None or _number(each)) and len(values) == len(measures["seeds"])
            if not right and (key == "members" or values is not None):
                raise ValueError(f"the {key} of its {name} must be a number, or null, for each of its seeds")
    return measures


def check_event(value: Any) -> dict[str, Any]:
    """An event of a journal, in today's names. Raises ValueError as `check`."""
    event = check(value, EVENT, ("event",))
    return check(event, {}, NEEDS.get(event["event"], ()))
