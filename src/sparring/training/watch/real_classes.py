"""The classes that D is given beside the real examples that a run keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from sparring.training.watch.calls import classes_of
from sparring.training.watch.examination import example_in
from sparring.training.watch.facts import Facts


class RealClasses:
    """Of D's calls, in the order of the examples that are kept; none where some call had none."""

    def __init__(self, facts: Facts):
        self._facts = facts
        self._kept = facts.kept
        self._parts: list[np.ndarray] = []
        self._missing = False
        """Whether D was given real examples without classes, or among others, where nobody knows which is whose."""

    def see(self, inputs: Sequence[Any]) -> None:
        """A call of D, after its real examples, if any, were kept."""
        if self._facts.kept is not self._kept:  # which were begun anew
            self._kept, self._parts, self._missing = self._facts.kept, [], False
        kept = self._kept.examples
        if self._missing or len(kept) == len(self._parts):
            return
        found = _classes_in(inputs)
        complete = self._kept.is_complete
        if found is None or len(kept) != len(self._parts) + 1 or (len(found) != len(kept[-1]) and not complete):
            self._missing = True
            return
        self._parts.append(found[: len(kept[-1])])

    def of(self, count: int, classes: int) -> np.ndarray | None:
        """Those of so many examples, int64 `(count,)`; None where they are not known, or are other classes than G's."""
        if self._missing or not self._parts or not classes:
            return None
        found = np.concatenate(self._parts)
        return found if len(found) == count and found.max() < classes else None


def _classes_in(inputs: Sequence[Any]) -> np.ndarray | None:
    """Classes among what D is given, int64 `(B,)`; None where there are none, or of several kinds."""
    x = example_in(list(inputs))
    others = [each for each in inputs if isinstance(each, Tensor) and each is not x and x is not None and each.dim()]
    known = [found for each in others if x is not None and (found := classes_of(each, len(x))) is not None]
    return known[0] if len(known) == 1 else None
