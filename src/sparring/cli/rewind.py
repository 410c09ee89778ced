"""Take a run back to one of its checkpoints; it goes on from there.

What came after that round is given up; `sparring branch` keeps both. A run that is training goes on at once, another
one when it is trained again. `sparring control RUN status` lists the rounds that there are checkpoints of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import tyro

from sparring.cli.control import command_to_resume
from sparring.cli.flags import Json, RunDir, Spoken, flag, parse, print_json
from sparring.cli.main import OK
from sparring.languages import Text, said


@dataclass
class RewindFlags:
    """Flags of `rewind`."""

    run: RunDir
    round: Annotated[tyro.conf.Positional[int], flag("The round to go back to.", "ROUND")]
    language: Spoken = ""
    json: Json = False


def run(arguments: list[str]) -> int:
    """Rewind, and say from where."""
    flags = parse(RewindFlags, "rewind", arguments, __doc__ or "")
    from sparring.training.control import Steer

    steer = Steer(flags.run)
    event = steer.rewind(flags.round)
    if flags.json:
        return print_json(event)
    resume = "" if steer.is_training else Text("; `{command}` goes on", command=command_to_resume(flags.run))
    rounds = {"round": f"{event['round']:,}", "before": f"{event['from']:,}"}
    print(said(Text("{run} is back at round {round}, from {before}{resume}", run=flags.run, resume=resume, **rounds)))
    return OK
