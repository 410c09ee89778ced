"""Phrases and evidence that several rules share."""

from __future__ import annotations

import numpy as np

from sparring.rules import Evidence, Plot, evidence
from sparring.rules._reading import Range, Signals

CALLED = {
    "d_loss": "D's loss",
    "g_loss": "G's loss",
    "d_real": "D(real)",
    "d_fake": "D(fake)",
    "d_gradient": "D's gradient",
    "g_gradient": "G's gradient",
    "lead": "D's lead",
    "frechet-distance": "Fréchet distance",
    "d_train": "D(training examples)",
    "d_held_out": "D(held-out examples)",
    "d_generated": "D(generated examples)",
}
"""How people call what the journal tells; other names stand for themselves."""


def called(name: str) -> str:
    """`d_real` is D(real), `similarity-to-mean` average likeness."""
    return CALLED.get(name, name.replace("-", " "))


def number(value: float) -> str:
    """Two digits that matter, and more of a large one."""
    return f"{value:.2f}" if 0.01 <= abs(value) < 100 or value == 0 else f"{value:.2g}"


def times(value: float) -> str:
    """A ratio: `0.12 of`, `3.4 times`."""
    return f"{value:.2f} of" if value < 1 else f"{value:.1f} times"


def middle(values: np.ndarray, members: np.ndarray) -> float:
    """Median over these members, of what is finite."""
    held = values[members]
    held = held[np.isfinite(held)]
    return float(np.median(held)) if len(held) else float("nan")


def answers(signals: Signals, members: np.ndarray) -> str:
    """`0.98 to real and 0.02 to generated examples`."""
    real, fake = (number(middle(signals.late(name), members)) for name in ("d_real", "d_fake"))
    return f"{real} to real and {fake} to generated examples"


def of_curve(signals: Signals, name: str, members: np.ndarray) -> Evidence:
    """What a curve has come to, beside what is healthy for this objective."""
    return evidence(called(name), signals.late(name), members, healthy_curve(signals, name))


def of_figures(signals: Signals, names: tuple[str, ...], members: np.ndarray) -> list[Evidence]:
    """What figures have come to, of those that this run has."""
    return [evidence(called(n), signals.now(n), members, signals.healthy(n)) for n in names if signals.has(n)]


def figure_plot(signals: Signals, name: str, title: str, log: bool = False) -> Plot:
    """A figure over the rounds."""
    return Plot("evaluations", (name,), title, signals.healthy(name), log)


def healthy_curve(signals: Signals, name: str) -> Range:
    """The healthy range of a curve for this run's objective."""
    return signals.levels.healthy(name) if signals.levels else Range()
