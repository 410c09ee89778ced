from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.languages import Text
from sparring.record import Story
from sparring.rules import Detection, Evidence, Explanation, Rule, evidence
from sparring.rules._copies import COPIES, copied
from sparring.rules._signals import CONSTANT, Signals
from sparring.rules._stories import story
from sparring.rules._words import metric_evidence, metric_plot, title


@final
@dataclass(frozen=True)
class Memorization(Rule):
    """Samples are copies of training examples.

    They look perfect, but nothing new was made. Only found for finite data, where G makes more than one example.
    """

    weight: ClassVar[float] = 0.97
    remedies: ClassVar[tuple[str, ...]] = ("fully-connected-generator", "augmentation", "r1-r2-penalty")

    def detect(self, signals: Signals) -> Detection | None:
        if not signals.has("nearest-neighbor", "diversity"):
            return None
        near = signals.latest("nearest-neighbor")
        one = (signals.latest("diversity") < CONSTANT) | signals.mean_like
        holds = copied(signals) & ~one & ~signals.diverged
        return Detection(holds=holds, severity=np.clip(1 - near / COPIES, 0, 1))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        distance = evidence(
            title("nearest-neighbor"),
            signals.latest("nearest-neighbor"),
            members,
            signals.healthy("nearest-neighbor"),
            "their nearest-neighbor distance to the training set is {value} times that of unseen real examples",
        )
        few = _few(signals, members)
        return Explanation(
            "The samples are copies of training examples",
            [distance, *few],
            metric_plot(signals, "nearest-neighbor"),
            metric_evidence(signals, ("diversity", "frechet-distance"), members),
            remedies=("augmentation",) if few else (),
        )

    @staticmethod
    def sick() -> Story:
        return story(metrics={"nearest-neighbor": (2.0, 0.8, 0.2, 0.1), "frechet-distance": (30.0, 3.0, 1.0)})

    @staticmethod
    def healthy() -> Story:
        """A little nearer to training examples than unseen ones are."""
        return story(metrics={"nearest-neighbor": (2.0, 1.0, 0.85, 0.8)})


def _few(signals: Signals, members: np.ndarray) -> list[Evidence]:
    """How many are copies, of few images; nothing where images are many."""
    if not signals.has("copies"):
        return []
    images = (signals.story.real_baseline or {}).get("examples") or 0
    count = f"{images:,}" if images else Text("few")
    phrase = Text("few images: {value} of the samples copy one of the {count} training images", count=count)
    healthy = signals.healthy("copies")
    return [evidence(title("copies"), signals.latest("copies"), members, healthy, phrase, percent=True)]
