from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, final

from sparring.networks import Network, Shape
from sparring.networks._images import spectral

if TYPE_CHECKING:
    from torch import nn

Activation = Literal["sigmoid", "tanh", "relu", "leaky-relu"]


@final
@dataclass(frozen=True)
class FullyConnected(Network):
    """Linear layers of the given widths, with an activation and optionally normalization and dropout in between.

    Each hidden layer is linear, activation, normalization, dropout. The last layer is linear, followed by `output`.
    """

    hidden: tuple[int, ...] = (128,)
    """Widths of the hidden layers, from input to output."""
    activation: Activation = "leaky-relu"
    """After each hidden layer."""
    slope: float = 0.2
    """Negative slope of the LeakyReLU."""
    normalization: Literal["none", "layer", "batch", "spectral"] = "none"
    """layer: layer normalization after each activation (Ba et al., "Layer normalization", 2016), which works at batch
    size 1; batch: batch normalization there (Ioffe and Szegedy, "Batch normalization", ICML 2015); spectral: spectral
    normalization of every linear layer (Miyato et al., "Spectral normalization for generative adversarial networks",
    ICLR 2018)."""
    dropout: float = 0.0
    """Dropout probability after each hidden layer (Srivastava et al., JMLR 15, 2014)."""
    output: Literal["none", "sigmoid", "tanh"] = "none"
    """Activation of the output: sigmoid for data in [0, 1], tanh for data in [-1, 1]; none for a discriminator."""
    minibatch_deviation: bool = False
    """Whether the standard deviation over the batch is an input of a discriminator's last layer (Karras et al.,
    "Progressive growing of GANs", ICLR 2018)."""

    def build(self, in_shape: Shape, out_shape: Shape) -> nn.Module:
        from torch import nn

        from sparring.networks.layers import MinibatchStandardDeviation

        if self.minibatch_deviation and out_shape:
            raise ValueError("minibatch_deviation is for discriminators only: set it to False for a generator")
        widths = (math.prod(in_shape), *self.hidden, math.prod(out_shape))
        layers: list[nn.Module] = [nn.Flatten()] if len(in_shape) > 1 else []
        for index, (wide, next_wide) in enumerate(pairwise(widths), 1):
            if self.minibatch_deviation and index == len(widths) - 1:
                layers.append(MinibatchStandardDeviation())
                wide += 1
            linear = nn.Linear(wide, next_wide)
            layers.append(spectral(linear) if self.normalization == "spectral" else linear)
            if index < len(widths) - 1:
                layers.append(self._activation())
                if self.normalization in ("layer", "batch"):
                    layers.append(
                        nn.LayerNorm(next_wide) if self.normalization == "layer" else nn.BatchNorm1d(next_wide)
                    )
                if self.dropout:
                    layers.append(nn.Dropout(self.dropout))
        if self.output != "none":
            layers.append(nn.Sigmoid() if self.output == "sigmoid" else nn.Tanh())
        if len(out_shape) != 1:
            layers.append(nn.Unflatten(1, out_shape) if out_shape else nn.Flatten(0))
        return nn.Sequential(*layers)

    def _activation(self) -> nn.Module:
        from torch import nn

        if self.activation == "leaky-relu":
            return nn.LeakyReLU(self.slope)
        return {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}[self.activation]()
