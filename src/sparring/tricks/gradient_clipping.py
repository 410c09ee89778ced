from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, final

from sparring.tricks import Moment, Now, Trick, Who

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class GradientClipping(Trick):
    """A gradient that is too long is shortened, its direction kept; each member's by its own length.

    The length is the Euclidean norm over all weights of a player.
    """

    most: float = 1.0
    """Longest gradient."""
    player: Literal["both", "G", "D"] = "both"
    """Whose gradients are looked at."""

    touches: ClassVar[frozenset[Moment]] = frozenset({"gradients"})
    when: ClassVar[str] = "single steps throw a run off: the gradient's length shows spikes"
    source: ClassVar[str] = (
        "Pascanu et al., On the difficulty of training recurrent neural networks, ICML 2013, algorithm 1"
    )

    def __post_init__(self) -> None:
        if self.most <= 0:
            raise ValueError(f"most must be above 0, not {self.most}")

    def gradients(self, gradients: Sequence[Tensor], norms: Tensor, who: Who, now: Now) -> Sequence[Tensor]:
        if self.player not in ("both", who):
            return gradients
        # The same guard against a norm of 0 as in torch.nn.utils.clip_grad_norm_.
        share = (self.most / (norms + 1e-6)).clamp(max=1)
        # A lone member's weights may lack the axis P.
        return [(g * share.view(-1, *(1,) * (g.ndim - 1))).view_as(g) for g in gradients]
