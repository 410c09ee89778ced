"""Spectral normalization, in a form that works for one network and for a stack of them."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional


@final
class SpectralNorm(nn.Module):
    """A linear layer or convolution whose weight W is divided by its largest singular value, so that it is 1-Lipschitz.

    sigma = u^T W v, with u and v from one step of power iteration per call and no gradient through either; while
    training, u is kept for the next call. The W of a convolution is the matrix (output channels, everything else).
    Miyato et al., "Spectral normalization for generative adversarial networks", ICLR 2018, eq. 8 and algorithm 1.

    Args:
        layer: The layer, without a bias of its own, because a bias is not divided.
        bias: Whether to add a bias after it.

    Raises:
        ValueError: The layer has a bias.
    """

    u: Tensor

    def __init__(self, layer: nn.Linear | nn.Conv2d, bias: bool = True):
        super().__init__()
        if layer.bias is not None:
            raise ValueError("a layer under spectral normalization must be made with bias=False")
        self.layer = layer
        self.bias = nn.Parameter(torch.empty(len(layer.weight))) if bias else None
        self.register_buffer("u", torch.empty(len(layer.weight)))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the bias to 0 and draw u; the layer initializes its own weight."""
        with torch.no_grad():
            self.u.copy_(functional.normalize(torch.randn_like(self.u), dim=0))
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        layer = self.layer
        sigma, u = largest_singular_value(layer.weight.flatten(1), self.u)
        if self.training:
            self.u.copy_(u)
        weight = layer.weight / sigma
        if isinstance(layer, nn.Linear):
            return functional.linear(x, weight, self.bias)
        return functional.conv2d(x, weight, self.bias, layer.stride, layer.padding, layer.dilation, layer.groups)


def largest_singular_value(weight: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """One step of power iteration.

    Both vectors are made anew and never changed in place, so a graph that holds them can be differentiated twice.

    Args:
        weight: Matrices `(..., out, in)`.
        u: Approximate left singular vectors `(..., out)`.

    Returns:
        sigma `(...)`, and the next u.
    """
    with torch.no_grad():
        v = functional.normalize((weight.mT @ u.unsqueeze(-1)).squeeze(-1), dim=-1)
    product = (weight @ v.unsqueeze(-1)).squeeze(-1)
    u = functional.normalize(product.detach(), dim=-1)
    return (u * product).sum(-1), u
