"""The tracer: runs `game.play()` once and records every tensor operation of it as one graph.

The graph is the game's own computation; no rule of the game is written a second time. What changes from round to round
is an input: the random draws, and the scalars that schedules compute from the round (`symbolic.py`). Where a branch
depends on such a scalar (a penalty in every 16th round), its outcome is a guard, and the graph holds for the rounds in
which all guards have the same outcome.

Why not torch's own `make_fx`, which records in the same way: in torch 2.13 its first call loads 800 modules of torch's
compiler front end (Dynamo, Inductor, SymPy), which would be most of the time it takes to start a run whose compiled
code is cached already; `torch.export` loads them too. Import and trace of one round in a fresh process, one thread, two
members, median of 5 (smallest to largest), on 2 cores of an AMD EPYC:

    pattern-1010    this tracer 0.11 s (0.09 to 0.15)    make_fx 0.98 s (0.93 to 1.12)
    digits          this tracer 0.08 s (0.06 to 0.11)    make_fx 1.08 s (1.04 to 1.11)
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.fx import Graph, GraphModule, Node
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from sparring.game.compile.decompositions import (
    DECOMPOSITIONS,
    FUSED_DECOMPOSITIONS,
    FUSED_WITH_TENSORS,
    WITH_TENSORS,
    aten,
)
from sparring.game.compile.errors import UncompilableError
from sparring.game.compile.symbolic import Formula, Guard, RoundNumber, Symbols
from sparring.game.game import Game
from sparring.rng import Draw

Code = Callable[[list[Tensor]], Sequence[Tensor]]
"""Takes the inputs of a `Traced`, updates in place those that the round changes, and returns its logged values."""


@dataclass(frozen=True)
class Traced:
    """One round as a graph."""

    graph: GraphModule
    """Takes `inputs`, updates in place those that the round changes, and returns the logged values `(logged, P)`."""
    inputs: list[Tensor]
    """The game's own tensors (weights, memories, buffers, data, constants), with the round's draws and scalars."""
    draws: list[tuple[int, Draw]]
    """The random draws of a round in order, each with its index among the inputs."""
    scalars: list[tuple[int, Formula]]
    """What schedules compute from the round (float64, 0-dimensional), each with its index among the inputs."""
    logged: list[str]
    """Names of the logged values, each a mean over the moves that logged it; empty for a round that is not logged."""
    guards: list[Guard]
    """Conditions on the round under which the graph holds."""

    def holds_in(self, rounds: np.ndarray) -> np.ndarray:
        """For each of these rounds, whether the graph holds in it."""
        holds = np.ones(len(rounds), dtype=bool)
        for condition, outcome in self.guards:
            holds &= condition(rounds) == outcome
        return holds

    @property
    def text(self) -> str:
        """Everything that the compiled code depends on."""
        inputs = [(tuple(t.shape), t.stride(), str(t.dtype)) for t in self.inputs]
        return f"{self.graph.code} {inputs} {[at for at, _ in self.draws]} {[at for at, _ in self.scalars]}"


def trace(game: Game, round: int, recording: bool, fused: bool = False) -> Traced:
    """Trace one round of a game, which is left as it was.

    Args:
        game: The game, with the weights and memories that it has now.
        round: The number of the round.
        recording: Whether the round is one whose values are logged.
        fused: Keep operations that a GPU has one kernel for, rather than write them out for a compiler to fuse.

    Raises:
        UncompilableError: One graph cannot describe the round. It reads values that it has just computed, say, or draws
            random numbers from elsewhere than `game.rng`.
    """
    tensors = game.tensors
    draws = _draws_of(game, round, recording)
    drawn = [tensor for _, tensor in draws]
    symbols = Symbols()
    logged: list[str] = []

    def played() -> list[Tensor]:
        game.play()
        means = game.logged_means()
        logged[:] = list(means)
        return [torch.stack(list(means.values()))] if means else []

    with game.preserving_state(), symbols.collecting(FUSED_WITH_TENSORS if fused else WITH_TENSORS):
        replayed = iter(drawn)
        game.round = cast(int, RoundNumber(round, symbols))
        game.recording = recording
        game.rng.override = lambda draw: next(replayed)
        writer = _GraphWriter([*tensors, *drawn], FUSED_DECOMPOSITIONS if fused else DECOMPOSITIONS)
        with writer:
            graph = writer.finished(played())
    memory = {t.untyped_storage().data_ptr() for t in tensors}
    if any(t.untyped_storage().data_ptr() in memory for t in writer.constants):
        raise UncompilableError("a network reads its weights through a view of its own")
    formulas = {id(tensor): formula for tensor, formula in symbols.scalars}
    inputs = [*tensors, *drawn, *writer.constants]
    return Traced(
        graph=graph,
        inputs=inputs,
        draws=list(enumerate((draw for draw, _ in draws), len(tensors))),
        scalars=[(at, formulas[id(t)]) for at, t in enumerate(inputs) if id(t) in formulas],
        logged=logged,
        guards=symbols.guards,
    )


def _draws_of(game: Game, round: int, recording: bool) -> list[tuple[Draw, Tensor]]:
    """Play a round to find its random draws, in order, and what they give."""
    draws: list[tuple[Draw, Tensor]] = []

    def record(draw: Draw) -> Tensor:
        # A draw may be made of others, which are not recorded: only the outermost becomes an input.
        game.rng.override = None
        try:
            drawn = draw.of(game.rng)().contiguous()
        finally:
            game.rng.override = record
        draws.append((draw, drawn))
        return drawn

    tensors = game.tensors
    with game.preserving_state():
        game.round, game.recording, game.rng.override = round, recording, record
        game.play()
        if any(a is not b for a, b in zip(game.tensors, tensors, strict=True)):
            raise UncompilableError("a network replaces its buffers")
    return draws


class _GraphWriter(TorchDispatchMode):
    """Records every operation as it is computed, in the way of torch's `make_fx`."""

    def __init__(self, inputs: Sequence[Tensor], decompositions: Mapping[Any, Callable[..., Any]]):
        super().__init__()
        self._decompositions = decompositions
        self.constants: list[Tensor] = []
        """Tensors from before the round that are not among the inputs: further inputs, after the others."""
        self._graph = Graph()
        self._nodes: dict[int, Node] = {}
        """The id of a tensor -> its node."""
        self._kept: list[Tensor] = []
        """Keeps every tensor alive, so that no other gets its id."""
        for index, tensor in enumerate(inputs):
            self._set_node(tensor, self._graph.placeholder(f"input_{index}"))
        self._last_input = next(iter(reversed(self._graph.nodes)), None)  # before torch 2.13 it is no iterator

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # to skip it, torch would load it

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in IDENTITIES:
            return self._set_node(func(*args, **kwargs), self._node(args[0]))
        if torch.Tag.nondeterministic_seeded in func.tags:
            raise UncompilableError("a network draws random numbers of its own")
        if torch.Tag.data_dependent_output in func.tags:
            raise UncompilableError(READS_VALUES)
        if func in self._decompositions:
            with self:
                result = self._decompositions[func](*args, **kwargs)
            if result is not NotImplemented:
                return result
        node = self._graph.call_function(func, *tree_map_only(Tensor, self._node, (args, kwargs)))
        result = func(*args, **kwargs)
        if isinstance(result, Tensor):
            return self._set_node(result, node)
        for index, each in enumerate(cast(Sequence[Any], result or ())):
            if isinstance(each, Tensor):
                self._set_node(each, self._graph.call_function(operator.getitem, (node, index)))
        return result

    def finished(self, outputs: Sequence[Tensor]) -> GraphModule:
        """The graph, with these outputs."""
        self._graph.output([self._node(each) for each in outputs])
        self._graph.eliminate_dead_code()
        return GraphModule(torch.nn.Module(), self._graph)

    def _set_node(self, tensor: Tensor, node: Node) -> Tensor:
        self._kept.append(tensor)
        self._nodes[id(tensor)] = node
        return tensor

    def _node(self, tensor: Tensor) -> Node:
        if id(tensor) not in self._nodes:
            with self._graph.inserting_after(self._last_input):
                self._last_input = self._graph.placeholder(f"constant_{len(self.constants)}")
            self.constants.append(tensor)
            self._set_node(tensor, self._last_input)
        return self._nodes[id(tensor)]


IDENTITIES = (aten.detach.default, aten.alias.default, aten.lift_fresh.default)
"""They return what they are given, as far as autograd is not concerned."""
READS_VALUES = "it reads values that it has just computed"
