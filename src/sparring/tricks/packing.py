from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.errors import UsageError
from sparring.tricks import Moment, Now, Shape, Trick

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class Packing(Trick):
    """D judges several examples of one kind at once, so it sees when generated ones are too much alike.

    Images are laid on one another as channels, vectors put one behind the other; a batch of B gives B / count scores.
    (The paper multiplies the batch.) Name it after tricks that are to change the examples of a pack each by itself.
    """

    count: int = 2
    """Examples in a pack."""

    touches: ClassVar[frozenset[Moment]] = frozenset({"augment"})
    reshapes: ClassVar[bool] = True
    when: ClassVar[str] = "modes are missing"
    source: ClassVar[str] = (
        "Lin et al., PacGAN: the power of two samples in generative adversarial networks, NeurIPS 2018"
    )

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"count must be at least 1, not {self.count}")

    def check(self, batch: int, classes: int) -> None:
        if batch % self.count:
            raise UsageError(f"packing by {self.count} needs a batch that {self.count} divides, not {batch}")
        if classes:
            raise UsageError("packing does not work where players are told classes: a pack has several")

    def shape(self, shape: Shape) -> Shape:
        return (self.count * shape[0], *shape[1:])

    def augment(self, x: Tensor, now: Now) -> Tensor:
        packs = x.shape[1] // self.count
        # Where D is only asked for its opinion, examples may be left over.
        return x[:, : packs * self.count].unflatten(1, (packs, self.count)).flatten(2, 3)
