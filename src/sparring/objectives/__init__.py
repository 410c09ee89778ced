"""Loss functions of D and G: scores `(P, B)`, P members by B examples, -> losses of the same shape.

The game averages a loss over B and sums it over P, so the members of a population train independently.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

from sparring import catalogue, fields
from sparring.members import Numbered

if TYPE_CHECKING:
    from torch import Tensor


class Objective(Numbered, ABC):
    """The losses of both players as functions of D's score, a logit. Subclasses are final frozen dataclasses."""

    equilibrium: ClassVar[float]
    """D's loss per example at equilibrium, averaged over real and generated examples: D cannot distinguish them."""
    undecided: ClassVar[float] = 0.0
    """D's score at equilibrium."""
    relativistic: ClassVar[bool] = False
    """Whether losses depend on differences between scores of real and of generated examples (see `compare`)."""
    also: ClassVar[tuple[str, ...]] = ()
    """Other names that it is known by."""

    def __new__(cls, *args: Any, **values: Any) -> Self:
        """Raises UsageError for a field of another type than it is annotated with."""
        fields.check(cls, args, values)
        return super().__new__(cls)

    def compare(self, score: Tensor, others: Tensor) -> Tensor:
        """What the losses below take in place of a score.

        Args:
            score: D's scores of examples of one kind, real or generated, `(P, B)`.
            others: D's scores of as many examples of the other kind, `(P, B)`.

        Returns:
            `(P, B)`: the scores themselves, or for a relativistic objective their distance from the others.
        """
        return score

    @abstractmethod
    def d_loss_real(self, score: Tensor) -> Tensor:
        """D's loss for examples labeled real."""

    @abstractmethod
    def d_loss_fake(self, score: Tensor) -> Tensor:
        """D's loss for examples labeled fake."""

    @abstractmethod
    def g_loss(self, score: Tensor) -> Tensor:
        """G's loss for its own examples with these scores."""

    def g_loss_real(self, score: Tensor) -> Tensor:
        """G's loss for real examples, compared with its own; only a relativistic objective has such a term."""
        raise NotImplementedError("only a relativistic objective has a loss of G for real examples")

    @abstractmethod
    def output(self, score: Tensor) -> Tensor:
        """D's output as it is reported and plotted, D(x): a probability, or the score where there is none."""


def __getattr__(name: str) -> Any:
    return catalogue.exported(__name__, name)


def __dir__() -> list[str]:
    return catalogue.exports(__name__)
