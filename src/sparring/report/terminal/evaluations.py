"""Figures of samples while a run trains, told: what each is called, and the last of them in words and in tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sparring.analysis.facts import Evaluation
from sparring.analysis.stats import Spread
from sparring.analysis.wording import number, plus_minus


@dataclass(frozen=True)
class Name:
    """How a figure is called."""

    title: str
    unit: str = ""
    """What its numbers are, for a picture."""
    headline: bool = False
    """Whether it is told where there is room for a few only."""
    bounded: bool = False
    """Whether it counts or shares something out, so that powers of ten would mislead."""


NAMES = {
    "frechet-distance": Name("Fréchet distance", "to real features, lower is better", headline=True),
    "modes": Name("modes", "classes that the judge sees", headline=True, bounded=True),
    "reached-modes": Name("modes reached", "of those that the data has", headline=True, bounded=True),
    "high-quality": Name("high quality", "share within 3 SD of a mode", headline=True, bounded=True),
    "class-divergence": Name("class divergence", "KL from the data's, nats"),
    "mode-divergence": Name("mode divergence", "KL from the data's, nats"),
    "confidence": Name("confidence", "the judge's mean probability", headline=True, bounded=True),
    "diversity": Name("diversity", "distance of two samples; data: 1", headline=True, bounded=True),
    "roughness": Name("roughness", "step from pixel to pixel; data: 1"),
    "similarity-to-mean": Name("similarity-to-mean", "nearness to the average; data: 1"),
    "nearest-neighbor": Name("nearest-neighbor", "distance to training data; unseen: 1"),
    "d_train": Name("D(training data)", "in evaluation mode"),
    "d_held_out": Name("D(held-out data)", "in evaluation mode"),
    "d_generated": Name("D(generated)", "in evaluation mode"),
}
"""In the order in which they are told."""
FEW = 4
"""Told where there is room for few."""
OPINIONS = ("d_train", "d_held_out", "d_generated")
"""What D says in evaluation mode, after the round."""


def name_of(figure: str) -> Name:
    """Of one that a newer version wrote, its own."""
    return NAMES.get(figure, Name(figure))


def in_order(figures: Iterable[str]) -> list[str]:
    """Those known first, as they are listed."""
    held = list(figures)
    return [name for name in NAMES if name in held] + [name for name in held if name not in NAMES]


def headlines(figures: Iterable[str]) -> list[str]:
    """The few that tell most; others in their place where there are not so many of those."""
    held = [name for name in in_order(figures) if name not in OPINIONS]
    first = [name for name in held if name_of(name).headline]
    return in_order([*first, *(name for name in held if name not in first)][:FEW])


def phrases(spreads: Mapping[str, Spread], real: Mapping[str, float]) -> list[str]:
    """Means over seeds of the few: `Fréchet distance 12.3 (real 0.81)`, `modes 9.5 (10)`."""
    told: list[str] = []
    for figure in headlines(spreads):
        mean, level = spreads[figure].mean, real.get(figure)
        if mean is not None:
            beside = "" if level is None else f" ({'' if told else 'real '}{short(level)})"
            told.append(f"{name_of(figure).title} {short(mean)}{beside}")
    return told


def rows(evaluated: Evaluation) -> list[list[str]]:
    """Of each figure: its title, real data's, mean ± SD, least, most, n."""
    told: list[list[str]] = []
    for figure in in_order(evaluated.metrics):
        spread = evaluated.spreads[figure]
        cells = [_whole(evaluated.real.get(figure)), plus_minus(spread), _whole(spread.min), _whole(spread.max)]
        told.append([name_of(figure).title, *cells, f"{spread.n:,}"])
    return told


def taken_with(evaluated: Evaluation) -> str:
    """What the figures were taken with."""
    if not evaluated.n:
        return f"At round {evaluated.round:,}, the last time that samples were looked at."
    through = f", through the judge {evaluated.judge}" if evaluated.judge else ""
    return f"At round {evaluated.round:,}: {evaluated.n:,} examples of each seed beside as many real ones{through}."


def _whole(value: float | None) -> str:
    """Like `number`, but a whole number as one counts."""
    return number(value) if value is None or value != round(value) else f"{value:.0f}"


def short(value: float) -> str:
    """Two or three digits, whole numbers as such."""
    return f"{value:.0f}" if value == round(value) else f"{value:.3g}"
