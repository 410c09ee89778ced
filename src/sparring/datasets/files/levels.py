"""Images of more than 8 bits as levels, and levels as 8 bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFile
from PIL.TiffImagePlugin import BITSPERSAMPLE, PHOTOMETRIC_INTERPRETATION, TiffImageFile

from sparring.datasets.files.formats import BrokenError
from sparring.datasets.files.settings import Limits

SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N", "I")
"""Pillow's modes of 16-bit gray images, with levels from 0 to 65,535."""
WITHOUT_WHITE = ("I", "F")
"""Pillow's modes of TIFFs with signed, 32-bit or fractional levels, which do not say which level is white."""
WHITE_IS_ZERO = 0
"""Photometric interpretation of a TIFF in which 0 is white."""
ROWS = 2**20
"""Levels converted at a time, to save memory."""
LOW_BYTES = {
    "RGB;16B": "RGB;16L",
    "RGB;16L": "RGB;16B",
    "RGB;16N": "RGB;16B",
    "RGBX;16B": "RGBX;16L",
    "RGBX;16L": "RGBX;16B",
    "RGBX;16N": "RGBX;16B",
    "RGBA;16B": "RGBA;16L",
    "RGBA;16L": "RGBA;16B",
    "RGBA;16N": "RGBA;16B",
    "LA;16B": "RGBA",
}
"""Pillow's layout of 16-bit colors, of which it keeps the high bytes -> one in which it keeps the low bytes.

It has none for gray with alpha: read as RGBA, the four bytes of a pixel are both bytes of both.
"""


@dataclass(frozen=True)
class Levels:
    """An image of more than 8 bits."""

    color: np.ndarray
    """Gray `(H, W)` or RGB `(H, W, 3)`, of any type of number."""
    alpha: np.ndarray | None
    """uint8 `(H, W)`; None where all is opaque."""
    white: float | None
    """The level that is white; None where the file does not say."""

    @property
    def limits(self) -> Limits:
        """The smallest and the largest finite level."""
        finite = self.color[np.isfinite(self.color)] if self.color.dtype.kind == "f" else self.color
        if not finite.size:
            raise BrokenError("has no finite level")
        return float(finite.min()), float(finite.max())

    def image(self, limits: Limits | None) -> Image.Image:
        """The image in 8 bits, mode L, RGB or RGBA.

        Args:
            limits: The levels that become black and white; None for all that the file can have.

        Raises:
            BrokenError: There are no limits, and the file does not say which level is white.
        """
        if limits is None and self.white is None:
            raise BrokenError(
                "has signed, 32-bit or fractional levels, which do not say which level is white: --levels used or "
                "--levels=LOW:HIGH says it"
            )
        color = Image.fromarray(eight_bits(self.color, limits or (0.0, float(self.white or 0))))
        if self.alpha is not None:
            color = color.convert("RGB")
            color.putalpha(Image.fromarray(self.alpha))
        return color


def eight_bits(levels: np.ndarray, limits: Limits) -> np.ndarray:
    """Levels as uint8, of the same shape: the limits become 0 and 255, what lies outside is clipped."""
    low, high = limits
    flat, made = np.ascontiguousarray(levels).reshape(-1), np.empty(levels.size, np.uint8)
    for start in range(0, len(flat), ROWS):
        scaled = (np.nan_to_num(flat[start : start + ROWS].astype(np.float64)) - low) * 255 / (high - low)
        made[start : start + ROWS] = np.floor(scaled.clip(0, 255) + 0.5)
    return made.reshape(levels.shape)


def is_deep(image: Image.Image) -> bool:
    """Whether an image that is not loaded yet has more than 8 bits, of which Pillow alone would lose some."""
    if image.format == "PNG" and getattr(image, "is_animated", False):
        return False  # frames are pasted on one another, which Pillow does in 8 bits
    return image.mode in SIXTEEN_BITS or image.mode == "F" or _layout(image) in LOW_BYTES


def deep_levels(image: Image.Image, again: Callable[[], Image.Image]) -> Levels:
    """The levels of an image of more than 8 bits.

    Args:
        image: Loaded; `is_deep` was true of it before.
        again: Opens the same image once more, not loaded yet.
    """
    second = again()
    if (low := LOW_BYTES.get(_layout(second))) is not None:
        return _color_levels(image, second, low)
    levels, alpha = np.asarray(image), None
    if isinstance(image, TiffImageFile):
        if image.mode in WITHOUT_WHITE:
            return Levels(levels, None, None)
        bits = int(image.tag_v2[BITSPERSAMPLE][0])
        white = 2**bits - 1
        if image.tag_v2.get(PHOTOMETRIC_INTERPRETATION) == WHITE_IS_ZERO:
            levels = white - levels.astype(np.int64)
        return Levels(levels, None, white)
    if image.mode == "F":
        return Levels(levels, None, None)
    hidden = image.info.get("transparency")
    if isinstance(hidden, int):
        alpha = np.where(levels == hidden, 0, 255).astype(np.uint8)
    return Levels(levels, alpha, 65_535)


def _color_levels(image: Image.Image, second: Image.Image, low: str) -> Levels:
    """Both bytes of 16-bit colors, `second` being read for the low ones."""
    is_gray = _layout(second) == "LA;16B"
    assert isinstance(second, ImageFile.ImageFile)
    second.tile = [tile._replace(args=_relaid(tile.args, low)) for tile in second.tile]
    high_bytes, low_bytes = np.asarray(image), np.asarray(second)
    if is_gray:  # L and A, high and low byte of each
        gray = low_bytes[..., 0].astype(np.uint16) * 256 + low_bytes[..., 1]
        alpha = low_bytes[..., 2].astype(np.uint16) * 256 + low_bytes[..., 3]
        return Levels(gray, eight_bits(alpha, (0, 65_535)), 65_535)
    levels = high_bytes.astype(np.uint16) * 256 + low_bytes
    alpha, hidden = None, image.info.get("transparency")
    if levels.shape[2] == 4:
        alpha = eight_bits(levels[..., 3], (0, 65_535))
    elif isinstance(hidden, tuple):
        alpha = np.where((levels == np.array(hidden)).all(-1), 0, 255).astype(np.uint8)
    return Levels(levels[..., :3], alpha, 65_535)


def _layout(image: Image.Image) -> str:
    """How Pillow will lay out the bytes of the pixels: `RGB;16B`."""
    tiles = image.tile if isinstance(image, ImageFile.ImageFile) else []
    if not tiles:
        return ""
    arguments = tiles[0].args
    return str(arguments[0] if isinstance(arguments, tuple) else arguments)


def _relaid(arguments: object, layout: str) -> object:
    return (layout, *arguments[1:]) if isinstance(arguments, tuple) else layout
