"""Layers that torch lacks, as ordinary modules. `game/chain.py` has a batched form of each for whole populations."""

from sparring.networks.layers.conditional import ClassEmbedding, Conditional, Projection
from sparring.networks.layers.maps import Bilinear, DiscriminativeBasis, GenerativeBasis, Residual, UpsampledConvolution
from sparring.networks.layers.minibatch_deviation import GROUP, MinibatchStandardDeviation, with_deviation
from sparring.networks.layers.own import ChosenOutput, ClassesApart, Scores
from sparring.networks.layers.spectral_norm import SpectralNorm, largest_singular_value

__all__ = [
    "GROUP",
    "Bilinear",
    "ChosenOutput",
    "ClassEmbedding",
    "ClassesApart",
    "Conditional",
    "DiscriminativeBasis",
    "GenerativeBasis",
    "MinibatchStandardDeviation",
    "Projection",
    "Residual",
    "Scores",
    "SpectralNorm",
    "UpsampledConvolution",
    "largest_singular_value",
    "with_deviation",
]
