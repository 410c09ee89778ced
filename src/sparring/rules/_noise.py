"""Whether images are noise, by their roughness, their distance from the data and their checkerboard."""

from __future__ import annotations

import numpy as np

ROUGH = 3.5
"""Roughness (1: as real images) above which an image is noise in any case."""
ROUGHER, DISTANT = 1.3, 2.0
"""Roughness and nearest-neighbor distance above which an image is noise if both hold: among small images with hard
edges noise is not much rougher than the data."""
CHECKERED = 2.0
"""Checkerboard (1: as in real images) above which pixels differ in a pattern, rather than at random."""


def is_rough(roughness: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Whether samples of this roughness and nearest-neighbor distance are noise, or have a pattern of single pixels."""
    return (roughness > ROUGH) | ((roughness > ROUGHER) & (distance > DISTANT))


def has_pattern(checkerboard: np.ndarray) -> np.ndarray:
    """Whether pixels differ because of a pattern, which noise has not."""
    return checkerboard > CHECKERED
