from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from sparring.metrics import Better, Fault, Metric, Through
from sparring.metrics._frequencies import counts, divergence


@final
@dataclass(frozen=True)
class Modes(Metric):
    """How many of the classes that real examples show are generated at least once.

    A class counts when the judge names it for one example. The judge names something for noise too.
    """

    title: ClassVar[str] = "modes"
    better: ClassVar[Better] = "higher"
    range: ClassVar[tuple[float, float]] = (0.0, float("inf"))
    through: ClassVar[Through] = "classes"
    source: ClassVar[str] = "Srivastava et al., VEEGAN, NeurIPS 2017: the stacked MNIST experiment"
    catches: ClassVar[tuple[Fault, ...]] = ("collapse", "lost classes")

    def of(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        there = np.unique(real.argmax(1))
        return np.array([np.isin(there, member.argmax(1)).sum() for member in fake], dtype=np.float64)


@final
@dataclass(frozen=True)
class ClassDivergence(Metric):
    """How unevenly classes are generated beside how real ones occur: KL(fake || real) in nats."""

    title: ClassVar[str] = "class divergence (KL)"
    better: ClassVar[Better] = "lower"
    range: ClassVar[tuple[float, float]] = (0.0, float("inf"))
    through: ClassVar[Through] = "classes"
    source: ClassVar[str] = "Metz et al., Unrolled generative adversarial networks, ICLR 2017: stacked MNIST"
    catches: ClassVar[tuple[Fault, ...]] = ("collapse", "lost classes")

    def of(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        total = real.shape[1]
        held = counts(real.argmax(1), total)
        return np.array([divergence(counts(member.argmax(1), total), held) for member in fake])


@final
@dataclass(frozen=True)
class Confidence(Metric):
    """Mean probability of the class that the judge is surest of: whether examples look like anything at all."""

    title: ClassVar[str] = "confidence"
    better: ClassVar[Better] = "higher"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    through: ClassVar[Through] = "classes"
    source: ClassVar[str] = "Hendrycks and Gimpel, A baseline for detecting out-of-distribution examples, ICLR 2017"
    catches: ClassVar[tuple[Fault, ...]] = ("noise",)

    def of(self, real: np.ndarray, fake: np.ndarray) -> np.ndarray:
        return fake.max(-1).mean(-1)
