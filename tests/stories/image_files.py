"""Image files of every kind that tests of folders write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sparring.cli.main import run
from sparring.datasets.folder import Folder
from sparring.errors import SparringError

RNG = np.random.default_rng(0)


RGB = RNG.integers(0, 256, (6, 5, 3), dtype=np.uint8)


ALPHA = RNG.integers(0, 256, (6, 5), dtype=np.uint8)


RGBA = np.dstack([RGB, ALPHA])


GREY = RGB[..., 0].copy()


def saved(pixels: np.ndarray, mode: str = "", **how: Any) -> Callable[[Path], None]:
    def save(path: Path) -> None:
        image = Image.fromarray(pixels)
        (image.convert(mode) if mode else image).save(path, **how)

    return save


def pixels_of(folder: Path, **how: Any) -> np.ndarray:
    """uint8 `(N, H, W, C)`."""
    source: Any = Folder(str(folder), **how).open(None, "cpu")
    return source.pixels.numpy().transpose(0, 2, 3, 1)


def complaint(call: Callable[[], object], *parts: object) -> None:
    with pytest.raises(SparringError) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    for part in parts:
        assert str(part) in message


# The command


def sparring(*arguments: object) -> int:
    return run([str(a) for a in arguments])
