"""Parts of a run, trained as runs of their own, joined along the axis of members into one ordinary run.

The run's journal comes last: until it appears, the run tells what it told before. Joining again gives the same.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from sparring.errors import SparringError
from sparring.record.grid import join_grids
from sparring.record.journal import Event, json_numbers
from sparring.record.run import Run
from sparring.record.story import CURVES, GRADIENTS, Story


def join(run: Run, parts: Sequence[Run], recipe_id: str) -> None:
    """Write into `run`, whose recipe has the members of all `parts` in their order, what they have come to together.

    That is what holds up to the round that the slowest has played. Weights are those of the newest round, if any, of
    which every part has a checkpoint. Raises SparringError for parts that are another run's.
    """
    stories = [part.story for part in parts]
    seeds = [seed for story in stories for seed in story.seeds]
    if seeds != run.recipe["seeds"]:
        raise SparringError(
            f"the parts in {run.shards} are not of the seeds of {run.path}: move them away to begin anew"
        )
    played = min(story.round for story in stories)
    log_points = _log_points(stories, played)
    for log_point in log_points:
        if "picture" in log_point:
            name = log_point["picture"]
            run.write(name, lambda path, name=name: join_grids([part.path / name for part in parts], path, seeds))
    events = [_began(stories, recipe_id), *_real_baseline(stories), *log_points, *_diverged(stories, played)]
    events += _weights(run, parts, stories)
    events += _end(stories, played, len(seeds))
    events.sort(key=lambda event: event["round"])  # what is of one round stays in this order
    lines = [json.dumps(event, allow_nan=False, separators=(",", ":")) for event in events]
    run.write_text("journal.jsonl", "".join(f"{line}\n" for line in lines))


def _began(stories: Sequence[Story], recipe_id: str) -> Event:
    began = [event for story in stories for event in story.events if event["event"] in ("started", "resumed")]
    levels = next((event["levels"] for event in began if event.get("levels")), None)
    at = min((event["at"] for event in began), default=0.0)
    return {"event": "started", "at": at, "round": 0, "recipe": recipe_id, "levels": levels, "parts": len(stories)}


def _real_baseline(stories: Sequence[Story]) -> list[Event]:
    """What real data scores does not depend on members; figures taken by several measures cannot stand in one row."""
    told = [story.real_baseline for story in stories]
    if None in told or len({json.dumps({**(each or {}), "at": 0}, sort_keys=True) for each in told}) > 1:
        return []
    return [told[0]] if told[0] else []


def _log_points(stories: Sequence[Story], played: int) -> list[Event]:
    """Each regular tick that all parts have come to, and one more where the curves go on behind the last."""
    held = [{log_point["round"]: log_point for log_point in story.log_points} for story in stories]
    regular = sorted(round for round in held[0] if all("picture" in each.get(round, {}) for each in held))
    logged = _common(story.logged_rounds for story in stories)
    logged = logged[logged <= played]
    rows = {name: np.concatenate([_at(story, name, logged) for story in stories], 1) for name in (*CURVES, *GRADIENTS)}
    with_figures = bool(_real_baseline(stories))
    log_points: list[Event] = []
    done = 0
    last = [played] if len(logged) and (not regular or logged[-1] > regular[-1]) else []
    for round in [*regular, *last]:
        upto = int(np.searchsorted(logged, round, "right"))
        each = [ticks_of[round] for ticks_of in held if round in ticks_of]
        log_point = {"event": "log", **_when(stories, round), "logged": logged[done:upto].tolist()}
        told = {name: points[done:upto] for name, points in rows.items()}
        log_point |= {n: json_numbers(points) for n, points in told.items() if n in CURVES or np.isfinite(points).any()}
        if round in regular:
            log_point |= _drawn(each, with_figures)
        log_points.append(log_point)
        done = upto
    return log_points


def _drawn(each: Sequence[Event], with_figures: bool) -> Event:
    """What a regular tick tells of samples."""
    facts: Event = {"picture": each[0]["picture"]}
    if all("outputs" in log_point for log_point in each):
        facts["outputs"] = [member for log_point in each for member in log_point["outputs"]]
    if with_figures and all("metrics" in log_point for log_point in each):
        names = [name for name in each[0]["metrics"] if all(name in log_point["metrics"] for log_point in each)]
        facts["metrics"] = {
            name: [member for log_point in each for member in log_point["metrics"][name]] for name in names
        }
        facts["evaluation_seconds"] = max(log_point["evaluation_seconds"] for log_point in each)
    return facts


def _diverged(stories: Sequence[Story], played: int) -> list[Event]:
    found: dict[int, list[int]] = {}
    before = 0
    for story in stories:
        for member, round in story.diverged.items():
            if round <= played:
                found.setdefault(round, []).append(before + member)
        before += len(story.seeds)
    at = {round: _when(stories, round)["at"] for round in found}
    return [{"event": "diverged", "at": at[r], "round": r, "members": sorted(m)} for r, m in sorted(found.items())]


def _weights(run: Run, parts: Sequence[Run], stories: Sequence[Story]) -> list[Event]:
    """Checkpoints, and the best where all parts found their samples best in the same round."""
    events: list[Event] = []
    best = [[event for event in story.events if event["event"] == "best"][-1:] for story in stories]
    rounds = {event["round"] for told in best for event in told}
    files = [part.best for part in parts]
    if all(best) and len(rounds) == 1 and all(files):
        round = rounds.pop()
        sizes = [len(story.seeds) for story in stories]
        logs = [math.log(max(told[0]["distance"], 1e-9)) for told in best]
        distance = math.exp(sum(n * log for n, log in zip(sizes, logs, strict=True)) / sum(sizes))
        run.save_best(round, _joined([_read(path) for path in files if path]))
        at, metric = max(told[0]["at"] for told in best), best[0][0]["metric"]
        events.append({"event": "best", "at": at, "round": round, "metric": metric, "distance": json_numbers(distance)})
    held = [{_round_of(path): path for path in part.checkpoints()} for part in parts]
    for round in sorted(set.intersection(*(set(each) for each in held)), reverse=True):
        try:
            states = [_read(each[round]) for each in held]
        except (safetensors.SafetensorError, OSError):
            continue
        run.save(round, _joined(states))
        events.append({"event": "checkpoint", **_when(stories, round)})
        break
    return events


def _end(stories: Sequence[Story], played: int, members: int) -> list[Event]:
    """How it ended, if all parts have."""
    how = {story.status for story in stories}
    if sum(len(story.diverged) for story in stories) == members:
        return [{"event": "diverged-all", **_when(stories, played)}]
    if how <= {"finished", "stopped"}:
        return [{"event": "finished" if how == {"finished"} else "stopped", **_when(stories, played)}]
    return []


def _when(stories: Sequence[Story], round: int) -> Event:
    """The round, when the last part had played it, and the seconds that had been spent side by side."""
    before = [event for story in stories for event in story.events if event.get("round", 0) <= round]
    seconds = max((event["seconds"] for event in before if "seconds" in event), default=0.0)
    return {"at": max((event["at"] for event in before), default=0.0), "round": round, "seconds": seconds}


def _common(logged: Iterable[np.ndarray]) -> np.ndarray:
    """Rounds that all tell of, in order."""
    first, *others = logged
    for other in others:
        first = np.intersect1d(first, other)
    return np.unique(first)


def _at(story: Story, name: str, rounds: np.ndarray) -> np.ndarray:
    """A curve's points at these rounds, `(T, P)`."""
    where = {int(round): index for index, round in enumerate(story.logged_rounds)}
    return story.curve(name)[[where[int(round)] for round in rounds]]


def _joined(states: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """States of parts, `(P, ...)` each, as one. What has no axis of members, as a count of steps, is alike in all."""
    first = states[0]
    return {
        name: np.concatenate([state[name] for state in states]) if first[name].ndim else first[name] for name in first
    }


def _read(path: Path) -> dict[str, Any]:
    return safetensors.numpy.load_file(path)


def _round_of(checkpoint: Path) -> int:
    return int(checkpoint.stem.rpartition("-")[2])
