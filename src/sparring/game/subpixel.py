"""Convolutions of stride 2 between a few channels and many, and those of repeated pixels, where torch is slow.

A convolution that halves an image of 3 channels takes torch 0.2 ms (16 maps, a batch of 32 images of 32 x 32, one
thread of an AMD EPYC). Its gradient by the image, which is also what the transposed convolution of a generator's last
layer computes, takes 1.3 ms: oneDNN has no fast kernel for so few channels. Here the latter is four convolutions of
stride 1, one for each parity of row and column, in one with four times the channels (Shi et al., "Real-time single
image and video super-resolution using an efficient sub-pixel convolutional neural network", CVPR 2016, section 3).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional

FEW = 4
"""The most channels on an image's side for which this is faster."""
KERNEL, STRIDE, PADDING = (4, 4), (2, 2), (1, 1)
"""Of what is computed here: DCGAN's, which halve or double a side."""


def halves(layer: nn.Conv2d, images: Tensor) -> bool:
    """Whether `halved` computes what this layer makes of these images, and torch would take longer."""
    return layer.in_channels <= FEW and not any(side % 2 for side in images.shape[-2:]) and _as_here(layer, images)


def doubles(layer: nn.ConvTranspose2d, maps: Tensor) -> bool:
    """Whether `doubled` computes what this layer makes of these maps, and torch would take longer."""
    return layer.out_channels <= FEW and layer.output_padding == (0, 0) and _as_here(layer, maps)


def _as_here(layer: nn.Conv2d | nn.ConvTranspose2d, x: Tensor) -> bool:
    same = (layer.kernel_size, layer.stride, layer.padding) == (KERNEL, STRIDE, PADDING)
    plain = layer.groups == 1 and layer.dilation == (1, 1) and layer.padding_mode == "zeros"
    return same and plain and _in_full_precision(x)


def _in_full_precision(x: Tensor) -> bool:
    return x.device.type == "cpu" and not torch.is_autocast_enabled("cpu")


def of_repeated_pixels(maps: Tensor, weight: Tensor) -> Tensor:
    """What a 3 x 3 convolution with padding 1 makes of maps whose pixels are repeated, `(B, C, 2H, 2W)`.

    A transposed convolution with 4 x 4 kernels is the same, which takes 4 products for a pixel in place of 9: each
    number of the larger kernel is the sum of those that fall on one pixel of the maps.

    Args:
        maps: `(B, M, H, W)`.
        weight: Of the convolution, `(C, M, 3, 3)`.
    """
    wide = functional.pad(weight, (1, 1, 1, 1))
    rows = wide[..., 1:, :] + wide[..., :-1, :]
    kernel = (rows[..., 1:] + rows[..., :-1]).flip(-2, -1).transpose(0, 1)  # (M, C, 4, 4)
    if len(weight) <= FEW and _in_full_precision(maps):
        return doubled(maps, kernel)
    return functional.conv_transpose2d(maps, kernel, stride=STRIDE, padding=PADDING)


def halved(images: Tensor, weight: Tensor) -> Tensor:
    """`conv2d` with stride 2 and padding 1: images `(B, C, 2H, 2W)`, weight `(M, C, 4, 4)` -> maps `(B, M, H, W)`."""
    return _Halved.apply(images, weight)  # pyright: ignore[reportReturnType]


def doubled(maps: Tensor, weight: Tensor) -> Tensor:
    """`conv_transpose2d` with stride 2 and padding 1: maps `(B, M, H, W)` -> images `(B, C, 2H, 2W)`."""
    return _Doubled.apply(maps, weight)  # pyright: ignore[reportReturnType]


class _Halved(Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(images, weight)
        return functional.conv2d(images, weight, stride=STRIDE, padding=PADDING)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        images, weight = ctx.saved_tensors
        by_images, by_weight = ctx.needs_input_grad
        return doubled(gradient, weight) if by_images else None, _by_weight(
            images, gradient, weight
        ) if by_weight else None


class _Doubled(Function):
    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(maps, weight)
        (batch, _, height, width), channels = maps.shape, weight.shape[1]
        found = functional.conv2d(maps, _by_parity(weight), padding=1)  # one row and one column more than maps have
        found = found.view(batch, 2, 2, channels, height + 1, width + 1)
        rows = [
            torch.stack(
                [found[:, row, column, :, row : row + height, column : column + width] for column in (0, 1)], -1
            )
            for row in (0, 1)
        ]  # each (B, C, H, W, 2)
        return torch.stack(rows, 3).view(batch, channels, 2 * height, 2 * width)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        maps, weight = ctx.saved_tensors
        by_maps, by_weight = ctx.needs_input_grad
        return halved(gradient, weight) if by_maps else None, _by_weight(gradient, maps, weight) if by_weight else None


def _by_parity(weight: Tensor) -> Tensor:
    """The kernels `(4 C, M, 2, 2)` of each parity of row and column, of the kernels `(M, C, 4, 4)`.

    An even row is what kernel rows 3 and 1 make of the map's row above it and of its own, an odd one what 2 and 0 do.
    """
    maps, channels = weight.shape[:2]
    rows = torch.stack((weight[..., 1::2, :].flip(-2), weight[..., 0::2, :].flip(-2)))
    both = torch.stack((rows[..., 1::2].flip(-1), rows[..., 0::2].flip(-1)), 1)
    return both.transpose(2, 3).reshape(4 * channels, maps, 2, 2)


def _by_weight(images: Tensor, maps: Tensor, weight: Tensor) -> Tensor:
    """The gradient by the weight of `halved(images, weight)`, of which `maps` is the gradient by the output."""
    settings = [2, 2], [1, 1], [1, 1], False, [0, 0], 1, [False, True, False]
    return torch.ops.aten.convolution_backward(maps, images, weight, None, *settings)[1]
