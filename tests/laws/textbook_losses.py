"""The losses of the textbook loop: what a script computes from D's output and its targets, by objective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


def cross_entropy_by_hand(output: Tensor, target: Tensor) -> Tensor:
    return -(target * torch.log(output + 1e-8) + (1 - target) * torch.log(1 - output + 1e-8)).mean()


def log_of_not_fooled(output: Tensor, target: Tensor) -> Tensor:
    """What G loses in the minimax game: the mean of log(1 - D)."""
    return -nn.functional.binary_cross_entropy(output, 1 - target)


def half_square(output: Tensor, target: Tensor) -> Tensor:
    return nn.functional.mse_loss(output, target) / 2


def hinge(output: Tensor, target: Tensor) -> Tensor:
    return (target * functional.relu(1 - output) + (1 - target) * functional.relu(1 + output)).mean()


def critic(output: Tensor, target: Tensor) -> Tensor:
    return ((1 - target) * output - target * output).mean()


def minus_mean(output: Tensor, target: Tensor) -> Tensor:
    return -output.mean()


def half_cross_entropy(output: Tensor, target: Tensor) -> Tensor:
    """The paper's loss is one cross-entropy for a pair: half of it is asked of either side."""
    return nn.functional.binary_cross_entropy_with_logits(output, target) / 2


@dataclass(frozen=True)
class Losses:
    """The losses of both networks, and their input: D's probability, its raw score, or a comparison of scores."""

    loss_of_D: Any
    loss_of_G: Any
    input: str = "probability"
    undecided: float = 0.0
    """What ADA takes for neither real nor fake."""

    @property
    def relativistic(self) -> bool:
        return self.input in ("difference", "distance from the mean")

    def output(self, score: Tensor, others: Tensor | None) -> Tensor:
        if self.input == "probability":
            return score.sigmoid()
        if self.input == "score":
            return score
        assert others is not None
        return score - others if self.input == "difference" else score - others.mean()


LOSSES = {
    "mse": Losses(nn.MSELoss(), nn.MSELoss(), undecided=0.5),
    "bce-with-logits": Losses(nn.BCELoss(), nn.BCELoss(), undecided=0.5),
    "handwritten-cross-entropy": Losses(cross_entropy_by_hand, cross_entropy_by_hand, undecided=0.5),
    "double-sigmoid": Losses(nn.BCELoss(), nn.BCEWithLogitsLoss(), undecided=0.5),
    "minimax": Losses(nn.BCELoss(), log_of_not_fooled, undecided=0.5),
    "least-squares": Losses(half_square, half_square, "score", undecided=0.5),
    "hinge": Losses(hinge, minus_mean, "score"),
    "wasserstein": Losses(critic, minus_mean, "score"),
    "relativistic-paired": Losses(half_cross_entropy, half_cross_entropy, "difference"),
    "relativistic-average": Losses(nn.BCEWithLogitsLoss(), nn.BCEWithLogitsLoss(), "distance from the mean"),
}
