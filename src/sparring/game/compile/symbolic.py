"""Symbolic scalars: Python numbers of a round that remember how they are computed from the number of the round.

A schedule computes plain numbers (a learning rate, the probability of a label swap) from `game.round`. While a round is
traced, a `RoundNumber` stands in for `game.round`, so every number derived from it is a `Scalar`, which knows its value
in any other round too. Two things can happen to a `Scalar`:

- It meets a tensor: then it becomes an input of the graph, and is computed anew for each round.
- It decides a branch (`if round % 16 == 0`): then the outcome is recorded as a guard, and the graph holds only for the
  rounds in which every guard has the same outcome.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

Formula = Callable[[np.ndarray], Any]
"""Round numbers -> the value in each of these rounds: of a scalar, or of the condition of a guard."""
Guard = tuple[Formula, Any]
"""A condition computed from the round, and the outcome that the traced round had."""


class Symbols:
    """The scalars and guards collected while a round is traced."""

    def __init__(self) -> None:
        self.scalars: list[tuple[Tensor, Formula]] = []
        """The graph's 0-dimensional float64 input for each scalar that met a tensor, and its formula."""
        self.guards: list[Guard] = []

    def input_for(self, scalar: Scalar) -> Tensor:
        """The tensor that stands for a scalar as an input of the graph."""
        made = torch.from_numpy(np.array(scalar.plain))  # an operation of torch would end up in the graph
        self.scalars.append((made, scalar.formula))
        return made

    def collecting(self, with_tensors: Mapping[Any, Callable[..., Any]]) -> TorchFunctionMode:
        """While this mode is active, scalars that meet tensors become inputs of the graph.

        Args:
            with_tensors: Functions that take a plain number -> what to call with a 0-dimensional tensor in its place.
        """
        return _ScalarsAsInputs(self, with_tensors)


class Scalar(float):
    """A number that depends on the round. It computes like a float, and keeps the formula for other rounds."""

    formula: Formula
    symbols: Symbols

    def __new__(cls, value: float, formula: Formula, symbols: Symbols) -> Scalar:
        made = super().__new__(cls, value)
        made.formula, made.symbols = formula, symbols
        return made

    @property
    def plain(self) -> float:
        """The value in the round that is traced."""
        return float.__add__(self, 0.0)

    def derived(self, how: Callable[..., Any], *others: Any) -> Any:
        """A scalar computed from this one and others."""
        if any(isinstance(other, Tensor) for other in others):
            return NotImplemented
        value = how(self.plain, *map(_plain, others))
        return Scalar(value, lambda r: how(self.formula(r), *(_formula(o)(r) for o in others)), self.symbols)

    def guarded(self, how: Callable[..., Any], *others: Any) -> Any:
        """A plain value that a branch may depend on: it is recorded as a guard."""
        if any(isinstance(other, Tensor) for other in others):
            return NotImplemented
        outcome = how(self.plain, *map(_plain, others))
        condition: Formula = lambda r: how(self.formula(r), *(_formula(o)(r) for o in others))  # noqa: E731
        self.symbols.guards.append((condition, outcome))
        return outcome

    def __array_ufunc__(self, ufunc: Any, method: str, *others: Any, **settings: Any) -> Any:
        if method != "__call__" or settings:
            return NotImplemented
        value = ufunc(*map(_plain, others))
        return Scalar(value, lambda r: ufunc(*(_formula(o)(r) for o in others)), self.symbols)

    def __bool__(self) -> bool:
        return self.guarded(lambda value: value != 0)

    def __int__(self) -> int:
        return int(self.guarded(np.trunc))

    def __round__(self, digits: Any = None) -> Any:
        return int(self.guarded(np.rint)) if digits is None else self.derived(lambda value: np.round(value, digits))

    def __hash__(self) -> int:
        return hash(self.plain)


class RoundNumber(Scalar):
    """The number of the round itself."""

    def __new__(cls, value: int, symbols: Symbols) -> RoundNumber:
        made = super().__new__(cls, value, lambda rounds: rounds, symbols)
        assert isinstance(made, RoundNumber)
        return made

    def __int__(self) -> int:
        """For the random streams, whose draws are inputs of the graph: no guard."""
        return int(self.plain)


def _plain(number: Any) -> Any:
    return number.plain if isinstance(number, Scalar) else number


def _formula(number: Any) -> Formula:
    return number.formula if isinstance(number, Scalar) else lambda rounds: number


def _define(names: Sequence[str], method: str) -> None:
    """Give `Scalar` the operators of these names, each by way of its `method`."""

    def operator_of(how: Callable[..., Any]) -> Callable[..., Any]:
        return lambda self, *others: getattr(self, method)(how, *others)

    for name in names:
        how = getattr(operator, name)
        setattr(Scalar, f"__{name.strip('_')}__", operator_of(how))
        if method == "derived" and name not in ("neg", "abs"):
            setattr(Scalar, f"__r{name}__", operator_of(lambda mine, other, how=how: how(other, mine)))


_define(("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "neg", "abs"), "derived")
_define(("lt", "le", "gt", "ge", "eq", "ne"), "guarded")


class _ScalarsAsInputs(TorchFunctionMode):
    def __init__(self, symbols: Symbols, with_tensors: Mapping[Any, Callable[..., Any]]):
        super().__init__()
        self._symbols, self._with_tensors = symbols, with_tensors

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if any(isinstance(leaf, Scalar) for leaf in tree_leaves((args, kwargs))):
            args, kwargs = tree_map(
                lambda leaf: self._symbols.input_for(leaf) if isinstance(leaf, Scalar) else leaf, (args, kwargs)
            )
            func = self._with_tensors.get(func, func)
        return func(*args, **kwargs)
