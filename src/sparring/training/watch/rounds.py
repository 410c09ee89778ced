"""What was observed between one optimizer step and the next, and whose it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sparring.record.loop import Line, Who
from sparring.training.watch.examination import has_gradient
from sparring.training.watch.provenance import FAKE, REAL, Trace
from sparring.training.watch.terms import Beside, Term

CLOSE, AGAIN = 12, 64
"""Rounds at the beginning that are watched closely, and how many there are later to one that is."""
APART = 37
"""Rounds by which that one comes later in each of these, so that it is at all places of a pass over the data in turn: a
pass of 64 rounds would else show the same batch again and again."""
DENSE, EVERY = 24, 10
"""Every round is logged up to the first number, and after it those that the second divides."""
SLOW = 0.2
"""Seconds of a round from which on every round is logged."""

KINDS = {"real": REAL, "fake": FAKE}
MIN_STEPS, ALL_BUT = 4, 0.9
"""From how many steps on, and which share of them, something counts as so in all of them."""
ONLY_DECAY = 1e-4
"""Size of a step over that of the weights up to which it may be weight decay alone."""
FIRST, NEARLY = 4_096, 0.999
"""Numbers of a gradient that are compared, and the cosine from which on two are multiples of each other."""
WAITING = 200
"""Steps of D without one of G after which the watch says so: critics make up to 100."""
NO_STEP = (
    "G has made no step in {steps} steps of D, so there is no round yet. Either the loop never calls step() of G's "
    "optimizer (does it call D's in its place?), or it is another one than the watch was given. D steps at {line}"
)
EXCHANGED = (
    "D makes what G is given, and is never given what G makes: G and D seem to be exchanged in sparring.watch(G, D, "
    "opt_G, opt_D). Give G and its optimizer where D and D's are, and the other way round"
)


def is_close(round: int) -> bool:
    """Whether a round, from 0 on, is watched closely."""
    return round < CLOSE or round % AGAIN == round // AGAIN * APART % AGAIN


@dataclass
class Feeding:
    """Who is given what the other one returned."""

    g_by_d: bool = False
    d_by_g: bool = False

    @property
    def is_exchanged(self) -> bool:
        """Whether G and D do each other's work. A D that also makes codes for G is given examples of G's as well."""
        return self.g_by_d and not self.d_by_g


@dataclass
class Call:
    """D was called once."""

    scores: Tensor
    """One for each example, `(B,)`, detached; the mean of a map."""
    sees: str = ""
    """`real`, `fake`, `both`, `mix` (points between real and fake), or `` where it is not known."""
    rows: np.ndarray | None = None
    """What each row is, `(B,)`."""
    cut: Line | None = None
    cut_by: str = ""
    line: Line | None = None
    logits: Tensor | None = None
    """The scores, `(B,)`, if a D whose output has the shape of its input turns out to be no autoencoder."""
    shuffled: bool = False
    """Whether real and generated examples come in another order each time."""
    barred: bool = False
    """Whether G's examples were cut off and nothing else that D was given asks for a gradient either."""
    constant: bool = False
    """Whether besides D is not trained meanwhile, so that its scores ask for none."""

    @property
    def signature(self) -> tuple[str, int]:
        """By which the same call is known in later rounds: what it sees, and how many."""
        return self.sees, len(self.scores)

    def of(self, kind: int) -> Tensor | None:
        """The scores of real or of generated examples among these."""
        whole = {REAL: "real", FAKE: "fake"}[kind]
        if self.sees == whole:
            return self.scores
        if self.sees == "both" and self.rows is not None and (chosen := np.flatnonzero(self.rows == kind)).size:
            return self.scores[chosen.tolist()]
        return None


@dataclass
class Loss:
    """A loss was back-propagated."""

    value: Tensor
    """Detached, `()`."""
    sees: str = ""
    reaches: dict[Who, bool] = field(default_factory=dict[Who, bool])
    """Whose weights it sends gradients to; empty where that was not looked up."""
    had_gradients: dict[Who, bool] = field(default_factory=dict[Who, bool])
    """Who had gradients already when it was back-propagated."""
    signs: dict[int, list[float]] = field(default_factory=dict[int, list[float]])
    """REAL, FAKE -> the signs of its gradient with respect to D's scores, from -1 to 1."""
    line: Line | None = None
    retains: bool = False
    slope: bool = False
    """Whether a penalty on D's slope is in it."""
    scored: bool = False
    """Whether it was computed from D's scores, other than as weights of what G learns from, as a reward is."""
    terms: list[Term] = field(default_factory=list[Term])
    """What it is made of, of D's scores."""
    beside: list[Beside] = field(default_factory=list[Beside])
    """What classes add to it."""
    leaves: dict[Who, bool] = field(default_factory=dict[Who, bool])
    """Whose weights had gradients, which are not all 0, right after it was."""
    left: tuple[Tensor, Tensor] | None = None
    """One of D's weights, and the first numbers of the gradients that it left there, of a loss that found none."""

    @property
    def owner(self) -> Who | None:
        """Whose loss it must be; None where both players' weights are behind it."""
        if not self.reaches:
            return None
        if not self.reaches["G"]:
            return "D"
        return None if self.reaches["D"] else "G"


def curve_of(losses: Sequence[Loss], has_classes: bool) -> Tensor:
    """The loss of a step, without what classes add to it."""
    added = [each.value for loss in losses for each in loss.beside if has_classes]
    return torch.stack([loss.value for loss in losses]).sum() - sum(added)


def split(losses: Sequence[Loss], who: Who) -> tuple[list[Loss], list[Loss]]:
    """The losses that a player's step follows from, and those that wait for the other player's step.

    Usually all are the player's. Where both players' losses are back-propagated before either steps, D's are those that
    do not reach G, provided that they see both kinds of examples: a loss on generated examples that were not detached
    reaches G too.
    """
    owners = [loss.owner for loss in losses]
    if who == "D":
        seen = "".join(loss.sees for loss, owner in zip(losses, owners, strict=True) if owner == "D")
        complete = ("fake" in seen and "real" in seen) or "both" in seen
        mine = [owner == "D" or (owner is None and not complete) for owner in owners]
    else:
        mine = [owner != "D" for owner in owners]
    if not any(mine):
        return list(losses), []
    pairs = list(zip(losses, mine, strict=True))
    return [loss for loss, is_mine in pairs if is_mine], [loss for loss, is_mine in pairs if not is_mine]


class Cleared:
    """Losses whose gradients were cleared before another one of the same step was back-propagated."""

    def __init__(self) -> None:
        self._at: dict[Who, tuple[int, int]] = {}
        """Of a player's last closely watched step, how many of how many losses were such."""
        self._lost: list[str] = []
        """Of each closely watched step of D, what it so learned nothing of: `real`, `fake`, or `` for nothing."""
        self.line: Line | None = None
        """Where the first one is that such a step of D does learn of."""
        self._gone: dict[Who, list[bool]] = {"G": [], "D": []}
        """Of each closely watched step, whether its losses had left gradients and it has none."""
        self._are_zeros: dict[Who, bool] = {}
        """Whether a player's gradients were set to 0 where they are gone, rather than taken away."""

    def follow(self, loss: Loss, before: Sequence[Loss], net: nn.Module) -> None:
        """A loss is about to be back-propagated: see what it leaves in D, where those before have left nothing."""
        if not before or loss.had_gradients.get("D", True):
            return
        weight = next((each for each in net.parameters() if each.requires_grad), None)
        if weight is None:
            return

        def left(weight: Tensor) -> None:
            handle.remove()
            loss.left = weight, _first_of(weight.grad)

        handle = weight.register_post_accumulate_grad_hook(left)

    def look_after(self, losses: Sequence[Loss], players: Mapping[Who, nn.Module]) -> None:
        """A loss, the last of these, has been back-propagated: see whom it leaves gradients to."""
        if losses and not losses[-1].leaves:
            losses[-1].leaves = {who: has_gradient(net) for who, net in players.items()}

    def see(self, who: Who, losses: Sequence[Loss], net: nn.Module) -> None:
        """A closely watched step of a player follows from these losses."""
        had_any = any(loss.reaches.get(who) and loss.leaves.get(who) for loss in losses)
        if losses:  # of a step before backward() they are those of the round before, which may not have been watched
            self._gone[who].append(had_any and not has_gradient(net))
        self._are_zeros[who] = any(p.grad is not None for p in net.parameters())
        # A loss without a slope, as a hinge that all scores are beyond, leaves no gradients either.
        found = [k for k, loss in enumerate(losses) if k and not loss.had_gradients.get(who, True)]
        at = max((k for k in found if any(loss.signs for loss in losses[:k])), default=0)
        # Whoever clears gradients to put them back later loses nothing: those of the step are then other ones.
        if any(loss.left is not None and not _along(_first_of(loss.left[0].grad), loss.left[1]) for loss in losses):
            at = 0
        self._at[who] = at, len(losses)
        if who == "G":
            return
        known = "".join(loss.sees for loss in losses[at:])
        kinds = [name for name, kind in KINDS.items() if any(kind in loss.signs for loss in losses[:at])]
        lost = [name for name in kinds if name not in known and "both" not in known]
        self._lost.append(lost[0] if lost else "")
        self.line = losses[at].line if lost else self.line

    def counted(self, who: Who, losses: Sequence[Loss]) -> Sequence[Loss]:
        """Those of a step's losses that it follows from."""
        at, count = self._at.get(who, (0, 0))
        return losses[at:] if len(losses) == count else losses

    def came_too_late(self, who: Who) -> bool:
        """Whether a player's last closely watched step came when the gradients of its losses had been cleared."""
        return self._gone[who][-1:] == [True]

    def loses_all(self, who: Who, update: float | None) -> bool:
        """Whether nearly all of a player's steps come when the gradients of its losses have been cleared.

        Args:
            who: The player.
            update: The size of its last step over that of its weights. An optimizer that has taken the gradients to a
                place of its own moves them; weight decay alone moves those a little whose gradients were set to 0.
        """
        gone = self._gone[who]
        high = ONLY_DECAY if self._are_zeros.get(who) else 0.0
        return sum(gone) >= max(MIN_STEPS, ALL_BUT * len(gone)) and (update or 0.0) <= high

    @property
    def kind(self) -> str:
        """What D's steps learn nothing of, nearly all of them: `real`, `fake`, or `` for nothing."""
        often = max(MIN_STEPS, ALL_BUT * len(self._lost))
        return next((kind for kind in KINDS if self._lost.count(kind) >= often), "")


def _first_of(gradient: Tensor | None) -> Tensor:
    if gradient is None or gradient.layout != torch.strided:  # sparse ones are not compared
        return torch.zeros(0)
    return gradient.detach().flatten()[:FIRST].float().clone()


def _along(a: Tensor, b: Tensor) -> bool:
    """Whether one is the other, or a multiple of it, as clipping leaves it."""
    return a.shape == b.shape and bool(F.cosine_similarity(a, b, dim=0) > NEARLY)


def kind_of(trace: Trace) -> str:
    """What D sees when its input has this trace."""
    if trace.sees == "both" and trace.rows is None:
        return "mix"
    return trace.sees


def as_pattern(calls: list[Call], before: Sequence[Call]) -> list[Call]:
    """D's calls before a step, to know those of later rounds by; not which rows are which, where that changes."""
    if len(before) == len(calls):
        for call, like in zip(calls, before, strict=True):
            call.shuffled = like.shuffled or not _same_rows(call.rows, like.rows)
    return calls


def recognized(calls: Sequence[Call], pattern: Sequence[Call]) -> bool:
    """Say of D's calls what the same calls saw in the last closely watched round. False where these were others."""
    if len(pattern) != len(calls):
        return False
    for call, like in zip(calls, pattern, strict=True):
        call.sees = call.sees or like.sees
        if not like.shuffled and call.rows is None and like.rows is not None and len(like.rows) == len(call.scores):
            call.rows = like.rows
    return True


def _same_rows(a: np.ndarray | None, b: np.ndarray | None) -> bool:
    """Whether the same rows are real; batches of different size say nothing."""
    return a is None or b is None or len(a) != len(b) or bool((a == b).all())


def parts_of(losses: Sequence[Loss], before: int) -> int:
    """Batches whose gradients a step of D adds up: losses on real examples, the fewest of any step but 0."""
    now = sum(loss.sees in ("real", "both") and not loss.slope for loss in losses)
    return min(now, before) if now and before else now or before
