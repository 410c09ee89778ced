"""How a user's own images are brought to one shape: the settings of a folder, an archive or an array."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Color = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""
Fit = Literal["crop", "pad", "stretch"]
Colors = Literal["auto", "gray", "rgb"]
Frames = Literal["first", "all"]
Alpha = Literal["auto"] | bool
Resample = Literal["auto", "bicubic", "nearest"]
Size = tuple[int, int]
"""Width and height, in pixels."""
WITH_ALPHA = 4
"""Channels of images whose transparency is kept."""
Limits = tuple[float, float]
"""The levels that become black and white."""


@dataclass(frozen=True)
class ImageSettings:
    """How images are brought to one shape."""

    size: int = 0
    """Side of the square, in pixels; 0 chooses it by the images."""
    fit: Fit = "crop"
    background: Color = (0, 0, 0)
    colors: Colors = "auto"
    alpha: Alpha = "auto"
    """Whether transparency is kept, as a fourth channel; `auto` keeps it where images are mostly transparent."""
    frames: Frames = "first"
    """Which frames of an animated file, or pages of a TIFF, are images."""
    levels: str = "full"
    """Which levels become black and white: `full` (all that a file can have), `used` (the smallest and the largest that
    occur) or LOW:HIGH."""
    resample: Resample = "auto"
    """How images get another size: smoothed, or to the nearest pixel; `auto` does the latter for pixel art."""
    labels: str = "auto"
    """Where classes come from: `auto`, `folders`, `none`, or the name of a column."""
    leave_out: str = ""
    """A file that lists images to leave out; none by default."""

    @property
    def limits(self) -> Limits | None:
        """The levels that become black and white, where they are given as numbers."""
        return limits_of(self.levels)


def limits_of(levels: str) -> Limits | None:
    """`0:4095` as numbers, or None for the words `full` and `used`. Raises ValueError for anything else."""
    if levels in ("full", "used"):
        return None
    number = r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*"
    found = re.fullmatch(f"{number}:{number}", levels)
    if found is None or not float(found[1]) < float(found[2]):
        raise ValueError(f"levels must be full, used or LOW:HIGH, such as 0:4095, not {levels!r}")
    return float(found[1]), float(found[2])
