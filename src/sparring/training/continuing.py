"""A run that is resumed with another recipe than it was begun with: what may differ, and how that is recorded.

More rounds may be asked for, and the data may have moved to another place. Anything else is another run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, cast

from sparring import catalogue
from sparring.errors import SparringError, UsageError, shortened
from sparring.progress import say
from sparring.recipe import Recipe, default_settings
from sparring.recipe.encoding import own_part
from sparring.record import RunFolder

NOT_COMPUTED = ("origin", "name")
Plain = dict[str, Any]


@dataclass(frozen=True)
class Changes:
    """How a recipe differs from that of the run which it resumes."""

    rounds: int | None = None
    """The length that the run had so far, where it is to have another now: more, or any before it has begun."""
    place: str | None = None
    """Where the data were so far, where the same data are elsewhere now."""


def changes_to(recipe: Recipe, run: RunFolder) -> Changes:
    """How the recipe differs from the run's.

    Raises UsageError where it is another recipe, or would shorten a run that has begun; SparringError where the data
    have changed.
    """
    mine, theirs = recipe.to_dict(), _in_full(run.recipe, recipe)
    fields = dict.fromkeys((*mine, *theirs))  # some of which a recipe names only where they say something
    different = [field for field in fields if field not in NOT_COMPUTED and mine.get(field) != theirs.get(field)]
    if "start_from" in different and _same_weights(mine["start_from"], theirs.get("start_from")):
        different.remove("start_from")
    place = _old_place(recipe, theirs) if "data" in different else None
    if place is not None:
        different.remove("data")
    shorter, longer = sorted((mine, theirs), key=lambda each: each["rounds"])
    if "log_points" in different and shorter["log_points"] == shorter["rounds"] < longer["rounds"]:
        different.remove("log_points")  # there are as many as rounds, and more were asked for
    if different and different != ["rounds"]:
        raise _other_run(recipe, run, theirs, next(field for field in different if field != "rounds"))
    if different and recipe.rounds < theirs["rounds"] and run.has_begun:
        raise UsageError(
            f"{run.path} is a run of {theirs['rounds']:,} rounds: it can be made longer, but not shorter "
            f"({recipe.rounds:,}); choose another --out"
        )
    return Changes(theirs["rounds"] if different else None, place)


def adopt(changes: Changes, recipe: Recipe, run: RunFolder, saved: int | None) -> None:
    """Record the changes in the run's folder, and say them.

    Args:
        changes: How the recipe differs from the run's.
        recipe: What is trained from here on.
        run: The run.
        saved: The round that the run is resumed from; None where it has no checkpoint and starts again.
    """
    if changes == Changes():
        return
    ids: Plain = {"recipe": recipe.id}
    if changes.rounds is not None and saved is not None:
        event = {"round": saved, "rounds": [changes.rounds, recipe.rounds], "schedules": schedules(recipe), **ids}
        _append_once(run, "extended", event)
        say(f"{run.path}: {extension(event)}")
    if changes.place is not None:
        now = place_of(recipe)
        _append_once(run, "moved", {"round": saved or 0, "data": [changes.place, now], **ids})
        say(f"{run.path}: the same data as before, which are now in {now} (they were in {changes.place})")
    run.write_text("recipe.json", recipe.replace(name=run.recipe.get("name") or recipe.name).to_json())
    about = run.about
    if changes.rounds is not None and about.get("compiled") is False:
        # What did not pay for the short run may pay for the long one: it is decided again.
        run.write_text("about.json", json.dumps(about | {"compiled": None}, indent=2) + "\n")


def extension(event: Plain) -> str:
    """An `extended` event in words."""
    old, new = event["rounds"]
    text = f"goes on from round {event['round']:,} to {new:,} rounds (it was to have {old:,})"
    names = event["schedules"]
    if not names:
        return f"{text}, as a run of {new:,} rounds from the start"
    follow = "follows" if len(names) == 1 else "follow"
    return (
        f"{text}; {', '.join(names)} {follow} the new length from there on, "
        f"so it is not the same as a run of {new:,} rounds from the start"
    )


def schedules(recipe: Recipe) -> list[str]:
    """The tricks whose work in a round depends on the length of the run."""
    return [catalogue.name_of(type(t)) or type(t).__name__ for t in recipe.tricks if t.scheduled]


def place_of(recipe: Recipe) -> str:
    """Where the data's files are."""
    return ", ".join(str(getattr(recipe.data, name)) for name in recipe.data.places)


def _append_once(run: RunFolder, event: str, fields: Plain) -> None:
    """Unless the last session was killed between this event and the recipe's change."""
    newest = [e for e in run.story.events if e["event"] == event][-1:]
    if not newest or any(newest[0].get(name) != value for name, value in fields.items()):
        run.journal.append(event, **fields)


def _in_full(stored: Plain, recipe: Recipe) -> Plain:
    """A run's recipe with the fields that did not exist yet when it began, at their defaults."""
    try:
        full = Recipe.from_dict(stored, placeholders=True).to_dict()
    except SparringError:  # of a part that is gone: it cannot be the same recipe, and is named as it is
        return default_settings() | stored
    # What was not looked for in the data yet when the run began does not tell data apart: their content does.
    new = {k: v for k, v in recipe.to_dict()["data"].items() if k.startswith("found_") and k not in stored["data"]}
    return {**full, "data": {**full["data"], **new}}


def _same_weights(mine: Plain | None, theirs: Plain | None) -> bool:
    """Whether two runs start with the same weights, wherever these are."""
    both = mine and theirs
    return bool(both) and all(cast(Plain, mine)[k] == cast(Plain, theirs)[k] for k in ("seed", "weights"))


def _old_place(recipe: Recipe, theirs: Plain) -> str | None:
    """Where the same data were when the run began; None where they are not the same."""
    mine, old = recipe.to_dict()["data"], theirs.get("data") or {}
    places = recipe.data.places
    if not places or not mine.get("found_content"):
        return None
    elsewhere = {name for name in {**mine, **old} if mine.get(name) != old.get(name)}
    return ", ".join(str(old[name]) for name in places) if elsewhere <= set(places) else None


def _other_run(recipe: Recipe, run: RunFolder, theirs: Plain, field: str) -> SparringError:
    none = 0 if field == "clusters" else None
    old = theirs.get(field, none)
    if field == "data" and (changed := recipe.data.changed_since(old or {})):
        return SparringError(f"{run.path} cannot be resumed: {changed}")
    if field == "data" and recipe.data.places and old and old.get("is") == catalogue.name_of(type(recipe.data)):
        return UsageError(f"{run.path} cannot go on with {place_of(recipe)}: {_other_data(recipe, old)}")
    mine = recipe.to_dict().get(field, none)
    if (name := own_part(old)) and name == own_part(mine):
        return UsageError(
            f"{run.path} holds another run: the code of its {field}, {name}, has changed since; choose another --out, "
            "or change it back to resume the run"
        )
    return UsageError(
        f"{run.path} holds another run ({field}: {shortened(_as_text(old))}, "
        f"not {shortened(_as_text(mine))}); choose another --out, or the same settings to resume it"
    )


def _as_text(value: Any) -> str:
    """A field of a recipe, as plain data, as it is typed."""
    if isinstance(value, list):
        return ", ".join(map(_as_text, cast(list[Any], value)))
    if not isinstance(value, dict):
        return str(value)
    part = cast(Plain, value)
    fields = ", ".join(f"{name}={each}" for name, each in part.items() if name not in ("is", "yours", "sha256"))
    name = part.get("is") or f"<{part.get('yours', '')}>"
    return f"{name}({fields})" if fields else name


def _other_data(recipe: Recipe, old: Plain) -> str:
    """How data differ from those of a run that recorded `old`, which were elsewhere."""
    mine, places = recipe.to_dict()["data"], recipe.data.places
    names = [name for name in mine if name not in (*places, "found_content") and mine[name] != old.get(name)]
    differ = [f"{name.removeprefix('found_')} is {old.get(name)} there, {mine[name]} here" for name in names]
    was = ", ".join(str(old.get(name)) for name in places)
    what = "; ".join(differ) or "as many numbers in each, but other values"
    return f"its examples are not those of {was}, which the run was trained on ({what}); choose another --out"
