from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.languages import Text
from sparring.metrics import all_metrics
from sparring.record import Story
from sparring.rules import Detection, Evidence, Explanation, Rule, evidence
from sparring.rules._artifacts import explained
from sparring.rules._copies import copied, is_measured
from sparring.rules._progress import MIN_EVALUATIONS, NARROW
from sparring.rules._ranges import Range
from sparring.rules._signals import CONSTANT, Signals
from sparring.rules._stories import story
from sparring.rules._words import metric_evidence, metric_plot, number, title

OFF_MODES = 0.25
"""Share of what real data has in `high-quality` below which most points lie on no mode at all."""
PHRASES = {
    "modes": "they cover {value} of {real} classes",
    "reached-modes": "they reach {value} of {real} modes",
    "diversity": "they differ from one another {value} times as much as real examples do",
    "recall": "only {value} of real examples have their like among them, where held-out ones have {real}",
    "class-diversity": "of one class, they differ from one another {value} times as much as real examples do",
    "class-divergence": "the classes are spread unevenly, with a divergence of {value} nats from the data's",
    "mode-divergence": "the modes are reached unevenly, with a divergence of {value} nats from the data's",
}
"""Metrics that show a lack of variety, the most telling first, and how a sentence puts them."""
REPEATS = "repeats"
"""The metric that shows that some samples are the same, though all together may be as varied as the data."""
OF_OUTLIERS = 0.5
"""From this many times the share of repeats, samples that are nothing like the data explain them: blank images are the
same."""


@final
@dataclass(frozen=True)
class ModeCollapse(Rule):
    """Samples lack variety: G makes a few kinds of examples, however many the data has.

    Once G has found something that D takes for real, nothing pushes it to find the rest. All together may also be as
    varied as the data while some of them are the same.
    """

    weight: ClassVar[float] = 0.82
    remedies: ClassVar[tuple[str, ...]] = (
        "larger-latent",
        "larger-batch",
        "wider-networks",
        "equal-steps",
        "usual-lr",
        "modern",
        "packing",
    )

    def detect(self, signals: Signals) -> Detection | None:
        known = signals.metrics_with("variety")
        if not known and not _is_known(signals, REPEATS):
            return None
        lack, repeated = _lack(signals), _repeated(signals)
        holds = ((lack > 0) | (repeated > 0)) & ~signals.noise & ~signals.diverged
        # A G with constant output never began to learn, rather than collapsed, and one that D has beaten cannot.
        idle = (signals.latest("diversity") < CONSTANT) | signals.beaten
        other_rule = signals.mean_like | _unlike(signals) | idle | ((lack <= 0) & _explained(signals))
        certain = np.maximum(lack, repeated) if not signals.progress.narrow else np.ones(signals.members)
        # In no sound run that had seen half of what a usual one sees did samples lie among real examples and reach next
        # to none of them. Two evaluations do not tell.
        watched = not signals.progress.has_few and len(signals.evaluated_rounds) >= MIN_EVALUATIONS
        narrow = (signals.lack("recall") >= 1) if "recall" in known else np.zeros(signals.members, dtype=bool)
        lasting = narrow & ~other_rule & watched
        return Detection(holds=holds, severity=np.where(other_rule, -0.6, certain), lasting=lasting)

    def explain(self, signals: Signals, members: np.ndarray) -> Explanation:
        names = [name for name in dict.fromkeys((*PHRASES, *signals.metrics_with("variety"))) if signals.has(name)]
        reasons = {name: _reason(signals, name, members) for name in names}
        if _is_known(signals, REPEATS):
            reasons[REPEATS] = _repeats(signals, members)
        headline = "The samples lack variety"
        if (_lack(signals)[members] <= 0).mean() > 0.5 and REPEATS in reasons:
            some = reasons[REPEATS].value < 0.5
            headline = "Some samples are the same" if some else "Most samples repeat one another"
            reasons = {REPEATS: reasons[REPEATS], **reasons}
        shown = max(reasons, key=lambda name: reasons[name].speaks(fault=True).sum())
        return Explanation(
            headline,
            [*_narrow(signals, members), *reasons.values()],
            metric_plot(signals, shown),
            metric_evidence(signals, ("confidence",), members),
        )

    @staticmethod
    def sick() -> Story:
        return story(
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
        return story(metrics={"modes": (2.0, 7.0, 10.0, 10.0), "diversity": (0.2, 0.8, 0.95)})


def _is_known(signals: Signals, name: str) -> bool:
    """Whether evaluations or a measurement have this metric."""
    return signals.has(name) or is_measured(signals, name)


def _lack(signals: Signals) -> np.ndarray:
    """How far all samples together are from varied, in the worst of the metrics that say it, `(P,)` in [0, 1]."""
    return np.max([np.zeros(signals.members), *map(signals.lack, signals.metrics_with("variety"))], axis=0)


def _repeated(signals: Signals) -> np.ndarray:
    """How far the share of samples that are the same lies beyond that of real examples, `(P,)` in [0, 1]."""
    if not _is_known(signals, REPEATS):
        return np.zeros(signals.members)
    values, healthy = signals.quality(REPEATS)
    return healthy.excess(values)


def _explained(signals: Signals) -> np.ndarray:
    """Members of which something else says why some samples are the same, bool `(P,)`: copies of the same training
    example, or blank images."""
    other = explained(signals, np.zeros(signals.members, dtype=bool)) | copied(signals)
    if not _is_known(signals, "outliers") or not _is_known(signals, REPEATS):
        return other
    values, healthy = signals.quality("outliers")
    return other | ((values > healthy.high) & (values >= OF_OUTLIERS * signals.quality(REPEATS)[0]))


def _repeats(signals: Signals, members: np.ndarray) -> Evidence:
    """`26 of 256 samples, 10%, are all but the same as another`."""
    values, healthy = signals.quality(REPEATS)
    measured, baseline = signals.measured, signals.story.real_baseline or {}
    counted = measured.count if measured and is_measured(signals, REPEATS) else int(baseline.get("samples") or 0)
    many = values[members]
    many = many[many > healthy.high]
    phrase = Text(
        "{repeats} of {samples} samples, {value}, are all but the same as another",
        repeats=f"{np.median(many) * counted if len(many) else 0:,.0f}",
        samples=f"{counted:,}",
    )
    return evidence(title(REPEATS), values, members, healthy, phrase, percent=True)


def _narrow(signals: Signals, members: np.ndarray) -> list[Evidence]:
    """That G has too few latent dimensions, where it has."""
    if not signals.progress.narrow:
        return []
    size = (signals.story.recipe.get("latent") or {}).get("size", 0)
    phrase = "G's latent vector has {value} dimension, and its samples lie on a curve"
    every = np.full(signals.members, float(size))
    return [evidence("latent dimensions", every, members, Range(low=NARROW), phrase)]


def _varied(signals: Signals, name: str) -> Range:
    """The values of a metric at which samples do not lack variety."""
    variety = all_metrics()[name].variety
    return Range.of(variety, signals.real(name)) if variety else Range()


def _unlike(signals: Signals) -> np.ndarray:
    """Members whose few kinds of samples are not like the data either: more is wrong than a lack of variety."""
    if signals.has("high-quality"):
        return signals.latest("high-quality") < OFF_MODES * signals.real("high-quality")
    near = signals.latest("nearest-neighbor")
    return near > signals.healthy("nearest-neighbor").high if signals.has("nearest-neighbor") else near > np.inf


def _reason(signals: Signals, name: str, members: np.ndarray) -> Evidence:
    """A metric that shows variety, with the end of its healthy range beyond which it is lacking."""
    healthy, varied = signals.healthy(name), _varied(signals, name)
    one_sided = healthy.at_least if np.isfinite(varied.low) else healthy.at_most
    phrase = Text(PHRASES[name], real=number(signals.real(name))) if name in PHRASES else ""
    return evidence(title(name), signals.latest(name), members, one_sided, phrase)
