"""Population: P networks of one shape held as one, weights stacked along a leading axis P.

Examples are `(P, B, ...)`. A population answers as its members would alone, in one of two ways:

- layered: a chain of common layers is called in its batched form, one matrix product for all members; the weights lie
  in memory as that product wants them, so one member costs less than the module itself;
- mapped: whatever else a user brings goes through `torch.func.vmap`, or member by member where it draws random numbers
  or does what `vmap` cannot; a single member's module is called itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from sparring.errors import SparringError

State = Mapping[str, Tensor]
Dice = Callable[[], Sequence[int]]


class Population:
    """P members.

    `make` builds one network, drawing its weights from torch's generator; it is called once per entry of `seeds` with
    the generator seeded by that entry alone. `dice` gives one integer per member for a network that draws random
    numbers itself (dropout, say); it is called at most once per call of the population.
    """

    def __init__(
        self,
        make: Callable[[], nn.Module],
        seeds: Sequence[int],
        dice: Dice,
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float32,
    ):
        with torch.random.fork_rng(devices=[]):
            members = [_born(make, seed).to(device, dtype) for seed in seeds]
        self.size = len(members)
        layers = _layers(members[0])
        self._form = _Mapped(members, dice) if layers is None else _Layered(members, layers)
        self.parameters = [p for p in self._form.parameters.values() if p.requires_grad]
        """What an optimiser steps."""

    def __call__(self, x: Tensor) -> Tensor:
        """`(P, B, ...)` -> `(P, B, ...)`."""
        return self._form(x)

    def train(self, mode: bool = True) -> None:
        """Training or evaluation behaviour of the layers that have two."""
        self._form.train(mode)

    def state(self) -> dict[str, Tensor]:
        """Every weight and buffer under the module's own names, each `(P, ...)`."""
        return self._form.state()

    def load(self, state: State) -> None:
        """Take over a `state()`. Raises SparringError when names or shapes differ."""
        mine = self.state()
        if set(mine) != set(state):
            odd = min(set(mine) ^ set(state))
            raise SparringError(f"these weights are another network's: {odd!r} is on one side only")
        for name, tensor in mine.items():
            theirs = state[name]
            if tensor.shape != theirs.shape:
                shapes = f"{tuple(theirs.shape)}, not {tuple(tensor.shape)}"
                raise SparringError(f"these weights are another network's: {name!r} is {shapes}")
            tensor.copy_(theirs)


def _born(make: Callable[[], nn.Module], seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return make()


class _Layered:
    """A chain of layers that have a batched form."""

    def __init__(self, members: Sequence[nn.Module], layers: Sequence[tuple[str, nn.Module]]):
        stacked, _ = stack_module_state(list(members))
        # Matrices lie as (P, in, out) and vectors as (P, 1, out), as the batched product wants them.
        self._matrices = {name for name, weight in stacked.items() if weight.ndim == 3}
        self.parameters = {
            name: (weight.detach().mT if name in self._matrices else weight.detach().unsqueeze(1)).contiguous()
            for name, weight in stacked.items()
        }
        for name, weight in stacked.items():
            self.parameters[name].requires_grad_(weight.requires_grad)
        self._chain = [_BATCHED[type(layer)](layer, self._own(prefix)) for prefix, layer in layers]

    def __call__(self, x: Tensor) -> Tensor:
        for layer in self._chain:
            x = layer(x)
        return x

    def train(self, mode: bool) -> None:
        """No layer with a batched form behaves differently."""

    def state(self) -> dict[str, Tensor]:
        held = ((name, weight.detach()) for name, weight in self.parameters.items())
        return {name: weight.mT if name in self._matrices else weight.squeeze(1) for name, weight in held}

    def _own(self, prefix: str) -> dict[str, Tensor]:
        return {n.removeprefix(prefix): w for n, w in self.parameters.items() if n.rpartition(".")[0] + "." == prefix}


class _Mapped:
    """Any module."""

    def __init__(self, members: Sequence[nn.Module], dice: Dice):
        self.template = members[0]
        self._dice = dice
        if len(members) == 1:
            self.parameters = dict(self.template.named_parameters())
        else:
            stacked, self._buffers = stack_module_state(list(members))
            self.parameters = {n: p.detach().requires_grad_(p.requires_grad) for n, p in stacked.items()}
        self._size = len(members)
        draws = any(isinstance(m, nn.modules.dropout._DropoutNd | nn.RReLU) for m in self.template.modules())  # pyright: ignore[reportPrivateUsage]
        self._maps = {True: False, False: False} if draws else {}
        """Whether `vmap` serves, by training mode; not known before the first call."""

    def __call__(self, x: Tensor) -> Tensor:
        if self._size == 1:
            torch.manual_seed(self._dice()[0])
            return self.template(x.squeeze(0)).unsqueeze(0)
        maps = self._maps.get(self.template.training)
        if maps is None:
            return self._first(x)
        return self._all_at_once(x) if maps else self._member_by_member(x)

    def train(self, mode: bool) -> None:
        self.template.train(mode)

    def state(self) -> dict[str, Tensor]:
        if self._size == 1:
            held = {**self.parameters, **dict(self.template.named_buffers())}
            return {n: t.detach().unsqueeze(0) for n, t in held.items()}
        return {n: t.detach() for n, t in {**self.parameters, **self._buffers}.items()}

    def _first(self, x: Tensor) -> Tensor:
        """All at once, unless the module draws random numbers or does what vmap cannot: then member by member."""
        mode, before = self.template.training, {n: t.clone() for n, t in self._buffers.items()}
        try:
            answer = self._all_at_once(x)
        except RuntimeError:
            # It may have counted this batch in its buffers before it failed. What is truly wrong fails again below.
            for name, tensor in self._buffers.items():
                tensor.copy_(before[name])
            self._maps[mode] = False
            return self._member_by_member(x)
        self._maps[mode] = True
        return answer

    def _all_at_once(self, x: Tensor) -> Tensor:
        answer, replaced = vmap(self._one, randomness="error")(self.parameters, self._buffers, x)
        self._buffers |= {n: t.detach() for n, t in replaced.items()}
        return answer

    def _member_by_member(self, x: Tensor) -> Tensor:
        answers: list[Tensor] = []
        replaced: dict[str, list[Tensor]] = {}
        for member, seed in enumerate(self._dice()):
            torch.manual_seed(seed)
            parameters = {n: t[member] for n, t in self.parameters.items()}
            answer, changed = self._one(parameters, {n: t[member] for n, t in self._buffers.items()}, x[member])
            answers.append(answer)
            for name, tensor in changed.items():
                replaced.setdefault(name, []).append(tensor.detach())
        self._buffers |= {n: torch.stack(tensors) for n, tensors in replaced.items()}
        return torch.stack(answers)

    def _one(self, parameters: State, buffers: State, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """A member's answer, and those of its buffers that it replaced rather than changed in place."""
        held = {**parameters, **buffers}
        answer = functional_call(self.template, held, (x,))
        return answer, {n: held[n] for n, given in buffers.items() if held[n] is not given}


# Batched forms: from a layer and its stacked weights to a function of x `(P, B, ...)`.

Weights = Mapping[str, Tensor]
Call = Callable[[Tensor], Tensor]


def _layers(module: nn.Module, prefix: str = "") -> list[tuple[str, nn.Module]] | None:
    """The layers of a chain and the prefix of their weights' names, or None when one has no batched form."""
    if type(module) in _BATCHED and not _unusual(module):
        return [(prefix, module)]
    if type(module) is not nn.Sequential:
        return None
    found: list[tuple[str, nn.Module]] = []
    for name, child in module.named_children():
        inner = _layers(child, f"{prefix}{name}.")
        if inner is None:
            return None
        found += inner
    return found


def _unusual(module: nn.Module) -> bool:
    """A layer normalisation over several axes, or without gain and bias: rare enough to be mapped."""
    return isinstance(module, nn.LayerNorm) and (
        len(module.normalized_shape) != 1 or len(list(module.parameters())) != 2
    )


def _linear(layer: nn.Linear, own: Weights) -> Call:
    weight, bias = own["weight"], own.get("bias")
    if bias is None:
        return lambda x: torch.bmm(x, weight)
    return lambda x: torch.baddbmm(bias, x, weight)


def _layer_norm(layer: nn.LayerNorm, own: Weights) -> Call:
    shape, eps, gain, bias = layer.normalized_shape, layer.eps, own["weight"], own["bias"]
    return lambda x: torch.addcmul(bias, nn.functional.layer_norm(x, shape, eps=eps), gain)


def _flatten(layer: nn.Flatten, own: Weights) -> Call:
    start, end = _one_further(layer.start_dim), _one_further(layer.end_dim)
    return lambda x: x.flatten(start, end)


def _unflatten(layer: nn.Unflatten, own: Weights) -> Call:
    axis, size = _one_further(int(layer.dim)), tuple(layer.unflattened_size)
    return lambda x: x.unflatten(axis, size)


def _tanh(layer: nn.Tanh, own: Weights) -> Call:
    # tanh x = 2 sigmoid(2x) - 1, exact to 2e-7. On some processors torch's tanh takes ten times as long as its sigmoid.
    return lambda x: x.mul(2).sigmoid().mul(2).sub(1)


def _elementwise(layer: nn.Module, own: Weights) -> Call:
    return layer.forward


def _one_further(axis: int) -> int:
    return axis + 1 if axis >= 0 else axis


_BATCHED: dict[type[nn.Module], Callable[[Any, Weights], Call]] = {
    nn.Linear: _linear,
    nn.LayerNorm: _layer_norm,
    nn.Flatten: _flatten,
    nn.Unflatten: _unflatten,
    nn.Tanh: _tanh,
    **dict.fromkeys((nn.Identity, nn.LeakyReLU, nn.ReLU, nn.Sigmoid), _elementwise),
}
