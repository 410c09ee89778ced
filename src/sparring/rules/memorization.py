from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.languages import Text
from sparring.record import Story
from sparring.rules import Detection, Evidence, Explanation, Rule, evidence
from sparring.rules._copies import COPIES, MEASURED, copied, is_measured, mostly, shares
from sparring.rules._signals import CONSTANT, Signals
from sparring.rules._stories import story
from sparring.rules._words import metric_evidence, metric_plot, title


@final
@dataclass(frozen=True)
class Memorization(Rule):
    """Samples, or some of them, are copies of training examples.

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
        share = shares(signals).max(0, initial=0.0)
        return Detection(holds=holds, severity=np.clip(np.fmax(1 - near / COPIES, share), 0, 1))

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        distance = evidence(
            title("nearest-neighbor"),
            signals.latest("nearest-neighbor"),
            members,
            signals.healthy("nearest-neighbor"),
            "their nearest-neighbor distance to the training set is {value} times that of unseen real examples",
        )
        few = _few(signals, members)
        whole = mostly(signals)[members].mean() >= 0.5 or bool(few and few[0].speaks(True).any())
        near = _near(signals, members)
        whole = whole or _copied_by_measure(signals, members) >= 0.5
        return Explanation(
            _headline(whole, bool(few or near)),
            [distance, *few, *near, *_measured(signals, members)],
            metric_plot(signals, "nearest-neighbor" if whole or not signals.has("near-copies") else "near-copies"),
            metric_evidence(signals, ("diversity", "frechet-distance"), members),
            remedies=("augmentation",) if few or not whole else (),
        )

    @staticmethod
    def sick() -> Story:
        return story(metrics={"nearest-neighbor": (2.0, 0.8, 0.2, 0.1), "frechet-distance": (30.0, 3.0, 1.0)})

    @staticmethod
    def healthy() -> Story:
        """A little nearer to training examples than unseen ones are."""
        return story(metrics={"nearest-neighbor": (2.0, 1.0, 0.85, 0.8)})


def _headline(whole: bool, images: bool) -> str:
    if whole:
        return "The samples are copies of training examples"
    return "Some samples are copies of training images" if images else "Some samples are copies of training examples"


def _few(signals: Signals, members: np.ndarray) -> list[Evidence]:
    """How many are copies, of few images; nothing where images are many."""
    if not signals.has("copies"):
        return []
    images = (signals.story.real_baseline or {}).get("examples") or 0
    count = f"{images:,}" if images else Text("few")
    phrase = Text("few images: {value} of the samples copy one of the {count} training images", count=count)
    healthy = signals.healthy("copies")
    return [evidence(title("copies"), signals.latest("copies"), members, healthy, phrase, percent=True)]


def _near(signals: Signals, members: np.ndarray) -> list[Evidence]:
    """How many samples are all but exact copies: `12 of 256 samples, 5%, copy one of the 2,048 training images ...`."""
    whole = is_measured(signals, "near-copies")
    if not whole and not signals.has("near-copies"):
        return []
    values, healthy = signals.quality("near-copies")
    many, baseline, measured = values[members], signals.story.real_baseline or {}, signals.measured
    many = many[many > healthy.high]
    samples = measured.count if measured and whole else baseline.get("samples") or 0
    copies = f"{np.median(many) * samples if len(many) else 0:,.0f}"
    phrase = Text(
        "{copies} of {samples} samples, {value}, copy one of the {count} training images that were searched",
        copies=copies,
        samples=f"{samples:,}",
        count=f"{baseline.get('searched') or baseline.get('training') or 0:,}",
    )
    if whole:
        of_all = "{copies} of {samples} samples, {value}, copy a training image"
        phrase = Text(of_all, copies=copies, samples=f"{samples:,}")
    return [evidence(title("near-copies"), values, members, healthy, phrase, percent=True)]


def _copied_by_measure(signals: Signals, members: np.ndarray) -> float:
    """The share of samples that are copies by a measurement; 0 where there is none."""
    measured = signals.measured
    return float(np.median(measured.values(MEASURED)[members])) if measured and is_measured(signals, MEASURED) else 0.0


def _measured(signals: Signals, members: np.ndarray) -> list[Evidence]:
    """What a measurement found among all training examples."""
    measured = signals.measured
    if measured is None or not is_measured(signals, MEASURED):
        return []
    phrase = "beside the training examples, {value} of the samples lie nearer to one alone than unseen ones do"
    healthy = measured.healthy(MEASURED)
    return [evidence(title(MEASURED), measured.values(MEASURED), members, healthy, phrase, percent=True)]
