"""What people changed in a run while it trained, in words, and whether it is its recipe's still. Loads no torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sparring.analysis.differences import field_text
from sparring.errors import UsageError
from sparring.languages import Text
from sparring.record import RunFolder, Story

OTHER = {"generator_optimizer": "discriminator_optimizer", "discriminator_optimizer": "generator_optimizer"}
PLAYERS = {"generator_optimizer": "G", "discriminator_optimizer": "D"}


def departure(story: Story) -> str:
    """Why a run's numbers are not those of its recipe, in a phrase; empty for a run whose numbers are."""
    steering = story.steering
    if not steering.departs:
        return ""
    parts = [
        Text("{settings} after round {round}", settings=settings_text(each.settings), round=f"{each.round:,}")
        for each in steering.changes
    ]
    return Text.joined([*parts, *([_extras_text(story)] if steering.extras else [])], "; ")


def refuse_departed(run: RunFolder, what: str) -> None:
    """Raises UsageError, in one line, for a run that is not its recipe's any more; `what` needs one that is."""
    why = departure(run.story)
    if why:
        raise UsageError(f"{run.path} was changed while it trained ({why}), so that it is no run of its recipe: {what}")


def steering_sentences(story: Story) -> list[tuple[int, str]]:
    """A sentence for everything that was done to the run, each with its round, oldest first."""
    sentences = {"changed": _changed, "branched": _branched, "rewound": _rewound}
    events = [event for event in story.events if event["event"] in sentences]
    found = [(event["round"], sentences[event["event"]](event)) for event in events]
    if story.steering.extras:
        found.append((story.steering.extras[0].round, _extras_text(story, sentence=True)))
    return sorted(found, key=lambda pair: pair[0])


def branch_text(story: Story) -> str:
    """`branch of digits at round 400, lr 0.0001 → 5e-05`; empty for a run that is none."""
    branch = story.steering.branch
    if branch is None:
        return ""
    changed = f", {settings_text(branch.settings)}" if branch.settings else ""
    return f"branch of {Path(branch.run).name} at round {branch.round:,}{changed}"


def settings_text(settings: Mapping[str, Sequence[Any]]) -> str:
    """Settings that were changed, in one phrase: `lr 0.0001 → 5e-05, batch 64 → 32`.

    What both players have in common is named once.
    """
    left, parts = dict(settings), list[str]()
    for path, pair in settings.items():
        if path not in left:
            continue
        player, _, field = path.partition(".")
        other = f"{OTHER.get(player, '')}.{field}"
        shared = player in OTHER and left.get(other) == pair
        if shared:
            del left[other]
        before = Text.joined([field if shared else setting_name(path), _value(path, pair[0])], " ")
        parts.append(Text.joined([before, _value(path, pair[1])], " → "))
    return Text.joined(parts, ", ")


def _changed(event: dict[str, Any]) -> str:
    return Text(
        "After round {round} its settings were changed: {settings}.",
        round=f"{event['round']:,}",
        settings=settings_text(event["settings"]),
    )


def _branched(event: dict[str, Any]) -> str:
    fields = {"run": event["run"], "round": f"{event['round']:,}"}
    if not event["settings"]:
        return Text("It is a branch of {run} at round {round}.", **fields)
    settings = settings_text(event["settings"])
    return Text("It is a branch of {run} at round {round}, with {settings}.", **fields, settings=settings)


def _rewound(event: dict[str, Any]) -> str:
    start = event.get("from", event["round"])
    return Text(
        "It was taken back to round {round}, from round {start}.", round=f"{event['round']:,}", start=f"{start:,}"
    )


def _extras_text(story: Story, sentence: bool = False) -> str:
    extras = story.steering.extras
    counts = Counter(each.player for each in extras)
    each = [Text("{count} of {player}", count=f"{counts[player]:,}", player=player) for player in sorted(counts)]
    first, last = extras[0].round + 1, extras[-1].round + 1
    where = Text("in rounds {first} to {last}", first=f"{first:,}", last=f"{last:,}")
    if first == last:
        where = Text("in round {round}", round=f"{first:,}")
    fields = {"what": Text.joined(each, " and "), "where": where}
    if sentence:
        return Text("Steps beside those of its rounds: {what}, {where}.", **fields)
    return Text("steps beside those of its rounds: {what}, {where}", **fields)


def setting_name(path: str) -> str:
    """What people call a number that can be changed: `G's lr`, `r1's gamma`, `batch`, `steps d_sees_both`."""
    room, _, rest = path.partition(".")
    if room in PLAYERS and rest:
        return Text("{player}'s {field}", player=PLAYERS[room], field=rest)
    if room == "tricks" and rest:
        trick, _, field = rest.rpartition(".")
        return Text("{trick}'s {field}", trick=trick, field=field)
    return Text("steps {move}", move=rest) if room == "round" and rest else path.replace("_", " ")


def _value(path: str, value: Any) -> str:
    if isinstance(value, dict | list) and "." not in path:
        return field_text(path, value)
    if isinstance(value, list):
        return Text.joined((f"{each:g}" for each in value), " to ")  # pyright: ignore[reportUnknownVariableType]
    return f"{value:g}" if isinstance(value, float) else f"{value}"
