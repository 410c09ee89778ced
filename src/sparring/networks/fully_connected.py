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
    """Linear layers of the given widths with an activation, and if wanted normalization and dropout, between them.

    Each hidden layer is linear, activation, normalization, dropout. The output is a linear layer and `output`.
    """

    hidden: tuple[int, ...] = (128,)
    """Widths of the hidden layers, from input to output."""
    activation: Activation = "leaky-relu"
    slope: float = 0.2
    """Of the leaky ReLU below zero."""
    normalization: Literal["none", "layer", "batch", "spectral"] = "none"
    """After each hidden activation: over the layer (Ba et al., "Layer normalization", 2016), which works at batch 1, or
    over the batch (Ioffe and Szegedy, "Batch normalization", ICML 2015). Or every linear layer by its largest singular
    value (Miyato et al., "Spectral normalization for generative adversarial networks", ICLR 2018)."""
    dropout: float = 0.0
    """Share of the numbers set to 0 after each hidden layer while training (Srivastava et al., JMLR 15, 2014)."""
    output: Literal["none", "sigmoid", "tanh"] = "none"
    """Squashes the output into the data's range; a discriminator gives a raw score."""
    minibatch_deviation: bool = False
    """Whether a discriminator's last layer is told how much its inputs differ over the batch (Karras et al.,
    "Progressive growing of GANs", ICLR 2018)."""

    def build(self, takes: Shape, gives: Shape) -> nn.Module:
        from torch import nn

        from sparring.networks.layers import MinibatchStandardDeviation

        if self.minibatch_deviation and gives:
            raise ValueError("minibatch_deviation is a discriminator's; a generator's example stands alone")
        widths = (math.prod(takes), *self.hidden, math.prod(gives))
        layers: list[nn.Module] = [nn.Flatten()] if len(takes) > 1 else []
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
        if len(gives) != 1:
            layers.append(nn.Unflatten(1, gives) if gives else nn.Flatten(0))
        return nn.Sequential(*layers)

    def _activation(self) -> nn.Module:
        from torch import nn

        if self.activation == "leaky-relu":
            return nn.LeakyReLU(self.slope)
        return {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}[self.activation]()
