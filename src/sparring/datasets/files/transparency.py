"""Whether images are mostly transparent: then their outline is part of what they show, and it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SEEN_THROUGH = 0.1
"""Share of an image's pixels that must be transparent by more than half: an icon's round corners are less."""
MIN_SHARE = 0.5
"""More than this share of the images must be such."""


@dataclass(frozen=True)
class Transparency:
    """What was found. Not kept by default."""

    kept: bool = False
    """Whether it becomes a fourth channel."""
    why: str = ""
    """What makes the images mostly transparent, in words; empty where they are not, or where it was asked for."""


def is_seen_through(pixels: np.ndarray) -> bool:
    """Whether much of an image uint8 `(H, W, 4)` is transparent."""
    return float((pixels[..., 3] < 128).mean()) >= SEEN_THROUGH


def kept_in(seen_through: Sequence[bool]) -> Transparency:
    """What some images show together."""
    share = float(np.mean(seen_through)) if seen_through else 0.0
    return (
        Transparency(True, f"{share:.0%} of the images have transparent areas") if share > MIN_SHARE else Transparency()
    )
