"""Tricks: additions to plain GAN training, such as penalties, schedules and augmentation.

A trick overrides methods of `Trick`, its hooks, which the game calls at fixed points of every step. It names in `hooks`
the ones it uses. Shapes: P members, B examples of each, `(P, B, *shape)`.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from sparring import catalogue, fields
from sparring.errors import UsageError
from sparring.members import Numbered

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from sparring.optimizers import Optimizer
    from sparring.rng import RandomStreams, Share

Hook = Literal["label", "augment", "on_scores", "penalty", "select_g_loss", "gradients", "step", "weights"]
Who = Literal["G", "D"]
Memory = Mapping[str, "list[Tensor]"]
"""State that a trick keeps from round to round: a name -> tensors whose first axis is P. Checkpoints save it."""
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Now:
    """What a hook may use besides its arguments: random streams, the round, the trick's own state."""

    rng: RandomStreams | Share
    """Random streams of the members. In the shape of a draw for a batch, the first axis counts examples."""
    round: int
    """Rounds completed."""
    rounds: int
    """Length of the whole run, in rounds."""
    memory: Memory = field(default_factory=dict[str, "list[Tensor]"])
    """The trick's state, changed in place."""

    @property
    def progress(self) -> float:
        """Fraction of the run that is completed, in [0, 1)."""
        return self.round / self.rounds


@dataclass(frozen=True)
class Scored:
    """Examples in the autograd graph, `(P, B, *shape)`, with D's scores of them, `(P, B)`."""

    x: Tensor
    score: Tensor
    classes: Tensor | None = None
    """The class given to D with each example, one-hot `(P, B, K)`; None in training that is not class-conditional."""


Critic = Callable[["Tensor", "Tensor | None"], Scored]
"""Scores other examples with D, given their classes in class-conditional training."""


class Trick(Numbered, ABC):
    """One addition to the game. Subclasses are final frozen dataclasses that override each hook they name."""

    hooks: ClassVar[frozenset[Hook]]
    """The hooks it overrides; the game calls no others."""
    joint_step: ClassVar[bool] = False
    """Whether it needs real and generated examples in the same step of D."""
    mixes_examples: ClassVar[bool] = False
    """Whether an example's loss depends on the rest of the batch, so that a batch cannot be split over processes."""
    reshapes: ClassVar[bool] = False
    """Whether `augment` changes the shape of examples, so that D can score none without it."""
    also: ClassVar[tuple[str, ...]] = ()
    """Other names that it is known by."""
    strength_field: ClassVar[str] = ""
    """The field that says how strong it is, where 0 is the same as a recipe without the trick."""
    when: ClassVar[str]
    """When to use it, in a few words."""
    source: ClassVar[str]
    """The paper it is from, with the equation or the section."""

    def __new__(cls, *args: Any, **values: Any) -> Self:
        """Raises UsageError for a field of another type than it is annotated with, and for a class without `hooks`."""
        if getattr(cls, "hooks", None) is None:
            raise UsageError(f"{cls.__name__}: a trick names the hooks it overrides, as hooks = frozenset({{'label'}})")
        fields.check(cls, args, values)
        return super().__new__(cls)

    @property
    def scheduled(self) -> bool:
        """Whether what it does in a round depends on how long the run is, as a schedule does. A run that is made longer
        then differs from one that was as long from the start."""
        return False

    def check(self, batch: int, classes: int) -> None:
        """Raises UsageError if it does not work with this batch size, or this number of classes in class-conditional
        training (0 in any other)."""

    def begin(self, who: Mapping[Who, Sequence[Tensor]], members: int, device: torch.device) -> Memory:
        """The state it keeps, as it is before the first round; `who` gives the weights of G and of D."""
        return {}

    def shape(self, shape: Shape) -> Shape:
        """The shape of one example as D takes it: `shape` itself, except for a trick that `reshapes`.

        Raises UsageError for examples that it does not work on.
        """
        return shape

    def label(self, label: float | Tensor, truth: int, shape: tuple[int, int], now: Now) -> float | Tensor:
        """The label of examples in D's loss.

        Args:
            label: the label so far, after earlier tricks; without any it equals `truth`.
            truth: 1 for real examples, 0 for generated ones.
            shape: `(P, B)`.

        Returns:
            A number in [0, 1], or one for each example, `(P, B)`.
        """
        return label

    def mean_label(self, label: float, truth: int, progress: float) -> float:
        """The mean label of examples of this truth after `progress` of the run, [0, 1], given the mean so far.

        For diagnoses, which must know what D is trained to say; it computes without torch what `label` averages to.
        """
        return label

    def augment(self, x: Tensor, now: Now) -> Tensor:
        """Examples as D gets them, real or generated, in the steps of D and of G: `(P, B, *shape)`, differentiable."""
        return x

    def on_scores(self, truth: int, score: Tensor, now: Now) -> None:
        """Called with D's scores before D's step, so that the trick may update its state.

        Args:
            truth: 1 for real examples, 0 for generated ones.
            score: `(P, B)`, minus the objective's undecided score, so above 0 where D takes an example for real. With a
                relativistic objective, what the objective compares.
        """

    def penalty(self, real: Scored | None, fake: Scored | None, critic: Critic, now: Now) -> Tensor | float:
        """A term added to D's loss, `(P, B)`. A kind of examples that is not in this step of D is None."""
        return 0.0

    def select_g_loss(self, loss: Tensor, score: Tensor, now: Now) -> Tensor:
        """The losses that G learns from: `(P, K)` of all losses `(P, B)`, given D's scores `(P, B)`."""
        return loss

    def gradients(self, gradients: Sequence[Tensor], norms: Tensor, who: Who, now: Now) -> Sequence[Tensor]:
        """The gradients for a player's optimizer step; `norms` `(P,)` are each member's Euclidean norms before it."""
        return gradients

    def step(self, optimizer: Optimizer, who: Who, now: Now) -> Optimizer:
        """The optimizer for a player's step. Raises UsageError for one that it cannot change."""
        return optimizer

    def weights(self, weights: Sequence[Tensor], who: Who, now: Now) -> None:
        """Called after a player's step; may change its weights, or the trick's state, in place."""

    def averaged(self, memory: Memory) -> Sequence[Tensor] | None:
        """Weights to sample G with instead of its trained ones, in the same order; None from a trick that has none."""
        return None


def __getattr__(name: str) -> Any:
    return catalogue.exported(__name__, name)


def __dir__() -> list[str]:
    return catalogue.exports(__name__)
