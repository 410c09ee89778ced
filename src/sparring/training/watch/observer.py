"""Turns what the hooks observe into rounds: one row of curves for each, and the facts of the loop.

A few rounds are watched closely at first, and one now and then later: tensors are followed, graphs are walked. In the
rounds between, D's calls are known by their order, which closely watched rounds have shown.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from sparring.record.loop import Line, Who
from sparring.training.watch import examination, rounds, terms
from sparring.training.watch.facts import Facts
from sparring.training.watch.graphs import Graphs
from sparring.training.watch.lines import user_line
from sparring.training.watch.outputs import OUTPUTS, outputs_of
from sparring.training.watch.provenance import FAKE, REAL, UNKNOWN, Provenance, Trace, with_kind
from sparring.training.watch.rounds import Call, Feeding, Loss, as_pattern, kind_of, recognized, split
from sparring.training.watch.squashing import PROBABILITIES, ends_of
from sparring.training.watch.weights import WEIGHT

FEW = 3
"""Rounds in which every sound loop shows D what G makes."""

Row = dict[str, Tensor]


class Observer:
    """Receives everything, and calls `on_round` after each round with the row of its curves, or None."""

    def __init__(
        self,
        players: dict[Who, nn.Module],
        optimizers: dict[Who, Sequence[Optimizer]],
        provenance: Provenance,
        facts: Facts,
        on_round: Callable[[int, Row | None], None],
    ):
        self.players, self.optimizers = players, optimizers
        self.provenance, self.facts, self._on_round = provenance, facts, on_round
        self.round = 0
        """Rounds played."""
        self.unbatched = False
        """Whether G takes one latent vector at a time, without an axis for the batch."""
        self.closely = True
        """Whether this round is watched closely."""
        self.logged = True
        """Whether this round has a row. In others only steps are counted."""
        self.transformed = False
        """Whether a network is called inside what torch.func computes."""
        self.problems: dict[str, str] = {}
        """What cannot be known apart: a name -> a sentence."""
        self._calls: list[Call] = []
        self._losses: list[Loss] = []
        self._pattern: dict[Who, list[Call]] = {}
        """What D's calls before a player's step see, as the last closely watched round has it."""
        self._row, self._last, self._given = Row(), Row(), Row()
        self._stepped: dict[Who, set[int]] = {"G": set(), "D": set()}
        """Of a player with several optimizers, those that have made the step in hand."""
        self._waited = 0
        """Steps of D since the last one of G."""
        self._beginning = examination.snapshot(players["D"])
        """D's weights before the first round."""
        self._snapshots: dict[Who, list[Tensor]] = {}
        """Weights before the step in hand."""
        self._most_moved: dict[Who, float] = {}
        """The largest share of a player's weights that one of its steps in this round has moved."""
        self._began = time.monotonic(), time.process_time()
        self._fake: Tensor | None = None
        self._marks, self._feeding, self._graphs = dict[int, str](), Feeding(), Graphs()
        self._waits: tuple[Sequence[Any], Sequence[str], Line | None] | None = None
        """A call of G whose output shows whether its input is a batch of numbers or one vector."""
        self.ends: dict[Who, str] = {}
        """The last layer of a compiled player, which is not followed inside."""

    @property
    def stepped_d(self) -> bool:
        """Whether D has stepped last, so that what comes is G's."""
        return self._stepped_last == "D"

    # What the user says.

    def say(self, kind: str, x: Tensor) -> None:
        """`real` or `fake`: what D is about to be given."""
        self._marks[id(x)] = kind
        code = REAL if kind == "real" else FAKE
        self.provenance.mark(x, Trace(frozenset({kind}), np.full(len(x), code, np.int8)))

    def give(self, losses: dict[str, float | Tensor]) -> None:
        """The losses of this round, in place of what was observed."""
        for name, value in losses.items():
            self._given[name] = value.detach().float().reshape(()) if isinstance(value, Tensor) else torch.tensor(value)

    # Modules.

    def g_called(self, inputs: Sequence[Any], names: Sequence[str]) -> None:
        z = examination.example_in(list(inputs))
        self.unbatched = z is not None and not examination.has_batch(list(inputs))
        self._waits = (inputs, names, user_line()) if self.closely else None
        self._feeding.g_by_d |= z is not None and "score" in self.provenance.of(z).kinds
        if self._waits is not None and not self.unbatched:
            self._see_latent(*self._waits)

    def _see_latent(self, inputs: Sequence[Any], names: Sequence[str], line: Line | None) -> None:
        rows = [each[None] if self.unbatched and isinstance(each, Tensor) else each for each in inputs]
        self.facts.see_latent(rows, names, self.round, line, self.unbatched)
        self._waits = None

    def g_returned(self, inputs: Sequence[Any], output: Any) -> None:
        made = examination.example_in(output)
        if made is None:
            self.problems["G"] = "G returns no examples that a watch could find: a tensor with one row for each"
            return
        z = examination.example_in(list(inputs))
        if self.unbatched and z is not None and made.dim() > 1 and len(made) == len(z) > 1:
            self.unbatched = False  # a batch of numbers
        if self._waits is not None:
            self._see_latent(*self._waits)
        self._fake = made.detach()
        self.provenance.data_shape = tuple(made.shape if self.unbatched else made.shape[1:])
        self.provenance.unbatched = self.unbatched
        self.facts.see_fake(made, self.provenance.data_shape, self.closely)
        count = 1 if self.unbatched else len(made)
        squashed = self.provenance.of(made).squashed or self.ends.get("G", "")
        cut_by = "no_grad" if not made.requires_grad and self._trains("G") and not self.transformed else ""
        line = user_line() if self.closely else None
        fake = Trace(frozenset({"fake"}), np.full(count, FAKE, np.int8), squashed, line if cut_by else None, cut_by)
        self.provenance.mark(made, fake)
        if self.closely and squashed:
            self.facts.ends("G", squashed)

    def d_returned(self, inputs: Sequence[Any], output: Any) -> None:
        x = examination.example_in(list(inputs))
        alone = x is not None and self.unbatched and tuple(x.shape) == self.provenance.data_shape
        score = None if x is None else examination.score_in(output, 1 if alone else len(x))
        if x is None or score is None:
            if self.provenance.data_shape is None:  # G has made nothing yet that would show what a batch is
                return
            self.problems["D"] = "D returns no scores that a watch could find: floating-point numbers, a row each"
            return
        learns = score.requires_grad or not self._trains("D") or self.transformed  # what it only looks at may be noise
        trace = self._trace_of_input(x, 1 if alone else len(x), learns)
        self._feeding.d_by_g |= "fake" in trace.kinds
        classes = score.dim() == 2  # or else a sequence of words, which a cross-entropy compares too
        rebuilt = not alone and score.shape == x.shape and score[0].numel() > 1
        rebuilt &= not (classes and self.facts.d_classifies)
        if rebuilt:  # an autoencoder, whose score is how far its output is from what it was given
            self.facts.rebuilds()
            scores = _one_each((score.detach() - x.detach()).float().abs())
        else:
            scores = score.detach().float().mean()[None] if alone else _one_each(score)
        logits = _one_each(score) if rebuilt and classes else None
        call = Call(scores, kind_of(trace), trace.rows, trace.cut, trace.cut_by, logits=logits)
        self._calls.append(call)
        if self.provenance.data_shape is not None:  # before, one example may look like many
            self._see_real(call, x[None] if alone else x, trace)
        self.facts.see_scores(call.scores)
        if not self.closely:
            if self.facts.has_classes and not rebuilt and examination.is_one_score(output):
                terms.mark(score, np.full(len(call.scores), UNKNOWN, np.int8))  # which are no classes
            return
        call.line = user_line()
        call.barred = bool(call.cut_by) and not self.transformed and not examination.asks_for_gradient(inputs)
        call.constant = call.barred and not score.requires_grad and not self._trains("D")
        squashed = self.provenance.of(score).squashed or self.ends.get("D", "")
        if squashed:
            self.facts.ends("D", squashed)
        raw = squashed not in PROBABILITIES
        seen = Trace(trace.kinds | {"score"}, trace.rows, squashed, trace.cut, trace.cut_by, raw, ends=ends_of(score))
        self.provenance.mark(score, seen)
        if score.requires_grad and call.rows is not None and not rebuilt:
            self._listen_to_gradient(score, call.rows, examination.is_one_score(output))

    def _see_real(self, call: Call, x: Tensor, trace: Trace) -> None:
        """The real examples of a batch of D, as they were before noise was added."""
        if call.sees == "both" and call.rows is not None and len(call.rows) == len(x):
            x = x[np.flatnonzero(call.rows == REAL).tolist()]
        elif call.sees != "real":
            return
        elif trace.clean is not None and trace.clean.shape == x.shape:
            x = trace.clean
        if len(x):
            self.facts.see_real(x, self.round, self.closely, tuple(x.shape[1:]) == self.provenance.data_shape)

    def _trace_of_input(self, x: Tensor, count: int, learns: bool) -> Trace:
        trace = self.provenance.of(x)
        if not trace.sees and self._fake is not None and examination.same_storage(x, self._fake):
            trace = Trace(frozenset({"fake"}), np.full(count, FAKE, np.int8))
        elif not trace.sees and self.closely and learns:
            trace = Trace(frozenset({"real"}), np.full(count, REAL, np.int8))
            self.provenance.mark(x, trace)
        elif trace.sees in ("real", "fake") and (trace.rows is None or len(trace.rows) != count):
            trace = replace(trace, rows=np.full(count, REAL if trace.sees == "real" else FAKE, np.int8))
        return trace

    def _listen_to_gradient(self, score: Tensor, rows: np.ndarray, marked: bool) -> None:
        losses = self._losses
        waiting = weakref.ref(self)

        def on_gradient(gradient: Tensor) -> None:
            me = waiting()
            if me is None or not losses:
                return
            flat = _one_each(gradient.detach())
            if me.facts.d_classifies and gradient.dim() == 2 and gradient.shape[1] == 2:
                flat = gradient.detach().diff(dim=1)[:, 0]  # of a softmax, the gradients of both add up to 0
            for kind in (REAL, FAKE):
                chosen = np.flatnonzero(rows == kind).tolist()
                if chosen:
                    part = flat[chosen].double()
                    size = float(part.abs().sum())
                    if size > 0:
                        losses[-1].signs.setdefault(kind, []).append(float(part.sum()) / size)

        (terms.mark(score, rows) if marked else score).register_hook(on_gradient)

    # Backward passes and steps.

    def backward_begins(
        self, losses: Sequence[Tensor], retain: bool, inputs: Sequence[Tensor] = (), adds: bool = True
    ) -> None:
        """Losses are back-propagated: to all weights or to `inputs` alone, whose gradients are added to or replaced."""
        only = self._owners(inputs)
        if inputs and not any(only.values()):
            return
        for loss in losses:
            if loss.grad_fn is None:
                continue
            trace = self.provenance.of(loss)
            value = self.unscaled(loss).detach().float().sum()
            observed = Loss(value.clone(), trace.sees, retains=retain, slope="slope" in trace.kinds)
            observed.scored = "score" in trace.kinds and WEIGHT not in trace.kinds
            if self.closely or len(self._losses) > 1 or self._simultaneous or self._strangers:
                reaches = examination.reaches(loss, self.players)
                observed.reaches = {who: found and (not inputs or only[who]) for who, found in reaches.items()}
                if reaches and not any(reaches.values()):  # of a network that is not watched
                    self._strangers = True
                    continue
            if self.closely:
                if adds:
                    observed.had_gradients = {
                        who: examination.has_gradient(net, examination.parameters_in(self.optimizers[who]))
                        for who, net in self.players.items()
                    }
                observed.line, observed.terms = user_line(), terms.terms_of(loss, self.unscaled(loss))
                self._graphs.add(loss, self.round)
                self.facts.cleared.follow(observed, self._losses, self.players["D"])
            if self.closely or self.facts.has_classes:
                observed.beside = terms.beside(loss, self.unscaled(loss))
            self._losses.append(observed)

    def backward_ended(self) -> None:
        if self.closely:
            self.facts.cleared.look_after(self._losses, self.players)

    def _owners(self, inputs: Sequence[Tensor]) -> dict[Who, bool]:
        """Whose weights are among these."""
        asked = {id(each) for each in inputs}
        return {who: bool(asked) and any(id(p) in asked for p in net.parameters()) for who, net in self.players.items()}

    on_problem: Callable[[], None] = staticmethod(lambda: None)
    """Called where a problem must be said before the round is over."""
    unscaled: Callable[[Tensor], Tensor] = staticmethod(lambda loss: loss)
    """A loss before a GradScaler scaled it; the hooks know."""
    _simultaneous = _strangers = _is_extra = False
    _stepped_last: Who | None = None
    _early: Who | None = None
    """Whose weights were copied before a closure was evaluated."""

    def slope_taken(self, outputs: Sequence[Tensor], slopes: Sequence[Tensor], learnable: bool) -> None:
        if self.closely and any("score" in self.provenance.of(each).kinds for each in outputs):
            self.facts.see_slope(learnable, user_line())
            for slope in slopes:
                self.provenance.mark(slope, with_kind(self.provenance.of(slope), "slope"))

    def steppers(self, who: Who) -> Sequence[Who]:
        return self.facts.one.steppers(who, self._losses, self.closely)

    def step_waits(self, who: Who) -> None:
        """A step begins with a closure, whose losses it follows from; some optimizers ask for it last, or never."""
        if self.closely:
            self._snapshots[who], self._early = examination.snapshot(self.players[who]), who

    def step_begins(self, who: Who, optimizer: Optimizer) -> None:
        self.facts.see_mode(who)
        early, self._early = self._early, None
        stepped = self._stepped[who]
        if stepped and id(optimizer) not in stepped and len(stepped) < len(self.optimizers[who]):
            stepped.add(id(optimizer))  # another optimizer of the same step, whose losses are the step's
            self._losses[:] = split(self._losses, who)[1] if self._losses else []
            self._calls.clear()
            if self.closely:
                self.facts.see_optimizer(who, optimizer, self.players, self.optimizers)
            return
        self._stepped[who], self._stepped_last = {id(optimizer)}, who
        calls, self._calls = self._calls, []
        mine, rest = split(self._losses, who) if self._losses else ([], [])
        self._simultaneous = bool(rest)
        self._losses[:] = rest
        net = self.players[who]
        # One without D, as for a path length, ends no round; but while G trains alone, each is one.
        alone = not calls and not self._waited and self.facts.has_stepped("D")
        self._is_extra = who == "G" and bool(mine) and alone and not self._is_extra
        if self.closely:
            if early != who:
                self._snapshots[who] = examination.snapshot(net)
            if not self._is_extra:
                self._pattern[who] = as_pattern(calls, self._pattern.get(who, []))
            self.facts.see_optimizer(who, optimizer, self.players, self.optimizers)
            self.facts.see_step(who, net, optimizer, mine, calls, user_line())
            self.facts.see_losses(who, self.provenance, mine)
            if self.facts.d_classifies:
                for call in calls:
                    call.scores = call.scores if call.logits is None else call.logits
        elif self.logged and not self._is_extra:
            self.facts.lost += not recognized(calls, self._pattern.get(who, []))
        if self.logged and not self._is_extra:
            self._log_step(who, net, self.facts.cleared.counted(who, mine), calls)
        self.facts.count_step(who)
        self._waited = self._waited + 1 if who == "D" else 0
        if self._waited == rounds.WAITING and not self.round:
            self.problems["G's step"] = rounds.NO_STEP.format(steps=rounds.WAITING, line=user_line())
            self.on_problem()

    def step_ended(self, who: Who, optimizer: Optimizer) -> None:
        if who in self._snapshots:
            net, before = self.players[who], self._snapshots[who]
            moved, update = examination.moved_by_step(net, before, self.optimizers[who], self.facts.used)
            self._most_moved[who] = max(moved, self._most_moved.get(who, 0.0))
            self.facts.see_move(who, self._most_moved[who], update)
        if who == "G" and len(self._stepped["G"]) >= len(self.optimizers["G"]):
            self._stepped["G"] = set()
            if not self._is_extra:
                self._end_round()

    def _see_d_without_step(self) -> None:
        """Whether D, which scores G's examples all the time, has not been trained at all."""
        net, before = self.players["D"], self._beginning
        if self.facts.has_stepped("D") or not self._pattern.get("G"):
            return
        for each in self.optimizers["D"]:
            self.facts.see_optimizer("D", each, self.players, self.optimizers)
        counted = examination.to_be_trained(net, self.optimizers["D"])
        self.facts.see_move("D", *examination.compared(before, examination.snapshot(net), counted))

    def _log_step(self, who: Who, net: nn.Module, losses: Sequence[Loss], calls: Sequence[Call]) -> None:
        prefix, said = who.lower(), outputs_of(calls)
        found = {} if who == "G" and "d_fake" in self._row else said
        if losses:
            found[f"{prefix}_loss"] = rounds.curve_of(losses, who in self.facts.has_classes)
        if (norm := examination.gradient_norm(net)) is not None:
            found[f"{prefix}_gradient"] = norm
        # Of D's steps the last one that saw both kinds counts; one on one kind, or for a penalty, adds what is missing.
        whole = who == "G" or all(name in said for name in OUTPUTS)
        self._row = self._row | found if whole else found | self._row

    def _end_round(self) -> None:
        self.round += 1
        row = {**self._last, **self._row, **self._given} if self._row or self._given else None
        self._last = row or self._last
        self._row, self._given = {}, {}
        if self.closely:
            self.facts.graphs_kept = self._graphs.kept(self.round)
        if self.round == FEW and self._feeding.is_exchanged:
            self.problems["exchanged"] = rounds.EXCHANGED
        if self.round == rounds.AGAIN:
            self._see_d_without_step()
        self._marks.clear()
        self._snapshots.clear()
        self._most_moved.clear()
        self._fake = None
        self._on_round(self.round, row)
        self.closely = rounds.is_close(self.round) or self.facts.lost > 0
        dense = self.round < rounds.DENSE or (self.round + 1) % rounds.EVERY == 0
        self.logged = self.closely or dense or self._rounds_are_slow()
        self.facts.lost = 0

    def _rounds_are_slow(self) -> bool:
        """Whether a round takes so long that a row for each costs nothing."""
        began, began_computing = self._began  # of a busy machine, the time that others take is not counted
        computed = min(time.monotonic() - began, time.process_time() - began_computing)
        return computed > rounds.SLOW * self.round

    def _trains(self, who: Who) -> bool:
        return any(p.requires_grad for p in self.players[who].parameters())


def _one_each(score: Tensor) -> Tensor:
    """One number for each example, detached: the mean of a map."""
    return score.detach().flatten(1).mean(1) if score.dim() > 1 else score.detach()
