"""What each player wants: scores `(P, B)` -> losses of the same shape."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from torch import Tensor


class Objective(ABC):
    """Losses of both players as functions of D's score, which is a logit. Leaves are final frozen dataclasses."""

    equilibrium: ClassVar[float]
    """D's loss per example, averaged over real and fake, when D cannot tell them apart."""
    undecided: ClassVar[float] = 0.0
    """The score at which D cannot tell."""
    relativistic: ClassVar[bool] = False
    """Whether an example is judged beside examples of the other kind, so that a score by itself means nothing."""
    also: ClassVar[tuple[str, ...]] = ()
    """Other names that it is known by."""

    def compare(self, score: Tensor, others: Tensor) -> Tensor:
        """What the losses are given for scores, beside the scores of examples of the other kind; both `(P, B)`."""
        return score

    @abstractmethod
    def d_loss_real(self, score: Tensor) -> Tensor:
        """D's loss for an example that is called real."""

    @abstractmethod
    def d_loss_fake(self, score: Tensor) -> Tensor:
        """D's loss for an example that is called fake."""

    @abstractmethod
    def g_loss(self, score: Tensor) -> Tensor:
        """G's loss for a fake that D scores so."""

    def g_loss_real(self, score: Tensor) -> Tensor:
        """G's loss for a real example that D scores so beside its fakes: a relative objective's other half."""
        raise NotImplementedError("only a relative objective compares")

    @abstractmethod
    def output(self, score: Tensor) -> Tensor:
        """What D says of an example, in the units people read: D(x)."""
