"""Branch a new run off a checkpoint of another, with other settings.

It is trained at once. It has the other's history up to that round, and goes on with the same random streams: with
nothing set it computes the same. `sparring compare RUN DIR` shows both. `sparring control RUN status` lists the rounds
that there are checkpoints of.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from sparring.cli.control import assignments, command_to_resume
from sparring.cli.flags import Json, RunDir, Spoken, flag, parse, print_json
from sparring.cli.main import OK
from sparring.languages import Text, said


@dataclass
class BranchFlags:
    """Flags of `branch`."""

    run: RunDir
    round: Annotated[tyro.conf.Positional[int], flag("The round to branch off at.", "ROUND")]
    set: Annotated[
        tuple[str, ...],
        flag(
            "What is different from there on: lr=5e-5, batch=32, r1.gamma=1, ratio=3, rounds=20000; also a whole "
            "objective=hinge or tricks='r1(gamma=1), ema'.",
            "NAME=VALUE ...",
            "nothing",
        ),
    ] = ()
    out: Annotated[Path | None, flag("Folder of the new run.", "DIR", "RUN-at-ROUND")] = None
    train: Annotated[bool, flag("Train the new run now.", default="on")] = True
    language: Spoken = ""
    json: Json = False


def run(arguments: list[str]) -> int:
    """Make the branch, and train it unless it is only to be made."""
    flags = parse(BranchFlags, "branch", arguments, __doc__ or "")
    from sparring.training.control import branch

    beside = flags.run.resolve().with_name(f"{flags.run.resolve().name}-at-{flags.round}")
    made = branch(flags.run, flags.round, flags.out or beside, assignments(flags.set))
    if flags.train:
        from sparring.cli.train import run as train

        return train(["--from", str(made.path), "--out", str(made.path), *(["--json"] if flags.json else [])])
    if flags.json:
        return print_json(made.about["origin"] | {"out": str(made.path)})
    print(said(Text("{run}: `{command}` trains it", run=made.path, command=command_to_resume(made.path))))
    return OK
