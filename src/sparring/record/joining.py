"""Joining shards, which were trained as runs of their own, along the axis of members into one ordinary run.

The run's journal is written last: until then the run reads as it did before. Joining again gives the same files.
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
from sparring.record.journal import LASTING, Event, json_numbers
from sparring.record.members import names_of
from sparring.record.run import RunFolder
from sparring.record.story import CURVES, GRADIENTS, Story


def join(run: RunFolder, shards: Sequence[RunFolder], recipe_id: str) -> None:
    """Write the journal, sample grids and weights of `run` from its shards.

    The joined run goes up to the round that the slowest shard has reached. Its weights are those of the newest round of
    which every shard has a checkpoint, if there is one.

    Args:
        run: A run whose recipe has the seeds of all shards in their order.
        shards: Runs with some of the members each.
        recipe_id: `id` of the run's recipe, for its journal.

    Raises:
        SparringError: The shards have other seeds than the run.
    """
    stories = [shard.story for shard in shards]
    recipe = run.recipe
    seeds, names = [seed for story in stories for seed in story.seeds], names_of(recipe)
    if seeds != recipe["seeds"]:
        raise SparringError(
            f"the shards in {run.shards} have other seeds than {run.path}: move them away to start from scratch"
        )
    round = min(story.round for story in stories)
    log_points = _log_points(stories, round)
    for event in log_points:
        if "picture" in event:
            name = event["picture"]
            run.write(name, lambda path, name=name: join_grids([shard.path / name for shard in shards], path, names))
    events = [_started(stories, recipe_id), *_of_the_whole_run(stories), *_real_baseline(stories), *log_points]
    events += _diverged(stories, round)
    events += _weights(run, shards, stories)
    events += _end(stories, round, len(seeds))
    events.sort(key=lambda event: event["round"])  # stable: events of one round stay in this order
    lines = [json.dumps(event, allow_nan=False, separators=(",", ":")) for event in events]
    run.write_text("journal.jsonl", "".join(f"{line}\n" for line in lines))


def _started(stories: Sequence[Story], recipe_id: str) -> Event:
    starts = [event for story in stories for event in story.events if event["event"] in ("started", "resumed")]
    levels = next((event["levels"] for event in starts if event.get("levels")), None)
    ranges = next((event["output_ranges"] for event in starts if event.get("output_ranges")), None)
    at = min((event["at"] for event in starts), default=0.0)
    stated = {"recipe": recipe_id, "levels": levels, "output_ranges": ranges, "shards": len(stories)}
    return {"event": "started", "at": at, "round": 0, **stated}


def _of_the_whole_run(stories: Sequence[Story]) -> list[Event]:
    """Events that all shards share: where their weights came from, that they were to go on longer, that data moved."""
    return [event for event in stories[0].events if event["event"] in ("started-from", *LASTING)]


def _real_baseline(stories: Sequence[Story]) -> list[Event]:
    """The real-data baseline, which is the same for all members; none where shards were evaluated in different ways."""
    baselines = [story.real_baseline for story in stories]
    if None in baselines or len({json.dumps({**(each or {}), "at": 0}, sort_keys=True) for each in baselines}) > 1:
        return []
    return [baselines[0]] if baselines[0] else []


def _log_points(stories: Sequence[Story], last_round: int) -> list[Event]:
    """Each regular log point that all shards have reached, and one more where the curves go on after the last."""
    by_round = [{event["round"]: event for event in story.log_points} for story in stories]
    regular = sorted(round for round in by_round[0] if all("picture" in each.get(round, {}) for each in by_round))
    logged = _common(story.logged_rounds for story in stories)
    logged = logged[logged <= last_round]
    rows = {name: np.concatenate([_at(story, name, logged) for story in stories], 1) for name in (*CURVES, *GRADIENTS)}
    with_metrics = bool(_real_baseline(stories))
    joined: list[Event] = []
    done = 0
    rest = [last_round] if len(logged) and (not regular or logged[-1] > regular[-1]) else []
    for round in [*regular, *rest]:
        end = int(np.searchsorted(logged, round, "right"))
        event: Event = {"event": "log", **_when(stories, round), "logged": logged[done:end].tolist()}
        points = {name: values[done:end] for name, values in rows.items()}
        event |= {n: json_numbers(values) for n, values in points.items() if n in CURVES or np.isfinite(values).any()}
        if round in regular:
            event |= _samples([each[round] for each in by_round if round in each], with_metrics)
        joined.append(event)
        done = end
    return joined


def _samples(events: Sequence[Event], with_metrics: bool) -> Event:
    """What the shards' events of one regular log point say of samples, joined."""
    fields: Event = {"picture": events[0]["picture"]}
    if all("outputs" in event for event in events):
        fields["outputs"] = [member for event in events for member in event["outputs"]]
    if with_metrics and all("metrics" in event for event in events):
        names = [name for name in events[0]["metrics"] if all(name in event["metrics"] for event in events)]
        fields["metrics"] = {name: [member for event in events for member in event["metrics"][name]] for name in names}
        errors = [event.get("errors", {}) for event in events]
        shared = [name for name in errors[0] if all(name in each for each in errors)]
        fields["errors"] = {name: [member for each in errors for member in each[name]] for name in shared}
        fields["evaluation_seconds"] = max(event["evaluation_seconds"] for event in events)
        if all("quantiles" in event for event in events):
            fields["quantiles"] = [member for event in events for member in event["quantiles"]]
    return fields


def _diverged(stories: Sequence[Story], last_round: int) -> list[Event]:
    members: dict[int, list[int]] = {}
    before = 0
    for story in stories:
        for member, round in story.diverged.items():
            if round <= last_round:
                members.setdefault(round, []).append(before + member)
        before += len(story.seeds)
    at = {round: _when(stories, round)["at"] for round in members}
    return [{"event": "diverged", "at": at[r], "round": r, "members": sorted(m)} for r, m in sorted(members.items())]


def _weights(run: RunFolder, shards: Sequence[RunFolder], stories: Sequence[Story]) -> list[Event]:
    """Save the newest common checkpoint, and the best one where all shards have their best in the same round."""
    events = _best(run, shards, stories)
    by_round = [{_round_of(path): path for path in shard.checkpoints()} for shard in shards]
    for round in sorted(set.intersection(*(set(each) for each in by_round)), reverse=True):
        try:
            states = [_read(each[round]) for each in by_round]
        except (safetensors.SafetensorError, OSError):
            continue
        run.save(round, _joined(states))
        events.append({"event": "checkpoint", **_when(stories, round)})
        break
    return events


def _best(run: RunFolder, shards: Sequence[RunFolder], stories: Sequence[Story]) -> list[Event]:
    found = [[event for event in story.events if event["event"] == "best"][-1:] for story in stories]
    rounds = {event["round"] for events in found for event in events}
    files = [shard.best for shard in shards]
    if not (all(found) and len(rounds) == 1 and all(files)):
        return []
    best, round = [events[0] for events in found], rounds.pop()
    sizes = [len(story.seeds) for story in stories]
    # The geometric mean over all members, as a run of one process would have it.
    logs = [math.log(max(event["distance"], 1e-9)) for event in best]
    distance = math.exp(sum(n * log for n, log in zip(sizes, logs, strict=True)) / sum(sizes))
    run.save_best(round, _joined([_read(path) for path in files if path]))
    at, metric = max(event["at"] for event in best), best[0]["metric"]
    return [{"event": "best", "at": at, "round": round, "metric": metric, "distance": json_numbers(distance)}]


def _end(stories: Sequence[Story], last_round: int, members: int) -> list[Event]:
    """How the run ended, if all shards have ended."""
    statuses = {story.status for story in stories}
    if sum(len(story.diverged) for story in stories) == members:
        return [{"event": "diverged-all", **_when(stories, last_round)}]
    if statuses <= {"finished", "stopped"}:
        return [{"event": "finished" if statuses == {"finished"} else "stopped", **_when(stories, last_round)}]
    return []


def _when(stories: Sequence[Story], round: int) -> Event:
    """The round, the time at which the last shard had reached it, and the training seconds of the slowest shard."""
    before = [event for story in stories for event in story.events if event.get("round", 0) <= round]
    seconds = max((event["seconds"] for event in before if "seconds" in event), default=0.0)
    return {"at": max((event["at"] for event in before), default=0.0), "round": round, "seconds": seconds}


def _common(logged: Iterable[np.ndarray]) -> np.ndarray:
    """Rounds that every shard has logged, in order."""
    first, *others = logged
    for other in others:
        first = np.intersect1d(first, other)
    return np.unique(first)


def _at(story: Story, name: str, rounds: np.ndarray) -> np.ndarray:
    """A curve's points at these rounds, `(T, P)`."""
    index_of = {int(round): index for index, round in enumerate(story.logged_rounds)}
    return story.curve(name)[[index_of[int(round)] for round in rounds]]


def _joined(states: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Checkpoints of shards, `(P, ...)` each, as one. A scalar, such as a count of steps, is the same in all."""
    first = states[0]
    return {
        name: np.concatenate([state[name] for state in states]) if first[name].ndim else first[name] for name in first
    }


def _read(path: Path) -> dict[str, Any]:
    return safetensors.numpy.load_file(path)


def _round_of(checkpoint: Path) -> int:
    return int(checkpoint.stem.rpartition("-")[2])
