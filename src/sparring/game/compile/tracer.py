# torch documents its foreach functions, and still spells them as private.
# pyright: reportPrivateUsage=false, reportPrivateImportUsage=false
"""A round on paper: `game.play()` is watched once, and everything it did to tensors is written down as one graph.

The graph is the game's own doing; nothing of a round is written a second time. What changes from round to round goes
in: what chance drew, and numbers that schedules work out from the round, for which a `Number` stands in the round's
place. Where the course of a round turns on such a number (a penalty in every sixteenth round), the graph tells which
way it went, and serves the rounds that go the same way.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.func import functionalize
from torch.fx import Graph, GraphModule, Node
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map, tree_map_only

from sparring.game.game import Game
from sparring.rng import Draw

Code = Callable[[list[Tensor]], Sequence[Tensor]]
"""Takes the inputs of a `Traced`, changes those that the round changes, and gives its figures."""
Course = Callable[[np.ndarray], Any]
"""Rounds -> what a number is in each, or what an answer that hangs on it is."""

aten = torch.ops.aten

SMALL_PRODUCT = 128
"""Multiplications of a member's matrix product up to which it is written out, so that it melts into its neighbors."""
LANES = 8
"""The least length of a sum that the compiler works out once, rather than wherever it is used."""


class UntraceableError(Exception):
    """Why a round cannot be written down, in a few words."""


@dataclass(frozen=True)
class Traced:
    """A round written down."""

    graph: GraphModule
    """Takes `inputs`, changes those that the round changes in place, and gives the figures, `(noted, P)`."""
    inputs: list[Tensor]
    """The game's own tensors (weights, memories, buffers, data, constants), with the round's draws and numbers."""
    draws: list[tuple[int, Draw]]
    """What chance is asked for, in order, and the place among the inputs where its answer goes."""
    numbers: list[tuple[int, Course]]
    """What schedules give, float64 and 0-dimensional, and the place where it goes."""
    logged: list[str]
    """Names of the figures, each averaged over the moves that noted it; none of an unwatched round."""
    answers: list[tuple[Course, Any]]
    """Which way the round went: what was asked of the round, and what the answer was."""

    def serves(self, rounds: np.ndarray) -> np.ndarray:
        """Which of these rounds go the same way."""
        same = np.ones(len(rounds), dtype=bool)
        for course, answer in self.answers:
            same &= course(rounds) == answer
        return same

    @property
    def text(self) -> str:
        """What decides the code for it."""
        inputs = [(tuple(t.shape), t.stride(), str(t.dtype)) for t in self.inputs]
        return f"{self.graph.code} {inputs} {[at for at, _ in self.draws]} {[at for at, _ in self.numbers]}"

    def for_the_compiler(self) -> GraphModule:
        """The same in the operations that the compiler knows, its inputs changed at the very end only."""
        from torch._inductor.decomposition import select_decomp_table
        from torch.fx.experimental.proxy_tensor import make_fx

        whole = functionalize(self.graph, remove="mutations")
        examples = [t.detach() for t in self.inputs]
        return make_fx(whole, tracing_mode="fake", decomposition_table=dict(select_decomp_table()))(*examples)


def trace(game: Game, round: int, recording: bool) -> Traced:
    """Write down that round, as the game stands now; the game is left as it was.

    Raises UntraceableError for a round that one graph cannot tell: one that looks at numbers it computed, say, or draws
    random numbers that are not from `chance`.
    """
    heard: list[tuple[Draw, Tensor]] = []

    def overhear(draw: Draw) -> Tensor:
        drawn = draw.of(game.rng)().contiguous()
        heard.append((draw, drawn))
        return drawn

    def hear(draw: Draw) -> Tensor:
        # A draw may be made of others: the outermost is the one that counts.
        game.rng.answer = None
        try:
            return overhear(draw)
        finally:
            game.rng.answer = hear

    tensors = game.tensors
    with game.preserving_state():
        game.round, game.recording, game.rng.answer = round, recording, hear
        game.play()
        if any(a is not b for a, b in zip(game.tensors, tensors, strict=True)):
            raise UntraceableError("a network replaces its buffers")
    drawn = [tensor for _, tensor in heard]
    paper = _Paper()
    logged: list[str] = []

    def played() -> list[Tensor]:
        game.play()
        means = game.means()
        logged[:] = list(means)
        return [torch.stack(list(means.values()))] if means else []

    with game.preserving_state(), paper.collected():
        replies = iter(drawn)
        game.round = cast(int, _Round(round, paper))
        game.recording = recording
        game.rng.answer = lambda draw: next(replies)
        writer = _Writer([*tensors, *drawn])
        with writer:
            graph = writer.finished(played())
    found = writer.found
    numbers = {id(tensor): course for tensor, course in paper.numbers}
    spaces = {t.untyped_storage().data_ptr() for t in tensors}
    if any(t.untyped_storage().data_ptr() in spaces for t in found):
        raise UntraceableError("a network looks at its weights through a view of its own")
    inputs = [*tensors, *drawn, *found]
    return Traced(
        graph=graph,
        inputs=inputs,
        draws=list(enumerate((draw for draw, _ in heard), len(tensors))),
        numbers=[(at, numbers[id(t)]) for at, t in enumerate(inputs) if id(t) in numbers],
        logged=logged,
        answers=paper.answers,
    )


# Numbers that hang on the round.


class _Paper:
    """What is noted while a round is watched."""

    def __init__(self) -> None:
        self.numbers: list[tuple[Tensor, Course]] = []
        self.answers: list[tuple[Course, Any]] = []

    def tensor(self, number: Number) -> Tensor:
        """The input that stands for a number."""
        made = torch.from_numpy(np.array(number.plain))  # nothing that the graph would tell of
        self.numbers.append((made, number.course))
        return made

    def collected(self) -> TorchFunctionMode:
        return _AsInputs(self)


class Number(float):
    """A number that hangs on the round. It reckons as any other, and remembers how it came about."""

    course: Course
    paper: _Paper

    def __new__(cls, value: float, course: Course, paper: _Paper) -> Number:
        made = super().__new__(cls, value)
        made.course, made.paper = course, paper
        return made

    @property
    def plain(self) -> float:
        """Its value in the round that is watched."""
        return float.__add__(self, 0.0)

    def _with(self, how: Callable[..., Any], *others: Any) -> Any:
        if any(isinstance(other, Tensor) for other in others):
            return NotImplemented
        value = how(self.plain, *(o.plain if isinstance(o, Number) else o for o in others))
        return Number(value, lambda rounds: how(self.course(rounds), *(_course(o)(rounds) for o in others)), self.paper)

    def _asked(self, how: Callable[..., Any], *others: Any) -> Any:
        """An answer on which the course of the round may hang."""
        if any(isinstance(other, Tensor) for other in others):
            return NotImplemented
        answer = how(self.plain, *(o.plain if isinstance(o, Number) else o for o in others))
        course: Course = lambda rounds: how(self.course(rounds), *(_course(o)(rounds) for o in others))  # noqa: E731
        self.paper.answers.append((course, answer))
        return answer

    def __array_ufunc__(self, ufunc: Any, method: str, *others: Any, **settings: Any) -> Any:
        if method != "__call__" or settings:
            return NotImplemented
        reckoned = [o.plain if isinstance(o, Number) else o for o in others]
        return Number(ufunc(*reckoned), lambda rounds: ufunc(*(_course(o)(rounds) for o in others)), self.paper)

    def __bool__(self) -> bool:
        return self._asked(lambda value: value != 0)

    def __int__(self) -> int:
        return int(self._asked(np.trunc))

    def __round__(self, digits: Any = None) -> Any:
        return int(self._asked(np.rint)) if digits is None else self._with(lambda value: np.round(value, digits))

    def __hash__(self) -> int:
        return hash(self.plain)


class _Round(Number):
    """The round itself."""

    def __new__(cls, value: int, paper: _Paper) -> _Round:
        made = super().__new__(cls, value, lambda rounds: rounds, paper)
        assert isinstance(made, _Round)
        return made

    def __int__(self) -> int:
        """What chance is told, whose draws are inputs."""
        return int(self.plain)


def _course(number: Any) -> Course:
    return number.course if isinstance(number, Number) else lambda rounds: number


def _teach(names: Sequence[str], method: str) -> None:
    """`Number` reckons or compares by its `method`, as the operators of these names do."""

    def taught(how: Callable[..., Any]) -> Callable[..., Any]:
        return lambda self, *others: getattr(self, method)(how, *others)

    for name in names:
        how = getattr(operator, name)
        setattr(Number, f"__{name.strip('_')}__", taught(how))
        if method == "_with" and name not in ("neg", "abs"):
            setattr(Number, f"__r{name}__", taught(lambda mine, other, how=how: how(other, mine)))


_teach(("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "neg", "abs"), "_with")
_teach(("lt", "le", "gt", "ge", "eq", "ne"), "_asked")


class _AsInputs(TorchFunctionMode):
    """Numbers that meet tensors become inputs of the graph."""

    def __init__(self, paper: _Paper):
        super().__init__()
        self.paper = paper

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if any(isinstance(leaf, Number) for leaf in tree_leaves((args, kwargs))):
            args, kwargs = tree_map(
                lambda leaf: self.paper.tensor(leaf) if isinstance(leaf, Number) else leaf, (args, kwargs)
            )
            func = WITH_TENSORS.get(func, func)
        return func(*args, **kwargs)


# What torch does in one call is written out in single operations, which melt into one loop with their neighbors.


def _adam(
    weights: Sequence[Tensor],
    gradients: Sequence[Tensor],
    averages: Sequence[Tensor],
    squares: Sequence[Tensor],
    largest: Sequence[Tensor],
    steps: Sequence[Tensor],
    *,
    lr: float | Tensor,
    beta1: float | Tensor,
    beta2: float | Tensor,
    weight_decay: float,
    eps: float,
    amsgrad: bool,
    maximize: bool,
    **scales: Any,
) -> None:
    if amsgrad or maximize:
        raise UntraceableError("its optimizer is not written out")
    for weight, gradient, average, square, count in zip(weights, gradients, averages, squares, steps, strict=True):
        if isinstance(weight_decay, Tensor) or weight_decay:
            gradient = gradient + weight_decay * weight
        average.copy_(average + (1 - beta1) * (gradient - average))
        square.copy_(beta2 * square + (1 - beta2) * (gradient * gradient))
        size = _worked_out_once(lr / _grown(beta1, count), weight.dtype)
        scale = _worked_out_once(1 / _grown(beta2, count).sqrt(), weight.dtype)
        weight.copy_(weight - size * average / (square.sqrt() * scale + eps))


def _grown(beta: float | Tensor, steps: Tensor) -> Tensor:
    """1 - beta^steps, with all its digits."""
    if isinstance(beta, Tensor):
        return -torch.expm1(steps * beta.log())
    return -torch.expm1(steps.double() * math.log(beta)) if beta else torch.ones_like(steps, dtype=torch.float64)


def _worked_out_once(number: Tensor, dtype: torch.dtype) -> Tensor:
    # The compiler puts a formula wherever its value is used, here at every weight, but for sums and the like.
    return number.to(dtype).expand(LANES).amax()


def _add(tensors: Sequence[Tensor], others: Sequence[Tensor], *, alpha: Tensor) -> list[Tensor]:
    return [one + alpha * other for one, other in zip(tensors, others, strict=True)]


def _add_in_place(tensors: Sequence[Tensor], others: Sequence[Tensor], *, alpha: Tensor) -> None:
    for one, other in zip(tensors, others, strict=True):
        one.copy_(one + alpha * other)


def _lerp_in_place(tensors: Sequence[Tensor], others: Sequence[Tensor], weight: Tensor) -> None:
    for one, other in zip(tensors, others, strict=True):
        one.copy_(one + weight * (other - one))


def _lerp(start: Tensor, end: Tensor, weight: Tensor) -> Tensor:
    if not weight.dim():
        weight = _worked_out_once(weight, start.dtype)
    return start + weight * (end - start)


def _product(a: Tensor, b: Tensor) -> Tensor:
    if a.shape[1] * a.shape[2] * b.shape[2] > SMALL_PRODUCT:
        return NotImplemented
    return (a.unsqueeze(-1) * b.unsqueeze(1)).sum(2)


def _product_and_sum(c: Tensor, a: Tensor, b: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    if beta != 1 or alpha != 1 or a.shape[1] * a.shape[2] * b.shape[2] > SMALL_PRODUCT:
        return NotImplemented
    return c + (a.unsqueeze(-1) * b.unsqueeze(1)).sum(2)


WITH_TENSORS: dict[Any, Callable[..., Any]] = {
    torch._fused_adam_: _adam,
    torch._foreach_add: _add,
    torch._foreach_add_: _add_in_place,
    torch._foreach_lerp_: _lerp_in_place,
}
"""Functions that take a plain number, and what does the same with a tensor."""


def _written_out() -> dict[Any, Callable[..., Any]]:
    from torch._decomp import get_decompositions

    ours = {
        aten._fused_adam_.default: _adam,
        aten.lerp.Tensor: _lerp,
        aten.bmm.default: _product,
        aten.baddbmm.default: _product_and_sum,
    }
    # It changes running statistics in place and does not say so.
    return {**get_decompositions([aten.native_batch_norm.default]), **ours}


WRITTEN_OUT = _written_out()


# The graph.


class _Writer(TorchDispatchMode):
    """Writes down every operation as it is done, as torch's `make_fx` does; that one loads torch's whole compiler."""

    def __init__(self, inputs: Sequence[Tensor]):
        super().__init__()
        self.found: list[Tensor] = []
        """Tensors that were there before and are none of the inputs: further inputs, behind the others."""
        self._graph = Graph()
        self._nodes: dict[int, Node] = {}
        self._kept: list[Tensor] = []
        """While a tensor is kept, no other has its number in `_nodes`."""
        for index, tensor in enumerate(inputs):
            self._is(tensor, self._graph.placeholder(f"input_{index}"))
        self._last = next(reversed(self._graph.nodes), None)

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # to skip it, torch would load it

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in UNCHANGED:
            return self._is(func(*args, **kwargs), self._node(args[0]))
        if torch.Tag.nondeterministic_seeded in func.tags:
            raise UntraceableError("a network draws random numbers of its own")
        if torch.Tag.data_dependent_output in func.tags:
            raise UntraceableError("it looks at numbers that it has just computed")
        if func in WRITTEN_OUT:
            with self:
                written = WRITTEN_OUT[func](*args, **kwargs)
            if written is not NotImplemented:
                return written
        node = self._graph.call_function(func, *tree_map_only(Tensor, self._node, (args, kwargs)))
        made = func(*args, **kwargs)
        if isinstance(made, Tensor):
            return self._is(made, node)
        for index, each in enumerate(cast(Sequence[Any], made or ())):
            if isinstance(each, Tensor):
                self._is(each, self._graph.call_function(operator.getitem, (node, index)))
        return made

    def finished(self, figures: Sequence[Tensor]) -> GraphModule:
        """The graph, which gives these."""
        self._graph.output([self._node(each) for each in figures])
        self._graph.eliminate_dead_code()
        return GraphModule(torch.nn.Module(), self._graph)

    def _is(self, tensor: Tensor, node: Node) -> Tensor:
        self._kept.append(tensor)
        self._nodes[id(tensor)] = node
        return tensor

    def _node(self, tensor: Tensor) -> Node:
        if id(tensor) not in self._nodes:
            with self._graph.inserting_after(self._last):
                self._last = self._graph.placeholder(f"constant_{len(self.found)}")
            self.found.append(tensor)
            self._is(tensor, self._last)
        return self._nodes[id(tensor)]


UNCHANGED = (aten.detach.default, aten.alias.default, aten.lift_fresh.default)
"""They give what they are given, for a tensor that knows no gradients."""
