"""What was done to a run besides training it, in sentences: where its weights came from, that it was made longer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sparring.record import Story

MAX_NAMED = 3
"""Tensors that did not fit and are named."""


def history(story: Story) -> list[str]:
    """A sentence for each event that a reader of the numbers must know of, oldest first; mostly there are none."""
    tell = {"started-from": _started_from, "extended": _extended, "moved": _moved}
    return [tell[event["event"]](event) for event in story.events if event["event"] in tell]


def start_text(start: dict[str, Any] | None) -> str:
    """The weights that a recipe starts with, in a few words, from the recipe as plain data."""
    if not start:
        return "new weights"
    return f"the weights of {Path(start['run']).name}{_which(start)}, round {start['round']:,}"


def _started_from(event: dict[str, Any]) -> str:
    text = f"It starts with the weights of {event['run']}{_which(event)}, round {event['checkpoint']:,}"
    anew = event["anew"]
    if not anew:
        return f"{text}."
    more = f" and {len(anew) - MAX_NAMED:,} more" if len(anew) > MAX_NAMED else ""
    loaded = ", ".join(f"{loaded} of {of} of {_whose(what)}" for what, (loaded, of) in event["loaded"].items())
    return f"{text}: {loaded} tensors fit. Drawn anew: {', '.join(anew[:MAX_NAMED])}{more}."


def _extended(event: dict[str, Any]) -> str:
    old, new = event["rounds"]
    text = f"At round {event['round']:,} it was made longer, from {old:,} to {new:,} rounds"
    if not event["schedules"]:
        return f"{text}."
    names = ", ".join(event["schedules"])
    follow = "follows" if len(event["schedules"]) == 1 else "follow"
    return f"{text}; {names} {follow} the new length only from there on."


def _moved(event: dict[str, Any]) -> str:
    old, new = event["data"]
    return f"From round {event['round']:,} on its data were in {new}, before that in {old}; they are the same."


def _which(start: dict[str, Any]) -> str:
    seed = "" if start["seed"] is None else f", seed {start['seed']}"
    return f"{seed}{', its best checkpoint' if start['best'] else ''}"


def _whose(what: str) -> str:
    return "G's averaged" if what == "averaged" else f"{what}'s"
