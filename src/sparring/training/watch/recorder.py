"""Writes a watched loop as a run: recipe.json, journal, pictures, weights, and a few real examples."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from sparring.catalogue import make
from sparring.errors import UsageError
from sparring.game.equilibrium import equilibrium_levels
from sparring.record import RunFolder
from sparring.record.journal import json_numbers
from sparring.record.loop import LoopFacts, Targets, Who
from sparring.record.story import CURVES, GRADIENTS
from sparring.training.watch.description import objective_name, recipe_of_loop
from sparring.training.watch.outputs import COMPARED, OUTPUTS, PROBABILITY, RIGHT

FLUSH_SECONDS, FLUSH_COMPUTED, FLUSH_LATEST = 2.0, 1.0, 10.0
"""Between two log events, at least; of these, the processor's own; and when one comes on the busiest machine."""
CHECKPOINT_SECONDS = 30.0
OF_LOGITS = ("bce-with-logits", "mse")
"""Objectives whose D gives logits, of which probabilities are logged."""
HALVED = ("relativistic-paired", "least-squares")
"""Objectives of which the catalogue has half of what a loop's own loss function gives for each kind of examples."""
SQUARES = ("least-squares", "mse")
SHARE = 0.02
"""Of the loop's time, the most that pictures, evaluations and checkpoints may take."""


class Recorder:
    """The run of one watched loop. Nothing is written before the first round is over."""

    def __init__(self, out: Path, name: str, players: dict[Who, nn.Module], where: str):
        self.run, self._name, self._players, self._where = RunFolder(out), name, players, where
        self._began = self._flushed = time.monotonic()
        self._began_computing = self._flushed_computing = time.process_time()
        self._saved = self._began
        self._rows: list[tuple[int, dict[str, Tensor]]] = []
        self._form = ""
        """What follows the names of the curves of D's outputs in the form that is logged."""
        self._compares = False
        self._facts: LoopFacts | None = None
        self._functions: set[str] = set()
        self.spent = 0.0
        """Processor seconds that writing, drawing and evaluating took: on a busy machine the clock tells of others."""
        self._diverged = False

    @property
    def seconds(self) -> float:
        """Since the watch began."""
        return time.monotonic() - self._began

    def add(self, round: int, row: dict[str, Tensor]) -> None:
        """A row of curves, still on its device."""
        self._rows.append((round, row))

    @property
    def due(self) -> bool:
        """Whether it is time for a log event."""
        passed = time.monotonic() - self._flushed
        if passed < FLUSH_SECONDS:
            return False
        return passed >= FLUSH_LATEST or time.process_time() - self._flushed_computing >= FLUSH_COMPUTED

    def afford(self, seconds: float) -> bool:
        """Whether something that takes so many processor seconds fits in."""
        return self.spent + seconds <= SHARE * (time.process_time() - self._began_computing)

    def learn(self, facts: LoopFacts, functions: set[str], round: int, exactly: bool = False) -> bool:
        """Facts of the loop; the recipe is written anew where they change it. Returns whether they are news."""
        seen: Callable[[Any], Any] = (lambda plain: plain) if exactly else _coarse
        if self._facts is not None and seen(facts.plain()) == seen(self._facts.plain()):
            return False
        plain = recipe_of_loop(facts, functions, self._players["G"], self._players["D"], self._name, round)
        objective = objective_name(facts, functions)
        levels = _levels(objective, facts)
        self._compares = objective in COMPARED
        is_logit = objective in OF_LOGITS and facts.d.ends_in != "sigmoid"
        self._form = COMPARED.get(objective or "", PROBABILITY if is_logit else "")
        known = {} if levels is None else {"levels": levels}
        known |= {"compared": True} if self._compares else {}
        is_new = self._facts is None and not self.run.exists
        text = json.dumps(plain, indent=2) + "\n"
        if is_new:
            self.run.create(text)
            self._write_about(plain, levels)
        elif text != self.run.recipe_json:
            self.run.write_text("recipe.json", text)
        if is_new:
            self.run.journal.append("started", round=0, recipe="", watched=True, **known)
        self.run.journal.append("loop", round=round, **known, **facts.plain())
        self._facts = facts
        return True

    def conclude(self, facts: LoopFacts, functions: set[str], round: int) -> None:
        """The recipe as it turned out to be, with its length."""
        plain = recipe_of_loop(facts, functions, self._players["G"], self._players["D"], self._name, round)
        self.run.write_text("recipe.json", json.dumps(plain, indent=2) + "\n")

    def flush(self, round: int, extra: dict[str, Any]) -> None:
        """A log event with all rows since the last one."""
        began = time.process_time()
        names = {name for _, row in self._rows for name in row}
        fields: dict[str, Any] = {"logged": [at for at, _ in self._rows]}
        for name in (*CURVES, *(name for name in GRADIENTS if name in names)):
            formed = name + self._form
            stored = formed if name in OUTPUTS and (self._compares or formed in names) else name
            values = [row.get(stored) for _, row in self._rows]
            column = np.array([np.nan if v is None else float(v) for v in values], dtype=np.float64)
            fields[name] = json_numbers(column[:, None])
            known = [value for value, given in zip(column, values, strict=True) if given is not None]
            self._diverged |= name.endswith("loss") and bool(known) and not np.isfinite(known[-1])
        self.run.journal.append(
            "log", round=round, seconds=round_seconds(self.seconds), **fields, **self._ranked(extra)
        )
        self._rows.clear()
        if self._diverged and 0 not in self.run.story.diverged:
            self.run.journal.append("diverged", round=round, members=[0])
        self._flushed, self._flushed_computing = time.monotonic(), time.process_time()
        self.spent += time.process_time() - began

    def _ranked(self, extra: dict[str, Any]) -> dict[str, Any]:
        """With the share of pairs that D ranks right, beside metrics of samples, where the loss compares scores."""
        right = [float(row[RIGHT]) for _, row in self._rows if RIGHT in row]
        if not self._compares or not right or "metrics" not in extra:
            return extra
        return extra | {"metrics": extra["metrics"] | {RIGHT: json_numbers(np.array([np.mean(right)]))}}

    def save(self, round: int, force: bool = False) -> None:
        """The networks' weights, as a checkpoint."""
        if not force and (time.monotonic() - self._saved < CHECKPOINT_SECONDS or not self.afford(0.0)):
            return
        began = time.process_time()
        state = {
            f"{who}.{name}": tensor.detach().float().cpu().numpy()[None]
            if tensor.is_floating_point()
            else tensor.cpu().numpy()[None]
            for who, net in self._players.items()
            for name, tensor in net.state_dict().items()
        }
        self.run.save(round, state)
        self.run.journal.append("checkpoint", round=round, seconds=round_seconds(self.seconds))
        self.run.journal.sync()
        self._saved = time.monotonic()
        self.spent += time.process_time() - began

    def end(self, event: str, round: int) -> None:
        """The last event."""
        self.run.journal.append(event, round=round, seconds=round_seconds(self.seconds))

    def _write_about(self, recipe: dict[str, Any], levels: dict[str, Any] | None) -> None:
        about = {
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "recipe": recipe["name"],
            "watched": self._where,
            "seeds": recipe["seeds"],
            "equilibrium": {name: level for name, level in (levels or {}).items() if name != "sure"},
            "platform": platform.platform(),
            "python": platform.python_version(),
            "versions": {n: version(n) for n in ("sparring", "torch", "numpy")},
        }
        self.run.write_text("about.json", json.dumps(about, indent=2) + "\n")


def free_folder(out: Path) -> Path:
    """`out`, or where that holds something already, the first of out-2, out-3, ... that is free."""
    run = RunFolder(out)
    if not out.exists() or (out.is_dir() and run.is_blank):
        return out
    if not out.is_dir() or not run.exists:
        raise UsageError(f"{out} holds something that is no run: choose another out=")
    number = 2
    while (candidate := out.with_name(f"{out.name}-{number}")).exists():
        number += 1
    return candidate


def round_seconds(seconds: float) -> float:
    """Milliseconds are enough."""
    return round(seconds, 3)


def _levels(objective: str | None, facts: LoopFacts) -> dict[str, Any] | None:
    """The levels of curves at equilibrium, of a loop whose losses have that many terms of an objective."""
    if objective is None:
        return None
    levels = equilibrium_levels(make("objectives", objective, {}))
    one = levels["d_loss"] * (2 if objective in HALVED else 1)
    levels |= {"d_loss": one * facts.d_loss_scale}
    if objective in SQUARES and facts.targets is not None:
        return levels | _of_squares(facts.targets, facts)
    # One term of G's loss is one of D's where D cannot tell; a critic's score is of no known level.
    known = facts.g_loss_scale is not None and levels["g_loss"] > 0
    return levels | {"g_loss": one * facts.g_loss_scale} if known else levels


def _of_squares(targets: Targets, facts: LoopFacts) -> dict[str, Any]:
    """The levels of squares that pull scores to numbers of the loop's own."""
    undecided = round(targets.undecided, 4)
    found = {
        "d_loss": targets.d_loss * facts.d_loss_scale,
        "d_real": undecided,
        "d_fake": undecided,
        "sure": round(abs(targets.real - targets.fake) / 2, 4),
    }
    if facts.g_loss_scale is None or targets.g is None:
        return found
    return found | {"g_loss": (undecided - targets.g) ** 2 * facts.g_loss_scale}


def _coarse(value: Any) -> Any:
    """Facts without what changes from round to round: numbers to one digit, and no ranges."""
    if isinstance(value, float):
        return f"{value:.0e}"
    if isinstance(value, dict):
        skipped = ("range", "mean", "deviation", "quantiles", "low", "high", "update", "score_shape", "rose")
        return {k: _coarse(v) for k, v in value.items() if k not in skipped}  # pyright: ignore[reportUnknownVariableType]
    return [_coarse(each) for each in value] if isinstance(value, list | tuple) else value  # pyright: ignore[reportUnknownVariableType]
