from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Healthy, Metric, Space
from sparring.metrics._frequencies import counts, divergence
from sparring.metrics._neighbors import between_two


@final
@dataclass(frozen=True)
class Modes(Metric):
    """How many of the classes that occur among real examples are generated at least once.

    A class counts when the judge assigns one generated example to it. The judge assigns noise to some class too.
    """

    title: ClassVar[str] = "modes"
    unit: ClassVar[str] = "classes that the judge recognizes"
    better: ClassVar[Better] = "higher"
    range: ClassVar[tuple[float, float]] = (0.0, float("inf"))
    healthy: ClassVar[Healthy] = Healthy(min_ratio=0.9, why="every class is generated")
    variety: ClassVar[Healthy | None] = Healthy(min_ratio=0.75)
    space: ClassVar[Space] = "classes"
    source: ClassVar[str] = "Srivastava et al., VEEGAN, NeurIPS 2017: the stacked MNIST experiment"
    catches: ClassVar[tuple[Fault, ...]] = ("collapse", "lost classes")
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 20
    headline: ClassVar[bool] = True
    linear: ClassVar[bool] = True

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        occurring = np.unique(real.argmax(1))
        return np.array([np.isin(occurring, member.argmax(1)).sum() for member in fake], dtype=np.float64)


@final
@dataclass(frozen=True)
class ClassDivergence(Metric):
    """How unevenly classes are generated compared with how often they occur in real data: KL(fake || real) in nats."""

    title: ClassVar[str] = "class divergence (KL)"
    short: ClassVar[str] = "class divergence"
    unit: ClassVar[str] = "KL from the data's, nats"
    better: ClassVar[Better] = "lower"
    range: ClassVar[tuple[float, float]] = (0.0, float("inf"))
    healthy: ClassVar[Healthy] = Healthy(max_above=0.25, why="in nats: no class is far too rare")
    # With three of ten classes missing it is ln(10 / 7) = 0.36 nats.
    variety: ClassVar[Healthy | None] = Healthy(max_above=0.35)
    space: ClassVar[Space] = "classes"
    source: ClassVar[str] = "Metz et al., Unrolled generative adversarial networks, ICLR 2017: stacked MNIST"
    catches: ClassVar[tuple[Fault, ...]] = ("collapse", "lost classes")
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 50

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        total = real.shape[1]
        expected = counts(real.argmax(1), total)
        return np.array([divergence(counts(member.argmax(1), total), expected) for member in fake])


@final
@dataclass(frozen=True)
class RarestClass(Metric):
    """How often the class is generated that is rarest relative to real data: 1 as often as there, 0 never.

    Of the classes with at least `common` real examples; NaN where there is none, as with a hundred classes during
    training. Few examples make it less than 1: of real ones, 256 of ten classes, it is 0.65 (0.4 to 0.8).
    """

    common: int = 10
    """Real examples of a class from which on its share is known well enough."""

    title: ClassVar[str] = "relative share of the rarest class"
    short: ClassVar[str] = "rarest class"
    unit: ClassVar[str] = "its share over that in real data"
    better: ClassVar[Better] = "higher"
    range: ClassVar[tuple[float, float]] = (0.0, float("inf"))
    # A judge takes images of others for a class that is never generated: of Fashion-MNIST's up to 0.31 times as many as
    # there are of it in real data (99 % of draws), of digits 0.05.
    healthy: ClassVar[Healthy] = Healthy(min_ratio=0.5, why="no class is missing")
    space: ClassVar[Space] = "classes"
    source: ClassVar[str] = "our own: the smallest ratio of a class's shares"
    catches: ClassVar[tuple[Fault, ...]] = ("collapse", "lost classes")
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 52
    linear: ClassVar[bool] = True
    demanding: ClassVar[bool] = True

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        total = real.shape[1]
        expected = counts(real.argmax(1), total)
        known = expected >= self.common
        if not known.any():
            return np.full(len(fake), np.nan)
        generated = np.array([counts(member.argmax(1), total) for member in fake])
        return (generated[:, known] / expected[known]).min(1) * len(real) / fake.shape[1]


@final
@dataclass(frozen=True)
class Confidence(Metric):
    """Mean probability of the judge's most likely class: whether examples look like anything at all."""

    title: ClassVar[str] = "confidence"
    unit: ClassVar[str] = "the judge's mean max probability"
    better: ClassVar[Better] = "higher"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    healthy: ClassVar[Healthy] = Healthy(
        min_ratio=0.75, why="the judge is about as confident of samples as of real examples"
    )
    space: ClassVar[Space] = "classes"
    source: ClassVar[str] = "Hendrycks and Gimpel, A baseline for detecting out-of-distribution examples, ICLR 2017"
    catches: ClassVar[tuple[Fault, ...]] = ("noise",)
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 70
    headline: ClassVar[bool] = True
    linear: ClassVar[bool] = True

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        return fake.max(-1).mean(-1)


@final
@dataclass(frozen=True)
class ClassAccuracy(Metric):
    """Share of examples that the judge takes for the class that G was asked for; of real ones, for their own.

    For class-conditional runs. A G that ignores the classes may be good by every other number; its samples are of the
    class asked for by accident, a tenth of them with ten equally frequent classes.
    """

    title: ClassVar[str] = "accuracy of the classes"
    short: ClassVar[str] = "class accuracy"
    unit: ClassVar[str] = "share of the class asked for"
    better: ClassVar[Better] = "higher"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    healthy: ClassVar[Healthy] = Healthy(min_ratio=0.85, why="samples are of the classes asked for")
    space: ClassVar[Space] = "agreement"
    source: ClassVar[str] = "Shmelkov et al., How good is my GAN?, ECCV 2018: GAN-test"
    catches: ClassVar[tuple[Fault, ...]] = ("ignored classes",)
    min_real: ClassVar[float] = 0.5  # the judge knows the classes, and they are the data's
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 54
    linear: ClassVar[bool] = True
    demanding: ClassVar[bool] = True
    share: ClassVar[bool] = True

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        return fake.mean((1, 2))


@final
@dataclass(frozen=True)
class ClassDiversity(Metric):
    """How much two samples of one class differ, relative to two real examples of it, in the least varied class.

    In a judge's features, of the classes with at least `common` examples on either side, by the judge; NaN where there
    is none. Few examples make it less than 1: of real ones, 256 of ten classes, it is 0.85 (0.7 to 0.95).
    """

    common: int = 10
    """Examples of a class from which on their distance is known well enough."""

    title: ClassVar[str] = "diversity within the least varied class"
    short: ClassVar[str] = "class diversity"
    unit: ClassVar[str] = "distance of two of a class, over that of real ones"
    better: ClassVar[Better] = "higher"
    range: ClassVar[tuple[float, float]] = (0.0, float("inf"))
    # Of real examples one class was replaced by copies of one of them: 0.02 to 0.06 on digits, MNIST and Fashion-MNIST.
    healthy: ClassVar[Healthy] = Healthy(min_ratio=0.5, why="no class is always the same")
    variety: ClassVar[Healthy | None] = Healthy(min_ratio=0.35)
    space: ClassVar[Space] = "judged"
    source: ClassVar[str] = "our own; within classes, as the intra-FID of Miyato and Koyama, ICLR 2018"
    catches: ClassVar[tuple[Fault, ...]] = ("collapse",)
    quick: ClassVar[bool] = True
    rank: ClassVar[int] = 56
    linear: ClassVar[bool] = True
    demanding: ClassVar[bool] = True

    def compute(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        theirs = self._within(real)
        return np.array([self._least(self._within(member), theirs) for member in fake])

    def _within(self, judged: np.ndarray) -> dict[int, float]:
        """The mean distance between two examples of each class that has enough of them."""
        kinds = judged[:, 0]
        groups = {int(kind): judged[kinds == kind, 1:] for kind in np.unique(kinds)}
        return {kind: between_two(group) for kind, group in groups.items() if len(group) >= self.common}

    def _least(self, mine: dict[int, float], theirs: dict[int, float]) -> float:
        return min((mine[kind] / theirs[kind] for kind in mine.keys() & theirs.keys() if theirs[kind]), default=np.nan)
