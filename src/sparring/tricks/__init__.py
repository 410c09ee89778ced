"""A trick is a change to the game. It says which moments of the game it touches, and touches no other."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from torch import Tensor

    from sparring.chance import Chance

Moment = Literal["name", "penalty"]


class Trick(ABC):
    """Leaves are final frozen dataclasses that override a method for each moment they declare."""

    touches: ClassVar[frozenset[Moment]]

    def name(
        self, name: float | Tensor, truth: int, shape: tuple[int, int], chance: Chance, progress: float
    ) -> float | Tensor:
        """What D is told an example is: 1 real, 0 fake, or anything between, as a number or as `shape` = `(P, B)`.

        `name` is what earlier tricks made of `truth`; `progress` is the share of the run that has been played, [0, 1).
        """
        return name

    def penalty(self, real: Tensor | None, fake: Tensor | None) -> Tensor | float:
        """Added to D's loss, `(P, B)`."""
        return 0.0
