"""A new run that goes on from a checkpoint of another, with other settings."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from sparring.errors import SparringError, UsageError
from sparring.recipe import Recipe
from sparring.record import RunFolder
from sparring.record.files import disk_errors, link_or_copy
from sparring.record.journal import Event
from sparring.record.run import KEPT
from sparring.record.steering import after_rewinding
from sparring.training.control import settings
from sparring.training.control.rewind import checkpoint_of

WHOLE = ("objective", "tricks", "generator_optimizer", "discriminator_optimizer", "round", "precision")
"""Fields of a recipe that a branch may change as a whole. What the networks and their inputs are stays."""
NOT_SHARED = ("compiled", "group")
"""Of about.json: decided anew for other settings."""
PICTURE = re.compile(r"samples/[\w-]+\.png")
"""Names of sample grids, as runs have them: a journal from elsewhere may say anything."""
ENDS = ("finished", "plateau", "stopped", "diverged-all")


def branch(
    run: RunFolder | str | PathLike[str],
    round: int,
    out: str | PathLike[str],
    changes: Mapping[str, Any] | None = None,
    by: str = "",
) -> RunFolder:
    """Make a run that goes on from a checkpoint of another. Nothing is trained yet: `train` resumes it.

    Args:
        run: The run to branch off; it may be training. It stays as it is.
        round: A round that there is a checkpoint of (`run.rounds_saved()`).
        out: The new run's folder, which must not exist.
        changes: What is different from there on: the settings of `Steer.set`; `rounds`; or as a whole the objective,
            the tricks, an optimizer or the round's moves, by name as in `Recipe.replace`.
        by: Who asks for it, for the journal.

    Returns:
        The new run. Its journal has the other's history up to that round.

    Raises:
        UsageError: There is no such checkpoint or setting, or `out` exists.
        SparringError: The disk refuses, or the run is a watched loop.
    """
    run = run if isinstance(run, RunFolder) else RunFolder.open(run)
    out = Path(out)
    story = run.story
    if story.loop is not None:
        raise SparringError(f"{run.path} is a watched loop of your own: there is nothing to branch")
    if out.exists():
        raise UsageError(f"{out} exists; choose another folder for the branch")
    checkpoint = checkpoint_of(run, round, story.round)
    events = [each for each in after_rewinding(story.events, round) if each["event"] not in ENDS]
    before = Recipe.from_dict(story.steering.recipe_at(story.recipe, round - 1), placeholders=True)
    rest = dict(changes or {})
    rounds = _rounds(rest.pop("rounds", None), round, before)
    different = changed_for_branch(before, rest) if rest else {}
    recipe = {**story.recipe, "rounds": rounds}
    branched: Event = {"event": "branched", "at": int(time.time()), "round": round, "run": str(run.path.resolve())}
    branched |= {"settings": different, **({"by": by} if by else {})}
    _write(run, out, checkpoint, recipe, [*events, branched], _about(run, branched, different))
    return RunFolder.open(out)


def changed_for_branch(recipe: Recipe, changes: Mapping[str, Any]) -> settings.Settings:
    """What is different with these changes: path in the recipe -> [before, after]. Raises UsageError."""
    whole = {name: value for name, value in changes.items() if name in WHOLE}
    if whole.get("tricks") == "none":
        whole["tricks"] = ()
    numbers = {name: value for name, value in changes.items() if name not in WHOLE}
    made = recipe.replace(**whole) if whole else recipe
    before, after = recipe.to_dict(), made.to_dict()
    different: settings.Settings = {f: [before[f], after[f]] for f in whole if before[f] != after[f]}
    if numbers:
        different |= settings.changed(made, numbers)[1]
    return different


def _rounds(wanted: Any, round: int, recipe: Recipe) -> int:
    if wanted is None:
        return recipe.rounds
    rounds = recipe.replace(rounds=int(wanted) if isinstance(wanted, str) and wanted.isdecimal() else wanted).rounds
    if rounds <= round:
        raise UsageError(f"rounds must be more than the {round:,} that the branch begins with, not {rounds:,}")
    return rounds


def _about(run: RunFolder, branched: Event, different: settings.Settings) -> dict[str, Any]:
    about = {name: value for name, value in run.about.items() if not (different and name in NOT_SHARED)}
    return {**about, "origin": {"run": branched["run"], "round": branched["round"], "settings": different}}


def _write(
    run: RunFolder,
    out: Path,
    checkpoint: Path,
    recipe: Mapping[str, Any],
    events: list[Event],
    about: Mapping[str, Any],
) -> None:
    """The folder appears whole, or not at all."""
    partial = RunFolder(out.with_name(f".{out.name}.partial"))
    try:
        with disk_errors(out):
            shutil.rmtree(partial.path, ignore_errors=True)
            _fill(partial, run, checkpoint, recipe, events, about)
            os.rename(partial.path, out)  # noqa: PTH104 - fails where the folder has appeared meanwhile
    finally:
        shutil.rmtree(partial.path, ignore_errors=True)


def _fill(
    made: RunFolder,
    run: RunFolder,
    checkpoint: Path,
    recipe: Mapping[str, Any],
    events: list[Event],
    about: Mapping[str, Any],
) -> None:
    """Write the files of a branch."""
    made.create(json.dumps(recipe, indent=2) + "\n")
    name = f"round-{events[-1]['round']:09d}.safetensors"
    link_or_copy(checkpoint, made.path / "weights" / name)
    link_or_copy(checkpoint, made.path / KEPT / name)
    named = [str(each["picture"]) for each in events if "picture" in each]
    pictures = [name for name in named if PICTURE.fullmatch(name)]
    for file in (*pictures, "weights/start.safetensors", "source.py"):
        if (run.path / file).is_file():
            link_or_copy(run.path / file, made.path / file)
    lines = [json.dumps(event, allow_nan=False, separators=(",", ":")) for event in events]
    made.write_text("journal.jsonl", "".join(f"{line}\n" for line in lines))
    made.write_text("about.json", json.dumps(about, indent=2) + "\n")
