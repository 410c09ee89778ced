"""What losses of least squares pull D's scores to, and what they come to where D cannot tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from sparring.record.loop import Targets, Who
from sparring.training.watch.provenance import FAKE, REAL
from sparring.training.watch.terms import SQUARE, Term

DIGITS = 3
"""Of a target."""
MIN_APART = 0.1
"""Targets of real and generated examples that are nearer to each other are a mistake, and give no level."""


class Squares:
    """The squares in the losses that were seen."""

    def __init__(self) -> None:
        self._seen = defaultdict[tuple[Who, int], list[tuple[float, float]]](list)
        """Of a player and a kind of examples, each target with its weight."""

    def see(self, who: Who, terms: Iterable[Term]) -> None:
        """The terms of a step's losses, which were back-propagated.

        Where a kind is pulled to one number, squares that pull it to several are left out: those keep scores where
        they are, as consistency with other scores does.
        """
        squares = [term for term in terms if term.kind == SQUARE and not term.compared]
        found = [(term, kind, target) for term in squares for kind, target in term.targets.items()]
        with_one = {kind for _, kind, target in found if target.is_one}
        for term, kind, target in found:
            if target.is_one or kind not in with_one:
                self._seen[who, kind].append((target.mean, target.share * float(term.weight)))

    @property
    def found(self) -> Targets | None:
        """The mean targets of D's losses and of G's; None where they are not known, or D's are the same."""
        pairs = {key: np.array(seen) for key, seen in self._seen.items()}  # (S, 2): target, weight
        sums = {key: each[:, 1].sum() for key, each in pairs.items() if each[:, 1].sum() > 0}
        if not {("D", REAL), ("D", FAKE)} <= sums.keys():
            return None
        mean = {key: round(float(pairs[key].prod(1).sum() / sums[key]), DIGITS) + 0.0 for key in sums}
        real, fake = mean["D", REAL], mean["D", FAKE]
        if abs(real - fake) < MIN_APART:
            return None
        share = round(float(sums["D", REAL] / (sums["D", REAL] + sums["D", FAKE])), 2)
        return Targets(real, fake, mean.get(("G", FAKE)), share)
