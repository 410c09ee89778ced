"""Chains: P networks of common layers called as one, in a batched form of each layer written by hand.

A chain is layers one after another, some of which may lie in a residual block.

Stacked weights lie in memory as the batched product wants them, and are told to the world under the module's own names
and shapes with a leading axis P. Examples are `(P, B, ...)`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.func import stack_module_state
from torch.nn import functional

from sparring.networks.layers import (
    Bilinear,
    ClassEmbedding,
    Conditional,
    DiscriminativeBasis,
    GenerativeBasis,
    MinibatchStandardDeviation,
    Projection,
    Residual,
    SpectralNorm,
    largest_singular_value,
    with_spread,
)

Call = Callable[[Tensor], Tensor]
Uniform = Callable[[Sequence[int]], Tensor]
Weights = Mapping[str, Tensor]


class Sharing(Protocol):
    """What a layer that looks at several examples at once asks for, where processes share every batch."""

    @property
    def size(self) -> int:
        """Processes."""
        ...

    def share(self, batch: Tensor) -> Tensor:
        """This process's examples of a whole batch."""
        ...

    def all_gather(self, share: Tensor) -> Tensor:
        """The whole batch, of which every process gives its share."""
        ...

    def mean(self, numbers: Tensor) -> Tensor:
        """Over processes."""
        ...


def is_chain(module: nn.Module) -> bool:
    """Whether every layer of a module has a batched form."""
    if type(module) in CONTAINERS:
        return all(is_chain(child) for child in module.children())
    return type(module) in FORMS and not _unusual(module)


class Chain:
    """`members` are alike, and each `is_chain`.

    `uniform` gives each member numbers of its own, uniform on [0, 1), `(P, *shape)`: what dropout draws from.
    """

    def __init__(self, members: Sequence[nn.Module], uniform: Uniform, sharing: Sharing | None = None):
        self.uniform = uniform
        self.sharing = sharing
        """How to reach the rest of the batch while training; None where there is no more of it."""
        self.training = True
        self.classes: Tensor | None = None
        """What the examples of this call are said to be, one-hot `(P, B, K)`: for discriminators that ask."""
        template = members[0]
        stacked, self.buffers = stack_module_state(list(members))
        self.parameters: dict[str, Tensor] = {}
        self._lies: dict[str, str] = {}
        for name, weight in stacked.items():
            lies = self._lies[name] = _arrangement(template.get_submodule(name.rpartition(".")[0]), weight)
            arranged = _arranged(weight.detach(), lies).contiguous()
            self.parameters[name] = arranged.requires_grad_(weight.requires_grad)
        self._call = self.call_of(template, "")

    def __call__(self, x: Tensor, classes: Tensor | None = None) -> Tensor:
        self.classes = classes
        return self._call(x)

    def train(self, mode: bool) -> None:
        """Whether dropout drops and batch normalization looks at the batch."""
        self.training = mode

    def named(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`weights`, laid out as `parameters` are, in the module's own shapes, each `(P, ...)`, as views."""
        return {name: _disarranged(w.detach(), self._lies[name]) for name, w in weights.items()}

    def state(self) -> dict[str, Tensor]:
        """Weights and buffers in the module's own shapes, each `(P, ...)`, as views."""
        return self.named(self.parameters) | self.buffers

    def call_of(self, layer: nn.Module, prefix: str) -> Call:
        """One layer's batched form on its own weights, whose names begin with `prefix`."""
        if type(layer) in CONTAINERS:
            calls = {name: self.call_of(child, f"{prefix}{name}.") for name, child in layer.named_children()}
            return CONTAINERS[type(layer)](calls, self)
        own = {name: self.parameters[prefix + name] for name, _ in layer.named_parameters()}
        own |= {name: self.buffers[prefix + name] for name, _ in layer.named_buffers()}
        return FORMS[type(layer)](layer, own, self)


def _one_after_another(calls: Mapping[str, Call], chain: Chain) -> Call:
    line = list(calls.values())
    if len(line) == 1:
        return line[0]

    def call(x: Tensor) -> Tensor:
        for each in line:
            x = each(x)
        return x

    return call


def _side_by_side(calls: Mapping[str, Call], chain: Chain) -> Call:
    main, shortcut = calls["main"], calls["shortcut"]
    return lambda x: main(x) + shortcut(x)


def _projected(calls: Mapping[str, Call], chain: Chain) -> Call:
    score, embed = calls["score"], calls["embed"]

    def call(h: Tensor) -> Tensor:
        assert chain.classes is not None
        return score(h).squeeze(-1) + (embed(chain.classes) * h).sum(-1)

    return call


CONTAINERS: dict[type[nn.Module], Callable[[Mapping[str, Call], Chain], Call]] = {
    nn.Sequential: _one_after_another,
    Conditional: _one_after_another,
    Residual: _side_by_side,
    Projection: _projected,
}


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
    def one(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return functional.conv2d(laid_out(x), weight, bias, layer.stride, layer.padding, layer.dilation, layer.groups)

    return _member_by_member(own, one)


def _transposed_convolution(layer: nn.ConvTranspose2d, own: Weights, chain: Chain) -> Call:
    settings = layer.stride, layer.padding, layer.output_padding, layer.groups, layer.dilation

    def one(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return functional.conv_transpose2d(laid_out(x), weight, bias, *settings)  # pyright: ignore[reportArgumentType]

    return _member_by_member(own, one)


CHANNELS_LAST = ("cuda",)
"""Kinds of device that want it so in half precision."""


def laid_out(images: Tensor) -> Tensor:
    """Images as a convolution wants them in memory: channels last where a GPU convolves in half precision."""
    if images.device.type in CHANNELS_LAST and torch.is_autocast_enabled(images.device.type):
        return images.contiguous(memory_format=torch.channels_last)
    return images


def _member_by_member(own: Weights, one: Callable[[Tensor, Tensor, Tensor | None], Tensor]) -> Call:
    # A convolution keeps the cores busy by itself, and grouped into one it is no faster. Members are unbound, and not
    # indexed: the gradient of an index is a whole population of zeros with one member filled in.
    weights, biases = own["weight"], own.get("bias")
    size = len(weights)

    def call(x: Tensor) -> Tensor:
        if size == 1:
            return one(x.squeeze(0), weights.squeeze(0), None if biases is None else biases.squeeze(0)).unsqueeze(0)
        each = zip(x.unbind(), weights.unbind(), [None] * size if biases is None else biases.unbind(), strict=True)
        return torch.stack([one(*mine) for mine in each])

    return call


def _spectral_norm(layer: SpectralNorm, own: Weights, chain: Chain) -> Call:
    weight, u, bias = own["layer.weight"], own["u"], own.get("bias")
    linear = isinstance(layer.layer, nn.Linear)

    def call(x: Tensor) -> Tensor:
        sigma, after = largest_singular_value(weight.mT if linear else weight.flatten(2), u)
        if chain.training:
            u.copy_(after)
        divided = {"weight": weight / sigma.view(-1, *(1,) * (weight.ndim - 1))}
        if bias is not None:
            divided["bias"] = bias.unsqueeze(1) if linear else bias
        return FORMS[type(layer.layer)](layer.layer, divided, chain)(x)

    return call


def _embedding(layer: ClassEmbedding, own: Weights, chain: Chain) -> Call:
    embed, latent = own["embed.weight"], layer.latent
    return lambda x: layer.joined(x[..., :latent], torch.bmm(x[..., latent:], embed))


def _generative_basis(layer: GenerativeBasis, own: Weights, chain: Chain) -> Call:
    weight = own["weight"]
    return lambda x: x[..., None, None] * weight.unsqueeze(1)


def _discriminative_basis(layer: DiscriminativeBasis, own: Weights, chain: Chain) -> Call:
    weight = own["weight"]
    return lambda x: (x * weight.unsqueeze(1)).sum((-2, -1))


def _layer_norm(layer: nn.LayerNorm, own: Weights, chain: Chain) -> Call:
    shape, eps, gain, bias = layer.normalized_shape, layer.eps, own["weight"], own["bias"]
    return lambda x: torch.addcmul(bias, functional.layer_norm(x, shape, eps=eps), gain)


def _batch_norm(layer: nn.BatchNorm1d | nn.BatchNorm2d, own: Weights, chain: Chain) -> Call:
    # All members' channels side by side are the channels of one network: (P, B, C, ...) as (B, P * C, ...).
    gain, bias = own["weight"], own["bias"]
    means, variances, batches = own["running_mean"], own["running_var"], own["num_batches_tracked"]
    momentum, eps, size = layer.momentum, layer.eps, len(own["weight"])
    step = momentum or 0.0

    def call(x: Tensor) -> Tensor:
        if chain.training:
            batches.add_(1)
        merged = (x.squeeze(0) if size == 1 else x.transpose(0, 1).flatten(1, 2)).to(gain.dtype)
        mean, variance = means.view(-1), variances.view(-1)
        if chain.training and chain.sharing:
            middle, spread, count = _moments(merged, chain.sharing)
            with torch.no_grad():
                mean.lerp_(middle.flatten(), step)
                variance.lerp_(spread.flatten() * (count / (count - 1)), step)
            each = (1, -1, *(1,) * (merged.ndim - 2))
            y = (merged - middle) * (spread + eps).rsqrt() * gain.view(each) + bias.view(each)
            return y.unsqueeze(0) if size == 1 else y.unflatten(1, (size, -1)).transpose(0, 1)
        y = functional.batch_norm(merged, mean, variance, gain.flatten(), bias.flatten(), chain.training, momentum, eps)  # pyright: ignore[reportArgumentType]
        return y.unsqueeze(0) if size == 1 else y.unflatten(1, (size, -1)).transpose(0, 1)

    return call


def _moments(x: Tensor, sharing: Sharing) -> tuple[Tensor, Tensor, int]:
    """Mean and variance of each channel over the whole batch, `(1, C, 1, ...)`, and how many numbers they are of."""
    axes = [axis for axis in range(x.ndim) if axis != 1]
    middle = sharing.mean(x.mean(axes, keepdim=True))
    spread = sharing.mean((x - middle).square().mean(axes, keepdim=True))
    return middle, spread, sharing.size * x.numel() // x.shape[1]


def _minibatch_deviation(layer: nn.Module, own: Weights, chain: Chain) -> Call:
    def call(x: Tensor) -> Tensor:
        sharing = chain.sharing if chain.training else None
        return with_spread(x) if sharing is None else sharing.share(with_spread(sharing.all_gather(x)))

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


def _example_by_example(layer: nn.Module, own: Weights, chain: Chain) -> Call:
    # Without weights, and blind to which member an example is of.
    return lambda x: layer(x.flatten(0, 1)).unflatten(0, x.shape[:2])


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
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        return module.padding_mode != "zeros"
    if isinstance(module, SpectralNorm):
        return _unusual(module.layer)
    return isinstance(module, nn.Dropout) and module.p >= 1


FORMS: dict[type[nn.Module], Callable[[Any, Weights, Chain], Call]] = {
    nn.Linear: _linear,
    nn.Conv2d: _convolution,
    nn.ConvTranspose2d: _transposed_convolution,
    SpectralNorm: _spectral_norm,
    ClassEmbedding: _embedding,
    GenerativeBasis: _generative_basis,
    DiscriminativeBasis: _discriminative_basis,
    MinibatchStandardDeviation: _minibatch_deviation,
    nn.LayerNorm: _layer_norm,
    nn.BatchNorm1d: _batch_norm,
    nn.BatchNorm2d: _batch_norm,
    nn.Dropout: _dropout,
    nn.Flatten: _flatten,
    nn.Unflatten: _unflatten,
    nn.Tanh: _tanh,
    **dict.fromkeys((nn.Upsample, nn.AvgPool2d, nn.MaxPool2d, nn.PixelShuffle), _example_by_example),
    **dict.fromkeys((nn.Identity, nn.LeakyReLU, nn.ReLU, nn.Sigmoid, Bilinear), _elementwise),
}
