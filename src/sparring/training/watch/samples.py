"""Pictures of what a watched G makes: the same latent vectors again and again, in evaluation mode, without a trace."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sparring.errors import SparringError, in_one_line, shortened
from sparring.game.network_graph import graph_of
from sparring.progress import say
from sparring.record.files import save_arrays
from sparring.record.grid import save_grid
from sparring.record.journal import json_numbers
from sparring.record.loop import EXAMPLES, GENERATOR, INPUTS, SAME_ROWS, UNORDERED, Batches
from sparring.record.plots import Numbers
from sparring.training.watch.calls import Called, classes_for, without_wrapper
from sparring.training.watch.examination import example_in
from sparring.training.watch.facts import Facts
from sparring.training.watch.given import Given
from sparring.training.watch.hooks import Hooks
from sparring.training.watch.made_in_loop import MadeInLoop
from sparring.training.watch.quality import Quality
from sparring.training.watch.real_classes import RealClasses
from sparring.training.watch.recent import are_others
from sparring.training.watch.recorder import Recorder
from sparring.training.watch.recurring import as_in_the_data

GRID, EVALUATED = 64, 256
"""Samples in a picture, and in an evaluation; the picture's are the first of these."""
MAX_VALUES = 16
"""Values per example up to which the journal contains an example itself, and a picture has numbers or a pattern."""
PLOTTED = 512
"""Real examples that samples are drawn over, where they are plain numbers."""
NONE = np.empty((0, 0))
PATTERNS = 8
"""Samples in a picture of patterns, each in a row of its own."""
PICTURE_SECONDS = 10.0
"""Between two pictures, at least."""
EXPORT_SECONDS = 6.0
"""What writing down G's operations takes, about."""
FIRST = (1, 12)
"""Rounds that have a picture whatever it takes."""


class Samples:
    """Draws samples, keeps real examples, and evaluates where that is affordable."""

    def __init__(self, g: nn.Module, hooks: Hooks, recorder: Recorder, facts: Facts, given: Given, judge: str | None):
        self._g, self._hooks, self._recorder, self._facts, self._given = g, hooks, recorder, facts, given
        self._quality = Quality(recorder, judge)
        self.classes = RealClasses(facts)
        self._z: Tensor | None = None
        self._drawn, self._took = float("-inf"), 0.0
        self._written = self._kept = self._has_grown = False
        self._source = facts.kept
        """Whose examples these are, of which there are others once their shape has changed."""
        self._refused = self._is_alone = False
        """Whether it was said that samples cannot be drawn, or not compared."""
        self._judge = judge
        self.made_in_loop = MadeInLoop(EVALUATED)
        self._real: np.ndarray | None = None
        """Some of the real examples, once these are kept."""
        self._shown: np.ndarray | None = None
        """Those that samples are compared with where what D is given has changed."""

    def made(self, round: int, last: bool = False) -> dict[str, Any]:
        """The fields of a log event that samples give; empty where it is too early for another picture."""
        due = time.monotonic() - self._drawn > PICTURE_SECONDS and self._recorder.afford(self._took)
        if not (due or last or round in FIRST):
            return {}
        self._begin_anew_if_grown()
        began = time.process_time()
        examples = self._drawn_if_possible(EVALUATED if self._kept else GRID)
        if examples is None:
            self._drawn, self._took = time.monotonic(), time.process_time() - began
            self._recorder.spent += self._took
            return {}
        fields = self._save(round, examples[:GRID])
        is_alike = examples.shape[1:] == self._source.shape  # of its last call G may have made others
        if self._kept and round not in FIRST and is_alike:
            fields |= self._compared(round, self._in_data_units(examples))
        self._drawn, self._took = time.monotonic(), time.process_time() - began
        self._recorder.spent += self._took
        return fields

    def _compared(self, round: int, samples: np.ndarray) -> dict[str, Any]:
        """How good samples are; empty where they cannot be compared, which is said once."""
        if self._is_alone:
            return {}
        try:
            return self._quality.fields(self._facts.found(round), samples)
        except SparringError as error:
            say(f"sparring: samples are not compared with the data while the loop runs: {error}")
            self._is_alone = True
            return {}

    def _drawn_if_possible(self, count: int) -> np.ndarray | None:
        """Samples, or the last that the loop made while none can be drawn, which is said once; None without any."""
        why, wanted = "", self.made_in_loop.wanted
        try:
            if self._facts.latent.shape and (examples := self.draw(count)) is not None:
                self.made_in_loop.wanted = self._facts.is_hidden = False  # what went wrong has passed
                return examples
        except Exception as error:  # G is somebody's own, and may take only what the loop gives it
            why = f": {shortened(in_one_line(error), 160)}"
        if not self._refused and self._facts.makes:
            known = "calling it as the loop does fails" if why else "it is given no batch of floating-point numbers"
            say(f"sparring: samples of G cannot be drawn, so the last that the loop makes stand for them: {known}{why}")
            self._refused = True
        self.made_in_loop.wanted = self._facts.is_hidden = self._refused
        return self.made_in_loop.last if wanted else None

    def _save(self, round: int, examples: np.ndarray) -> dict[str, Any]:
        unit = self._in_data_units(examples)[None]
        name = f"samples/round-{round:09d}.png"
        shaped = unit if unit.ndim == 5 else unit.reshape(1, len(unit[0]), -1)
        are_few = unit[0, 0].size <= MAX_VALUES
        numbers = self._numbers(round) if are_few else None
        if are_few and numbers is None:
            shaped = shaped[:, :PATTERNS]
        self._recorder.run.write(name, lambda path: save_grid(shaped, path, [0], numbers=numbers))
        return {"picture": name} | ({"outputs": json_numbers(unit[:, 0])} if are_few else {})

    def _numbers(self, round: int) -> Numbers | None:
        """What examples of a few numbers are drawn over; None for a pattern, whose numbers are levels of gray."""
        if self._facts.found(round).data.are_patterns:
            return None
        seen = self._facts.kept.examples if self._real is None else [self._real]
        return Numbers(np.concatenate([each.reshape(len(each), -1) for each in seen])[:PLOTTED] if seen else NONE)

    def _in_data_units(self, examples: np.ndarray) -> np.ndarray:
        low, high = self._facts.data.span
        return (examples - low) / (high - low)

    def keep(self, last: bool = False) -> None:
        """Write what the run is read with elsewhere: some real examples, and G's operations, each when affordable."""
        self._begin_anew_if_grown()
        self._keep_examples(last)
        self._renew(last)
        run, facts = self._recorder.run, self._facts
        if self._written or not facts.latent.shape or not (last or self._recorder.afford(EXPORT_SECONDS)):
            return
        began = time.process_time()
        self._written = True
        with self._hooks.unnoticed(), _as_it_was(self._g):
            try:
                run.write_text(GENERATOR, json.dumps(self._graph(), separators=(",", ":")))
                if facts.latent.law in ("", SAME_ROWS) and facts.calls.kept:
                    state = {"inputs": facts.calls.latent_vectors.numpy()}
                    run.write(INPUTS, lambda path: save_arrays(state, path, {}))
            except SparringError as error:
                say(f"sparring: samples can be drawn in this process only: G {error}")
        self._recorder.spent += time.process_time() - began

    def _graph(self) -> dict[str, Any]:
        """G's operations for latent vectors, and classes. Raises SparringError where it takes more, or has others."""
        facts = self._facts
        inputs, alone = latent_inputs(facts, 2, torch.empty(0)), facts.latent.unbatched
        shown = [each[0] for each in inputs] if alone else inputs
        if facts.calls.are_plain:
            return graph_of(self._g, shown, batched=not alone)
        if not facts.calls.are_of_classes:
            raise SparringError("is given more than latent vectors and classes, which a run cannot draw by itself")
        return without_wrapper(graph_of(Called(self._g, facts.calls), shown, batched=not alone))

    def _begin_anew_if_grown(self) -> None:
        """Forget the real examples, and G's operations, of another shape than D is given by now."""
        if self._source is self._facts.kept:
            return
        self._has_grown, self._source = bool(self._source.shape), self._facts.kept
        if self._has_grown:
            self._written = self._kept = self._is_alone = False
            self._real = self._shown = None
            self._quality = Quality(self._recorder, self._judge)

    def _keep_examples(self, last: bool) -> None:
        facts, source = self._facts, self._source
        if self._kept or not source.examples:
            return
        seen = self.classes.of(sum(map(len, source.examples)), facts.latent.classes)
        given = self._given.some(source.max_given, np.concatenate(source.examples))
        without_classes = seen is not None and self._given.classes_of_some(1) is None
        if (given is None or without_classes) and not (last or source.is_complete):
            return
        if without_classes and source.is_complete:
            given = None
        self._kept = True
        examples = np.concatenate(source.examples) if given is None else given
        if given is None and self._given.differ(examples):
            facts.data = replace(facts.data, given_differ=True)
            say(
                "sparring: the examples in data= are not those that D is given (the tails of their distributions "
                "differ), so samples are compared with what D is given"
            )
        classes = self._given.classes_of_some(len(examples)) if given is not None else seen
        finite = np.isfinite(examples.reshape(len(examples), -1)).all(1)
        if not finite.all():
            say(
                f"sparring: {(~finite).mean():.0%} of the real examples have a number that is NaN or infinite: drop "
                "them, or D's loss becomes NaN too; samples are compared with the others"
            )
            examples, classes = examples[finite], None if classes is None else classes[finite]
        if not len(examples):
            return
        self._real = examples[np.linspace(0, len(examples) - 1, min(PLOTTED, len(examples))).astype(int)]
        facts.data = replace(facts.data, labeled=classes is not None)
        state = _as_stored(examples, classes, facts.data)
        self._recorder.run.write(EXAMPLES, lambda path: save_arrays(state, path, {}))
        source.examples.clear()

    def _renew(self, last: bool) -> None:
        """Keep what D is given now, where that is no more what it was given first."""
        facts = self._facts
        has_changed = self._kept and facts.trend > UNORDERED and not facts.data.total
        now = facts.kept.recent.steady() if has_changed else None
        is_new = now is not None and (self._shown is None or are_others(self._shown, now))
        if now is not None and is_new and (last or self._recorder.afford(self._quality.seconds)):
            self._real = self._shown = now
            self._quality = Quality(self._recorder, self._judge)
            state = _as_stored(now, None, facts.data)
            self._recorder.run.write(EXAMPLES, lambda path: save_arrays(state, path, {}))
            facts.data = replace(facts.data, labeled=False)
        is_renewed = self._has_grown or (now is not None and (self._shown is now or not is_new))
        facts.data = replace(facts.data, renewed=is_renewed)

    @torch.no_grad()
    def draw(self, count: int) -> np.ndarray | None:
        """Samples `(count, ...)` of the same latent vectors each time, as G makes them; None where it makes none."""
        with self._hooks.unnoticed(), _as_it_was(self._g), _as_in_evaluation(self._g):
            shape = self._facts.latent.shape
            if self._z is None or len(self._z) < count or self._z.shape[1:] != shape:
                self._z = latent_inputs(self._facts, count, next(self._g.parameters(), torch.empty(0)))[0]
            made = self._call(self._z)
        return None if made is None else made.float().cpu().numpy()

    def _call(self, z: Tensor) -> Tensor | None:
        """G of a batch; of one example after the other where it takes no batches."""
        calls = self._facts.calls
        if not self._facts.latent.unbatched:
            return self._made_of(*calls.arguments(z))
        one_by_one = [self._made_of(*calls.arguments(z, row=row)) for row in range(len(z))]
        return torch.stack([each for each in one_by_one if each is not None])

    def _made_of(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
        return example_in(self._g(*args, **kwargs))


def _as_stored(examples: np.ndarray, classes: np.ndarray | None, data: Batches) -> dict[str, np.ndarray]:
    """Examples as often as the data has them, images as bytes, others as they are; and their classes where known."""
    if data.are_images:
        low, high = data.span
        examples = np.clip((examples - low) * (255 / (high - low)), 0, 255).round().astype(np.uint8)
    kept = as_in_the_data(examples.reshape(len(examples), -1), data.are_images)
    return {"examples": examples[kept]} | ({} if classes is None else {"classes": classes[kept]})


def latent_inputs(facts: Facts, count: int, like: Tensor) -> tuple[Tensor, ...]:
    """Latent vectors by the law that G's own follow, or some of these where it has no name; and classes, one-hot or as
    whole numbers, where G is given such."""
    latent = facts.latent
    generator = torch.Generator().manual_seed(0)
    shape = (count, *latent.shape)
    if latent.law == "uniform":
        z = torch.rand(shape, generator=generator) * (latent.high - latent.low) + latent.low
    elif latent.law == "constant":
        z = torch.full(shape, latent.low)
    elif latent.law in ("", SAME_ROWS) and facts.calls.kept:  # pictures, say: G is fed some of those again
        z = facts.calls.latent_vectors[:count]
    else:
        z = torch.randn(shape, generator=generator)
    z = z.to(like.device, like.dtype)
    if not latent.classes:
        return (z,)
    classes = classes_for(len(z), latent.classes, latent.shares).to(like.device)
    return z, torch.nn.functional.one_hot(classes, latent.classes).to(z.dtype) if latent.one_hot else classes


@contextmanager
def _as_it_was(module: nn.Module) -> Generator[None]:
    """After the block, random states and buffers are what they were, whatever a forward of somebody's own does."""
    states = random.getstate(), np.random.get_state()  # noqa: NPY002 - that of somebody's own forward
    buffers = [(each, each.detach().clone()) for each in module.buffers()]
    try:
        with torch.random.fork_rng(devices=_devices(module)):
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        with torch.no_grad():
            for each, before in buffers:
                if not torch.equal(each, before):
                    each.copy_(before)


@contextmanager
def _as_in_evaluation(module: nn.Module) -> Generator[None]:
    """Evaluation mode inside the block; afterwards every module is in the mode it was in."""
    modes = [(each, each.training) for each in module.modules()]
    for each, _ in modes:  # not by eval(), which a class with a method `train` of its own has lost
        each.training = False
    try:
        yield
    finally:
        for each, mode in modes:
            each.training = mode


def _devices(module: nn.Module) -> list[Any]:
    device = next(module.parameters(), torch.empty(0)).device
    return [device] if device.type == "cuda" else []
