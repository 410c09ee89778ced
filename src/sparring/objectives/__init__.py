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

    @abstractmethod
    def real(self, score: Tensor) -> Tensor:
        """D's loss for an example that is called real."""

    @abstractmethod
    def fake(self, score: Tensor) -> Tensor:
        """D's loss for an example that is called fake."""

    @abstractmethod
    def fool(self, score: Tensor) -> Tensor:
        """G's loss for a fake that D scores so."""

    @abstractmethod
    def opinion(self, score: Tensor) -> Tensor:
        """What D says of an example, in the units people read: D(x)."""
