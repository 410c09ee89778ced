"""The watch itself: a context manager around a loop of the user's own."""

from __future__ import annotations

import time
import weakref
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from torch import Tensor, nn
from torch.optim import Optimizer

from sparring.analysis.diagnosis import Diagnosis, diagnosis
from sparring.errors import SparringError, UsageError, in_one_line
from sparring.judges import names as judges
from sparring.languages import Text
from sparring.progress import say
from sparring.record import RunFolder
from sparring.record.loop import Who
from sparring.training.watch.examination import is_compiled, last_layer, parameters_in, unwrapped
from sparring.training.watch.facts import Facts
from sparring.training.watch.given import Given
from sparring.training.watch.hooks import Hooks
from sparring.training.watch.lines import line_at, user_line
from sparring.training.watch.observer import Observer, Row
from sparring.training.watch.one_optimizer import OneOptimizer
from sparring.training.watch.provenance import Provenance
from sparring.training.watch.recorder import Recorder, free_folder
from sparring.training.watch.rounds import is_close
from sparring.training.watch.samples import Samples

Optimizers = Optimizer | Sequence[Optimizer]
ONLY_WITH = "put your loop into the block of `with sparring.watch(G, D, opt_G, opt_D) as watch:`"
BUG = "bug-"
"""How the names of rules begin that find mistakes in a loop."""


class Watch:
    """Watches a GAN's training loop: records it as a run, and names what is wrong while it trains.

    Use it as a context manager around the loop. What the loop computes stays the same bit for bit.

    Args:
        generator: G, as the loop calls it.
        discriminator: D, as the loop calls it.
        generator_optimizer: G's optimizer, or several.
        discriminator_optimizer: D's optimizer, or several.
        data: The real examples, where they are at hand: a tensor, an array, a Dataset or a DataLoader. It tells how
            many there are; of a tensor or an array the run keeps some, else of those that D is given. It is never
            iterated over.
        out: The run's folder. A run that is there already stays; the new one is put beside it, and that is said.
        name: The run's name in lists; the folder's by default.
        judge: Whose features samples are compared with the data by while the loop runs: `digits`, `mnist`,
            `fashion-mnist` for such data. By default images are compared without one; `sparring measure` trains one.

    Raises:
        UsageError: An argument is of another kind, or `out` holds something that is no run.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        generator_optimizer: Optimizers,
        discriminator_optimizer: Optimizers,
        data: Any = None,
        out: str | Path = "runs/mine",
        name: str = "",
        judge: str | None = None,
    ):
        self._players: dict[Who, nn.Module] = {"G": _module(generator, "G"), "D": _module(discriminator, "D")}
        self._optimizers: dict[Who, Sequence[Optimizer]] = {
            "G": _optimizers(generator_optimizer, "G"),
            "D": _optimizers(discriminator_optimizer, "D"),
        }
        _refuse_exchanged(self._players, self._optimizers)
        if judge and judge not in judges():
            raise UsageError(
                f"sparring.watch(..., judge={judge!r}): no judge is called so; there are {', '.join(judges())}. "
                "Without judge=, `sparring measure` trains one on the real examples"
            )
        self._data, self._asked, self._judge = data, Path(out), judge
        self._name = name or self._asked.name
        self._said: set[str] = set()
        self._broken = ""
        self._diagnosed = 0.0
        """Seconds that the last diagnosis took."""
        self.trouble: Exception | None = None
        """What ended the watch before the loop; None as it should be."""
        self._entered = False
        self._unused = weakref.finalize(self, say, f"sparring watched nothing: {ONLY_WITH}")

    # Around the loop.

    def __enter__(self) -> Self:
        if self._entered:
            raise UsageError("this watch has been used: make another one with sparring.watch(...)")
        self._entered = True
        self._unused.detach()
        out = free_folder(self._asked)
        if out != self._asked:
            earlier = RunFolder(self._asked).story
            say(
                f"{self._asked} holds an earlier run ({earlier.status}, round {earlier.round:,}), which stays; "
                f"this one goes to {out}"
            )
        line = user_line()
        networks: dict[Who, nn.Module] = {who: unwrapped(net) for who, net in self._players.items()}
        self._recorder = Recorder(out, self._name, networks, str(line) if line else "")
        given = Given(self._data)
        self._facts = Facts(networks, given.count)
        self._provenance = Provenance()
        self._observer = Observer(networks, self._optimizers, self._provenance, self._facts, self._on_round)
        self._hooks = Hooks(self._observer, self._provenance, self._fail)
        self._observer.ends = {who: last_layer(networks[who]) for who, net in self._players.items() if is_compiled(net)}
        self._observer.on_problem = self._say_problems
        self._observer.unscaled = self._hooks.unscaled
        self._facts.calls.of_classes, self._facts.used = self._provenance.of_classes, self._provenance.used
        self._samples = Samples(networks["G"], self._hooks, self._recorder, self._facts, given, self._judge)
        self._hooks.after_d, self._hooks.after_g = self._samples.classes.see, self._samples.made_in_loop.see
        one = self._facts.one = OneOptimizer(networks, self._optimizers)
        listened: dict[Who, Sequence[Optimizer]] = {"G": self._optimizers["G"]} if one.is_one else self._optimizers
        self._hooks.install(self._players["G"], self._players["D"], listened)
        self._hooks.follow()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._hooks.remove()
        try:
            self._end(error, where)
        except Exception as trouble:  # the loop's own error, if there is one, is the one to see
            self._fail(trouble)

    # What the user may say.

    def real(self, x: Tensor) -> Tensor:
        """Say that a batch, which D is about to be given, is real.

        Args:
            x: `(B, ...)`.

        Returns:
            The same tensor.
        """
        self._inside("real").say("real", x)
        return x

    def fake(self, x: Tensor) -> Tensor:
        """Say that a batch, which D is about to be given, was generated.

        Args:
            x: `(B, ...)`.

        Returns:
            The same tensor.
        """
        self._inside("fake").say("fake", x)
        return x

    def losses(self, d: float | Tensor | None = None, g: float | Tensor | None = None) -> None:
        """Say the losses of this round, in place of what was back-propagated.

        Args:
            d: D's, one number.
            g: G's.

        Raises:
            UsageError: One of them is not one number.
        """
        given = {"d": d, "g": g}
        some = {f"{who}_loss": _one_number(value, who) for who, value in given.items() if value is not None}
        self._inside("losses").give(some)

    @property
    def run(self) -> RunFolder:
        """The run's folder; `sparring.Run(watch.run)` has its curves, samples and report."""
        self._inside("run")
        return self._recorder.run

    def _inside(self, name: str) -> Observer:
        """What receives it; raises UsageError where the watch has not begun."""
        if not self._entered:
            raise UsageError(f"watch.{name} works once the watch has begun: {ONLY_WITH}")
        return self._observer

    # Rounds.

    def _on_round(self, round: int, row: Row | None) -> None:
        if row is not None:
            self._recorder.add(round, row)
        if self._provenance.trouble is not None:
            raise self._provenance.trouble
        observer = self._observer
        news = observer.closely and self._recorder.learn(self._facts.found(round), self._facts.functions, round)
        self._provenance.used.clear()
        self._say_problems()
        if self._recorder.due or round in (1, 12):
            self._record(round, news)
        if not self._recorder.run.exists:
            return
        if is_close(round) or self._facts.lost > 0:
            self._hooks.follow()
        else:
            self._hooks.stop_following()

    def _record(self, round: int, news: bool) -> None:
        recorder = self._recorder
        recorder.flush(round, self._samples.made(round))
        recorder.save(round)
        self._samples.keep()
        if news or recorder.afford(self._diagnosed):
            began = time.process_time()
            self._say_bugs()
            self._diagnosed = time.process_time() - began
            recorder.spent += self._diagnosed

    def _end(self, error: BaseException | None, where: TracebackType | None) -> None:
        observer, recorder = self._observer, self._recorder
        self._say_problems()
        if error is not None and not isinstance(error, KeyboardInterrupt | SystemExit):
            self._facts.error = in_one_line(Exception(f"{type(error).__name__}: {error}"))
            self._facts.lines["error_line"] = _line_of(where)
            self._facts.see_losses("D" if not observer.stepped_d else "G", self._provenance, ())
        if self._broken:
            if recorder.run.exists:
                recorder.end("stopped", observer.round)
            return
        if not observer.round and not self._facts.error:
            say(
                "sparring saw no whole round of this loop, so there is no run: G made no step, which ends a round. "
                "Does the loop call step() of the optimizer that the watch was given for G?"
            )
            return
        facts = self._facts.found(observer.round)
        recorder.learn(facts, self._facts.functions, observer.round)
        recorder.conclude(facts, self._facts.functions, observer.round)
        recorder.save(observer.round, force=True)
        self._samples.keep(last=True)
        recorder.learn(self._facts.found(observer.round), self._facts.functions, observer.round, exactly=True)
        recorder.flush(observer.round, self._samples.made(observer.round, last=True))
        recorder.end("stopped" if error is not None else "finished", observer.round)
        found = self._say_bugs()
        say(Text.joined([found.line, f"sparring show {recorder.run.path}"], "\n"))

    # What is said.

    def _say_problems(self) -> None:
        data = self._facts.data
        if not data.total and self._facts.batches.repeats > 0.5 and self._facts.batches.one_tensor:
            self._observer.problems["data"] = (
                f"D is given the same {data.size:,} real examples in every round. If they are all there are, that is "
                "right; if not, take a new batch in every round. sparring.watch(..., data=all_of_them) tells the watch"
            )
        for name, sentence in self._observer.problems.items():
            self._say(f"problem {name}", f"sparring: {sentence}")

    def _say_bugs(self) -> Diagnosis:
        """Each bug once, as soon as it is found. Returns the diagnosis."""
        found = diagnosis(self._recorder.run.story)
        for finding in found.findings:
            if finding.rule.startswith(BUG):
                self._say(finding.rule, f"sparring: {finding.rule}: {finding.claim}")
        return found

    def _say(self, key: str, line: str) -> None:
        if key not in self._said:
            self._said.add(key)
            say(line)

    def _fail(self, error: Exception) -> None:
        """The watch is over; the loop goes on."""
        if self._broken:
            return
        self.trouble, self._broken = error, in_one_line(error)
        self._hooks.remove()
        reason = self._broken if isinstance(error, SparringError) else f"a fault in the watch ({self._broken})"
        say(f"sparring no longer watches: {reason}. Your loop goes on unchanged")


def _module(value: Any, who: Who) -> nn.Module:
    if not isinstance(value, nn.Module):
        raise UsageError(f"sparring.watch(G, D, opt_G, opt_D): {who} is an nn.Module, not {type(value).__name__}")
    return value


def _optimizers(value: Any, who: Who) -> Sequence[Optimizer]:
    some = list(value) if isinstance(value, Iterable) else [value]
    found = [_inner(each) for each in some]
    for each in found:
        if not isinstance(each, Optimizer):
            raise UsageError(
                f"sparring.watch(G, D, opt_G, opt_D): opt_{who} is an optimizer, not {type(each).__name__}"
            )
    return found


def _refuse_exchanged(players: dict[Who, nn.Module], optimizers: dict[Who, Sequence[Optimizer]]) -> None:
    """Raise UsageError where each player's optimizers have the other's weights alone."""
    of_g, of_d = ({id(p) for p in players[who].parameters()} for who in players)
    in_g, in_d = (parameters_in(optimizers[who]) for who in optimizers)
    if in_g and in_d and in_g <= of_d - of_g and in_d <= of_g - of_d:
        raise UsageError(
            "sparring.watch(G, D, opt_G, opt_D): opt_G and opt_D are exchanged: opt_G has D's weights and opt_D has "
            "G's. Exchange them in this call, or where they are made"
        )


def _one_number(value: Any, who: str) -> float | Tensor:
    """A loss as it was given; raises UsageError for anything but one number."""
    if isinstance(value, Tensor) and value.numel() == 1:
        return value
    if isinstance(value, int | float | np.number) or (isinstance(value, np.ndarray) and value.size == 1):
        return float(np.asarray(value).item())
    has_shape = isinstance(value, Tensor | np.ndarray)
    found = f"a tensor of shape {tuple(value.shape)}" if has_shape else type(value).__name__
    raise UsageError(f"watch.losses({who}=...) takes one number, not {found}: give the mean of it, as loss.mean()")


def _inner(optimizer: Any) -> Any:
    """The optimizer inside what accelerate or Lightning made of it."""
    inner = getattr(optimizer, "optimizer", None)
    return _inner(inner) if isinstance(inner, Optimizer) else optimizer


def _line_of(where: TracebackType | None) -> Any:
    """The user's innermost line of a traceback."""
    from sparring.training.watch.lines import is_users

    found = None
    while where is not None:
        file = where.tb_frame.f_code.co_filename
        if is_users(file):
            found = line_at(file, where.tb_lineno)
        where = where.tb_next
    return found
