from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, final

from sparring.members import shaped
from sparring.tricks import Hook, Now, Trick, Who

if TYPE_CHECKING:
    from torch import Tensor


@final
@dataclass(frozen=True)
class GradientClipping(Trick):
    """A gradient whose norm exceeds `max_norm` is scaled down to it, as torch's clip_grad_norm_ does, for each member.

    The norm is the Euclidean one over all weights of a player.
    """

    max_norm: float = 1.0
    """Largest norm of a gradient."""
    player: Literal["both", "G", "D"] = "both"
    """Whose gradients: both, G or D."""

    per_member: ClassVar[frozenset[str]] = frozenset({"max_norm"})
    hooks: ClassVar[frozenset[Hook]] = frozenset({"gradients"})
    when: ClassVar[str] = "single steps derail a run: the gradient norm has spikes"
    source: ClassVar[str] = (
        "Pascanu et al., On the difficulty of training recurrent neural networks, ICML 2013, algorithm 1"
    )

    def __post_init__(self) -> None:
        if self.max_norm <= 0:
            raise ValueError(f"max_norm must be above 0, not {self.max_norm}")

    def gradients(self, gradients: Sequence[Tensor], norms: Tensor, who: Who, now: Now) -> Sequence[Tensor]:
        if self.player not in ("both", who):
            return gradients
        # The same guard against a norm of 0 as in torch.nn.utils.clip_grad_norm_.
        share = (shaped(self.max_norm, norms) / (norms + 1e-6)).clamp(max=1)
        # A lone member's weights may lack the axis P.
        return [(g * share.view(-1, *(1,) * (g.ndim - 1))).view_as(g) for g in gradients]
