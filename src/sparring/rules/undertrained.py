from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.languages import Text
from sparring.record import Story
from sparring.rules import Detection, Evidence, Explanation, Plot, Rule, evidence
from sparring.rules._copies import copied
from sparring.rules._progress import FEW_STEPS, IMPROVING
from sparring.rules._ranges import Range
from sparring.rules._signals import UNCHANGED, Signals
from sparring.rules._stories import story
from sparring.rules._words import metric_evidence, metric_plot, title

BEGUN, SURE = 0.1, 0.5
"""D's lead above which it has begun to tell real from generated, and above which it can."""


@final
@dataclass(frozen=True)
class Undertrained(Rule):
    """It is too early for a diagnosis: samples are still getting better, or few examples were seen.

    Every GAN begins with samples that are noise or all alike. While it has seen few examples for a run of its kind, or
    its samples come nearer to the data, other findings of such samples are not reported.
    """

    weight: ClassVar[float] = 0.96
    anytime: ClassVar[bool] = True
    remedies: ClassVar[tuple[str, ...]] = ("usual-lr", "adam-for-sgd", "more-rounds")

    def detect(self, signals: Signals) -> Detection | None:
        idle, unfinished = _idle(signals), signals.progress.unfinished
        # What is found of an unfinished run all the same is no matter of time, so it ranks first.
        severity = np.where(idle, 1.0, -1.0)
        return Detection(holds=unfinished | idle, severity=severity, since=np.zeros(signals.members, dtype=np.int64))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        progress, name = signals.progress, _plotted(signals)
        idle = bool(_idle(signals)[members].mean() > 0.5)
        seen, gained = _seen(signals, members), _gained(signals, members)
        return Explanation(
            "Training has hardly begun" if idle else "It is too early for a diagnosis",
            [gained, seen] if idle else [seen, _fall(signals, members), _steps(signals, members)],
            metric_plot(signals, name, log=True) if name else Plot("curves", ("d_loss", "g_loss"), "Losses", Range()),
            metric_evidence(signals, ("frechet-distance", "diversity", "confidence", "nearest-neighbor"), members),
            ", and D is not sure of anything either" if idle else "",
            ("more-rounds",) if progress.is_short and not idle else (),
        )

    @staticmethod
    def sick() -> Story:
        return story(
            {"d_real": (0.5, 0.8, 0.75, 0.7), "d_fake": (0.5, 0.15, 0.2, 0.25)},
            {
                "frechet-distance": (60.0, 50.0, 38.0, 27.0, 18.0, 12.0),
                "modes": (1.0, 8.0),
                "class-divergence": (2.0, 0.5),
                "confidence": (0.5, 0.7),
                "diversity": (0.2, 0.7),
                "roughness": (1.5, 1.2),
                "nearest-neighbor": (2.8, 2.0),
            },
            rounds=600,
        )

    @staticmethod
    def healthy() -> Story:
        """Samples are good, and have been for a while."""
        return story(metrics={"frechet-distance": (40.0, 5.0, 3.0, 3.0, 3.0, 3.0)})


def _idle(signals: Signals) -> np.ndarray:
    """Members whose samples are unchanged while D has begun to tell but is far from sure: both players are slow."""
    lead = signals.final("lead")
    idle = signals.unchanged & signals.poor & (lead > BEGUN) & (lead < SURE) & ~signals.diverged & ~copied(signals)
    return idle & (not signals.progress.inherited)


def _plotted(signals: Signals) -> str | None:
    """The metric to plot; None for a run without evaluations."""
    return next((name for name in ("frechet-distance", "nearest-neighbor") if signals.has(name)), None)


def _seen(signals: Signals, members: np.ndarray) -> Evidence:
    progress, what = signals.progress, "images" if signals.progress.of_images else "examples"
    phrase = Text("the run has seen {value} {what}, where a usual run of such data sees about {low}", what=Text(what))
    return evidence(
        Text("{what} seen", what=Text(what)),
        _of_all(progress.seen, signals),
        members,
        Range(low=progress.usual),
        phrase,
    )


def _steps(signals: Signals, members: np.ndarray) -> Evidence:
    phrase = "both players together have made {value} steps, and fewer than {low} say nothing"
    return evidence(
        "steps of both players", _of_all(signals.progress.steps, signals), members, Range(low=FEW_STEPS), phrase
    )


def _fall(signals: Signals, members: np.ndarray) -> Evidence:
    phrase = Text(
        "the samples' distance from the data ({distance}) fell by {value} over the last third of the rounds "
        "(settled: at most {high})",
        distance=Text(title(signals.distance.name)),
    )
    name, healthy = "fall of the distance over the last third", Range(high=-IMPROVING)
    return evidence(name, -signals.change, members, healthy, phrase, percent=True)


def _gained(signals: Signals, members: np.ndarray) -> Evidence:
    phrase = Text(
        "the samples' distance from the data ({distance}) fell by {value} since the first evaluation",
        distance=Text(title(signals.distance.name)),
    )
    name, healthy = "fall of the distance since the first evaluation", Range(low=UNCHANGED)
    return evidence(name, signals.progress.gained, members, healthy, phrase, percent=True)


def _of_all(value: float, signals: Signals) -> np.ndarray:
    """A number that is the same for every member, `(P,)`."""
    return np.full(signals.members, float(value))
