"""A run's story: its journal, replayed into columns. All that a curve, a page or a rule needs to know."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from sparring.record.journal import Event

CURVES = ("d_loss", "g_loss", "d_real", "d_fake")
GRADIENTS = ("d_gradient", "g_gradient")
"""Curves that a run of an older version does not have."""


@dataclass(frozen=True)
class Story:
    """What happened in one run of P members."""

    recipe: dict[str, Any]
    events: list[Event] = field(repr=False)

    @property
    def seeds(self) -> list[int]:
        return list(self.recipe["seeds"])

    @cached_property
    def log_points(self) -> list[Event]:
        return [e for e in self.events if e["event"] == "log"]

    @cached_property
    def logged_rounds(self) -> np.ndarray:
        """Rounds at which the curves have a point, int64 `(T,)`."""
        return np.array([r for log_point in self.log_points for r in log_point["logged"]], dtype=np.int64)

    def curve(self, name: str) -> np.ndarray:
        """One of CURVES or GRADIENTS, float64 `(T, P)`; NaN where a number was not finite, or not told."""
        untold = [None] * len(self.seeds)
        rows = [
            row for log_point in self.log_points for row in log_point.get(name, [untold] * len(log_point["logged"]))
        ]
        return np.array(rows, dtype=np.float64).reshape(len(self.logged_rounds), len(self.seeds))

    def last(self, name: str, share: float = 0.05) -> np.ndarray:
        """Mean of a curve over the last `share` of its points, `(P,)`: one round's number is noise at small batches."""
        curve = self.curve(name)
        if not len(curve):
            return np.full(len(self.seeds), np.nan)
        return curve[-max(1, int(len(curve) * share)) :].mean(0)

    @cached_property
    def evaluations(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Rounds at which samples were looked at, int64 `(T,)`, and what was found, each float64 `(T, P)`.

        NaN where a member's figure was not finite, or not told. See `yardstick` for what real data scores.
        """
        looks = [log_point for log_point in self.log_points if "metrics" in log_point]
        untold = [None] * len(self.seeds)
        names = dict.fromkeys(name for look in looks for name in look["metrics"])
        found = {name: [look["metrics"].get(name, untold) for look in looks] for name in names}
        rounds = np.array([look["round"] for look in looks], dtype=np.int64)
        return rounds, {name: np.array(rows, dtype=np.float64) for name, rows in found.items()}

    @cached_property
    def real_baseline(self) -> Event | None:
        """What real data scores in `figures`, through which judge, at what n; None for a run that has no figures."""
        return next((e for e in reversed(self.events) if e["event"] == "real-baseline"), None)

    @cached_property
    def outputs(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Rounds `(T,)` and generated examples `(T, P, *shape)` in data units, for data small enough to write down."""
        told = [(e["round"], e["outputs"]) for e in self.log_points if "outputs" in e]
        if not told:
            return None
        return np.array([r for r, _ in told]), np.array([o for _, o in told], dtype=np.float64)

    @property
    def round(self) -> int:
        """Rounds played, as far as the journal tells."""
        return max((e.get("round", 0) for e in self.events), default=0)

    @property
    def status(self) -> str:
        """`finished`, `still`, `stopped`, `diverged`, or `unfinished` (running, or killed)."""
        for event in reversed(self.events):
            if event["event"] in ("finished", "plateau", "stopped", "diverged-all"):
                return event["event"].removesuffix("-all")
            if event["event"] in ("started", "resumed"):
                break
        return "unfinished"

    @property
    def diverged(self) -> dict[int, int]:
        """Members whose numbers stopped being finite: index -> the round at which that was first seen."""
        first: dict[int, int] = {}
        for event in self.events:
            if event["event"] == "diverged":
                for member in event["members"]:
                    first.setdefault(member, event["round"])
        return first

    @property
    def seconds(self) -> float:
        """Seconds spent training, interruptions left out."""
        return max((e["seconds"] for e in self.events if "seconds" in e), default=0.0)

    @property
    def pictures(self) -> list[str]:
        """Sample pictures, relative to the run's folder, oldest first."""
        return [e["picture"] for e in self.log_points if "picture" in e]
