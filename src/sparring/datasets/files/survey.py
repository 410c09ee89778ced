"""What the headers of images say, before any is decoded: sizes, colors, frames, and the memory that they will take."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import median
from typing import TypeVar

import numpy as np

from sparring.datasets.files.contents import Contents, broken_line, no_image
from sparring.datasets.files.formats import BrokenError, tolerant_pillow
from sparring.datasets.files.memory import as_size
from sparring.datasets.files.pixel_art import Grain, PixelArt, found_in, grain_of
from sparring.datasets.files.pixels import Frame, ImageInfo, Stretch, image_info, read_frames
from sparring.datasets.files.settings import WITH_ALPHA, ImageSettings, Limits, Size
from sparring.datasets.files.transparency import MIN_SHARE, Transparency, is_seen_through, kept_in
from sparring.errors import SparringError
from sparring.progress import progress

T = TypeVar("T")

SHARED = 0.9
"""Fraction of the images that must have the same size for it to be chosen."""
LARGEST_SHARED, LARGEST = 128, 64
"""Largest side that is chosen, in pixels: where most images have the same size, and where they do not."""
SMALLEST = 8
"""Smallest side that is proposed, in pixels."""
AT_A_TIME = 256
"""Files decoded before it is checked again whether Ctrl-C was pressed."""
SAMPLED = 256
"""Images, evenly spaced among all, that are examined to find whether they are pixel art, or mostly transparent."""
LOSSY = ("JPEG", "JPEG2000", "AVIF", "HEIF")
"""Formats that keep no pixel as it was, so that nothing in them is pixel art any more."""
THREADS = min(8, os.cpu_count() or 1)


@dataclass(frozen=True)
class Survey:
    """Images whose headers were read, and how they will be brought to one shape."""

    contents: Contents
    settings: ImageSettings
    infos: dict[str, ImageInfo]
    """What the header of each file says, for those that have one."""
    broken: dict[str, str]
    """Why the others cannot be read."""

    @classmethod
    def of(cls, contents: Contents, settings: ImageSettings) -> Survey:
        """Read every header. Raises SparringError where there is no image."""
        if not contents.images:
            raise no_image(contents)
        names = contents.names
        found = each(lambda name: tried(lambda: image_info(contents.open(name), name)), names, "measuring")
        infos = {name: info for name, info in zip(names, found, strict=True) if not isinstance(info, str)}
        faults = {name: info for name, info in zip(names, found, strict=True) if isinstance(info, str)}
        return cls(contents, settings, infos, dict(contents.broken) | faults)

    @cached_property
    def chosen(self) -> tuple[Size, str]:
        """The width and the height to train at, and why."""
        if side := self.settings.size:
            return (side, side), "as asked"
        block = self.pixel_art.enlarged
        sizes = [(max(1, info.size[0] // block), max(1, info.size[1] // block)) for info in self.infos.values()]
        size, why = chosen_size(sizes)
        return size, f"{why}, once {block}x{block} pixels are one" if block > 1 else why

    @cached_property
    def pixel_art(self) -> PixelArt:
        """Whether these are pixel art, by some of the images or as asked by how they are resized."""
        if self.settings.resample == "bicubic":
            return PixelArt()

        def grain(name: str) -> Grain | None:
            if self.infos[name].format in LOSSY:
                return Grain()
            found = tried(lambda: self.read(name, lambda frame: grain_of(np.asarray(frame.image)), Stretch()))
            return None if isinstance(found, str) else found[0]

        found = each(grain, self._sample(self.infos), "examining pixels")
        art = found_in([grain for grain in found if grain is not None])
        return PixelArt("as asked") if self.settings.resample == "nearest" and not art.why else art

    @cached_property
    def transparency(self) -> Transparency:
        """Whether it is kept, by some of the images or as asked."""
        if self.settings.alpha != "auto":
            return Transparency(self.settings.alpha)
        see_through = [name for name, info in self.infos.items() if info.transparent]
        if len(see_through) <= MIN_SHARE * len(self.infos) or self.settings.colors == "gray":
            return Transparency()

        def shown(name: str) -> bool | None:
            if not self.infos[name].transparent:
                return False
            read = tried(lambda: self._read(name, lambda frame: is_seen_through(np.asarray(frame.image)), True))
            return None if isinstance(read, str) else read[0]

        found = each(shown, self._sample(self.infos), "examining transparency")
        return kept_in([shown for shown in found if shown is not None])

    @property
    def size(self) -> Size:
        """Width and height to train at."""
        return self.chosen[0]

    def frames(self, name: str) -> int:
        """How many images a file gives."""
        return self.infos[name].frames if self.settings.frames == "all" else 1

    @cached_property
    def images(self) -> int:
        """How many images there are, frames included."""
        return sum(map(self.frames, self.infos))

    @property
    def channels(self) -> int:
        """Channels that images may need: whether some have no color is only known once they are decoded."""
        if self.transparency.kept:
            return WITH_ALPHA
        shade = len(set(self.settings.background)) == 1  # else what shows through is colored
        gray = self.settings.colors != "rgb"
        gray = gray and all(info.is_gray and (shade or not info.transparent) for info in self.infos.values())
        return 1 if gray or self.settings.colors == "gray" else 3

    @property
    def bytes(self) -> int:
        """What the decoded images take."""
        return self._bytes_at(self.size)

    @property
    def animated(self) -> tuple[int, int]:
        """Files with several frames or pages, and frames in them."""
        several = [info.frames for info in self.infos.values() if info.frames > 1]
        return len(several), sum(several)

    def in_memory(self) -> str:
        """What the decoded images take, in words."""
        width, height = self.size
        many = "1 image" if self.images == 1 else f"{self.images:,} images"
        needs = "needs" if self.images == 1 else "need"
        return f"{many} at {width}x{height} {needs} {as_size(self.bytes)}"

    def smaller(self, free: int) -> str:
        """A size whose images fit, in words; nothing if there is none."""
        side = 1 << (min(self.size) - 1).bit_length()
        while (side := side // 2) >= SMALLEST:
            if self._bytes_at((side, side)) <= free:
                return f"--size {side} needs {as_size(self._bytes_at((side, side)))}"
        return ""

    def all_broken(self) -> SparringError:
        """The error for images none of which can be read."""
        named = broken_line(sorted(self.broken.items()))
        return SparringError(f"{self.contents.path} holds no image that can be read; broken: {named}. Copy them again")

    def stretch(self) -> Stretch:
        """The levels that become black and white; for `levels=used` every image is read for it."""
        limits = self.settings.limits
        if self.contents.leveled or self.settings.levels == "full":
            return Stretch()
        if limits is not None:
            deep = any(info.deep for info in self.infos.values())
            return Stretch(deep=limits) if deep else Stretch(shallow=limits)

        def extremes(frame: Frame) -> tuple[bool, Limits]:
            return frame.deep, frame.limits

        # Any limits will do here, so that images without a white level of their own can be read.
        anyhow = Stretch(deep=(0.0, 1.0))
        found = each(lambda name: tried(lambda: self.read(name, extremes, anyhow)), list(self.infos), "finding levels")
        read = [extreme for extremes in found if not isinstance(extremes, str) for extreme in extremes]
        return Stretch(*(_widest([limits for deep, limits in read if deep is kind]) for kind in (False, True)))

    def read(self, name: str, use: Callable[[Frame], T], stretch: Stretch, size: Size | None = None) -> list[T]:
        """What `use` makes of each image in a file. Raises BrokenError; see `read_frames`."""
        return self._read(name, use, self.transparency.kept, stretch, size)

    def _read(
        self,
        name: str,
        use: Callable[[Frame], T],
        alpha: bool,
        stretch: Stretch | None = None,
        size: Size | None = None,
    ) -> list[T]:
        return read_frames(self.contents.open(name), name, replace(self.settings, alpha=alpha), use, stretch, size)

    @staticmethod
    def _sample(names: Iterable[str]) -> list[str]:
        """Some of the names, evenly spaced."""
        every = list(names)
        return every[:: -(-len(every) // SAMPLED)] if every else []

    def _bytes_at(self, size: Size) -> int:
        return self.images * self.channels * size[0] * size[1]


def chosen_size(sizes: Sequence[Size]) -> tuple[Size, str]:
    """The size to train at, and why: the size that nearly all images have, else a square of a suitable side."""
    (size, count), *_ = Counter(sizes).most_common(1)
    if count >= SHARED * len(sizes) and max(size) <= LARGEST_SHARED:
        return size, "the size of all images" if count == len(
            sizes
        ) else f"the size of {count / len(sizes):.0%} of the images"
    short = median(min(s) for s in sizes)
    side = min(LARGEST, 1 << max(0, int(short).bit_length() - 1))
    shared = count >= SHARED * len(sizes)
    differ = f"most are {size[0]}x{size[1]}, larger than {LARGEST_SHARED}" if shared else "sizes differ"
    return (side, side), f"{differ}; the median shorter side is {short:g}"


def each(work: Callable[[str], T], names: Sequence[str], title: str) -> list[T]:
    """`work` on every name, by a few threads, with a progress bar on a terminal's stderr."""
    done: list[T] = []
    bar = progress(title, len(names), quiet=True)
    with ThreadPoolExecutor(THREADS) as pool, bar as update, tolerant_pillow():
        for start in range(0, len(names), AT_A_TIME):
            done += pool.map(work, names[start : start + AT_A_TIME])
            update(len(done))
    return done


def tried(read: Callable[[], T]) -> T | str:
    """The result, or the reason why a file could not be read."""
    try:
        return read()
    except BrokenError as error:
        return str(error)


def _widest(limits: Sequence[Limits]) -> Limits | None:
    """From the smallest to the largest of all."""
    if not limits:
        return None
    low, high = min(low for low, _ in limits), max(high for _, high in limits)
    return (low, high) if low < high else None
