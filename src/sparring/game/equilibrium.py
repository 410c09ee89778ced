"""Where an objective's curves settle once D can no longer tell real from generated examples."""

from __future__ import annotations

from typing import Any

import torch

from sparring.objectives import Objective

SCORE_RANGE = 40.0
"""How far above the undecided score scores are tried, in units of D's score (a logit)."""
NEGLIGIBLE = 1e-3
"""Share of D's loss at the undecided score below which a loss is negligible."""


def equilibrium_levels(objective: Objective) -> dict[str, Any]:
    """The level of every curve at equilibrium, and how far from it D's output is when D is sure.

    D is sure of a real example when being scored so costs it a negligible loss; its output is then 1 where outputs are
    probabilities.

    Args:
        objective: Any entry of the catalogue, or one of your own.

    Returns:
        `d_loss`, `g_loss`, `d_real` and `d_fake` at equilibrium; and `sure`, the distance between D's output at
        equilibrium and when it is sure, which is None for an objective that always rewards a higher score.
    """
    undecided = torch.tensor(objective.undecided)
    output, g_loss = float(objective.output(undecided)), objective.g_loss(undecided)
    if objective.relativistic:
        g_loss = g_loss + objective.g_loss_real(undecided)
    scores = torch.linspace(objective.undecided, objective.undecided + SCORE_RANGE, 2_001, dtype=torch.float64)
    cost = objective.d_loss_real(scores)
    satisfied = scores[(cost - cost.min() <= NEGLIGIBLE * (cost[0] - cost.min())).nonzero()[0]]
    is_bounded = float(satisfied) < SCORE_RANGE / 2
    return {
        "d_loss": objective.equilibrium,
        "g_loss": float(g_loss) + 0.0,  # turns -0.0 into 0.0
        "d_real": output,
        "d_fake": output,
        "sure": round(float(objective.output(satisfied)) - output, 1) if is_bounded else None,
    }
