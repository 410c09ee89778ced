"""Whether directions of one member are found in the others: matched by what they do, beside random directions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from sparring.analysis.stats import Spread

BEYOND = 0.95
"""Quantile of the similarity of matched random directions above which a direction is found again."""


@dataclass(frozen=True)
class Stability:
    """How often one direction is found again in other members."""

    found: int
    """Members, of the others, whose matched direction is more alike than random ones are."""
    of: int
    """The others."""
    likeness: Spread
    """|cosine| of what the direction and its match do, over the others."""
    baseline: float
    """The BEYOND quantile of the likeness to random directions of the others, compared in the same way."""


def matched(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pair directions by what they do, each once, so that the sum of likenesses is largest (H. W. Kuhn, 1955).

    A direction and its opposite are the same, so the sign of a likeness is dropped.

    Args:
        one: What the directions of one member change, `(K, outputs)`.
        other: The same of another member, `(L, outputs)`.

    Returns:
        For each of the K the index of its match in the other member, -1 for none, and |cosine| with it, `(K,)`.
    """
    likeness = np.abs(_unit(one) @ _unit(other).T)
    rows, columns = linear_sum_assignment(-likeness)
    match, found = np.full(len(one), -1), np.zeros(len(one))
    match[rows], found[rows] = columns, likeness[rows, columns]
    return match, found


def stability(
    changes: list[np.ndarray], baseline: list[np.ndarray], member: int, paired: bool = False
) -> list[Stability]:
    """How often each direction of a member is found in the others.

    Args:
        changes: For each member, what its directions change, `(K, outputs)`.
        baseline: For each member, what as many random directions change.
        member: The index of the member whose directions are looked for.
        paired: Whether direction k of one member is to be compared with direction k of the others, as for classes and
            for single dimensions, and not with whichever is most alike.

    Returns:
        One for each of its directions; with a single member none is found in 0 others.
    """
    others = [k for k in range(len(changes)) if k != member]
    mine = changes[member]
    if paired:
        likeness = [np.abs((_unit(mine) * _unit(changes[k])).sum(1)) for k in others]
        random = [np.abs(_unit(mine) @ _unit(baseline[k]).T).ravel() for k in others]
    else:
        likeness = [matched(mine, changes[k])[1] for k in others]
        random = [matched(mine, baseline[k][: len(mine)])[1] for k in others]
    limit = float(np.quantile(np.concatenate(random or [np.zeros(1)]), BEYOND))
    likeness = np.array(likeness).reshape(len(others), len(mine))
    return [
        Stability(int((likeness[:, k] > limit).sum()), len(others), Spread.of(likeness[:, k]), limit)
        for k in range(len(mine))
    ]


def _unit(changes: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(changes, axis=1, keepdims=True)
    return changes / np.where(lengths > 0, lengths, 1)
