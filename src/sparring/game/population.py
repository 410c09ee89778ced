"""Population: P networks of one shape held as one, weights stacked along a leading axis P.

Examples are `(P, B, ...)`. A population answers as its members would alone, in one of two ways:

- as a chain (`layers.py`): common layers one after another are called in their batched forms, one matrix product for
  all members; a single member costs less so than its module itself;
- mapped: whatever else a user brings goes through `torch.func.vmap`, or member by member where it draws random numbers
  or does what `vmap` cannot; a single member's module is called itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from sparring.errors import SparringError
from sparring.game.chain import Chain, Sharing, is_chain

State = Mapping[str, Tensor]
Inputs = tuple[Tensor, ...]
"""Examples, and perhaps their classes."""


class LayerStreams(Protocol):
    """What a network that draws random numbers itself, by dropout say, draws them from: each member from its own."""

    def torch_seeds(self) -> Sequence[int]:
        """One integer a member, to seed another generator with."""
        ...

    def uniform(self, shape: Sequence[int]) -> Tensor:
        """Uniform on [0, 1), `(P, *shape)`."""
        ...


class Population:
    """P members.

    `make` builds one network, drawing its weights from torch's generator; it is called once per entry of `seeds` with
    the generator seeded by that entry alone. `sharing` is how layers reach the rest of a batch that processes share.
    Networks reckon in `precision`, if that is another than their weights': matrix products and convolutions do, and
    what must not lose digits stays as it is (Micikevicius et al., "Mixed precision training", ICLR 2018).
    """

    def __init__(
        self,
        make: Callable[[], nn.Module],
        seeds: Sequence[int],
        for_layers: LayerStreams,
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float32,
        sharing: Sharing | None = None,
        precision: torch.dtype | None = None,
    ):
        with torch.random.fork_rng(devices=[]):
            members = [_born(make, seed).to(device, dtype) for seed in seeds]
        self.size = len(members)
        self.precision = precision or dtype
        self._mixed = self.precision != dtype
        chain = is_chain(members[0])
        self._form = Chain(members, for_layers.uniform, sharing) if chain else _Mapped(members, for_layers.torch_seeds)
        self.parameters = [p for p in self._form.parameters.values() if p.requires_grad]
        """What an optimizer steps."""

    def __call__(self, x: Tensor, classes: Tensor | None = None) -> Tensor:
        """`(P, B, ...)` -> `(P, B, ...)`; a network that asks for classes is given them one-hot, `(P, B, K)`."""
        if not self._mixed:
            return self._form(x, classes)
        with torch.autocast(x.device.type, self.precision):
            return self._form(x, classes).to(x.dtype)

    def train(self, mode: bool = True) -> None:
        """Training or evaluation behavior of the layers that have two."""
        self._form.train(mode)

    @property
    def tensors(self) -> list[Tensor]:
        """The very weights and buffers, as they are held."""
        return [*self._form.parameters.values(), *self._form.buffers.values()]

    def state(self) -> dict[str, Tensor]:
        """Every weight and buffer under the module's own names, each `(P, ...)`."""
        return self._form.state()

    def named(self, weights: Sequence[Tensor]) -> dict[str, Tensor]:
        """What stands for `parameters`, in their order, under the module's own names, each `(P, ...)`."""
        names = [name for name, p in self._form.parameters.items() if p.requires_grad]
        return self._form.named(dict(zip(names, weights, strict=True)))

    def with_members(self, weights: Sequence[Tensor]) -> Sequence[Tensor]:
        """What stands for `parameters`, each `(P, ...)`: a lone member's module has its weights without that axis."""
        bare = isinstance(self._form, _Mapped) and self.size == 1
        return [w.unsqueeze(0) for w in weights] if bare else weights

    def norms(self, weights: Sequence[Tensor]) -> Tensor:
        """Each member's Euclidean norm over what stands for `parameters`, `(P,)`."""
        squares = [w.square().sum() if self.size == 1 else w.flatten(1).square().sum(1) for w in weights]
        return torch.stack(squares).sum(0).sqrt().reshape(self.size)

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


class _Mapped:
    """Any module."""

    def __init__(self, members: Sequence[nn.Module], torch_seeds: Callable[[], Sequence[int]]):
        self.template = members[0]
        self._dice = torch_seeds
        if len(members) == 1:
            self.parameters = dict(self.template.named_parameters())
        else:
            stacked, self._buffers = stack_module_state(list(members))
            self.parameters = {n: p.detach().requires_grad_(p.requires_grad) for n, p in stacked.items()}
        self._size = len(members)
        draws = any(isinstance(m, nn.modules.dropout._DropoutNd | nn.RReLU) for m in self.template.modules())  # pyright: ignore[reportPrivateUsage]
        self._maps = {True: False, False: False} if draws else {}
        """Whether `vmap` serves, by training mode; not known before the first call."""

    def __call__(self, x: Tensor, classes: Tensor | None = None) -> Tensor:
        inputs = (x,) if classes is None else (x, classes)
        if self._size == 1:
            torch.manual_seed(self._dice()[0])
            return self.template(*(i.squeeze(0) for i in inputs)).unsqueeze(0)
        maps = self._maps.get(self.template.training)
        if maps is None:
            return self._first(inputs)
        return self._all_at_once(inputs) if maps else self._member_by_member(inputs)

    def train(self, mode: bool) -> None:
        self.template.train(mode)

    def named(self, weights: State) -> dict[str, Tensor]:
        return {n: t.detach().unsqueeze(0) if self._size == 1 else t.detach() for n, t in weights.items()}

    def state(self) -> dict[str, Tensor]:
        return self.named({**self.parameters, **self.buffers})

    @property
    def buffers(self) -> dict[str, Tensor]:
        """Asked of the module each time where there is one only: it may replace them."""
        return dict(self.template.named_buffers()) if self._size == 1 else self._buffers

    def _first(self, inputs: Inputs) -> Tensor:
        """All at once, unless the module draws random numbers or does what vmap cannot: then member by member."""
        mode, before = self.template.training, {n: t.clone() for n, t in self._buffers.items()}
        try:
            answer = self._all_at_once(inputs)
        except RuntimeError:
            # It may have counted this batch in its buffers before it failed. What is truly wrong fails again below.
            for name, tensor in self._buffers.items():
                tensor.copy_(before[name])
            self._maps[mode] = False
            return self._member_by_member(inputs)
        self._maps[mode] = True
        return answer

    def _all_at_once(self, inputs: Inputs) -> Tensor:
        answer, replaced = vmap(self._one, randomness="error")(self.parameters, self._buffers, *inputs)
        self._buffers |= {n: t.detach() for n, t in replaced.items()}
        return answer

    def _member_by_member(self, inputs: Inputs) -> Tensor:
        answers: list[Tensor] = []
        replaced: dict[str, list[Tensor]] = {}
        for member, seed in enumerate(self._dice()):
            torch.manual_seed(seed)
            parameters = {n: t[member] for n, t in self.parameters.items()}
            buffers = {n: t[member] for n, t in self._buffers.items()}
            answer, changed = self._one(parameters, buffers, *(i[member] for i in inputs))
            answers.append(answer)
            for name, tensor in changed.items():
                replaced.setdefault(name, []).append(tensor.detach())
        self._buffers |= {n: torch.stack(tensors) for n, tensors in replaced.items()}
        return torch.stack(answers)

    def _one(self, parameters: State, buffers: State, *inputs: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """A member's answer, and those of its buffers that it replaced rather than changed in place."""
        held = {**parameters, **buffers}
        answer = functional_call(self.template, held, inputs)
        return answer, {n: held[n] for n, given in buffers.items() if held[n] is not given}
