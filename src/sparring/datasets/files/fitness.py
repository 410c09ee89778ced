"""Whether images are fit to train on: not cut to nothing, not tiny, not blank, and not all copies of one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from sparring.datasets.files.settings import ImageSettings, Size

MAX_CUT = 0.9
"""Share of an image's area up to which cropping leaves enough of it."""
MAX_CUT_SHARE = 0.5
"""Share of the images of which cropping may leave less."""
MIN_PIXELS = 4
"""Images of 2x2 are the smallest that examples for learners have."""
MAX_SHARE = 0.9
"""Share of the images that may be that small, or of nearly one color."""
FLAT = 8
"""An image is of nearly one color when each channel spans at most this many of 256 levels."""
AT_ONCE = 1_024
"""Images."""


ONLY_ONE = {
    "image": "there is only one image: add others",
    "row": "there is only one row: add others",
    "example": "there is only one example: add others",
}
ALIKE = {
    "image": "images are copies of one: add others",
    "row": "rows are copies of one: add others",
    "example": "examples are copies of one: add others",
}
"""What is said of data with one example, or copies of one."""


@dataclass(frozen=True)
class Fitness:
    """How many images there are, and of how many each is true."""

    images: int
    cut: int
    """Cropping leaves less than a tenth of them."""
    tiny: int
    """They have fewer than four pixels."""
    flat: int
    """They are of nearly one color."""
    different: int
    """Images that are left when of those alike only one is counted."""

    @classmethod
    def of_pixels(cls, pixels: np.ndarray) -> Fitness:
        """That of images `(N, C, H, W)` which came from no files."""
        flat, different = flat_and_different(pixels)
        return cls(len(pixels), 0, len(pixels) * is_tiny(pixels.shape[2:]), flat, different)

    def obstacles(self, files: bool = True) -> list[str]:
        """What to do before training, a line each; none where the images are fit. Arrays come from no `files`."""
        if self.tiny > MAX_SHARE * self.images:
            check = "check the files, or train on numbers (CSV)" if files else "for plain numbers say kind='numbers'"
            return [f"{self._of(self.tiny)} of fewer than {MIN_PIXELS} pixels: {check}"]
        copies = copies_line(self.images, self.different, "image")
        if self.cut >= MAX_CUT_SHARE * self.images:
            cut = (
                f"{self._of(self.cut)} cropped by more than {MAX_CUT:.0%}: cut them into nearly square pieces, or keep "
                "all of each with --fit pad --size 64"
            )
            return [cut, copies] if copies else [cut]
        if self.flat > MAX_SHARE * self.images:
            check = "check the files, or try --levels used or another --background" if files else "check their range"
            return [f"{self._of(self.flat)} of nearly one color: {check}"]
        return [copies] if copies else []

    def _of(self, count: int) -> str:
        if self.images == 1:
            return "the only image is"
        return f"all {self.images:,} images are" if count == self.images else f"{count:,} of {self.images:,} images are"


def copies_line(total: int, different: int, noun: str) -> str:
    """That all of so many images or rows are copies of one, and what to do; empty where they are not."""
    if total == 1:
        return ONLY_ONE[noun]
    return f"all {total:,} {ALIKE[noun]}" if different == 1 else ""


def is_cut(size: Size, to: Size, settings: ImageSettings) -> bool:
    """Whether bringing an image of one size to another leaves less than a tenth of it."""
    if settings.fit != "crop":
        return False
    return cut_share(size, to) > MAX_CUT


def cut_share(size: Size, to: Size) -> float:
    """Share of an image's area that cropping cuts off."""
    shape = size[0] / size[1] / (to[0] / to[1])
    return 1 - min(shape, 1 / shape)


def is_tiny(size: Size) -> bool:
    """Whether an image has fewer than four pixels."""
    return size[0] * size[1] < MIN_PIXELS


def is_flat(pixels: np.ndarray) -> bool:
    """Whether an image `(H, W, C)` is of nearly one color."""
    return int(np.ptp(pixels.reshape(-1, pixels.shape[-1]), axis=0).max()) <= FLAT


def flat_and_different(pixels: np.ndarray) -> tuple[int, int]:
    """How many of the images `(N, C, H, W)` are of nearly one color, and how many are left without copies."""
    blocks = (pixels[start : start + AT_ONCE] for start in range(0, len(pixels), AT_ONCE))
    flat = sum(int((np.ptp(block.reshape(*block.shape[:2], -1), axis=2).max(1) <= FLAT).sum()) for block in blocks)
    return flat, different_of(pixels)


def different_of(examples: np.ndarray) -> int:
    """How many examples `(N, ...)` are left when of those alike only one is counted."""
    return len({hashlib.blake2b(np.ascontiguousarray(each).data, digest_size=16).digest() for each in examples})
