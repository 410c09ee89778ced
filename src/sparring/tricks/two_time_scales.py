from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.tricks import Hook, Now, Trick, Who
from sparring.tricks._optimizers import with_setting

if TYPE_CHECKING:
    from sparring.optimizers import Optimizer


@final
@dataclass(frozen=True)
class TwoTimeScales(Trick):
    """TTUR: D has a higher learning rate than G, instead of taking several steps per step of G.

    Both converge if D stays close to its optimum for every G on the way.
    """

    factor: float = 4.0
    """Factor on D's learning rate."""

    per_member: ClassVar[frozenset[str]] = frozenset({"factor"})
    also: ClassVar[tuple[str, ...]] = ("ttur",)
    hooks: ClassVar[frozenset[Hook]] = frozenset({"step"})
    when: ClassVar[str] = "D is too weak (its output is the same for everything), and more steps of it cost too much"
    source: ClassVar[str] = (
        "Heusel et al., GANs trained by a two time-scale update rule, NeurIPS 2017, eq. 1 and theorem 1"
    )

    def __post_init__(self) -> None:
        if self.factor <= 0:
            raise ValueError(f"factor must be above 0, not {self.factor}")

    def step(self, optimizer: Optimizer, who: Who, now: Now) -> Optimizer:
        return with_setting(optimizer, "lr", lambda lr: lr * self.factor) if who == "D" else optimizer
