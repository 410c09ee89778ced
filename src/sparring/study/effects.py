"""Effects: every contrast of a study as paired differences over seeds, with interval, p and probability of improvement.

Differences are paired because every cell has the same seeds. The p of an effect is by Student's t from the differences;
where a member of its cells diverged, from differences of ranks, in which such members come last: a mean over the others
would say nothing of them, and one that counts them as some time would not know how much worse they are. Holm's
correction is over every p that a study shows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sparring.study.contrasts import Contrast
from sparring.study.improvement import Improvement, improvement
from sparring.study.intervals import LEVEL, Interval, mean_interval, mean_p
from sparring.study.needs import from_statsmodels
from sparring.study.scores import Scores


@dataclass(frozen=True)
class Counts:
    """How many of its members failed, on the side with the change and on the side without."""

    with_change: int
    without: int
    of_with: int
    of_without: int

    @property
    def differ(self) -> bool:
        return self.with_change * self.of_without != self.without * self.of_with


@dataclass(frozen=True)
class Effect:
    """One contrast over the seeds."""

    contrast: Contrast
    differences: np.ndarray
    """`(seeds,)`: each seed's difference; NaN for a seed of which a member has no outcome."""
    mean: float | None
    sd: float | None
    """Of the differences over seeds, divisor n - 1."""
    interval: Interval | None
    p: float | None
    by_ranks: bool
    """Whether p is from ranks, because a member diverged."""
    better: int
    """Seeds for which the change is better, or just higher where no direction is; one that diverged is the worst."""
    worse: int
    seeds: int
    """Seeds with every cell known: `better`, `worse` and ties."""
    improvement: Improvement | None
    """Of a run with the change over one without; None for interactions, and where no direction is better."""
    diverged: Counts
    collapsed: Counts
    level: float
    """Confidence of the interval; the corrected p is tested at the same one."""
    unreached: tuple[int, ...] = ()
    """Of a time to a target: those of its cells of which no seed reached it. Of an interaction nothing is known then:
    where two changes meet the end of training, their effects cannot add up."""
    late: int = 0
    """Of a time to a target: members of its cells that did not reach it, those that diverged among them."""
    bound: int = 0
    """Of a time to a target: 1 where the true difference is at least the mean, -1 where it is at most that, as all that
    did not reach the target are on the side that makes it larger; else 0."""
    p_holm: float | None = None

    @property
    def n(self) -> int:
        """How many seeds have a difference: what mean and interval are of."""
        return int(np.isfinite(self.differences).sum())

    def significant(self) -> bool:
        """Whether its corrected p is below what its interval may err by: 0.05, and less in a race with looks."""
        return self.p_holm is not None and self.p_holm < 1 - self.level


def effect(contrast: Contrast, scores: Scores, level: float = LEVEL) -> Effect:
    """One contrast of a study's scores."""
    weights, chosen = np.array(contrast.weights), list(contrast.cells)
    unreached = tuple(index for index in chosen if scores.unreached[index])
    beyond = contrast.kind == "interaction" and bool(unreached)
    differences = weights[chosen] @ np.where(beyond, np.nan, scores.values[chosen])
    # More is higher where no direction is better, so that the sign says something all the same.
    sign = scores.direction or 1
    ranked = -weights[chosen] @ np.where(beyond, np.nan, scores.ranks[chosen]) * (1 if scores.direction else -1)
    known = np.isfinite(ranked)
    finite = np.isfinite(differences)
    lost = scores.diverged[chosen].any(0)
    gain = np.where(lost, ranked, sign * differences)[known]
    by_ranks = bool((known & lost).any())
    each = differences[finite]
    mean = float(each.mean()) if len(each) else None
    return Effect(
        contrast=contrast,
        differences=differences,
        mean=mean,
        sd=float(each.std(ddof=1)) if len(each) > 1 else None,
        interval=mean_interval(each, level),
        p=mean_p(ranked[known] if by_ranks else each),
        by_ranks=by_ranks,
        better=int((gain > 0).sum()),
        worse=int((gain < 0).sum()),
        seeds=int(known.sum()),
        improvement=_improvement(contrast, scores, level),
        diverged=_counts(weights, scores.diverged),
        collapsed=_counts(weights, scores.collapsed),
        level=level,
        unreached=unreached,
        late=int(scores.late[chosen].sum()),
        bound=_bound(weights, scores, mean or 0.0),
    )


def holm(ps: Sequence[float | None]) -> list[float | None]:
    """Holm's correction of every p that is there, in place."""
    known = [p for p in ps if p is not None]
    if not known:
        return list(ps)
    corrected = iter(from_statsmodels("multipletests")(known, method="holm")[1].tolist())
    return [None if p is None else float(next(corrected)) for p in ps]


def corrected(
    effects: Sequence[Effect], others: Sequence[float | None] = ()
) -> tuple[list[Effect], list[float | None]]:
    """The effects with Holm's correction over all of them and over other p that are shown with them; and those."""
    ps = holm([*(each.p for each in effects), *others])
    made = [dataclasses.replace(each, p_holm=p) for each, p in zip(effects, ps, strict=False)]
    return made, ps[len(effects) :]


def ranked(effects: Sequence[Effect]) -> list[Effect]:
    """The largest difference first; those of which none is known last."""
    return sorted(effects, key=lambda each: -abs(each.mean) if each.mean is not None else np.inf)


def _improvement(contrast: Contrast, scores: Scores, level: float) -> Improvement | None:
    if not scores.direction:
        return None
    badness = scores.badness
    known = [[row[~np.isnan(row)] for row in (badness[a], badness[b])] for a, b in contrast.pairs]
    return improvement([(a, b) for a, b in known], level)


def _bound(weights: np.ndarray, scores: Scores, mean: float) -> int:
    """See `Effect.bound`."""
    late = scores.late.any(1)
    later, earlier = late & (weights * mean > 0), late & (weights * mean < 0)
    return int(np.sign(mean)) if later.any() and not earlier.any() else 0


def _counts(weights: np.ndarray, failed: np.ndarray) -> Counts:
    """Of main effects and pairs; an interaction's sides are mixtures, and both are counted all the same."""
    sides = [failed[weights > 0], failed[weights < 0]]
    return Counts(int(sides[0].sum()), int(sides[1].sum()), sides[0].size, sides[1].size)
