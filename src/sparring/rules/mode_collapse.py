from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.record import Story
from sparring.rules import Detection, Explanation, Rule
from sparring.rules._reading import CONSTANT, Range, Signals, onset
from sparring.rules._telling import told
from sparring.rules._words import figure_plot, middle, number, of_figures

LIMITS = {"diversity": 0.6, "modes": 0.75, "reached-modes": 0.9}
"""Share of what real data has, below which samples lack variety."""
MORE = {"class-divergence": 0.35, "mode-divergence": 0.35}
"""Nats above what real data has, from which on they do: with three of ten classes missing it is ln(10 / 7) = 0.36."""
OFF = 0.25
"""Share of what real data has in high quality, below which most points lie on no mode at all."""


@final
@dataclass(frozen=True)
class ModeCollapse(Rule):
    """Samples lack variety: G makes a few kinds of example, however many the data has.

    Once it has found something that D lets pass, nothing pushes it to find the rest.
    """

    weight: ClassVar[float] = 0.82
    remedies: ClassVar[tuple[str, ...]] = (
        "larger-latent",
        "larger-batch",
        "wider-networks",
        "even-steps",
        "usual-rates",
        "modern",
        "packed-pairs",
    )

    def detect(self, signals: Signals) -> Detection | None:
        known = [name for name in (*LIMITS, *MORE) if signals.has(name)]
        if not known:
            return None
        lacks = np.max([_lacking(signals, name).beyond(signals.now(name)) for name in known], axis=0)
        then = np.any([~_lacking(signals, name).holds(signals.figure(name)) for name in known], axis=0)
        holds = (lacks > 0) & ~signals.noise & ~signals.lost
        # A G that gives one example whatever it is fed never got going, rather than settled too soon.
        belongs_elsewhere = signals.averages | _unlike(signals) | (signals.now("diversity") < CONSTANT)
        return Detection(holds, onset(signals.evaluated, then), np.where(belongs_elsewhere, -0.6, lacks))

    def told(self, signals: Signals, members: np.ndarray) -> Explanation:
        kinds, name = _kinds(signals, members)
        claim = f"The samples lack variety: {', and '.join([*kinds, *_alike(signals, members)])}."
        names = ("diversity", "modes", "class-divergence", "reached-modes", "mode-divergence", "confidence")
        told = of_figures(signals, names, members)
        return Explanation(claim, told, figure_plot(signals, name, _TITLES[name]))

    @staticmethod
    def sick() -> Story:
        return told(
            {"d_real": (0.5, 0.9), "d_fake": (0.5, 0.15), "d_loss": (0.69, 0.2), "g_loss": (0.7, 2.3)},
            {
                "frechet-distance": (50.0, 30.0, 28.0, 28.0),
                "modes": (8.0, 2.0),
                "class-divergence": (0.6, 1.6),
                "confidence": 0.9,
                "diversity": (0.7, 0.15),
                "similarity-to-mean": 0.95,
                "nearest-neighbor": 1.1,
            },
        )

    @staticmethod
    def healthy() -> Story:
        """Few kinds at the beginning, all in the end."""
        return told(figures={"modes": (2.0, 7.0, 10.0, 10.0), "diversity": (0.2, 0.8, 0.95)})


_TITLES = {
    "diversity": "Distance between samples (1: as between real examples)",
    "modes": "Classes that samples fall into",
    "reached-modes": "Modes that samples reach",
    "class-divergence": "Shares of the classes: KL from the data's, in nats",
    "mode-divergence": "Shares of the modes: KL from the data's, in nats",
}


def _lacking(signals: Signals, name: str) -> Range:
    """Where a figure does not yet speak of a collapse."""
    real = signals.real(name)
    return Range(low=LIMITS[name] * real) if name in LIMITS else Range(high=real + MORE[name])


def _unlike(signals: Signals) -> np.ndarray:
    """Members whose few kinds are not like the data either: there is more wrong than that they are few."""
    if signals.has("high-quality"):
        return signals.now("high-quality") < OFF * signals.real("high-quality")
    near = signals.now("nearest-neighbor")
    return near > signals.healthy("nearest-neighbor").high if signals.has("nearest-neighbor") else near > np.inf


def _kinds(signals: Signals, members: np.ndarray) -> tuple[list[str], str]:
    """How many kinds there are, in words, and the figure that shows it best."""
    for name, what in (("modes", "classes"), ("reached-modes", "modes")):
        if signals.has(name):
            now, real = middle(signals.now(name), members), signals.real(name)
            if now < real:
                return [f"they fall into {now:.0f} of {real:.0f} {what}"], name
    return [], next(name for name in ("diversity", "class-divergence", "mode-divergence", *LIMITS) if signals.has(name))


def _alike(signals: Signals, members: np.ndarray) -> list[str]:
    """How much they differ from one another, or else how far the shares of their kinds are from the data's."""
    for name, words in (
        ("diversity", "they differ from one another {} times as much as real ones"),
        ("class-divergence", "how often they fall into each class is {} nats from the data's"),
        ("mode-divergence", "how often they fall on each mode is {} nats from the data's"),
    ):
        if signals.has(name) and np.isfinite(now := middle(signals.now(name), members)):
            return [words.format(number(now))]
    return []
