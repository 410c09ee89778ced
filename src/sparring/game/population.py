"""Population: P networks of one architecture as one object, with their weights stacked along a leading axis P.

**Layout contract.** Every tensor that enters or leaves a `Population` has a leading axis P, also for a lone member,
where P is 1: examples and outputs `(P, B, ...)`, `parameters`, `tensors`, `state()`, `named()` and `load()`. So does
whatever is made like them: gradients, an optimizer's moments, a trick's memory, and all of these in a checkpoint. The
one exception is a 0-dimensional tensor, which belongs to all members alike (an optimizer's step count).

`parameters` may lie in memory as the batched product wants them, for example a linear layer's matrix as `(P, in, out)`;
`state()` and `named()` give the module's own names and shapes, with the axis P in front.

A population computes what its members would compute alone, in one of two ways:

- As a chain (`chain.py`): a sequence of common layers is called in hand-written batched forms, one matrix product for
  all members. For a single member that costs less than calling the module itself.
- Mapped: any other module goes through `torch.func.vmap`, or is called member by member where it draws random numbers
  or does something that `vmap` does not support.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from sparring.errors import SparringError, in_one_line, shortened
from sparring.game.chain import Chain, Sharing, is_chain
from sparring.progress import say

State = Mapping[str, Tensor]
Inputs = tuple[Tensor, ...]
"""Examples `(P, B, ...)`, and their one-hot classes `(P, B, K)` where the network takes them."""


SLOW_VMAP = "There is a performance drop"
"""How torch's warning begins that vmap has no batched form of an operation."""
MODES = (True, True), (False, True), (False, False)
"""Whether layers behave as in training, and whether batch normalization uses the batch's own statistics."""
MAX_REASON = 160
"""Characters of the reason why a network does not run all seeds at once."""


class LayerStreams(Protocol):
    """Where a network that draws random numbers (for dropout, say) gets them: each member from its own stream."""

    def torch_seeds(self) -> Sequence[int]:
        """One integer per member, to seed a `torch.Generator` with."""
        ...

    def uniform(self, shape: Sequence[int]) -> Tensor:
        """Uniform on [0, 1), `(P, *shape)`."""
        ...


class Population:
    """P networks, called and stepped as one.

    Args:
        make: Builds one network, drawing its initial weights from torch's global generator. It is called once per seed.
        seeds: One per member; torch's generator is seeded with it before `make` is called.
        for_layers: Random streams for layers that draw numbers.
        device: Where the weights live.
        dtype: Of the weights.
        sharing: How layers that depend on the whole batch reach the rest of it, where processes share every batch.
        precision: Compute precision, if it differs from the weights' dtype: matrix products and convolutions run in it,
            and operations that would lose too many digits do not (Micikevicius et al., "Mixed precision training", ICLR
            2018).
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
            members = [_seeded(make, seed).to(device, dtype) for seed in seeds]
        self.size = len(members)
        """Members, P."""
        self.precision = precision or dtype
        self._mixed = self.precision != dtype
        chain = is_chain(members[0])
        self._form = Chain(members, for_layers.uniform, sharing) if chain else _Mapped(members, for_layers.torch_seeds)
        self.parameters = [p for p in self._form.parameters.values() if p.requires_grad]
        """What an optimizer steps, each `(P, ...)`."""

    def __call__(self, x: Tensor, classes: Tensor | None = None) -> Tensor:
        """Outputs `(P, B, ...)` for inputs `(P, B, ...)`, and for one-hot classes `(P, B, K)` of a conditional game."""
        if not self._mixed:
            return self._form(x, classes)
        with torch.autocast(x.device.type, self.precision):
            return self._form(x, classes).to(x.dtype)

    def run_seed_by_seed(self, error: Exception) -> bool:
        """Call members one by one from here on, after an error that calling all at once may be the reason of.

        Returns whether that changes anything.
        """
        return isinstance(self._form, _Mapped) and self._form.run_seed_by_seed(error)

    def train(self, mode: bool = True, by_batch: bool | None = None) -> None:
        """Switch layers such as dropout and batch normalization between training and evaluation behavior.

        Args:
            mode: Whether they behave as in training.
            by_batch: Whether batch normalization uses the batch's own statistics; None: in training it does.
        """
        self._form.train(mode, mode if by_batch is None else by_batch)

    @property
    def tensors(self) -> list[Tensor]:
        """The weights and buffers themselves, each `(P, ...)`; changing one in place changes the population."""
        return [*self._form.parameters.values(), *self._form.buffers.values()]

    def state(self) -> dict[str, Tensor]:
        """Every weight and buffer under the module's own name and in its own shape, with an axis P in front."""
        return self._form.state()

    def named(self, weights: Sequence[Tensor]) -> dict[str, Tensor]:
        """Tensors laid out and ordered as `parameters` are, under the module's own names and in its own shapes."""
        names = [name for name, p in self._form.parameters.items() if p.requires_grad]
        return self._form.named(dict(zip(names, weights, strict=True)))

    def norms(self, weights: Sequence[Tensor]) -> Tensor:
        """Each member's Euclidean norm `(P,)` over tensors laid out as `parameters` are, such as gradients."""
        squares = [w.square().sum() if self.size == 1 else w.flatten(1).square().sum(1) for w in weights]
        return torch.stack(squares).sum(0).sqrt().reshape(self.size)

    def load(self, state: State) -> None:
        """Copy the values of a `state()` into this population.

        Raises:
            SparringError: Names or shapes are those of another network.
        """
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


def _seeded(make: Callable[[], nn.Module], seed: int) -> nn.Module:
    _seed_generators(seed, cpu_alone=not torch.accelerator.is_available())
    return make()


def _seed_generators(seed: int, cpu_alone: bool) -> None:
    """Seed the generators that modules draw from, of the CPU alone or of all devices.

    `torch.manual_seed` seeds those of all devices. For each that is not in use it stores a formatted stack trace, which
    took half of the time of a small module's round.
    """
    if cpu_alone:
        torch.default_generator.manual_seed(seed)
    else:
        torch.manual_seed(seed)


class _Mapped:
    """Any module, with its weights and buffers stacked."""

    def __init__(self, members: Sequence[nn.Module], torch_seeds: Callable[[], Sequence[int]]):
        self.template = members[0]
        self._torch_seeds = torch_seeds
        self.size = len(members)
        stacked, self.buffers = _lone_state(self.template) if self.size == 1 else stack_module_state(list(members))
        self.parameters = {n: p.detach().requires_grad_(p.requires_grad) for n, p in stacked.items()}
        self._lone = _LoneCall(self.template) if self.size == 1 else None
        draws = any(isinstance(m, nn.modules.dropout._DropoutNd | nn.RReLU) for m in self.template.modules())  # pyright: ignore[reportPrivateUsage]
        self._mode = True, True
        self._maps = dict.fromkeys(MODES, False) if draws else {}
        """Whether `vmap` works, by mode; unknown before the first call."""
        self._said = False

    def __call__(self, x: Tensor, classes: Tensor | None = None) -> Tensor:
        inputs = (x,) if classes is None else (x, classes)
        if self._lone:
            _seed_generators(self._torch_seeds()[0], x.device.type == "cpu")
            output, replaced = self._lone(self.parameters, self.buffers, *(i.squeeze(0) for i in inputs))
            self.buffers |= {n: t.detach().unsqueeze(0) for n, t in replaced.items()}
            return output.unsqueeze(0)
        maps = self._maps.get(self._mode)
        if maps is None:
            return self._first_call(inputs)
        return self._all_at_once(inputs) if maps else self._member_by_member(inputs)

    def train(self, mode: bool, by_batch: bool) -> None:
        self._mode = mode, by_batch
        self.template.train(mode)
        for module in self.template.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):  # pyright: ignore[reportPrivateUsage]
                module.train(by_batch)

    def named(self, weights: State) -> dict[str, Tensor]:
        return {n: t.detach() for n, t in weights.items()}

    def state(self) -> dict[str, Tensor]:
        return self.named({**self.parameters, **self.buffers})

    def _first_call(self, inputs: Inputs) -> Tensor:
        """All at once, unless the module draws random numbers or does what vmap cannot: then member by member."""
        mode, before = self._mode, {n: t.clone() for n, t in self.buffers.items()}
        try:
            with warnings.catch_warnings():
                # Where vmap warns of a loss of speed, it goes example by example, which takes longer than by member.
                warnings.filterwarnings("error", message=SLOW_VMAP)
                output = self._all_at_once(inputs)
        except Exception as error:
            # It may have counted this batch in its buffers before it failed.
            for name, tensor in self.buffers.items():
                tensor.copy_(before[name])
            output = self._member_by_member(inputs)  # raises a real error again
            self._maps[mode] = False
            self._say_why(error)
            return output
        self._maps[mode] = True
        return output

    def run_seed_by_seed(self, error: Exception) -> bool:
        """See `Population.run_seed_by_seed`."""
        if self.size == 1 or not any(self._maps.values()):
            return False
        self._maps = dict.fromkeys(MODES, False)
        self._say_why(error)
        return True

    def _say_why(self, error: Exception) -> None:
        """Once, in one line, and not where random numbers are the reason, which need no mending."""
        if self._said or "randomness" in str(error):
            return
        self._said = True
        name, why = type(self.template).__name__, shortened(in_one_line(error), MAX_REASON)
        say(f"{name} runs seed by seed, which takes longer: torch.func.vmap can't run all seeds at once ({why})")

    def _all_at_once(self, inputs: Inputs) -> Tensor:
        outputs, replaced = vmap(self._one, randomness="error")(self.parameters, self.buffers, *inputs)
        self.buffers |= {n: t.detach() for n, t in replaced.items()}
        return outputs

    def _member_by_member(self, inputs: Inputs) -> Tensor:
        outputs: list[Tensor] = []
        replaced: dict[str, list[Tensor]] = {}
        for member, seed in enumerate(self._torch_seeds()):
            _seed_generators(seed, inputs[0].device.type == "cpu")
            parameters = {n: t[member] for n, t in self.parameters.items()}
            buffers = {n: t[member] for n, t in self.buffers.items()}
            output, changed = self._one(parameters, buffers, *(i[member] for i in inputs))
            outputs.append(output)
            for name, tensor in changed.items():
                replaced.setdefault(name, []).append(tensor.detach())
        self.buffers |= {n: torch.stack(tensors) for n, tensors in replaced.items()}
        return torch.stack(outputs)

    def _one(self, parameters: State, buffers: State, *inputs: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """A member's output, and those of its buffers that it replaced rather than changed in place."""
        state = {**parameters, **buffers}
        output = functional_call(self.template, state, inputs)
        return output, {n: state[n] for n, given in buffers.items() if state[n] is not given}


def _lone_state(module: nn.Module) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """What `stack_module_state` gives for one module, as views of its own memory rather than copies."""
    parameters: dict[str, Tensor] = {}
    for name, parameter in module.named_parameters():
        parameters[name] = parameter.detach().unsqueeze(0).requires_grad_(parameter.requires_grad)
    return parameters, {n: b.detach().unsqueeze(0) for n, b in module.named_buffers()}


Slots = dict[str, list[tuple[dict[str, Tensor], str]]]
"""A tensor's name -> the submodules' dictionaries that hold it and its key in each; several where it is tied."""


class _LoneCall:
    """Calls a module on weights and buffers with an axis P = 1, for a third of the overhead of `functional_call`."""

    def __init__(self, module: nn.Module):
        self._module = module
        self._parameters = _slots(module, "_parameters", module.named_parameters(remove_duplicate=False))
        self._buffers = _slots(module, "_buffers", module.named_buffers(remove_duplicate=False))

    def __call__(self, parameters: State, buffers: State, *inputs: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The output, and those of its buffers that it replaced rather than changed in place."""
        _put(parameters, self._parameters)
        given = _put(buffers, self._buffers)
        output = self._module(*inputs)
        after = {name: owner[key] for name, [(owner, key), *_] in self._buffers.items()}
        return output, {name: tensor for name, tensor in after.items() if tensor is not given[name]}


def _slots(module: nn.Module, kind: str, named: Iterable[tuple[str, Tensor]]) -> Slots:
    slots: Slots = {}
    first_names: dict[int, str] = {}
    for name, tensor in named:
        owner, _, key = name.rpartition(".")
        first = first_names.setdefault(id(tensor), name)
        slots.setdefault(first, []).append((getattr(module.get_submodule(owner), kind), key))
    return slots


def _put(state: State, slots: Slots) -> dict[str, Tensor]:
    """Put a lone member's tensors, without the axis P, where its module looks for them. Returns them."""
    views = {name: state[name].squeeze(0) for name in slots}
    for name, places in slots.items():
        for owner, key in places:
            owner[key] = views[name]
    return views
