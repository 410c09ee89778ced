from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.errors import UsageError
from sparring.tricks import Hook, Now, Shape, Trick

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class Packing(Trick):
    """PacGAN: D scores several examples of one kind together, so it notices when generated ones are too similar.

    The examples of a pack are concatenated along their first axis (channels of images); a batch of B gives B / count
    scores. (The paper enlarges the batch instead.) List it after tricks that change single examples.
    """

    count: int = 2
    """Examples per pack."""

    at_start: ClassVar[frozenset[str]] = frozenset({"count"})
    hooks: ClassVar[frozenset[Hook]] = frozenset({"augment"})
    reshapes: ClassVar[bool] = True
    when: ClassVar[str] = "modes of the data are missing from the samples"
    source: ClassVar[str] = (
        "Lin et al., PacGAN: the power of two samples in generative adversarial networks, NeurIPS 2018"
    )

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"count must be at least 1, not {self.count}")

    def check(self, batch: int, classes: int) -> None:
        if batch % self.count:
            raise UsageError(
                f"packing by {self.count} needs a batch size that is a multiple of {self.count}, not {batch}"
            )
        if classes:
            raise UsageError("packing does not work with classes or clusters (a pack has several of them): drop one")

    def shape(self, shape: Shape) -> Shape:
        return (self.count * shape[0], *shape[1:])

    def augment(self, x: Tensor, now: Now) -> Tensor:
        packs = x.shape[1] // self.count
        # In an evaluation the number of examples need not be a multiple of the pack's.
        return x[:, : packs * self.count].unflatten(1, (packs, self.count)).flatten(2, 3)
