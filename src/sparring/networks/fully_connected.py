from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, final

from torch import nn

from sparring.networks import Network, Shape

Activation = Literal["sigmoid", "tanh", "relu", "leaky-relu"]


@final
@dataclass(frozen=True)
class FullyConnected(Network):
    """Linear layers of the given widths with an activation, and if wanted a normalisation, between them.

    Each hidden layer is linear, activation, normalisation. The output is a linear layer and `output`.
    """

    hidden: tuple[int, ...] = (128,)
    """Widths of the hidden layers, from input to output."""
    activation: Activation = "leaky-relu"
    slope: float = 0.2
    """Of the leaky ReLU below zero."""
    normalise: Literal["none", "layer"] = "none"
    """Layer normalisation after each hidden activation (Ba et al., "Layer normalization", 2016); works at batch 1."""
    output: Literal["none", "sigmoid", "tanh"] = "none"
    """Squashes the output into the data's range; a discriminator gives a raw score."""

    def build(self, takes: Shape, gives: Shape) -> nn.Module:
        widths = (math.prod(takes), *self.hidden, math.prod(gives))
        layers: list[nn.Module] = [nn.Flatten()] if len(takes) > 1 else []
        for index, (wide, next_wide) in enumerate(pairwise(widths), 1):
            layers.append(nn.Linear(wide, next_wide))
            if index < len(widths) - 1:
                layers.append(self._activation())
                if self.normalise == "layer":
                    layers.append(nn.LayerNorm(next_wide))
        if self.output != "none":
            layers.append(nn.Sigmoid() if self.output == "sigmoid" else nn.Tanh())
        if len(gives) != 1:
            layers.append(nn.Unflatten(1, gives) if gives else nn.Flatten(0))
        return nn.Sequential(*layers)

    def _activation(self) -> nn.Module:
        if self.activation == "leaky-relu":
            return nn.LeakyReLU(self.slope)
        return {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}[self.activation]()
