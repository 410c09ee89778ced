"""Members of a run that differ in numbers: what each is called, and what events say of some of the members."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from sparring.record.steering import put

Event = dict[str, Any]
Plain = Mapping[str, Any]
BY_MEMBER = ("outputs", "quantiles")
"""Fields of a `log` event that are lists with an entry for each member."""
BY_NAME = ("metrics", "errors")
"""Fields that hold such a list for each name."""
BY_ROUND = ("d_loss", "g_loss", "d_real", "d_fake", "d_gradient", "g_gradient")
"""Fields that hold such a list for each logged round."""


def label_of(numbers: Plain) -> str:
    """Numbers by their paths, in a few words: `generator lr 0.001, r1 gamma 10`; `lr 0.001` if both have it."""
    shown: dict[str, str] = {}
    for path, value in numbers.items():
        room, _, rest = path.partition(".")
        name = rest.replace(".", " ") if room == "tricks" else f"{room.removesuffix('_optimizer')} {rest}"
        shown[name] = _text(value)
    for name in [each.removeprefix("generator ") for each in shown if each.startswith("generator ")]:
        both = [f"{player} {name}" for player in ("generator", "discriminator")]
        if shown[both[0]] == shown.get(both[1]):
            shown = {name if each == both[0] else each: text for each, text in shown.items() if each != both[1]}
    return ", ".join(f"{name} {text}" for name, text in shown.items())


def numbers_of(recipe: Plain, member: int) -> dict[str, Any]:
    """The numbers of a member of a recipe, given as plain data, in which it differs from others, by path."""
    return {path: values[member] for path, values in (recipe.get("per_member") or {}).items()}


def names_of(recipe: Plain) -> list[Any]:
    """What the members of a recipe, given as plain data, are called behind the word seed: `3`, or `3 (lr 0.001)`.

    A member's name is its seed, a number, where members differ in nothing else.
    """
    if not recipe.get("per_member"):
        return list(recipe["seeds"])
    return [f"{seed} ({label_of(numbers_of(recipe, member))})" for member, seed in enumerate(recipe["seeds"])]


def labels_of(recipe: Plain) -> list[Any]:
    """What members are called where there is room for little: their seeds, or where a seed is that of several, their
    names. No two are called the same."""
    seeds = list(recipe["seeds"])
    return seeds if len(set(seeds)) == len(seeds) else names_of(recipe)


def cells_of(recipe: Plain) -> list[list[int]]:
    """The members of a recipe, given as plain data, in groups that have the same numbers."""
    found: dict[str, list[int]] = {}
    for member in range(len(recipe["seeds"])):
        found.setdefault(str(numbers_of(recipe, member)), []).append(member)
    return list(found.values())


def recipe_of(recipe: Plain, members: Sequence[int]) -> dict[str, Any]:
    """The recipe of some members, as plain data: what they have in common is in its components."""
    made = copy.deepcopy(dict(recipe))
    made["seeds"] = _some(recipe["seeds"], members)
    columns = {path: _some(values, members) for path, values in (made.pop("per_member", None) or {}).items()}
    for path, values in columns.items():
        put(made, path, values[0])
    varied = {path: values for path, values in columns.items() if any(value != values[0] for value in values)}
    return {**made, "per_member": varied} if varied else made


def selected(event: Event, members: Sequence[int]) -> Event | None:
    """What an event says of some members, as a run of these alone would have written it; None if that is nothing."""
    kind = event["event"]
    if kind == "diverged":
        lost = [index for index, member in enumerate(members) if member in event["members"]]
        return {**event, "members": lost} if lost else None
    if kind == "measured":
        return _measured(event, members)
    if kind != "log":
        return event
    made = dict(event)
    made |= {name: _some(event[name], members) for name in BY_MEMBER if event.get(name)}
    made |= {name: {n: _some(v, members) for n, v in event[name].items()} for name in BY_NAME if event.get(name)}
    made |= {name: [_some(row, members) for row in event[name]] for name in BY_ROUND if name in event}
    scores = _scores(made.pop("scores", None), members)
    return made | {"scores": scores} if scores else made


def _scores(scores: Any, members: Sequence[int]) -> Plain | None:
    """Histograms of D's outputs; None where there are none, or one of all members together."""
    if not isinstance(scores, dict) or max(members) >= min(len(each) for each in scores["real"]):
        return None
    rows = {side: [_some(moment, members) for moment in scores[side]] for side in ("real", "fake")}
    means = [[_some(side, members) for side in moment] for moment in scores.get("means", ())]
    return {"edges": scores["edges"], **rows, "means": means}


def _measured(event: Event, members: Sequence[int]) -> Event | None:
    if max(members) >= len(event["seeds"]):
        return None
    made = {**event, "seeds": _some(event["seeds"], members), "metrics": _scored(event["metrics"], members)}
    if independent := event.get("independent"):
        made["independent"] = {**independent, "metrics": _scored(independent["metrics"], members)}
    if farthest := event.get("farthest"):
        made["farthest"] = {name: _some(columns, members) for name, columns in farthest.items()}
    return made


def _scored(metrics: Plain, members: Sequence[int]) -> Plain:
    return {
        name: {**score, **{key: _some(score[key], members) for key in ("members", "errors") if score.get(key)}}
        for name, score in metrics.items()
    }


def _some(values: Sequence[Any], members: Sequence[int]) -> list[Any]:
    return [values[member] for member in members]


def _text(value: Any) -> str:
    if isinstance(value, tuple | list):
        return "(" + ", ".join(map(_text, value)) + ")"  # pyright: ignore[reportUnknownArgumentType]
    short = f"{value:g}"
    # In full where six digits are not it: members that hardly differ are called differently all the same.
    return short if float(short) == value else repr(value)
