"""Whether what D says of G's examples teaches G anything, where other terms of G's loss do."""

from __future__ import annotations

from collections.abc import Sequence

from sparring.training.watch.provenance import FAKE
from sparring.training.watch.rounds import Call, Loss

MIN_STEPS = 8
"""Steps of G from which on something that is so in all of them is no warm-up."""


class Severed:
    """G's closely watched steps, and whether D's part of the loss could reach G in any of them."""

    def __init__(self) -> None:
        self._cut, self._open = 0, 0

    def see(self, losses: Sequence[Loss], calls: Sequence[Call]) -> None:
        """G is about to step, after D was called on these and these losses, which are G's own."""
        of_g = [call for call in calls if call.sees not in ("", "real")]
        is_used = any(FAKE in loss.signs for loss in losses)
        is_used |= all(call.constant for call in of_g) and any(loss.scored for loss in losses)
        if not of_g or not is_used:
            return
        is_cut = all(call.barred for call in of_g)
        self._cut, self._open = self._cut + is_cut, self._open + (not is_cut)

    @property
    def always(self) -> bool:
        """Whether no step's part of D's could reach G."""
        return self._cut >= MIN_STEPS and not self._open
