"""What buttons do to a run: each is one command of `training/control`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from sparring.errors import SparringError
from sparring.explorer.launching import check_name
from sparring.explorer.session import Session
from sparring.record import RunFolder
from sparring.training.background import go_on, refuse_own_code
from sparring.training.control import Steer, branch

BY = "explorer"
SLOW = 1.0
"""Moves a second, in slow motion."""
ACTIONS: Mapping[str, Callable[[Steer], Mapping[str, Any]]] = {
    "pause": Steer.pause,
    "go": Steer.go,
    "round": Steer.rounds,
    "move": Steer.step,
    "d-step": lambda steer: steer.step("D"),
    "g-step": lambda steer: steer.step("G"),
    "slow": lambda steer: steer.slow(SLOW),
    "checkpoint": Steer.checkpoint,
    "stop": Steer.stop,
}
KEYS = {"p": "pause", "r": "round", "m": "move", "d": "d-step", "g": "g-step", "s": "slow", "c": "checkpoint"}
"""Keys of the keyboard; `p` also goes on."""
AT_REST = ("finished", "starting", "gone", "diverged")
"""Statuses of a run that nobody can let go on: one that has diverged would do so again, at the same round."""


def steer_of(run: RunFolder) -> Steer:
    """The run's control."""
    return Steer(run, by=BY)


def act(run: RunFolder, action: str) -> Mapping[str, Any]:
    """Do what a button says. Returns the journal's event; raises SparringError where it cannot be done."""
    return ACTIONS[action](steer_of(run))


def resume(session: Session, run: RunFolder) -> None:
    """Let a run that nobody trains go on, in a process of its own."""
    session.look_after(go_on(run))


def rewind(run: RunFolder, round: int) -> Mapping[str, Any]:
    """Take a run back to one of its checkpoints."""
    return steer_of(run).rewind(round)


def watch(run: RunFolder, seconds: float, plane: bool = False) -> None:
    """Have D's outputs shown for a while, or all of the plane; a run that cannot show them goes on without."""
    with contextlib.suppress(SparringError):
        steer_of(run).watch(seconds, plane)


def set_numbers(run: RunFolder, values: Mapping[str, str]) -> Mapping[str, Any]:
    """Change settings of a run that trains, from the next round on."""
    return steer_of(run).set(**values)


def branch_off(session: Session, run: RunFolder, round: int, name: str, changes: Mapping[str, str]) -> RunFolder:
    """Make a branch beside its trunk, and train it."""
    refuse_own_code(run.recipe, run.path)
    check_name(name)
    made = branch(run, round, run.path.with_name(name), changes, BY)
    session.opened.add(made.path)
    # Changed settings decide anew whether to compile, and whoever branches here wants to see it at once.
    session.look_after(go_on(made, False if changes else None))
    return made


def free_name(run: RunFolder, round: int) -> str:
    """A name for a branch that no folder has yet."""
    names = [f"{run.path.name}-at-{round}", *(f"{run.path.name}-at-{round}-{k}" for k in range(2, 1000))]
    return next(name for name in names if not run.path.with_name(name).exists())
