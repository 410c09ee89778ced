"""Racing: cells that lose are stopped early, at looks that are stated before anything is trained.

At every look, each cell that is still in the race is compared with every other one, by paired differences of the
outcome so far. A cell is stopped where the interval of its difference from some other cell lies on the worse side. The
interval's error is Bonferroni's: the one-sided 5 % over all looks and over the cells that one cell may lose to. So the
cell that is truly best at every look is stopped in at most 5 % of studies, however the looks depend on each other, and
they do: the same seeds are in all. (Alpha spending as O'Brien and Fleming's would need looks at more and more seeds,
not at later rounds.) What is so bounded is losing by the outcome at a look: a cell that starts slowly and ends well is
stopped too, and racing is for those who accept that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

ALPHA = 0.05
MIN_SEEDS = 3
"""With fewer shared seeds no cell is stopped, unless it diverged in all."""


@dataclass(frozen=True)
class Loss:
    """A cell that is stopped, and why."""

    cell: int
    against: int
    """The cell that it loses to."""
    difference: float
    """Mean paired difference in badness; infinite for a cell of which every seed diverged."""
    low: float
    """The lower end of its one-sided corrected interval, above 0."""
    level: float
    """The interval's confidence."""


def losers(badness: np.ndarray, racing: np.ndarray, n_looks: int, alpha: float = ALPHA) -> list[Loss]:
    """The cells to stop at a look.

    Args:
        badness: The outcome at the look, `(cells, seeds)`: less is better, infinite for a member that diverged, NaN
            where none is known.
        racing: Which cells are still in the race, bool `(cells,)`. Those that are stopped do not compete any more.
        n_looks: How many looks are planned in all.
        alpha: The probability with which the best cell may be stopped, over all looks.

    Returns:
        A loss for each cell to stop, with the cell that it loses to most clearly.
    """
    cells = np.flatnonzero(racing).tolist()
    if len(cells) < 2:
        return []
    level = 1 - alpha / (n_looks * (len(badness) - 1))
    found = ([_loss(badness, cell, other, level) for other in cells if other != cell] for cell in cells)
    clearest = (max((loss for loss in losses if loss), key=lambda loss: loss.low, default=None) for losses in found)
    return [loss for loss in clearest if loss]


def _loss(badness: np.ndarray, cell: int, other: int, level: float) -> Loss | None:
    lost, rival = np.isposinf(badness[cell]), np.isposinf(badness[other])
    known = ~np.isnan(badness[cell])
    if known.any() and lost[known].all() and not rival.all():
        return Loss(cell, other, float("inf"), float("inf"), level)
    both = np.isfinite(badness[cell]) & np.isfinite(badness[other])
    differences = badness[cell, both] - badness[other, both]
    # A rival that diverged where this cell did not is no proof that this cell is worse.
    if len(differences) < MIN_SEEDS or (rival & ~lost).any():
        return None
    half = float(stats.t.ppf(level, len(differences) - 1)) * float(differences.std(ddof=1)) / len(differences) ** 0.5
    low = float(differences.mean()) - half
    return Loss(cell, other, float(differences.mean()), low, level) if low > 0 else None
