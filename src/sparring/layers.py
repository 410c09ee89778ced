"""Chains: P chains of common layers called as one, in a batched form of each layer written by hand.

Stacked weights lie in memory as the batched product wants them, and are told to the world under the module's own names
and shapes with a leading axis P. Examples are `(P, B, ...)`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import stack_module_state
from torch.nn import functional

Call = Callable[[Tensor], Tensor]
Uniform = Callable[[Sequence[int]], Tensor]
Weights = Mapping[str, Tensor]


def chain_of(module: nn.Module, prefix: str = "") -> list[tuple[str, nn.Module]] | None:
    """The layers of a chain and the prefix of their weights' names, or None when one has no batched form."""
    if type(module) in FORMS and not _unusual(module):
        return [(prefix, module)]
    if type(module) is not nn.Sequential:
        return None
    found: list[tuple[str, nn.Module]] = []
    for name, child in module.named_children():
        inner = chain_of(child, f"{prefix}{name}.")
        if inner is None:
            return None
        found += inner
    return found


class Chain:
    """`members` are alike, and `layers` is `chain_of` one of them.

    `uniform` gives each member numbers of its own, uniform on [0, 1), `(P, *shape)`: what dropout draws from.
    """

    def __init__(self, members: Sequence[nn.Module], layers: Sequence[tuple[str, nn.Module]], uniform: Uniform):
        self.uniform = uniform
        self.training = True
        stacked, self._buffers = stack_module_state(list(members))
        self.parameters: dict[str, Tensor] = {}
        self._calls: list[Call] = []
        self._lies: dict[str, str] = {}
        for prefix, layer in layers:
            own: dict[str, Tensor] = {}
            for name, _ in layer.named_parameters():
                weight = stacked[prefix + name]
                lies = self._lies[prefix + name] = _arrangement(layer, weight)
                arranged = _arranged(weight.detach(), lies).contiguous()
                self.parameters[prefix + name] = own[name] = arranged.requires_grad_(weight.requires_grad)
            own |= {name: self._buffers[prefix + name] for name, _ in layer.named_buffers()}
            self._calls.append(FORMS[type(layer)](layer, own, self))

    def __call__(self, x: Tensor) -> Tensor:
        for call in self._calls:
            x = call(x)
        return x

    def train(self, mode: bool) -> None:
        """Whether dropout drops and batch normalisation looks at the batch."""
        self.training = mode

    def state(self) -> dict[str, Tensor]:
        """Weights and buffers in the module's own shapes, each `(P, ...)`, as views."""
        held = {name: _disarranged(w.detach(), self._lies[name]) for name, w in self.parameters.items()}
        return held | self._buffers


# How a stacked weight lies in memory. A linear layer's product wants its matrices as (P, in, out); what is added to or
# multiplied with (P, B, out) has an axis for B put in; everything else lies as it is.

TRANSPOSED, WITH_BATCH = "transposed", "with batch"


def _arrangement(layer: nn.Module, weight: Tensor) -> str:
    if not isinstance(layer, nn.Linear | nn.LayerNorm):
        return ""
    return TRANSPOSED if weight.ndim == 3 else WITH_BATCH


def _arranged(weight: Tensor, how: str) -> Tensor:
    return weight.mT if how == TRANSPOSED else weight.unsqueeze(1) if how == WITH_BATCH else weight


def _disarranged(weight: Tensor, how: str) -> Tensor:
    return weight.mT if how == TRANSPOSED else weight.squeeze(1) if how == WITH_BATCH else weight


# The batched forms.


def _linear(layer: nn.Linear, own: Weights, chain: Chain) -> Call:
    weight, bias = own["weight"], own.get("bias")
    if bias is None:
        return lambda x: torch.bmm(x, weight)
    return lambda x: torch.baddbmm(bias, x, weight)


def _convolution(layer: nn.Conv2d, own: Weights, chain: Chain) -> Call:
    weights, biases = own["weight"], own.get("bias")
    size = len(weights)

    def one(x: Tensor, member: int) -> Tensor:
        bias = None if biases is None else biases[member]
        return functional.conv2d(x, weights[member], bias, layer.stride, layer.padding, layer.dilation, layer.groups)

    def call(x: Tensor) -> Tensor:
        # Member by member: a convolution keeps the cores busy by itself, and grouped into one it is no faster.
        if size == 1:
            return one(x[0], 0).unsqueeze(0)
        return torch.stack([one(x[member], member) for member in range(size)])

    return call


def _layer_norm(layer: nn.LayerNorm, own: Weights, chain: Chain) -> Call:
    shape, eps, gain, bias = layer.normalized_shape, layer.eps, own["weight"], own["bias"]
    return lambda x: torch.addcmul(bias, functional.layer_norm(x, shape, eps=eps), gain)


def _batch_norm(layer: nn.BatchNorm1d | nn.BatchNorm2d, own: Weights, chain: Chain) -> Call:
    # All members' channels side by side are the channels of one network: (P, B, C, ...) as (B, P * C, ...).
    gain, bias = own["weight"], own["bias"]
    mean, variance, batches = own["running_mean"].view(-1), own["running_var"].view(-1), own["num_batches_tracked"]
    momentum, eps, size = layer.momentum, layer.eps, len(own["weight"])

    def call(x: Tensor) -> Tensor:
        if chain.training:
            batches.add_(1)
        merged = x.squeeze(0) if size == 1 else x.transpose(0, 1).flatten(1, 2)
        y = functional.batch_norm(merged, mean, variance, gain.flatten(), bias.flatten(), chain.training, momentum, eps)  # pyright: ignore[reportArgumentType]
        return y.unsqueeze(0) if size == 1 else y.unflatten(1, (size, -1)).transpose(0, 1)

    return call


def _dropout(layer: nn.Dropout, own: Weights, chain: Chain) -> Call:
    share = layer.p

    def call(x: Tensor) -> Tensor:
        if not chain.training or share == 0:
            return x
        kept = chain.uniform(x.shape[1:]) >= share
        return x * kept.to(x.dtype).mul_(1 / (1 - share))

    return call


def _flatten(layer: nn.Flatten, own: Weights, chain: Chain) -> Call:
    start, end = _one_further(layer.start_dim), _one_further(layer.end_dim)
    return lambda x: x.flatten(start, end)


def _unflatten(layer: nn.Unflatten, own: Weights, chain: Chain) -> Call:
    axis, size = _one_further(int(layer.dim)), tuple(layer.unflattened_size)
    return lambda x: x.unflatten(axis, size)


def _tanh(layer: nn.Tanh, own: Weights, chain: Chain) -> Call:
    # tanh x = 2 sigmoid(2x) - 1, exact to 2e-7. On some processors torch's tanh takes ten times as long as its sigmoid.
    return lambda x: x.mul(2).sigmoid().mul(2).sub(1)


def _elementwise(layer: nn.Module, own: Weights, chain: Chain) -> Call:
    return layer.forward


def _one_further(axis: int) -> int:
    return axis + 1 if axis >= 0 else axis


def _unusual(module: nn.Module) -> bool:
    """Settings rare enough to be mapped: they have no batched form."""
    if isinstance(module, nn.LayerNorm):
        return len(module.normalized_shape) != 1 or len(list(module.parameters())) != 2
    if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        return not module.affine or not module.track_running_stats or module.momentum is None
    if isinstance(module, nn.Conv2d):
        return module.padding_mode != "zeros"
    return isinstance(module, nn.Dropout) and module.p >= 1


FORMS: dict[type[nn.Module], Callable[[Any, Weights, Chain], Call]] = {
    nn.Linear: _linear,
    nn.Conv2d: _convolution,
    nn.LayerNorm: _layer_norm,
    nn.BatchNorm1d: _batch_norm,
    nn.BatchNorm2d: _batch_norm,
    nn.Dropout: _dropout,
    nn.Flatten: _flatten,
    nn.Unflatten: _unflatten,
    nn.Tanh: _tanh,
    **dict.fromkeys((nn.Identity, nn.LeakyReLU, nn.ReLU, nn.Sigmoid), _elementwise),
}
