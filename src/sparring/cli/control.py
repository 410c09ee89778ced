"""Steer a run while it trains: pause it, step, change its settings.

DO is one of: status; pause; go; round [N], which plays the rest of the round or N rounds, then pauses; step [d|g], one
move, or one step of D or of G; slow [N], N moves a second, each reported; set NAME=VALUE ..., from the next round on;
checkpoint; stop, which saves as Ctrl-C does.

Settings are lr (of both players; g.lr, d.lr), batch, ratio (steps of D for each of G), gamma and other numbers of
tricks (r1.gamma); `sparring control RUN status` lists all. What was changed is in the journal, and everything that
shows the run says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from sparring import catalogue
from sparring.characters import quoted
from sparring.cli.flags import Json, RunDir, Spoken, flag, parse, print_json
from sparring.cli.main import OK
from sparring.errors import UsageError
from sparring.languages import Text, said

if TYPE_CHECKING:
    from sparring.training.control import Steer

VERBS = ("status", "pause", "go", "round", "step", "slow", "set", "checkpoint", "stop")
SAME = {"resume": "go", "continue": "go", "play": "go", "rounds": "round", "save": "checkpoint", "settings": "status"}
TAKES = {"round": 1, "step": 1, "slow": 1, "set": 100}
"""How many values a verb takes at most; the others take none."""


@dataclass
class ControlFlags:
    """Flags of `control`."""

    run: RunDir
    do: Annotated[tyro.conf.Positional[str], flag("What to do.", "[DO]", "status")] = "status"
    values: Annotated[tyro.conf.Positional[tuple[str, ...]], flag("lr=5e-5, d, 3 and so on.", "[VALUE ...]", "")] = ()
    language: Spoken = ""
    json: Json = False


def run(arguments: list[str]) -> int:
    """Do it, and print what the journal says of it."""
    flags = parse(ControlFlags, "control", arguments, __doc__ or "")
    asked: str = flags.do.lower()
    do = SAME.get(asked) or asked
    if do not in VERBS:
        raise UsageError(f"{catalogue.unknown('commands', do, VERBS)} (`sparring control --help`)")
    if len(flags.values) > TAKES.get(do, 0):
        raise UsageError(f"{do} takes no {flags.values[-1]!r} (`sparring control --help`)")
    event = _done(Path(flags.run), do, flags.values)
    if flags.json:
        return print_json(event)
    print(_status_text(event) if do == "status" else said(_text(event)))
    return OK


def _done(folder: Path, do: str, values: tuple[str, ...]) -> dict[str, Any]:
    from sparring.training.control import Steer

    steer = Steer(folder)
    first = values[0] if values else ""
    if do == "status":
        return steer.status()
    if do == "set":
        return steer.set(**assignments(values))
    if do == "round":
        return steer.rounds(_count(first or "1"))
    if do == "slow":
        return steer.slow(_number("slow", first or "1"))
    if do == "step":
        return _step(steer, first)
    return {"pause": steer.pause, "go": steer.go, "checkpoint": steer.checkpoint, "stop": steer.stop}[do]()


def _step(steer: Steer, who: str) -> dict[str, Any]:
    if who.lower() not in ("", "d", "g"):
        raise UsageError(f"step takes d, g, or nothing for the next move, not {who!r}")
    return steer.step("D" if who.lower() == "d" else "G" if who else None)


def command_to_resume(run: Path) -> str:
    """What to type for a run to go on."""
    return f"sparring train --from {quoted(run)} --out {quoted(run)}"


def assignments(texts: tuple[str, ...]) -> dict[str, str]:
    """`("lr=5e-5", "batch=32")` as names and values. Raises UsageError for what is none."""
    pairs = [text.partition("=") for text in texts]
    if wrong := next((text for text, pair in zip(texts, pairs, strict=True) if not (pair[0] and pair[2])), None):
        raise UsageError(f"say what to set as NAME=VALUE (lr=5e-5), not {wrong!r}")
    return {name: value for name, _, value in pairs}


def _count(text: str) -> int:
    number = _number("round", text)
    if not number.is_integer():
        raise UsageError(f"the number of rounds must be a whole number, not {text!r}")
    return int(number)


def _number(verb: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise UsageError(f"{verb} takes a number, not {text!r}") from error


EVENTS = {
    "paused": Text("paused after round {round}"),
    "continued": Text("goes on after round {round}"),
    "slowed": Text("slow motion after round {round}: {moves} moves a second"),
    "checkpoint": Text("a checkpoint of round {round} is saved"),
    "stopping": Text("stops after round {round}"),
    "rewound": Text("back at round {round}"),
}
"""What has happened to a run, in words."""
WITHIN = Text(", {position} of {total} moves into the next")
"""After a round: how much of the next one has been played."""


def _text(event: dict[str, Any]) -> Text:
    """An event in one line."""
    from sparring.analysis.steered import settings_text

    kind, next_round = event["event"], f"{event['round'] + 1:,}"
    if kind == "stepped":
        beside = Text("; an extra one: the run is not its recipe's any more") if event["extra"] else ""
        names = {"player": event["player"], "move": event["move"]}
        return Text("{player} has moved ({move}) in round {round}{beside}", round=next_round, beside=beside, **names)
    if kind == "changed":
        settings = settings_text(event["settings"])
        return Text("from round {round} on: {settings}", round=next_round, settings=settings)
    moves = f"{event.get('moves_per_second', 1):g}"
    done = EVENTS[kind].filled(round=f"{event['round']:,}", moves=moves)
    within = [WITHIN.filled(position=event["position"], total=event["of"])] if event.get("position") else []
    return Text.joined([done, *within])


def _status_text(status: dict[str, Any]) -> str:
    rounds = {"round": f"{status['round']:,}", "rounds": f"{status['rounds']:,}"}
    first: list[str] = [Text("{mode} at round {round} of {rounds}", mode=Text(status["mode"]), **rounds)]
    first += [WITHIN.filled(position=status["position"], total=status["of"])] if status["position"] else []
    first += [] if status["training"] else [Text(" (no process trains it)")]
    first += [] if status["is_recipe"] else [Text("; changed since it began")]
    width = max(map(len, status["settings"]))
    settings = [f"  {name:<{width}}  {value}" for name, value in status["settings"].items()]
    listed = ", ".join(f"{each:,}" for each in status["checkpoints"])
    saved = Text("checkpoints of rounds {rounds}", rounds=listed) if listed else Text("no checkpoints yet")
    return "\n".join(["".join(map(said, first)), *settings, said(saved)])
