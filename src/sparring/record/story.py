"""The story of a run: its journal, replayed into columns. All that a curve, a page or a rule needs to know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from sparring.errors import SparringError
from sparring.record.journal import LASTING, Event
from sparring.record.loop import LoopFacts
from sparring.record.members import cells_of, names_of, recipe_of, selected
from sparring.record.steering import Steering, lasts, undone

CURVES = ("d_loss", "g_loss", "d_real", "d_fake")
"""Curves that every run has: the losses, and D's mean output on real and on generated examples."""
GRADIENTS = ("d_gradient", "g_gradient")
"""Gradient norms of the two networks, which runs of the oldest versions do not have."""
TITLES = {
    "d_loss": "D's loss",
    "g_loss": "G's loss",
    "d_real": "D(real)",
    "d_fake": "D(fake)",
    "d_gradient": "D's gradient",
    "g_gradient": "G's gradient",
    "lead": "D's lead",
    "d_train": "D(training examples)",
    "d_held_out": "D(held-out examples)",
    "d_generated": "D(generated examples)",
    "d_right": "pairs that D ranks right",
}
"""How curves and D's outputs are called in sentences and tables; a metric of samples states its own title."""
QUANTILES = (0.0, 0.01, 0.05, 0.5, 0.95, 0.99, 1.0)
"""Of all the numbers of real and of generated examples, as networks take and give them: what the journal records."""


@dataclass(frozen=True)
class Story:
    """What happened in one run of P members.

    T is the number of logged points, rounds or evaluations that a method is about.
    """

    recipe: dict[str, Any]
    events: list[Event] = field(repr=False)

    def until(self, round: int) -> Story:
        """The story as it was once this round had been played."""
        made = Story(self.recipe, [event for event in self.events if event.get("round", 0) <= round])
        later = self.steering.changes[len(made.steering.changes) :]
        return Story(undone(self.recipe, later), made.events) if later else made

    @property
    def seeds(self) -> list[int]:
        """The P members' random seeds."""
        return list(self.recipe["seeds"])

    @property
    def names(self) -> list[Any]:
        """What the P members are called behind the word seed: their seeds, or where members differ in numbers, text
        that says which: `3 (lr 0.001)`. No two are called the same."""
        return names_of(self.recipe)

    @property
    def cells(self) -> list[list[int]]:
        """The members in groups that have the same numbers."""
        return cells_of(self.recipe)

    def of(self, members: Sequence[int]) -> Story:
        """The story of some members, as a run of these alone would tell it."""
        events = [event for each in self.events if (event := selected(each, members))]
        return Story(recipe_of(self.recipe, members), events)

    @cached_property
    def log_points(self) -> list[Event]:
        """The `log` events, oldest first."""
        return [event for event in self.events if event["event"] == "log"]

    @cached_property
    def logged_rounds(self) -> np.ndarray:
        """Rounds at which the curves have a point, int64 `(T,)`."""
        return np.array([round for event in self.log_points for round in event["logged"]], dtype=np.int64)

    def curve(self, name: str) -> np.ndarray:
        """One of CURVES or GRADIENTS, float64 `(T, P)`; NaN where a value was not finite or is missing."""
        missing = [None] * len(self.seeds)
        rows = [row for event in self.log_points for row in event.get(name, [missing] * len(event["logged"]))]
        return numbers(name, rows, len(self.logged_rounds), len(self.seeds))

    def last(self, name: str, share: float = 0.05) -> np.ndarray:
        """Mean of a curve over the last `share` of its points, `(P,)`: one round alone is noisy at small batches."""
        curve = self.curve(name)
        if not len(curve):
            return np.full(len(self.seeds), np.nan)
        return curve[-max(1, int(len(curve) * share)) :].mean(0)

    @cached_property
    def evaluations(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Evaluations during training.

        Returns:
            The rounds, int64 `(T,)`, and every metric's values, each float64 `(T, P)`; NaN where a value was not finite
            or is missing. What real data scores is in `real_baseline`.
        """
        events = [event for event in self.log_points if "metrics" in event]
        missing = [None] * len(self.seeds)
        names = dict.fromkeys(name for event in events for name in event["metrics"])
        values = {name: [event["metrics"].get(name, missing) for event in events] for name in names}
        rounds = np.array([event["round"] for event in events], dtype=np.int64)
        return rounds, {name: numbers(name, rows, len(events), len(self.seeds)) for name, rows in values.items()}

    @cached_property
    def evaluation_errors(self) -> dict[str, np.ndarray]:
        """The standard errors of distances at the evaluations that state them, each float64 `(T, P)`."""
        stated = [event["errors"] for event in self.log_points if event.get("errors")]
        names = [name for name in (stated[-1] if stated else ()) if all(name in errors for errors in stated)]
        return {name: numbers(name, [e[name] for e in stated], len(stated), len(self.seeds)) for name in names}

    @cached_property
    def real_baseline(self) -> Event | None:
        """The `real-baseline` event: each metric of real against real data, the judge, n. None without evaluations."""
        return next((event for event in reversed(self.events) if event["event"] == "real-baseline"), None)

    @cached_property
    def quantiles(self) -> tuple[np.ndarray, np.ndarray]:
        """QUANTILES of generated examples at the evaluations: rounds `(T,)` and values `(T, P, Q)`, NaN if not finite.

        T is 0 for a run of an older version, and for one without evaluations.
        """
        events = [event for event in self.log_points if "quantiles" in event]
        rounds = np.array([event["round"] for event in events], dtype=np.int64)
        values = [event["quantiles"] for event in events]
        return rounds, numbers("quantiles", values, len(events), len(self.seeds), len(QUANTILES))

    @property
    def real_quantiles(self) -> np.ndarray | None:
        """QUANTILES of real examples, `(Q,)`; None where the journal does not state them."""
        stated = (self.real_baseline or {}).get("quantiles")
        return None if stated is None else numbers("quantiles", stated, len(QUANTILES))

    @cached_property
    def output_ranges(self) -> dict[str, tuple[float, float]]:
        """Between which values G's numbers (`generator`), D's scores (`discriminator`) and D(x) (`d_output`) must lie.

        Only what the journal states; infinite for an open end.
        """
        stated = next((e["output_ranges"] for e in reversed(self.events) if e.get("output_ranges")), {})
        ends = {
            name: (-np.inf if low is None else low, np.inf if high is None else high)
            for name, (low, high) in stated.items()
        }
        return {name: (float(low), float(high)) for name, (low, high) in ends.items()}

    @cached_property
    def outputs(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Generated examples that are small enough for the journal: rounds `(T,)` and `(T, P, *shape)` in data units.

        None for a run that has none.
        """
        events = [event for event in self.log_points if "outputs" in event]
        if not events:
            return None
        rounds, examples = [event["round"] for event in events], [event["outputs"] for event in events]
        return np.array(rounds), numbers("outputs", examples, len(events), len(self.seeds), ...)

    @cached_property
    def scores(self) -> list[Event]:
        """The `log` events with histograms of D's outputs (`scores`: edges, real, fake, means), oldest first."""
        return [event for event in self.log_points if isinstance(event.get("scores"), dict)]

    @cached_property
    def loop(self) -> LoopFacts | None:
        """What a watch has seen of a user's own training loop; None for a run of `train`."""
        seen = [event for event in self.events if event["event"] == "loop"]
        return LoopFacts.of(seen[-1]) if seen else None

    @cached_property
    def steering(self) -> Steering:
        """What a person changed while it trained. Raises SparringError where that cannot be read."""
        return Steering.of(self.events)

    @cached_property
    def recipe_now(self) -> dict[str, Any]:
        """The recipe that is in force since the last change, as plain data; `recipe` is what the run began with."""
        return self.steering.recipe_at(self.recipe) if self.steering.changes else self.recipe

    @property
    def round(self) -> int:
        """The last round that the journal knows of."""
        played = (event for event in self.events if not (lasts(event) or event["event"] in LASTING))
        return max((event.get("round", 0) for event in played), default=0)

    @property
    def status(self) -> str:
        """`finished`, `plateau`, `stopped`, `diverged`, or `unfinished` (running, or killed)."""
        for event in reversed(self.events):
            if event["event"] in ("finished", "plateau", "stopped", "diverged-all"):
                return event["event"].removesuffix("-all")
            if event["event"] in ("started", "resumed", "extended", "rewound", "branched"):
                break
        return "unfinished"

    @property
    def diverged(self) -> dict[int, int]:
        """Members that have diverged: index -> the logged round at which a value first was not finite."""
        first: dict[int, int] = {}
        for event in self.events:
            if event["event"] == "diverged":
                if max(event["members"], default=0) >= len(self.seeds):
                    raise SparringError(
                        "the journal of this run is of another recipe: more members diverged than it has"
                    )
                for member in event["members"]:
                    first.setdefault(member, event["round"])
        return first

    @property
    def seconds(self) -> float:
        """Seconds spent training, without interruptions."""
        return max((event["seconds"] for event in self.events if "seconds" in event), default=0.0)

    @property
    def pictures(self) -> list[str]:
        """Files of the sample grids, relative to the run's folder, oldest first."""
        return [event["picture"] for event in self.log_points if "picture" in event]


def numbers(name: str, rows: list[Any], *shape: Any) -> np.ndarray:
    """Rows of an event's field as float64 of this shape, whose last part may be `...`. Raises SparringError."""
    known = shape[:-1] if shape[-1:] == (...,) else shape
    try:
        values = np.array(rows, dtype=np.float64)
        values = values.reshape(known) if not values.size and known == shape else values
        fits = values.shape[: len(known)] == known and (known != shape or values.shape == known)
    except (TypeError, ValueError, OverflowError):
        fits, values = False, np.empty(0)
    if not fits:
        size = " x ".join(map(str, known))
        raise SparringError(
            f"the journal of this run is damaged or not of this recipe: its {name} is not {size} numbers"
        )
    return values
