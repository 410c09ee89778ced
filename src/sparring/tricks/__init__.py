"""A trick is a change to the game. It says which moments of the game it touches, and touches no other."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from sparring.optimizers import Optimizer
    from sparring.rng import RandomStreams, Share

Moment = Literal["label", "augment", "on_scores", "penalty", "select_g_loss", "gradients", "step", "weights"]
Who = Literal["G", "D"]
Memory = Mapping[str, "list[Tensor]"]
"""What a trick remembers from round to round, saved like weights: a name -> tensors with a leading axis P."""
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Now:
    """What a trick may know of the moment."""

    rng: RandomStreams | Share
    """The first axis of what is drawn for a batch counts its examples."""
    round: int
    """Rounds played before this one."""
    rounds: int
    """Of the whole game."""
    memory: Memory = field(default_factory=dict[str, "list[Tensor]"])

    @property
    def progress(self) -> float:
        """Share of the run that has been played, [0, 1)."""
        return self.round / self.rounds


@dataclass(frozen=True)
class Scored:
    """Examples that D was shown, `(P, B, *shape)` and open to differentiation, and how it scored them, `(P, B)`."""

    x: Tensor
    score: Tensor
    classes: Tensor | None = None
    """What they were said to be, one-hot `(P, B, K)`, where D asks."""


Critic = Callable[["Tensor", "Tensor | None"], Scored]
"""Shows D other examples, with their classes where it asks."""


class Trick(ABC):
    """Leaves are final frozen dataclasses that override a method for each moment they declare."""

    touches: ClassVar[frozenset[Moment]]
    compares: ClassVar[bool] = False
    """Whether it needs real and fake examples in one step of D."""
    mingles: ClassVar[bool] = False
    """Whether what D pays for one example depends on others of the batch: no process that has a share knows them."""
    reshapes: ClassVar[bool] = False
    """Whether D cannot look at an example without it, because `seen` changes the shape."""
    when: ClassVar[str]
    """When to use it, in a few words."""
    source: ClassVar[str]
    """The paper it is from, with the equation or the section."""

    def check(self, batch: int, classes: int) -> None:  # noqa: B027 - most can be played anywhere
        """Raises UsageError where it cannot be played: with this batch, or where this many classes are told."""

    def begin(self, who: Mapping[Who, Sequence[Tensor]], members: int, device: torch.device) -> Memory:
        """What it remembers before the first round; `who` are the players' weights."""
        return {}

    def shape(self, shape: Shape) -> Shape:
        """Of one example as D sees it; another than `shape` for a trick that `reshapes` only.

        Raises UsageError for examples that it cannot change.
        """
        return shape

    def label(self, label: float | Tensor, truth: int, shape: tuple[int, int], now: Now) -> float | Tensor:
        """What D is told an example is: 1 real, 0 fake, or anything between, as a number or as `shape` = `(P, B)`.

        `label` is what earlier tricks made of `truth`.
        """
        return label

    def augment(self, x: Tensor, now: Now) -> Tensor:
        """What D sees of examples `(P, B, *shape)`, real or fake, while either player learns."""
        return x

    def on_scores(self, truth: int, score: Tensor, now: Now) -> None:  # noqa: B027 - most tricks do not listen
        """D, about to learn from examples whose truth is 1 or 0, scored them so, `(P, B)`: a trick may take note.

        A score is above 0 where D takes an example for real, whatever the objective's undecided score is; where the
        objective compares, it is what was compared.
        """

    def penalty(self, real: Scored | None, fake: Scored | None, critic: Critic, now: Now) -> Tensor | float:
        """Added to D's loss, `(P, B)`; a side that D is not shown in this step is None."""
        return 0.0

    def select_g_loss(self, loss: Tensor, score: Tensor, now: Now) -> Tensor:
        """The losses that G learns from, of all its losses `(P, B)`: `(P, K)` for scores `(P, B)`."""
        return loss

    def gradients(self, gradients: Sequence[Tensor], norms: Tensor, who: Who, now: Now) -> Sequence[Tensor]:
        """The gradients that a player steps by, of those it found; `norms` `(P,)` are each member's."""
        return gradients

    def step(self, optimizer: Optimizer, who: Who, now: Now) -> Optimizer:
        """The optimizer that a player steps by. Raises UsageError for one that it cannot change."""
        return optimizer

    def weights(self, weights: Sequence[Tensor], who: Who, now: Now) -> None:  # noqa: B027 - most leave them
        """A player has stepped. Its weights, or the trick's memory, may be changed in place."""

    def averaged(self, memory: Memory) -> Sequence[Tensor] | None:
        """What G's examples are to be made with instead of its weights, in their order, by a trick that keeps such."""
        return None
