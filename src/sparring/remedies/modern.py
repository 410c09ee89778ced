from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from sparring.objectives.relativistic_paired import RelativisticPaired
from sparring.optimizers.adam import Adam
from sparring.recipe import Recipe
from sparring.remedies import Remedy
from sparring.remedies._recipes import PLAYERS, one_step_each, penalty_weight
from sparring.tricks.adaptive_augmentation import AdaptiveAugmentation
from sparring.tricks.diff_augment import DiffAugment
from sparring.tricks.exponential_moving_average import ExponentialMovingAverage
from sparring.tricks.r1_r2 import R1R2

MIN_BATCH = 64
MIN_ROUNDS = 2_000


@final
@dataclass(frozen=True)
class Modern(Remedy):
    """R3GAN's training: a relativistic objective, R1 and R2 penalties, averaged weights, Adam without momentum.

    Huang et al., "The GAN is dead; long live the GAN!", NeurIPS 2024, with one step of each player at 5e-4.
    """

    def changes(self, recipe: Recipe) -> dict[str, Any]:
        adam = Adam(lr=5e-4, betas=(0.0, 0.99))
        kept = [trick for trick in recipe.tricks if isinstance(trick, DiffAugment | AdaptiveAugmentation)]
        return {
            "objective": RelativisticPaired(),
            "tricks": (*kept, R1R2(gamma=penalty_weight(recipe)), ExponentialMovingAverage()),
            "round": one_step_each(),
            "batch": max(MIN_BATCH, recipe.batch),
            "rounds": max(MIN_ROUNDS, recipe.rounds // (4 if recipe.batch < MIN_BATCH // 4 else 1)),
            **{f"{player}_optimizer": adam for player in PLAYERS},
        }
