"""The facts of a loop, gathered while it is watched."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from sparring.record.loop import Batches, Latents, Line, LoopFacts, LossCall, OptimizerFacts, PlayerFacts, Who
from sparring.training.watch import examination
from sparring.training.watch.calls import Calls
from sparring.training.watch.kept import Kept
from sparring.training.watch.left_out import LeftOut
from sparring.training.watch.moments import Moments
from sparring.training.watch.one_optimizer import OneOptimizer
from sparring.training.watch.provenance import FAKE, REAL, Provenance
from sparring.training.watch.rounds import Call, Cleared, Loss, parts_of
from sparring.training.watch.severed import Severed
from sparring.training.watch.squares import Squares
from sparring.training.watch.squashing import widened
from sparring.training.watch.terms import CLASSES, Term, main_kind, scale_of

MAX_LOSS_CALLS = 24
MIN_SIGNS = 4
"""Steps from which on their losses' mean direction says something: that of a square turns round at its target."""
IN_EVAL = 8
"""Steps in a row in evaluation mode that are no slip of one step."""
MAX_GROWN = 16
"""Changes of the shape of what G makes that are looked into: one that has another shape each time is not growing."""
CLASSIFYING = frozenset({"cross_entropy", "nll_loss", "softmax", "log_softmax"})
"""Functions of scores of several classes."""
MIDDLE = 0.5
"""Between the labels 0 and 1: two calls in one line may have one each."""
SCALES = (0.5, 1.0, 2.0)
"""How D's two losses are put together: halved twice, averaged, or added."""


class Facts:
    """What is known so far; `found` puts it together."""

    def __init__(self, players: dict[Who, nn.Module], total: int = 0):
        self._players: dict[Who, PlayerFacts] = {
            who: PlayerFacts(
                name=type(examination.unwrapped(net)).__name__,
                parameters=sum(p.numel() for p in net.parameters()),
                constant=examination.constant_weights(net),
            )
            for who, net in players.items()
        }
        self.data, self.latent = Batches(total=total), Latents()
        self._modes = {who: examination.sensitive(net) for who, net in players.items()}
        self._in_eval: Counter[str] = Counter()  # steps in a row that a player made with layers in evaluation mode
        self._alike: set[bool] = set()
        """Whether the examples of a batch of G's were all the same, of all closely watched batches."""
        self.makes: tuple[int, ...] = ()  # the shape of what G makes
        self._grew = 0  # how often that has changed
        self.shared = examination.shared_parameters(players["G"], players["D"])
        self.graphs_kept = 0
        self.lost = 0
        """Steps since the last closely watched round whose calls of D nobody knew."""
        self.d_loss_reaches_g = False
        self.lines: dict[str, Line | None] = {}
        """The lines of `LoopFacts`, by their field."""
        self._scales: dict[Who, float] = {"D": 2.0}  # of each player's loss, as `LoopFacts` has it
        self.cut_by = self.error = ""
        self.d_classifies = self.is_hidden = False
        """Whether D gives a score for each of some classes, which may be as many as an example has numbers; and whether
        G cannot be called as the loop calls it, as it is given something in another way."""
        self.functions: set[str] = set()
        """Functions that were called on D's scores: `fake softplus`."""
        self._losses: dict[tuple[Any, ...], LossCall] = {}
        self._optimizers: dict[tuple[Who, int], OptimizerFacts] = {}
        self.one = OneOptimizer(players, {"G": (), "D": ()})
        self._slopes, self._learnable, self._used = 0, False, False
        self._clean: dict[str, bool] = {}
        """Whether a player had no gradients when the other's loss was last back-propagated."""
        self._steps: Counter[str] = Counter()
        self._has_losses: set[Who] = set()
        self._terms: dict[Who, set[str]] = {"G": set(), "D": set()}
        self.has_classes: set[Who] = set()
        """Whose losses have a cross-entropy of classes beside what is made of D's scores."""
        self._learns_of: set[str] = set()
        """What the losses of D's steps depend on: `real`, `fake`, `both`, or `` for what is not known."""
        self._last: Who | None = None  # who made the last closely watched step
        self._after_other: Counter[str] = Counter()
        """Steps that followed the other player's, with gradients and no loss of one's own."""
        self._signs: dict[tuple[Who, int], list[float]] = {}
        """Of each closely watched step, the mean sign of its losses' gradient with respect to D's scores."""
        self._ranges: dict[str, Tensor] = {}
        self.batches, self.calls, self.cleared, self._squares = Moments(), Calls(), Cleared(), Squares()
        self._severed, self._left_out = Severed(), LeftOut()
        self._own = Moments(in_row=True)
        """Of latent vectors that G's steps alone were made with, not those of D before them."""
        self._since_d: list[tuple[Tensor, int]] = []
        """Latent vectors of calls that G may learn from, since D's last step, each with its round."""
        self._round = 0  # of the last closely watched call of G
        self.kept, self.trend = Kept(), 0.0
        """Real examples, for the run's own copy; and by how much what D is given changes, as far as that is known."""
        self.used: set[int] = set()
        """The ids of the weights that the players' calls of this round have used; empty where that is not known."""

    # What goes through the networks.

    def see_latent(
        self, inputs: Sequence[Any], names: Sequence[str], round: int, line: Line | None, unbatched: bool
    ) -> None:
        """What G is fed in a closely watched round; the last of these values are given by the names."""
        self.latent = self.calls.see(inputs, names, round, line, unbatched) or self.latent
        self._round = round

    def see_fake(self, made: Tensor, shape: tuple[int, ...], closely: bool) -> None:
        """Examples of this shape that G made."""
        if self.makes and shape != self.makes and self._grew < MAX_GROWN:
            self._grew += 1
            self.lost += 1  # so that the next round is watched closely, and shows what D is given now
        self.makes = shape
        self._widen("G", made)
        if closely and made.shape[1:] == shape and len(made) > 1:
            self._alike.add(bool((made == made[:1]).all()))
        if closely and made.requires_grad and self.calls.z.numel():  # a G may draw its noise itself
            self._since_d.append((self.calls.z.clone(), self._round))

    def see_real(self, x: Tensor, round: int, closely: bool, comparable: bool) -> None:
        """A batch of real examples, as D is given it; `comparable` if they have the shape of what G makes."""
        shape = tuple(x.shape[1:])
        if (
            grown := comparable and shape != self.kept.shape
        ):  # as in progressive growing: what was kept is no more like it
            self.batches = Moments() if self.kept.shape else self.batches
            self.kept = Kept(shape)
        self.batches.add(x, round)
        if closely or grown:
            self.data = replace(
                self.data,
                shape=shape,
                size=max(len(x), self.data.size),
                dtype=str(x.dtype).removeprefix("torch."),
                quantiles=examination.quantiles(x),
                distinct=max(self.data.distinct, examination.distinct(x)),
            )
        if comparable:
            self.kept.add(x)
            if closely:
                self.kept.recent.add(x, self.trend)

    def see_scores(self, scores: Tensor) -> None:
        """D's scores, of whatever."""
        self._widen("D", scores)

    def rebuilds(self) -> None:
        """D gives examples: it is an autoencoder."""
        self._players["D"] = replace(self._players["D"], rebuilds=True)

    def ends(self, who: Who, squashed: str) -> None:
        """The function that limits a player's output."""
        self._players[who] = replace(self._players[who], ends_in=squashed)

    def _widen(self, who: str, values: Tensor) -> None:
        ends = torch.stack([values.detach().min(), values.detach().max()]).float()
        if who in self._ranges:
            before = self._ranges[who].to(ends.device)
            ends = torch.stack([torch.fmin(ends[0], before[0]), torch.fmax(ends[1], before[1])])  # NaN widens nothing
        self._ranges[who] = ends

    # Losses and steps.

    def see_slope(self, learnable: bool, line: Line | None) -> None:
        """The gradient of D's scores was taken."""
        self._slopes += 1
        self._learnable |= learnable
        self.lines["penalty_line"] = line

    def see_losses(self, who: Who, provenance: Provenance, losses: Sequence[Loss]) -> None:
        """The loss functions that were called on scores before a player's step, and what was back-propagated."""
        observed = provenance.observed
        called = float(sum(seen.value for seen in observed.losses))
        if who == "D" and losses and called > 0:
            kinds = {seen.sees for seen in observed.losses}
            # A step on one kind has its loss alone.
            parts = 1 if "both" in kinds or kinds in ({"real"}, {"fake"}) else 2
            scale = parts * float(sum(loss.value for loss in losses)) / called
            self._scales["D"] = min(SCALES, key=lambda each: abs(each - scale))
        self._see_terms(who, [term for loss in losses for term in loss.terms if term.weight or loss.signs])
        if main_kind(self._terms[who]) and any(loss.beside for loss in losses):
            self.has_classes.add(who)
            self._terms[who].add(CLASSES)
        for seen in observed.losses:
            target = None if seen.target is None else round(float(seen.target), 4)
            key = (who, seen.function, seen.sees, str(seen.line), target is not None and target >= MIDDLE)
            before = self._losses.get(key)
            if key in self._losses or len(self._losses) < MAX_LOSS_CALLS:
                self._losses[key] = LossCall(
                    who,
                    seen.function,
                    seen.sees,
                    seen.probability or (before is not None and before.probability),
                    target,
                    seen.score_shape,
                    seen.target_shape,
                    seen.line,
                    widened(seen.ends, before.ends if before else None),
                    seen.unchanged and (before is None or before.unchanged),
                )
        observed.losses.clear()
        self.functions |= observed.functions
        if not self.d_classifies and CLASSIFYING & {name.partition(" ")[2] for name in self.functions}:
            self.d_classifies = True
            self._players["D"] = replace(self._players["D"], rebuilds=False)
        self.lines["broadcast"] = self.lines.get("broadcast") or observed.broadcast
        self.data = replace(self.data, wraps=self.data.wraps or observed.wraps)

    def _see_terms(self, who: Who, terms: Sequence[Term]) -> None:
        """What the losses of a step are made of."""
        self._terms[who] |= {str(term) for term in terms}
        self._squares.see(who, terms)
        scale = scale_of(term for term in terms if term.kind == main_kind(self._terms[who]))
        if scale and math.isfinite(scale):
            self._scales[who] = round(scale, 3)

    def see_step(
        self,
        who: Who,
        net: nn.Module,
        optimizer: Optimizer,
        losses: Sequence[Loss],
        calls: Sequence[Call],
        line: Line | None,
    ) -> None:
        """A player is about to step."""
        other: Who = "D" if who == "G" else "G"
        now = self._players[who]
        stale = bool(losses) and all(loss.had_gradients.get(who, False) for loss in losses)  # cleared before none
        stale &= examination.has_gradient(net)
        turn = -1.0 if optimizer.param_groups[0].get("maximize") else 1.0
        for kind in (REAL, FAKE):
            if found := [turn * sign for loss in losses for sign in loss.signs.get(kind, [])]:
                self._signs.setdefault((who, kind), []).append(sum(found) / len(found))
        after_other = self._steps_after_other(who, net, losses, line)
        reached = any(loss.reaches.get(who) for loss in losses)
        flat = who == "G" and any(call.cut_by == "round" for call in calls)
        self._players[who] = replace(
            now,
            in_eval=examination.in_evaluation_mode(net),
            frozen=examination.without_gradient(net, self.used),
            no_gradient=not examination.has_gradient(net) and (flat or not reached),
            stale="other" if after_other else ("other" if self._mixed(who) else "own") if stale else "",
            stale_line=self.lines["after_other"] if after_other else losses[0].line if stale else None,
            step_line=line,
            on_real=_mean(self._signs.get((who, REAL), ())),
            on_fake=_mean(self._signs.get((who, FAKE), ())),
            loss_line=losses[-1].line if losses else now.loss_line,
            retains=bool(losses) and all(loss.retains for loss in losses),
        )
        self.cleared.see(who, losses, net)
        if who == "D":
            self._learns_of |= {loss.sees for loss in losses}
            self._see_d_step(losses, calls)
        else:
            self._severed.see(losses, calls)
            cut = next((call for call in calls if call.cut_by and call.sees == "fake"), None)
            self.cut_by, self.lines["cut"] = (cut.cut_by, cut.cut) if cut else ("", None)
        self._used |= any(loss.slope for loss in losses)
        if losses:
            self._clean[other] = not losses[0].had_gradients.get(other, True)

    def _steps_after_other(self, who: Who, net: nn.Module, losses: Sequence[Loss], line: Line | None) -> bool:
        """Whether a player that has losses of its own also steps with what the other's loss left in its gradients."""
        if losses:
            self._has_losses.add(who)
        elif who in self._has_losses and self._last not in (None, who) and examination.has_gradient(net):
            self._after_other[who] += 1
            self.lines["after_other"] = line
        self._last = who
        return self._after_other[who] >= MIN_SIGNS

    def see_mode(self, who: Who) -> None:
        """A player is about to step: whether some of its layers are in evaluation mode, in every round."""
        if all(module.training for _, module in self._modes[who]):
            self._in_eval[who] = 0
            return
        self._in_eval[who] += 1
        if self._in_eval[who] == IN_EVAL:
            named = tuple(name for name, module in self._modes[who] if not module.training)
            self._players[who] = replace(self._players[who], in_eval=named)

    def see_optimizer(
        self,
        who: Who,
        optimizer: Optimizer,
        players: Mapping[Who, nn.Module],
        optimizers: Mapping[Who, Sequence[Optimizer]],
    ) -> None:
        """One of the optimizers of a step."""
        now = self.one.facts_of(examination.optimizer_facts(who, optimizer, players, optimizers))
        self._left_out.see(who, players, optimizers)
        before, resumed = self._optimizers.get((who, id(optimizer))), examination.has_made_steps(optimizer)
        self._optimizers[who, id(optimizer)] = examination.scheduled(now, before, self._steps[who], resumed)

    def _see_d_step(self, losses: Sequence[Loss], calls: Sequence[Call]) -> None:
        self.d_loss_reaches_g = any(loss.reaches.get("G", False) for loss in losses)
        lines = {kind: next((c.line for c in calls if c.sees in (kind, "both")), None) for kind in ("real", "fake")}
        self.lines["fake_line"] = lines["fake"] or self.lines.get("fake_line")
        self.data = replace(self.data, line=lines["real"] or self.data.line, parts=parts_of(losses, self.data.parts))

    def _mixed(self, who: Who) -> bool:
        """Whether the other player's loss left gradients in this one's weights."""
        return self._clean.get(who, False) and (who == "D" or self.d_loss_reaches_g)

    def see_move(self, who: Who, moved: float, update: float) -> None:
        """What a step changed."""
        self._players[who] = replace(self._players[who], moved=moved, update=update)

    def count_step(self, who: Who) -> None:
        """A player steps."""
        self._steps[who] += 1
        for z, round in self._since_d if who == "G" else ():
            self._own.add(z, round)
        self._since_d.clear()

    def has_stepped(self, who: Who) -> bool:
        """Whether a player has made a step."""
        return self._steps[who] > 0

    # All together.

    def found(self, rounds: int) -> LoopFacts:
        """Everything, after so many rounds."""
        players = dict(self._players)
        for who, player in players.items():
            ends = self._ranges.get(who)
            span = None if ends is None else (float(ends[0]), float(ends[1]))
            players[who] = replace(
                player,
                range=span,
                steps=self._steps[who] / max(rounds, 1),
                moved=None if self.cleared.came_too_late(who) else player.moved,  # without gradients nothing does
                **self._left_out.found(who),
                lost="all" if self.cleared.loses_all(who, player.update) else "",
            )
        batches, (mean, deviation) = self.batches, self.kept.mean.found
        self.trend = batches.trend
        data = replace(
            self.data,
            mean=mean,
            deviation=deviation,
            repeats=batches.repeats,
            one_tensor=batches.one_tensor,
            spread=batches.spread,
            trend=self.trend,
        )
        players["G"] = replace(players["G"], terms=tuple(sorted(self._terms["G"])))
        players["D"] = replace(
            players["D"],
            lost=players["D"].lost or self.cleared.kind,
            lost_line=self.cleared.line if self.cleared.kind else None,
            learns_of=tuple(sorted(self._learns_of)),
            terms=tuple(sorted(self._terms["D"])),
        )
        lines = {name: line for name, line in self.lines.items() if name in _LINES}
        return LoopFacts(
            g=players["G"],
            d=players["D"],
            losses=tuple(self._losses.values()),
            optimizers=tuple(self._optimizers.values()),
            data=data,
            latent=replace(
                self.latent,
                own_repeats=self._own.repeats,
                own_renewed=self._own.renewed,
                conditions=self.is_hidden or self.latent.conditions,
            ),
            makes=self.makes,
            alike=self._alike == {True},
            shared=self.shared,
            d_loss_reaches_g=self.d_loss_reaches_g,
            d_loss_scale=self._scales["D"],
            g_loss_scale=self._scales.get("G"),
            targets=self._squares.found,
            cut_by=self.cut_by,
            cut_beside=self._severed.always,
            penalties=self._slopes,
            penalties_used=self._learnable == self._used,  # neither: the slope was only logged
            graphs_kept=self.graphs_kept,
            error=self.error,
            **lines,
        )


_LINES = {f.name for f in dataclasses.fields(LoopFacts) if "Line" in str(f.type)}


def _mean(signs: Sequence[float]) -> float | None:
    return sum(signs) / len(signs) if len(signs) >= MIN_SIGNS else None
