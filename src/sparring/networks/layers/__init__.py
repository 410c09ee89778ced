"""Layers that torch lacks, as ordinary modules. `game/chain.py` has a batched form of each for whole populations."""

from sparring.networks.layers.conditional import ClassEmbedding, Conditional, Flattened, Projection
from sparring.networks.layers.maps import Bilinear, DiscriminativeBasis, GenerativeBasis, Residual
from sparring.networks.layers.minibatch_deviation import GROUP, MinibatchStandardDeviation, with_deviation
from sparring.networks.layers.spectral_norm import SpectralNorm, largest_singular_value

__all__ = [
    "GROUP",
    "Bilinear",
    "ClassEmbedding",
    "Conditional",
    "DiscriminativeBasis",
    "Flattened",
    "GenerativeBasis",
    "MinibatchStandardDeviation",
    "Projection",
    "Residual",
    "SpectralNorm",
    "largest_singular_value",
    "with_deviation",
]
