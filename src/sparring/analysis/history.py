"""What was done to a run besides training it, in sentences: where its weights came from, that it was made longer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sparring.languages import Text
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
        return Text("new weights")
    run, round = Path(start["run"]).name, f"{start['round']:,}"
    return Text("the weights of {run}{which}, round {round}", run=run, which=_which(start), round=round)


def _started_from(event: dict[str, Any]) -> str:
    fields = {"run": event["run"], "which": _which(event), "round": f"{event['checkpoint']:,}"}
    anew = event["anew"]
    if not anew:
        return Text("It starts with the weights of {run}{which}, round {round}.", **fields)
    more = Text(" and {count} more", count=f"{len(anew) - MAX_NAMED:,}") if len(anew) > MAX_NAMED else ""
    loaded = [
        Text("{some} of {of} of {whose}", some=some, of=of, whose=_whose(what))
        for what, (some, of) in event["loaded"].items()
    ]
    return Text(
        "It starts with the weights of {run}{which}, round {round}: {loaded} tensors fit. Drawn anew: {anew}{more}.",
        **fields,
        loaded=Text.joined(loaded, ", "),
        anew=Text.joined(anew[:MAX_NAMED], ", "),
        more=more,
    )


def _extended(event: dict[str, Any]) -> str:
    old, new = event["rounds"]
    fields = {"round": f"{event['round']:,}", "old": f"{old:,}", "new": f"{new:,}"}
    names = event["schedules"]
    if not names:
        return Text("At round {round} it was made longer, from {old} to {new} rounds.", **fields)
    return Text(
        "At round {round} it was made longer, from {old} to {new} rounds; {names} follows the new length only from "
        "there on."
        if len(names) == 1
        else "At round {round} it was made longer, from {old} to {new} rounds; {names} follow the new length only "
        "from there on.",
        **fields,
        names=Text.joined(names, ", "),
    )


def _moved(event: dict[str, Any]) -> str:
    old, new = event["data"]
    return Text(
        "From round {round} on its data were in {new}, before that in {old}; they are the same.",
        round=f"{event['round']:,}",
        old=old,
        new=new,
    )


def _which(start: dict[str, Any]) -> str:
    seed = [] if start["seed"] is None else [Text(", seed {seed}", seed=start["seed"])]
    return Text.joined([*seed, *([Text(", its best checkpoint")] if start["best"] else [])], "")


def _whose(what: str) -> str:
    return Text("G's averaged") if what == "averaged" else Text("{player}'s", player=what)
