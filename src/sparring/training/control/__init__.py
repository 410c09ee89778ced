"""Control: steering a run while it trains. People pause it, take single steps, change settings, rewind and branch.

From any process, `Steer` (`run.control` in Python, `sparring control` in a shell) sends a command and returns the event
that the training process writes about it:

    steer = Steer("runs/digits", by="explorer")     # a run that trains in another process
    steer.status()              # training, mode (running, paused, slow), round, settings, checkpoints, is_recipe
    steer.pause(); steer.go()                       # -> {"event": "paused", "round": 420, "position": 0, ...}
    steer.rounds(1)                                 # one round, or the rest of the one in progress, then paused
    steer.step(); steer.step("D"); steer.step("G")  # one move -> {"event": "stepped", "move": ..., "extra": ...}
    steer.slow(2.0)                                 # two moves a second, each reported in moves.jsonl
    steer.set(lr=5e-5, batch=32, gamma=1, ratio=2)  # -> {"event": "changed", "settings": {path: [before, after]}}
    steer.checkpoint(); steer.rewind(400); steer.stop()
    branch("runs/digits", 400, "runs/digits-2", {"lr": 5e-5})   # a new run, which `train` goes on with

Refusals are SparringError (UsageError where what was asked for is wrong), with one line. `train(..., paused=True)`
begins paused.

The files, all in the run's folder:

- commands.jsonl: what was asked for, one JSON object per line with `id`, `at`, `by`, `do` and values. Appended to under
  a lock; read by the training process after every turn of rounds (a quarter of a second), or every 20 ms while paused.
- journal.jsonl: what was done. Events `paused`, `continued`, `slowed`, `stepped`, `changed`, `rewound`, `checkpoint`,
  `stopping` and `refused` (with `why`) have `command`, the id, and `by`. `Story.steering` reads them,
  `Story.recipe_now` is the recipe with all changes, `Steering.departs` says that the run is not its recipe's any more.
- moves.jsonl: reports, at most 400 lines, the newest last, each with a `number` that counts on. Of a move (slow motion,
  steps): `round` (rounds played before it), `position` in the round `of` so many moves, `move`, `player`, `extra`,
  `values` (what the move logged: d_loss, d_real, d_gradient ..., one number per member) and D's outputs on fixed
  examples before and after it: `edges`, `real` and `fake` ([before, after], each a list of counts per member; with more
  than 16 members one of all together) and `means` ([[real, fake] before, after]). While somebody watches a run at full
  speed (`steer.watch()`, to be repeated within 20 s): the same with `move` null and one moment.
- planes/: pictures of a game of points (`analysis/plane.py`), some a second while somebody watches with
  `steer.watch(plane=True)`, for at most a tenth of the time.
- weights/kept/: checkpoints along the way (`RunFolder.kept`, `rounds_saved`), as `train(keep=...)` says.

A move beside those of its round is an extra one. Whatever is done, the same journal gives the same bits: replayed from
the start, resumed after a stop, or after a kill.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sparring.training.control.branching import branch
    from sparring.training.control.client import Steer

__all__ = ["Steer", "branch"]

_MODULES = {"Steer": "sparring.training.control.client", "branch": "sparring.training.control.branching"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'sparring.training.control' has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)
