"""Chains: P networks of common layers called as one, with a batched form of each layer written by hand.

A chain is a sequence of layers, some of which may be inside a residual block. Examples are `(P, B, ...)`.

Stacked weights are laid out in memory as the batched product needs them. `state()` and `named()` give them under the
module's own names and in its own shapes, with a leading axis P.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.func import stack_module_state
from torch.nn import functional

from sparring.game import subpixel
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
    UpsampledConvolution,
    largest_singular_value,
    with_deviation,
)

Call = Callable[[Tensor], Tensor]
"""A layer of all members: `(P, B, ...)` -> `(P, B, ...)`."""
Uniform = Callable[[Sequence[int]], Tensor]
"""A shape -> uniform random numbers on [0, 1), `(P, *shape)`."""
Weights = Mapping[str, Tensor]


class Sharing(Protocol):
    """What a layer that depends on the whole batch uses, where processes share every batch."""

    @property
    def size(self) -> int:
        """Number of processes."""
        ...

    def share(self, batch: Tensor) -> Tensor:
        """This process's share of a whole batch."""
        ...

    def all_gather(self, share: Tensor) -> Tensor:
        """The whole batch, to which every process contributes its share."""
        ...

    def mean(self, numbers: Tensor) -> Tensor:
        """The mean over processes."""
        ...


def is_chain(module: nn.Module) -> bool:
    """Whether every layer of a module has a batched form, and nothing but its layers decides what it computes."""
    if _has_hooks(module):
        return False
    if type(module) in CONTAINERS:
        return all(is_chain(child) for child in module.children())
    return type(module) in FORMS and not _unusual(module)


class Chain:
    """P networks of one architecture.

    Args:
        members: The networks, for each of which `is_chain` is true.
        uniform: Draws random numbers for dropout, each member's from its own stream.
        sharing: How to reach the rest of the batch while training, where processes share every batch.
    """

    def __init__(self, members: Sequence[nn.Module], uniform: Uniform, sharing: Sharing | None = None):
        self.uniform = uniform
        self.sharing = sharing
        self.training = self.by_batch = True
        self.classes: Tensor | None = None
        """One-hot classes of the examples of this call, `(P, B, K)`, for a class-conditional discriminator."""
        template = members[0]
        stacked, self.buffers = stack_module_state(list(members))
        self.parameters: dict[str, Tensor] = {}
        self._layouts: dict[str, str] = {}
        for name, weight in stacked.items():
            layout = self._layouts[name] = _layout_of(template.get_submodule(name.rpartition(".")[0]), weight)
            laid_out = _in_layout(weight.detach(), layout).contiguous()
            self.parameters[name] = laid_out.requires_grad_(weight.requires_grad)
        self._call = self.call_of(template, "")

    def __call__(self, x: Tensor, classes: Tensor | None = None) -> Tensor:
        self.classes = classes
        return self._call(x)

    def train(self, mode: bool, by_batch: bool) -> None:
        """Whether dropout drops, and whether batch normalization uses the batch's own statistics."""
        self.training, self.by_batch = mode, by_batch

    def named(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Views of `weights`, which are laid out as `parameters` are, in the module's own shapes, each `(P, ...)`."""
        return {name: _from_layout(w.detach(), self._layouts[name]) for name, w in weights.items()}

    def state(self) -> dict[str, Tensor]:
        """Views of weights and buffers in the module's own shapes, each `(P, ...)`."""
        return self.named(self.parameters) | self.buffers

    def call_of(self, layer: nn.Module, prefix: str) -> Call:
        """The batched form of one layer, bound to its weights, whose names begin with `prefix`."""
        if type(layer) in CONTAINERS:
            calls = {name: self.call_of(child, f"{prefix}{name}.") for name, child in layer.named_children()}
            return CONTAINERS[type(layer)](calls, self)
        own = {name: self.parameters[prefix + name] for name, _ in layer.named_parameters()}
        own |= {name: self.buffers[prefix + name] for name, _ in layer.named_buffers()}
        return FORMS[type(layer)](layer, own, self)


def _sequential(calls: Mapping[str, Call], chain: Chain) -> Call:
    sequence = list(calls.values())
    if len(sequence) == 1:
        return sequence[0]

    def call(x: Tensor) -> Tensor:
        for each in sequence:
            x = each(x)
        return x

    return call


def _residual(calls: Mapping[str, Call], chain: Chain) -> Call:
    main, shortcut = calls["main"], calls["shortcut"]
    return lambda x: main(x) + shortcut(x)


def _projected(calls: Mapping[str, Call], chain: Chain) -> Call:
    score, embed = calls["score"], calls["embed"]

    def call(h: Tensor) -> Tensor:
        assert chain.classes is not None
        return score(h).squeeze(-1) + (embed(chain.classes) * h).sum(-1)

    return call


CONTAINERS: dict[type[nn.Module], Callable[[Mapping[str, Call], Chain], Call]] = {
    nn.Sequential: _sequential,
    Conditional: _sequential,
    Residual: _residual,
    Projection: _projected,
}


# How a stacked weight is laid out in memory. A linear layer's product needs its matrices as (P, in, out); what is added
# to or multiplied with (P, B, out) gets an axis for B; everything else keeps its shape.

TRANSPOSED, WITH_BATCH = "transposed", "with batch"


def _layout_of(layer: nn.Module, weight: Tensor) -> str:
    if not isinstance(layer, nn.Linear | nn.LayerNorm):
        return ""
    return TRANSPOSED if weight.ndim == 3 else WITH_BATCH


def _in_layout(weight: Tensor, layout: str) -> Tensor:
    return weight.mT if layout == TRANSPOSED else weight.unsqueeze(1) if layout == WITH_BATCH else weight


def _from_layout(weight: Tensor, layout: str) -> Tensor:
    return weight.mT if layout == TRANSPOSED else weight.squeeze(1) if layout == WITH_BATCH else weight


# The batched forms.


def _linear(layer: nn.Linear, own: Weights, chain: Chain) -> Call:
    weight, bias = own["weight"], own.get("bias")
    if bias is None:
        return lambda x: torch.bmm(x, weight)
    return lambda x: torch.baddbmm(bias, x, weight)


def _convolution(layer: nn.Conv2d, own: Weights, chain: Chain) -> Call:
    def one(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if subpixel.halves(layer, x):
            return _plus(bias, subpixel.halved(x, weight))
        return functional.conv2d(laid_out(x), weight, bias, layer.stride, layer.padding, layer.dilation, layer.groups)

    return _member_by_member(own, one)


def _transposed_convolution(layer: nn.ConvTranspose2d, own: Weights, chain: Chain) -> Call:
    settings = layer.stride, layer.padding, layer.output_padding, layer.groups, layer.dilation

    def one(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if subpixel.doubles(layer, x):
            return _plus(bias, subpixel.doubled(x, weight))
        return functional.conv_transpose2d(laid_out(x), weight, bias, *settings)  # pyright: ignore[reportArgumentType]

    return _member_by_member(own, one)


def _upsampled_convolution(layer: UpsampledConvolution, own: Weights, chain: Chain) -> Call:
    return _member_by_member(own, lambda x, weight, bias: _plus(bias, subpixel.of_repeated_pixels(laid_out(x), weight)))


def _plus(bias: Tensor | None, images: Tensor) -> Tensor:
    return images if bias is None else images + bias.view(-1, 1, 1)


CHANNELS_LAST = ("cuda",)
"""Device types whose convolutions in half precision are faster in this memory format."""


def laid_out(images: Tensor) -> Tensor:
    """Images in the memory format that convolutions need: channels last on a GPU in half precision."""
    if images.device.type in CHANNELS_LAST and torch.is_autocast_enabled(images.device.type):
        return images.contiguous(memory_format=torch.channels_last)
    return images


def _member_by_member(own: Weights, one: Callable[[Tensor, Tensor, Tensor | None], Tensor]) -> Call:
    # One member's convolution keeps the cores busy; all of them as one grouped convolution are no faster. Members are
    # unbound rather than indexed, because the gradient of an index is a whole population of zeros but for one member.
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
        if chain.by_batch:
            batches.add_(1)
        merged = (x.squeeze(0) if size == 1 else x.transpose(0, 1).flatten(1, 2)).to(gain.dtype)
        mean, variance = means.view(-1), variances.view(-1)
        if chain.training and chain.sharing:
            batch_mean, batch_variance, count = _moments(merged, chain.sharing)
            with torch.no_grad():
                mean.lerp_(batch_mean.flatten(), step)
                variance.lerp_(batch_variance.flatten() * (count / (count - 1)), step)
            each = (1, -1, *(1,) * (merged.ndim - 2))
            y = (merged - batch_mean) * (batch_variance + eps).rsqrt() * gain.view(each) + bias.view(each)
            return y.unsqueeze(0) if size == 1 else y.unflatten(1, (size, -1)).transpose(0, 1)
        y = functional.batch_norm(merged, mean, variance, gain.flatten(), bias.flatten(), chain.by_batch, momentum, eps)  # pyright: ignore[reportArgumentType]
        return y.unsqueeze(0) if size == 1 else y.unflatten(1, (size, -1)).transpose(0, 1)

    return call


def _moments(x: Tensor, sharing: Sharing) -> tuple[Tensor, Tensor, int]:
    """Mean and variance of each channel over the whole batch, `(1, C, 1, ...)`, and how many values they are over."""
    axes = [axis for axis in range(x.ndim) if axis != 1]
    mean = sharing.mean(x.mean(axes, keepdim=True))
    variance = sharing.mean((x - mean).square().mean(axes, keepdim=True))
    return mean, variance, sharing.size * x.numel() // x.shape[1]


def _minibatch_deviation(layer: nn.Module, own: Weights, chain: Chain) -> Call:
    def call(x: Tensor) -> Tensor:
        sharing = chain.sharing if chain.training else None
        return with_deviation(x) if sharing is None else sharing.share(with_deviation(sharing.all_gather(x)))

    return call


def _dropout(layer: nn.Dropout, own: Weights, chain: Chain) -> Call:
    rate = layer.p

    def call(x: Tensor) -> Tensor:
        if not chain.training or rate == 0:
            return x
        kept = chain.uniform(x.shape[1:]) >= rate
        return x * kept.to(x.dtype).mul_(1 / (1 - rate))

    return call


def _flatten(layer: nn.Flatten, own: Weights, chain: Chain) -> Call:
    start, end = _shifted(layer.start_dim), _shifted(layer.end_dim)
    return lambda x: x.flatten(start, end)


def _unflatten(layer: nn.Unflatten, own: Weights, chain: Chain) -> Call:
    axis, size = _shifted(int(layer.dim)), tuple(layer.unflattened_size)
    return lambda x: x.unflatten(axis, size)


def _tanh(layer: nn.Tanh, own: Weights, chain: Chain) -> Call:
    # tanh x = 2 sigmoid(2x) - 1, exact to 2e-7. On some processors torch's tanh takes ten times as long as its sigmoid.
    return lambda x: x.mul(2).sigmoid().mul(2).sub(1)


def _example_by_example(layer: nn.Module, own: Weights, chain: Chain) -> Call:
    # It has no weights, so all members' examples can be one batch.
    return lambda x: layer(x.flatten(0, 1)).unflatten(0, x.shape[:2])


def _elementwise(layer: nn.Module, own: Weights, chain: Chain) -> Call:
    return layer.forward


def _shifted(axis: int) -> int:
    return axis + 1 if axis >= 0 else axis


def _has_hooks(module: nn.Module) -> bool:
    """Whether functions are called before or after it, as `nn.utils.spectral_norm` has them."""
    hooks = module._forward_pre_hooks, module._forward_hooks, module._backward_hooks, module._backward_pre_hooks  # pyright: ignore[reportPrivateUsage]
    return any(hooks)


def _unusual(module: nn.Module) -> bool:
    """Whether a layer has rare settings, which have no batched form here."""
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
    UpsampledConvolution: _upsampled_convolution,
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
