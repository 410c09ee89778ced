"""Image files as pixels: of any format and mode, upright, composited on a background, 8 bits, at a given size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from PIL import Image, ImageOps
from PIL.TiffImagePlugin import BITSPERSAMPLE, IMAGELENGTH, IMAGEWIDTH, PHOTOMETRIC_INTERPRETATION, TiffImageFile

from sparring.errors import in_one_line

T = TypeVar("T")

Color = tuple[int, int, int]
Fit = Literal["crop", "pad", "stretch"]
Size = tuple[int, int]
"""Width and height, in pixels."""

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "DIB", "GIF", "TIFF")
"""Formats that are read. Pillow reports a JPEG with a second picture in it, as some cameras write, as MPO."""
Image.init()  # registers all formats; until then Pillow knows only some
SIDEWAYS = (5, 6, 7, 8)
"""EXIF orientations that swap width and height."""
ORIENTATION = 0x0112
SEE_THROUGH = ("RGBA", "RGBa", "LA", "La", "PA")
SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N", "I")
"""Pillow's modes of 16-bit gray images, with levels from 0 to 65,535."""
WITHOUT_WHITE = ("I", "F")
"""Pillow's modes of TIFFs with signed, 32-bit or fractional levels, which do not say which level is white."""
WHITE_IS_ZERO = 0
"""Photometric interpretation of a TIFF in which 0 is white."""
TIFF_BEGINNINGS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""The first bytes of a TIFF and of a BigTIFF, in either order of bytes."""


class BrokenError(Exception):
    """A file that is no readable image; the message says why."""


@dataclass(frozen=True)
class ImageInfo:
    """What the header of an image file says."""

    format: str
    mode: str
    """Pillow's mode: `L` is gray, `P` a palette, `LA` gray with transparency."""
    transparent: bool
    size: Size
    """After the rotation that EXIF asks for."""


def image_info(path: Path) -> ImageInfo:
    """What the header of a file says. Raises BrokenError if it cannot be read."""
    with _reading(path, lambda: Image.open(path, formats=FORMATS)) as image:
        return _info(path, image)


def _info(path: Path, image: Image.Image) -> ImageInfo:
    sideways = _reading(path, lambda: image.getexif().get(ORIENTATION)) in SIDEWAYS
    width, height = image.size
    if isinstance(image, TiffImageFile):
        _refuse_without_white(image)
        # For a TIFF, unlike other formats, some versions of Pillow already give the upright size.
        width, height = image.tag_v2[IMAGEWIDTH], image.tag_v2[IMAGELENGTH]
    format = "JPEG" if image.format == "MPO" else str(image.format)
    return ImageInfo(format, image.mode, _transparent(image), (height, width) if sideways else (width, height))


def read_image(path: Path, background: Color, size: Size | None = None) -> Image.Image:
    """The first frame or page, mode RGB, upright, on `background` where it is transparent.

    With a `size` that it will be shrunk to, a JPEG may be decoded at a reduced size, at least twice that size.
    Raises BrokenError for a file that cannot be read to its end.
    """

    def read() -> Image.Image:
        with Image.open(path, formats=FORMATS) as image:
            if size is not None:
                side = 2 * max(size)  # either way up
                image.draft(None, (side, side))
            image.load()
            upright = ImageOps.exif_transpose(image)
            return opaque(_with_white(image, upright) if isinstance(image, TiffImageFile) else upright, background)

    return _reading(path, read)


def opaque(image: Image.Image, background: Color) -> Image.Image:
    """An image in mode RGB, composited on the background where it is transparent."""
    if image.mode in SIXTEEN_BITS:
        return _eight_bits(image, 16).convert("RGB")
    if not _transparent(image):
        return image.convert("RGB")
    if image.mode == "La":  # the only mode that Pillow converts it to
        image = image.convert("LA")
    pixels = np.asarray(image.convert("RGBA")).astype(np.int32)
    color, alpha = pixels[..., :3], pixels[..., 3:]
    mixed = (2 * (color * alpha + np.array(background) * (255 - alpha)) + 255) // 510
    return Image.fromarray(mixed.astype(np.uint8))


def fitted(image: Image.Image, size: Size, fit: Fit, background: Color) -> Image.Image:
    """The image at exactly this size.

    Resampled with Pillow's bicubic filter, which is antialiased: filters that are not leave artifacts that metrics
    detect (Parmar et al., "On aliased resizing", CVPR 2022).
    """
    if image.size == size:
        return image
    cubic = Image.Resampling.BICUBIC
    if fit == "crop":
        return ImageOps.fit(image, size, cubic)
    if fit == "pad":
        return ImageOps.pad(image, size, cubic, color=background)
    return image.resize(size, cubic)


def is_colored(pixels: np.ndarray) -> bool:
    """Whether red, green and blue of `(H, W, 3)` differ anywhere."""
    return bool((pixels[..., :1] != pixels[..., 1:]).any())


def _eight_bits(image: Image.Image, bits: int) -> Image.Image:
    """An image of levels of that many bits in mode L; Pillow itself would clip them to 255."""
    white = 2**bits - 1
    levels = (np.asarray(image).astype(np.int64) * 255 + white // 2) // white
    return Image.fromarray(levels.clip(0, 255).astype(np.uint8))


def _refuse_without_white(image: TiffImageFile) -> None:
    if image.mode in WITHOUT_WHITE:
        raise BrokenError("its levels are signed, of 32 bits or fractions, which do not say which level is white")


def _with_white(image: TiffImageFile, upright: Image.Image) -> Image.Image:
    """A 16-bit gray TIFF in mode L. Its header says how many bits are used (often 12), and whether 0 is white."""
    _refuse_without_white(image)
    if upright.mode not in SIXTEEN_BITS:
        return upright
    gray = _eight_bits(upright, image.tag_v2[BITSPERSAMPLE][0])
    return ImageOps.invert(gray) if image.tag_v2.get(PHOTOMETRIC_INTERPRETATION) == WHITE_IS_ZERO else gray


def _transparent(image: Image.Image) -> bool:
    return image.mode in SEE_THROUGH or "transparency" in image.info


def _reading(path: Path, read: Callable[[], T]) -> T:
    """The result of `read`, with any error as BrokenError: decoders raise errors of nearly every kind."""
    try:
        return read()
    except BrokenError:
        raise
    except Image.UnidentifiedImageError as error:
        raise BrokenError(_unidentified(path)) from error
    except OSError as error:
        raise BrokenError(error.strerror or str(error)) from error
    except Exception as error:
        raise BrokenError(in_one_line(error)) from error


def _unidentified(path: Path) -> str:
    with path.open("rb") as file:
        beginning = file.read(4)
    if beginning in TIFF_BEGINNINGS:
        return "is a damaged TIFF, or of a kind that is not supported"
    return "is no image" if beginning else "is empty"
