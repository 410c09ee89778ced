"""Image files as pixels: of any format and mode, upright, on a background or with alpha, 8 bits, at a given size."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import IO, TypeVar, cast

import numpy as np
from PIL import Image, ImageOps
from PIL.TiffImagePlugin import IMAGELENGTH, IMAGEWIDTH, TiffImageFile

from sparring.datasets.files.formats import BrokenError, opened, says_more_behind, without_text
from sparring.datasets.files.levels import deep_levels, eight_bits, is_deep
from sparring.datasets.files.memory import available_memory
from sparring.datasets.files.settings import Color, Fit, ImageSettings, Limits, Size
from sparring.errors import in_one_line

T = TypeVar("T")

Opener = Callable[[], AbstractContextManager[IO[bytes]]]
"""Opens a file for reading; once for every `with`."""
SIDEWAYS = (5, 6, 7, 8)
"""EXIF orientations that swap width and height."""
ORIENTATION = 0x0112
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation -> what makes the image upright."""
SEE_THROUGH = ("RGBA", "RGBa", "LA", "La", "PA")
GRAY = ("1", "L", "LA", "La")
LEVELED = ("1", "L", "RGB", "RGBA", "I", "F")
"""Modes, up to a semicolon, whose numbers are levels of gray, of colors, or of colors with alpha."""
REDUCED_COPY = 254
"""Tag of a TIFF page that says, with the value 1, that the page is a smaller copy of another."""
LARGE = 2**25
"""Pixels from which images are decoded one at a time, and reduced while decoding where the format can."""
LARGE_SIDE = 4096
"""Side, in pixels, that a large image keeps at least where no smaller one is asked for."""
BYTES_A_PIXEL = 8
"""Memory that decoding takes for a pixel: in Pillow's layout, and once more as RGB."""
BLOCK = 2**20
"""Pixels composited at a time, to save memory."""
SHRINK = "shrink it, for instance with `magick FILE -resize 4096x4096 SMALLER`"
PLAIN = (
    (("truncated", "not enough", "unexpected end", "eoferror"), "is cut short"),
    (("not supported", "unsupported", "unknown", "unhandled"), ""),
)
"""Parts of decoders' messages, and what is said in their place, or nothing where they say it well; else of damage."""
_one_large_image = threading.Lock()


@dataclass(frozen=True)
class ImageInfo:
    """What the header of an image file says."""

    format: str
    mode: str
    """Pillow's mode: `L` is gray, `P` a palette, `LA` gray with transparency."""
    transparent: bool
    size: Size
    """After the rotation that EXIF asks for."""
    frames: int = 1
    """Frames of an animated file, or pages."""
    deep: bool = False
    """Whether it has more than 8 bits."""

    @property
    def is_gray(self) -> bool:
        """Whether its mode has no colors; an image in a mode that has may be gray too."""
        return self.mode in GRAY or self.mode.startswith(("I", "F"))


@dataclass(frozen=True)
class Frame:
    """One decoded image."""

    image: Image.Image
    """Mode RGB; RGBA where transparency is kept."""
    deep: bool
    limits: Limits
    """The smallest and the largest level in the file: of 255, or of what an image of more than 8 bits has."""
    white: float | None
    """The level that is white; None where the file does not say."""


@dataclass(frozen=True)
class Stretch:
    """The levels that become black and white; None for all that a file can have."""

    shallow: Limits | None = None
    """In images of 8 bits."""
    deep: Limits | None = None
    """In images of more."""


def image_info(open_file: Opener, name: str) -> ImageInfo:
    """What the header of a file says. Raises BrokenError if it cannot be read."""

    def info(file: IO[bytes]) -> ImageInfo:
        with opened(file, name) as image:
            mode, transparent, deep = image.mode, _is_transparent(image), is_deep(image)
            width, height = image.size
            if isinstance(image, TiffImageFile):
                # For a TIFF, unlike other formats, some versions of Pillow already give the upright size.
                width, height = image.tag_v2[IMAGEWIDTH], image.tag_v2[IMAGELENGTH]
            # Of a PNG without EXIF data so far, Pillow would decode all pixels to look for some behind them.
            has_exif = image.format != "PNG" or "exif" in image.info or says_more_behind(file)
            sideways = has_exif and image.getexif().get(ORIENTATION) in SIDEWAYS
            format = "JPEG" if image.format == "MPO" else str(image.format)
            size = (height, width) if sideways else (width, height)
            return ImageInfo(format, mode, transparent, size, len(_pages(image)), deep)

    return _reading(open_file, info)


def read_frames(
    open_file: Opener,
    name: str,
    settings: ImageSettings,
    use: Callable[[Frame], T],
    stretch: Stretch | None = None,
    size: Size | None = None,
) -> list[T]:
    """What `use` makes of each image in a file: of the first frame or page, or of all of them.

    Each is upright, and on the background where it is transparent, unless the settings keep alpha. With a `size` that
    they will be shrunk to, images may be decoded at a reduced size, at least twice that size.

    Raises BrokenError for a file that cannot be read to its end.
    """

    def read(file: IO[bytes]) -> list[T]:
        with opened(file, name) as image:
            found: list[T] = []
            for page in [0] if settings.frames == "first" else _pages(image):
                image.seek(page)

                def again(page: int = page) -> Image.Image:
                    file.seek(0)
                    second = opened(file, name)
                    second.seek(page)
                    return second

                found.append(use(_frame(image, again, settings, stretch or Stretch(), size)))
            return found

    return _reading(open_file, read)


def in_levels(image: Image.Image) -> Image.Image:
    """An image whose numbers are levels; else they may be indices of a palette, or inks."""
    if image.mode.partition(";")[0] in LEVELED:
        return image
    return _with_alpha(image) if _is_transparent(image) else image.convert("RGB")


def opaque(image: Image.Image, background: Color) -> Image.Image:
    """An image in mode RGB, composited on the background where it is transparent."""
    if not _is_transparent(image):
        return image.convert("RGB")
    pixels = np.asarray(_with_alpha(image))
    flat, made = pixels.reshape(-1, 4), np.empty((pixels.shape[0] * pixels.shape[1], 3), np.uint8)
    for start in range(0, len(flat), BLOCK):
        block = flat[start : start + BLOCK].astype(np.int32)
        color, alpha = block[:, :3], block[:, 3:]
        made[start : start + BLOCK] = (2 * (color * alpha + np.array(background) * (255 - alpha)) + 255) // 510
    return Image.fromarray(made.reshape(*pixels.shape[:2], 3))


def fitted(image: Image.Image, size: Size, fit: Fit, background: Color, nearest: bool = False) -> Image.Image:
    """The image, RGB or RGBA, at exactly this size.

    Resampled with Pillow's bicubic filter, which is antialiased: filters that are not leave artifacts that metrics
    detect (Parmar et al., "On aliased resizing", CVPR 2022). Pixel art is resampled to the nearest pixel. Where alpha
    is 0, the color becomes the background's: what files have there is arbitrary, and a network would have to learn it.
    """
    method = Image.Resampling.NEAREST if nearest else Image.Resampling.BICUBIC
    outside = background if image.mode == "RGB" else (*background, 0)
    if image.size == size:
        made = image
    elif fit == "crop":
        made = ImageOps.fit(image, size, method)
    elif fit == "pad":
        made = ImageOps.pad(image, size, method, color=outside)
    else:
        made = image.resize(size, method)
    return made if made.mode == "RGB" else _veiled(made, background)


def is_colored(pixels: np.ndarray) -> bool:
    """Whether red, green and blue of `(H, W, 3)` differ anywhere."""
    return bool((pixels[..., :1] != pixels[..., 1:]).any())


def _frame(
    image: Image.Image, again: Callable[[], Image.Image], settings: ImageSettings, stretch: Stretch, size: Size | None
) -> Frame:
    large = image.width * image.height > LARGE
    if size is not None or large:
        side = 2 * max(size) if size else LARGE_SIDE  # either way up
        image.draft(None, (side, side))
    _check_memory(image)
    deep = is_deep(image)
    with _one_large_image if large else nullcontext():
        image.load()
        orientation = image.getexif().get(ORIENTATION)
        if deep:
            levels = deep_levels(image, again)
            limits, white = levels.limits, levels.white
            made = levels.image(stretch.deep)
        else:
            made, limits, white = image, (0.0, 255.0), 255.0
        upright = made.transpose(TURNS[orientation]) if orientation in TURNS else made
        shown = (_veiled if settings.alpha else opaque)(upright, settings.background)
        if not deep:
            limits, shown = _stretched(shown, stretch.shallow)
        return Frame(shown, deep, limits, white)


def _stretched(image: Image.Image, limits: Limits | None) -> tuple[Limits, Image.Image]:
    """The smallest and the largest level of an RGB or RGBA image, and the image with its levels stretched."""
    extremes = cast(list[tuple[float, float]], image.getextrema()[:3])  # bands have one each
    found = float(min(low for low, _ in extremes)), float(max(high for _, high in extremes))
    if limits is None:
        return found, image
    pixels = np.array(image)
    pixels[..., :3] = eight_bits(pixels[..., :3], limits)
    return found, Image.fromarray(pixels)


def _pages(image: Image.Image) -> list[int]:
    """The frames of an animated file, or pages, that are pictures of their own."""
    # Pillow gives the attribute to formats that can have several. An MPO's second picture is a JPEG's preview.
    total = 1 if image.format in ("MPO", "ICO") else getattr(image, "n_frames", 1)
    if not isinstance(image, TiffImageFile) or total == 1:
        return list(range(total))
    pages: list[int] = []
    for page in range(total):
        image.seek(page)
        if not int(image.tag_v2.get(REDUCED_COPY, 0)) & 1:
            pages.append(page)
    image.seek(0)
    return pages


def _is_transparent(image: Image.Image) -> bool:
    return image.mode in SEE_THROUGH or "transparency" in image.info


def _with_alpha(image: Image.Image) -> Image.Image:
    # "La" has one mode that Pillow converts it to.
    return (image.convert("LA") if image.mode == "La" else image).convert("RGBA")


def _veiled(image: Image.Image, background: Color) -> Image.Image:
    """An image in mode RGBA, with the background's color where nothing is visible."""
    pixels = np.array(_with_alpha(image))
    pixels[pixels[..., 3] == 0, :3] = background
    return Image.fromarray(pixels)


def _check_memory(image: Image.Image) -> None:
    pixels = image.width * image.height
    if pixels > LARGE and BYTES_A_PIXEL * pixels > available_memory():
        raise BrokenError(f"has {pixels / 1e6:,.0f} megapixels, too many for the memory that is free: {SHRINK}")


def _reading(open_file: Opener, read: Callable[[IO[bytes]], T]) -> T:
    """The result of `read`, with any error as BrokenError: decoders raise errors of nearly every kind."""
    try:
        with open_file() as file:
            try:
                return read(file)
            except ValueError:
                # Pillow refuses PNGs with a megabyte of text, or a color profile that large.
                return read(without_text(file))
    except BrokenError:
        raise
    except Image.DecompressionBombError as error:
        raise BrokenError(f"has too many pixels: {SHRINK}") from error
    except MemoryError as error:
        raise BrokenError(f"takes more memory than is free: {SHRINK}") from error
    except Exception as error:
        raise BrokenError(_why_broken(error)) from error


def _why_broken(error: Exception) -> str:
    """The operating system's reason, or in plain words what a decoder says of the file."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    words = in_one_line(error)
    for parts, plain in PLAIN:
        if any(part in words.lower() for part in parts):
            return plain or words
    return "is damaged"
