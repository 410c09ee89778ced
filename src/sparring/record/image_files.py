"""Examples as image files, one in each: gray, in color, or with transparency where they have four channels."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sparring.errors import UsageError
from sparring.record.files import disk_errors, write_atomically
from sparring.record.grid import in_color


def check_is_free(folder: Path) -> None:
    """Raises UsageError for a folder that has something in it, or a file of its name."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there and not empty: name a new folder for the images, or a .png or .npy file")


def save_each(examples: np.ndarray, folder: Path, members: Sequence[Any], z_seeds: np.ndarray) -> None:
    """Write `(P, n, C, H, W)` in data units as PNG files, in a folder for each member where there are several.

    They are named by which latent vectors they are of, int `(P, n)`; the folders by what members are called, no two of
    them alike: `seed-3`, `seed-3-lr-0.001`. The folder appears whole, or not at
    all.
    """
    digits = len(str(z_seeds.max(initial=0)))
    unfinished = folder.absolute().with_name(f".{folder.absolute().name}.partial")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)  # of a process that was killed
        for member, images, names in zip(members, examples, z_seeds.tolist(), strict=True):
            place = unfinished / f"seed-{_as_file_name(member)}" if len(members) > 1 else unfinished
            for z_seed, image in zip(names, images, strict=True):
                picture = as_picture(image)
                write_atomically(place / f"{z_seed:0{digits}}.png", partial(picture.save, format="PNG"))
        with disk_errors(folder):
            for each in list(unfinished.iterdir()) if folder.exists() else ():  # an empty one, or a link to one
                each.replace(folder / each.name)
            if not folder.exists():
                unfinished.replace(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _as_file_name(name: Any) -> str:
    """A member's name without what not every system has in names of files."""
    return re.sub(r"[^\w.+-]", "-", re.sub(r"[(),]", "", str(name)))


def as_picture(image: np.ndarray) -> Image.Image:
    """`(C, H, W)` in data units as a picture in gray, RGB, or RGBA."""
    shown = image if image.shape[0] in (1, 4) else in_color(image)
    levels = np.rint(np.nan_to_num(shown).clip(0, 1) * 255).astype(np.uint8)
    return Image.fromarray(levels[0] if len(levels) == 1 else levels.transpose(1, 2, 0))
