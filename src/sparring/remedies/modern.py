from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.remedies import Plain, Remedy
from sparring.remedies._parts import MODERN, PLAYERS, kind, leaf, steepness

LEAST_BATCH = 64
LEAST_ROUNDS = 2_000


@final
@dataclass(frozen=True)
class Modern(Remedy):
    """The modern game: a relativistic objective, D kept from being steep, averaged weights, Adam without momentum.

    Huang et al., "The GAN is dead; long live the GAN!", NeurIPS 2024, with one step of each player at 5e-4.
    """

    def changes(self, recipe: Plain) -> dict[str, Any]:
        steps = leaf("adam", lr=5e-4, betas=[0.0, 0.99])
        gamma = steepness(recipe)
        kept = [t for t in recipe["tricks"] if kind(t) in ("diff-augment", "adaptive-augmentation")]
        return {
            "objective": leaf("relativistic-paired"),
            "tricks": [*kept, leaf("r1-r2", gamma=gamma), leaf("exponential-moving-average")],
            "round": MODERN,
            "batch": max(LEAST_BATCH, recipe["batch"]),
            "rounds": max(LEAST_ROUNDS, recipe["rounds"] // (4 if recipe["batch"] < LEAST_BATCH // 4 else 1)),
            **{f"{player}_optimizer": steps for player in PLAYERS},
        }
