"""Whose a step is where both players have one optimizer between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from torch import nn
from torch.optim import Optimizer

from sparring.record.loop import OptimizerFacts, Who
from sparring.training.watch.examination import has_gradient
from sparring.training.watch.provenance import FAKE
from sparring.training.watch.rounds import ALL_BUT, MIN_STEPS, Loss

CLEAR = 0.5
"""Size of a mean sign, from 0 to 1, above which a loss pulls scores one way."""


def pulls_both_ways(loss: Loss) -> bool:
    """Whether one loss has D's part, which pulls scores of G's examples one way, and G's, which pulls them the other.

    Where gradients are turned round on their way to G, there is D's part alone.
    """
    signs = loss.signs.get(FAKE, [])
    return any(sign > CLEAR for sign in signs) and any(sign < -CLEAR for sign in signs)


class OneOptimizer:
    """Where both were given the very same optimizer and no other, tells its steps apart by the losses before them.

    A step is of the players whose weights have gradients. One that follows from G's loss alone is G's, even where that
    loss has left gradients in D too: these are what the mistake is. Where no loss is D's alone, as with gradient
    reversal, one loss may be both players'.
    """

    def __init__(self, players: Mapping[Who, nn.Module], optimizers: Mapping[Who, Sequence[Optimizer]]):
        some = [*optimizers["G"], *optimizers["D"]]
        self.is_one = len(some) == 2 and some[0] is some[1]
        self._players = players
        self._of_d: set[str] = set()
        """What losses see that reach D and not G."""
        self._mixed: list[bool] = []
        """Of each closely watched step of G's, whether its loss had left gradients in D as well."""
        self._known: list[Sequence[Who]] = []
        """Whose the steps of the last closely watched round were."""
        self._at = 0
        """Steps of this round so far."""

    def steppers(self, who: Who, losses: Sequence[Loss], closely: bool) -> Sequence[Who]:
        """Whose step of this optimizer begins, that a player was given: D's before G's, which ends a round.

        Args:
            who: The player.
            losses: Those since the last step.
            closely: Whether whose weights these reach was looked up.
        """
        if not self.is_one:
            return (who,)
        if closely:
            self._known = [*self._known[: self._at], self._of(losses)]
        found = self._known[self._at] if self._at < len(self._known) else self._moved()
        self._at = 0 if "G" in found else self._at + 1
        return found

    def _moved(self) -> Sequence[Who]:
        both: Sequence[Who] = ("D", "G")
        return tuple(who for who in both if has_gradient(self._players[who])) or both

    def _of(self, losses: Sequence[Loss]) -> Sequence[Who]:
        moved = self._moved()
        # What was back-propagated before D's gradients were cleared for the last time moves nothing of D.
        cleared = [k for k, loss in enumerate(losses) if k and not loss.had_gradients.get("D", True)]
        owners = [loss.owner for loss in losses if loss.reaches]
        self._of_d |= {loss.sees for loss in losses if loss.reaches and loss.owner == "D"}
        knows_d = "both" in self._of_d or {"real", "fake"} <= self._of_d
        if "G" in moved:
            left = [loss for loss in losses[max(cleared, default=0) :] if loss.reaches]
            of_both = [loss for loss in left if loss.owner is None and (knows_d or pulls_both_ways(loss))]
            self._mixed.append("D" in moved and bool(of_both))
        is_g_alone = knows_d and bool(owners) and "D" not in owners
        return ("G",) if len(moved) == 2 and is_g_alone else moved

    @property
    def _mixes(self) -> bool:
        """Whether nearly all steps of G's move D by G's loss."""
        return sum(self._mixed) >= max(MIN_STEPS, ALL_BUT * len(self._mixed))

    def facts_of(self, now: OptimizerFacts) -> OptimizerFacts:
        """An optimizer's facts, where it is both players' with what it does to D by G's loss and not what it holds."""
        if not self.is_one:
            return now
        return replace(now, both=True, others=now.others if now.player == "G" and self._mixes else 0)
