"""Pictures that a person drops on a page: bounded, checked, and written anew before anything else reads them."""

from __future__ import annotations

import hashlib
import io
import re
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from sparring.errors import UsageError
from sparring.explorer.tasks import FOLDER, own_folder
from sparring.record import RunFolder, write_atomically

MAX_BYTES = 2**22
"""Of a dropped picture."""
MAX_SIDE = 4_096
"""Pixels along a side."""
NAME = re.compile(r"(dropped-[0-9a-f]{12}|held-out-[0-9]{1,3})\.png")
"""Pictures that may be projected."""


def save_dropped(run: RunFolder, data: bytes) -> str:
    """Write a dropped PNG into the run's folder of figures. Returns its name.

    Raises UsageError for anything but a PNG of a bounded size, and where that folder is a link.
    """
    if len(data) > MAX_BYTES:
        raise UsageError(f"a picture may have {MAX_BYTES // 2**20} MB at most")
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            if max(image.size) > MAX_SIDE:
                raise UsageError(f"a picture may be {MAX_SIDE:,} pixels wide and high at most, not {max(image.size):,}")
            pixels = image.convert("RGBA" if image.has_transparency_data else "RGB")
    except UsageError:
        raise
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise UsageError("this is no PNG that can be read") from error
    name = f"dropped-{hashlib.sha256(data).hexdigest()[:12]}.png"
    write_picture(run, name, pixels)
    return name


def write_picture(run: RunFolder, name: str, image: Image.Image) -> Path:
    """Write a picture into the run's folder of figures. Raises UsageError where that is a link."""
    return write_atomically(own_folder(run, FOLDER) / name, lambda path: image.save(path, format="PNG"))


def picture_of(run: RunFolder, name: str) -> Path:
    """A picture that was dropped or chosen before. Raises UsageError for any other name."""
    path = run.path / FOLDER / name
    if not NAME.fullmatch(name) or path.is_symlink() or not path.is_file():
        raise UsageError("there is no such picture here")
    return path
