"""Splitting a run of several cells into an ordinary run for each: the mirror of joining.

A cell is the members of a population that have the same numbers. Its folder is as if it had been trained alone, but
for its times, which are the population's. The journal is written last: until then the folder reads as it did before.
Splitting again gives the same files.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sparring.errors import SparringError, UsageError
from sparring.record.grid import cut_grid
from sparring.record.journal import Event, json_numbers
from sparring.record.members import selected
from sparring.record.run import RunFolder, round_of
from sparring.record.story import Story

MIN_GAIN = 0.98
"""Times the distance at the kept best checkpoint: a cell with an evaluation nearer to the data than that has a better
round, of which there are no weights."""


@dataclass(frozen=True)
class Share:
    """A cell, and the folder that it gets."""

    run: RunFolder
    recipe_json: str
    """Of its plain recipe."""
    recipe_id: str
    about: Mapping[str, Any]
    """Of its about.json, in place of what the whole run says there."""
    members: tuple[int, ...]
    """Their places among the members of the whole run."""
    foreign: tuple[str, ...] = ()
    """Prefixes of arrays in a checkpoint that a run of this cell alone does not have."""


def split(whole: RunFolder, shares: Sequence[Share]) -> None:
    """Write a run for each cell.

    Args:
        whole: The run of all cells, finished or stopped.
        shares: The cells. A folder may exist already if it was split off the same run before.

    Raises:
        UsageError: A folder holds something else, or a run that was trained on since.
    """
    story = whole.story
    for share in shares:
        _check(share, story)
    checkpoint = whole.load()
    best = whole.load(best=True) if whole.best else None
    for share in shares:
        _write(whole, story, share, checkpoint, best)


def _check(share: Share, story: Story) -> None:
    run = share.run
    if not run.exists:
        if run.path.exists() and not run.is_blank:
            raise UsageError(f"{run.path} exists and is not a run; choose another --out")
        return
    if run.recipe_json != share.recipe_json:
        raise UsageError(f"{run.path} holds another run; choose another --out")
    if run.story.round > story.round:
        raise UsageError(f"{run.path} was trained on since it was split off: it is at round {run.story.round:,}")


State = tuple[int, dict[str, np.ndarray]]


def _write(whole: RunFolder, story: Story, share: Share, checkpoint: State | None, best: State | None) -> None:
    run, end = share.run, _end(story, share.members)
    events = [event for each in story.events if (event := selected(each, share.members)) and each["round"] <= end]
    run.create(share.recipe_json)
    for event in events:
        if "picture" in event:
            _cut(whole, run, event, share.members, story)
    kept = [state for state in (checkpoint,) if state and state[0] <= end]
    for round, state in kept:
        run.save(round, _arrays(state, share, len(story.seeds)))
    for path in whole.kept():
        if round_of(path) <= end:
            run.save_kept(round_of(path), _arrays(whole.load_file(path), share, len(story.seeds)))
    saved = {round for round, _ in kept}
    events = [event for event in events if event["event"] != "checkpoint" or event["round"] in saved]
    events = _with_best(run, events, share, best if best and best[0] <= end else None, len(story.seeds))
    if whole.start.is_file():
        run.save_start(_arrays(whole.load_file(whole.start), share, len(story.seeds)))
    if (whole.path / "source.py").is_file():
        run.write("source.py", lambda path: path.write_bytes((whole.path / "source.py").read_bytes()))
    run.write_text("about.json", json.dumps({**whole.about, **share.about}, indent=2) + "\n")
    if end < story.round or len(story.diverged) == len(story.seeds):
        events = [event for event in events if event["event"] not in ("finished", "stopped", "plateau", "diverged-all")]
        events.append({"event": "diverged-all", "at": events[-1]["at"], "round": end})
    events = [_renamed(event, share.recipe_id) for event in events]
    lines = [json.dumps(event, allow_nan=False, separators=(",", ":")) for event in events]
    run.write_text("journal.jsonl", "".join(f"{line}\n" for line in lines))


def _end(story: Story, members: Sequence[int]) -> int:
    """The round at which these members are over: that by which all of them have diverged, else the run's."""
    rounds = [story.diverged.get(member) for member in members]
    known = [round for round in rounds if round is not None]
    return max(known) if len(known) == len(rounds) else story.round


def _cut(whole: RunFolder, run: RunFolder, event: Event, members: Sequence[int], story: Story) -> None:
    """Cut a cell's blocks out of a sample grid; an event whose picture is gone, or lacks a member, names none."""
    name, seeds = event["picture"], [story.seeds[member] for member in members]
    try:
        run.write(name, lambda path: cut_grid(whole.path / name, members, path, seeds))
    except (OSError, KeyError, ValueError, IndexError):
        del event["picture"]


def _arrays(state: Mapping[str, np.ndarray], share: Share, of: int) -> dict[str, np.ndarray]:
    """A checkpoint's arrays of these members; a scalar, such as a count of steps, is the same for all."""
    if any(array.ndim and len(array) != of for array in state.values()):
        raise SparringError("the weights of this run are not those of its recipe's members")
    members = list(share.members)
    mine = {name: array for name, array in state.items() if not name.startswith(share.foreign)}
    return {name: array[members] if array.ndim else array for name, array in mine.items()}


def _with_best(run: RunFolder, events: list[Event], share: Share, best: State | None, of: int) -> list[Event]:
    """Keep the best checkpoint where it is of the cell's own best evaluated round, too."""
    others = [event for event in events if event["event"] != "best"]
    stated = next((event for event in reversed(events) if event["event"] == "best"), None)
    if best is None or stated is None or stated["round"] != best[0]:
        return others
    by_round = {
        e["round"]: _distance(e["metrics"].get(stated["metric"]))
        for e in others
        if e["event"] == "log" and "metrics" in e
    }
    here = by_round.get(best[0], math.nan)
    if not here * MIN_GAIN <= min(by_round.values(), default=math.nan):
        return others
    run.save_best(best[0], _arrays(best[1], share, of))
    mine = {**stated, "distance": json_numbers(here)}
    return [mine if event is stated else event for event in events if event["event"] != "best" or event is stated]


def _distance(values: Sequence[float | None] | None) -> float:
    """The geometric mean over members, as a run of these alone would have it; of those that have not diverged."""
    known = [math.log(max(value, 1e-9)) for value in values or () if value is not None]
    return math.exp(sum(known) / len(known)) if known else math.inf


def _renamed(event: Event, recipe_id: str) -> Event:
    return {**event, "recipe": recipe_id} if "recipe" in event else event


def slug(label: str) -> str:
    """A cell's label as a part of a folder's name: `beta -0.5, lr 1e+08` is `beta--0.5-lr-1e08`."""
    label = re.sub(r"(?<=\de)\+(?=\d)", "", label)
    words = "".join(c if c.isalnum() or c in ".-" else " " for c in label).split()
    words = [re.sub(r"^-+(?![\d.])|-+$", "", re.sub(r"-+", "-", word)) for word in words]
    return "-".join(word for word in words if word)[:60]


def _slug_before(label: str) -> str:
    """As it was made once, when exponents and negative numbers lost their signs."""
    words = "".join(c if c.isalnum() or c in ".-" else "-" for c in label).split("-")
    return "-".join(word for word in words if word)[:60]


def folder_of(home: Path, number: int, label: str) -> Path:
    """The folder of a cell: `000-lr-0.001`. Where it was split off before it has the name that it had."""
    before = home / f"{number:03d}-{_slug_before(label)}"
    return before if before.is_dir() else home / f"{number:03d}{f'-{slug(label)}' if label else ''}"
