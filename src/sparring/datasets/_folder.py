"""A folder of images as one uint8 array, decoded once and kept in the user's cache.

The cache holds one file for a folder and the settings it was opened with; it is used while the folder's file names,
sizes and times of change are those it was made from, and written whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Literal, TypeVar

import numpy as np
import safetensors
import safetensors.numpy

from sparring.datasets._pixels import BrokenError, Color, Fit, Size, facts, fitted, is_colored, whole
from sparring.errors import SparringError
from sparring.progress import say
from sparring.record import one_process_at_a_time, write_atomically

T = TypeVar("T")

ENDINGS = frozenset(("png", "jpg", "jpeg", "jpe", "jfif", "webp", "bmp", "dib", "gif", "tif", "tiff"))
KINDS = "PNG, JPEG, WebP, BMP, GIF or TIFF"
SHARED = 0.9
"""Share of the images that must have one size for it to be chosen."""
LARGEST_SHARED, LARGEST = 128, 64
"""Longest side that is chosen because the images share it, and because they do not, in pixels."""
AT_A_TIME = 256
"""Files handed to the threads at once: what Ctrl-C waits for."""
THREADS = min(8, os.cpu_count() or 1)
NAMED = 3
"""Files of a kind that a message names; it counts the others."""
FORMAT = 1
"""Of what the cache holds; a number that differs is not read."""


@dataclass(frozen=True)
class Listing:
    """What lies in a folder and the folders in it, by name. Names that begin with a dot are not there."""

    folder: Path
    images: tuple[tuple[str, int, int], ...]
    """Path inside the folder, bytes, and when it was changed, in nanoseconds."""
    stray: tuple[str, ...]
    """Files that are no images, by their names."""

    @property
    def names(self) -> list[str]:
        return [name for name, _, _ in self.images]


@dataclass(frozen=True)
class Wish:
    """How the images are to be made alike."""

    size: int = 0
    """Side of the square; 0 lets the images choose."""
    fit: Fit = "crop"
    background: Color = (0, 0, 0)
    colors: Literal["auto", "gray", "rgb"] = "auto"


@dataclass(frozen=True)
class Explanation:
    """What is worth saying of a folder that was opened."""

    images: int
    size: Size
    reason: str
    """Why this size."""
    resized: int
    """Images that had another."""
    classes: tuple[str, ...]
    broken: tuple[tuple[str, str], ...]
    """File and fault."""
    stray: tuple[str, ...]
    content: str
    """Sixteen hexadecimal digits that depend on every pixel and label."""


@dataclass(frozen=True)
class Opened:
    """`pixels` is uint8 `(N, C, H, W)`; `labels` int64 `(N,)`, indices of `told.classes`, or None without classes."""

    pixels: np.ndarray
    labels: np.ndarray | None
    told: Explanation


def opened(folder: Path, wish: Wish) -> Opened:
    """The images of a folder, from the cache if they are there, else decoded and kept.

    Raises SparringError when there is no such folder or no image in it that can be read.
    """
    found = listing(folder)
    if not found.images:
        raise SparringError(f"{found.folder} holds no image ({KINDS}){_instead(found.stray)}: name a folder of images")
    place, key = _place(found.folder, wish), _key(found, wish)
    held = _load(place, key)
    if held is not None:
        return held
    with one_process_at_a_time(place, "the decoded images") as may_keep:
        # Another process may have decoded them while this one waited.
        held = _load(place, key)
        if held is None:
            held = _decoded(found, wish)
            if may_keep:
                _keep(held, place, key)
    return held


def listing(folder: Path) -> Listing:
    """Raises SparringError when there is no such folder or it may not be read."""
    folder = folder.expanduser().resolve()
    if not folder.is_dir():
        state = "is a file" if folder.exists() else "does not exist"
        raise SparringError(f"{folder} {state}: name a folder of images")
    files = sorted(_files(folder, "", set()))
    images = tuple(file for file in files if _ends_as_image(file[0]))
    stray = tuple(name for name, _, _ in files if not _ends_as_image(name))
    return Listing(folder, images, stray)


def classes_of(names: Sequence[str]) -> list[str]:
    """The subfolder that each image lies in, counted from the folder that all lie in; "." for one in none."""
    parts = [name.split("/")[:-1] for name in names]
    shared = 0
    while parts and all(len(part) > shared and part[shared] == parts[0][shared] for part in parts):
        shared += 1
    return [part[shared] if len(part) > shared else "." for part in parts]


def chosen_size(sizes: Sequence[Size]) -> tuple[Size, str]:
    """The size to train at and, in words, why: the one that nearly all share, else a square that suits them."""
    (size, count), *_ = Counter(sizes).most_common(1)
    if count >= SHARED * len(sizes) and max(size) <= LARGEST_SHARED:
        return size, "the size of all" if count == len(sizes) else f"the size of {count / len(sizes):.0%}"
    short = median(min(s) for s in sizes)
    side = min(LARGEST, 1 << max(0, int(short).bit_length() - 1))
    shared = count >= SHARED * len(sizes)
    differ = f"most are {size[0]}x{size[1]}, larger than {LARGEST_SHARED}" if shared else "sizes differ"
    return (side, side), f"{differ}; the median shorter side is {short:g}"


def each(work: Callable[[str], T], names: Sequence[str], title: str) -> list[T]:
    """`work` on every name, by a few threads, with a progress bar on a terminal's stderr."""
    import warnings

    from rich.console import Console
    from rich.progress import Progress

    done: list[T] = []
    console = Console(stderr=True)
    bar = Progress(console=console, transient=True, disable=not console.is_terminal)
    # What Pillow warns of (a palette's transparency, odd EXIF data) is either handled or an error later on.
    with ThreadPoolExecutor(THREADS) as pool, bar, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        task = bar.add_task(title, total=len(names))
        for start in range(0, len(names), AT_A_TIME):
            done += pool.map(work, names[start : start + AT_A_TIME])
            bar.update(task, completed=len(done))
    return done


def words(told: Explanation, shape: tuple[int, ...], fit: Fit) -> list[str]:
    """What was opened, a line each: what there is, what became of it, what was passed over."""
    colors = "gray" if shape[0] == 1 else "red, green and blue"
    where = f" in {len(told.classes)} classes" if told.classes else ""
    size = f"{told.size[0]}x{told.size[1]}"
    lines = [f"{told.images:,} {'image' if told.images == 1 else 'images'}{where}, {size}, {colors} ({told.reason})"]
    if told.resized:
        how = {"crop": "scaled and cropped", "pad": "scaled and padded", "stretch": "stretched"}[fit]
        lines.append(f"{told.resized:,} of another size {how} to {size}")
    if told.stray:
        lines.append(f"not images, skipped: {some(told.stray)}")
    if told.broken:
        lines.append(f"broken, skipped: {some([f'{name} ({why})' for name, why in told.broken])}")
    return lines


def some(names: Sequence[str]) -> str:
    """The first few, and how many more."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _ends_as_image(name: str) -> bool:
    return name.rpartition(".")[2].lower() in ENDINGS  # a Path for each of 50,000 would take as long as listing them


def _instead(stray: Sequence[str]) -> str:
    return f", only {some(stray)}" if stray else ""


def _files(folder: Path, inside: str, seen: set[tuple[int, int]]) -> Iterator[tuple[str, int, int]]:
    """Every file below, links followed; a folder that links lead to again is passed over."""
    try:
        here = folder.stat()
        if (here.st_dev, here.st_ino) in seen:
            return
        seen.add((here.st_dev, here.st_ino))
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir():
                    yield from _files(Path(entry.path), f"{inside}{entry.name}/", seen)
                    continue
                try:
                    state = entry.stat()
                except OSError:  # a link to nothing: it will be told of as broken
                    yield f"{inside}{entry.name}", 0, 0
                else:
                    yield f"{inside}{entry.name}", state.st_size, state.st_mtime_ns
    except OSError as error:
        raise SparringError(f"cannot open {folder} ({error.strerror}): make it a folder that you may read") from error


def _decoded(found: Listing, wish: Wish) -> Opened:
    names, broken = found.names, dict[str, str]()
    if wish.size:
        size, reason = (wish.size, wish.size), "as asked"
    else:
        measured = each(lambda name: _tried(lambda: facts(found.folder / name).size), names, "measuring")
        sizes = [s for s in measured if not isinstance(s, str)]
        broken = {name: s for name, s in zip(names, measured, strict=True) if isinstance(s, str)}
        if not sizes:
            raise _all_broken(found, broken)
        size, reason = chosen_size(sizes)
        names = [name for name in names if name not in broken]
    pixels = np.empty((len(names), 3, size[1], size[0]), dtype=np.uint8)
    rows = {name: row for row, name in enumerate(names)}

    def decode(name: str) -> tuple[bool, bool]:
        """Whether it had another size, and whether it has color."""
        image = whole(found.folder / name, wish.background, size)
        made = np.asarray(fitted(image, size, wish.fit, wish.background))
        pixels[rows[name]] = made.transpose(2, 0, 1)
        return image.size != size, is_colored(made)

    results = each(lambda name: _tried(lambda: decode(name)), names, "decoding")
    broken |= {name: r for name, r in zip(names, results, strict=True) if isinstance(r, str)}
    good = [(row, r) for row, r in enumerate(results) if not isinstance(r, str)]
    if not good:
        raise _all_broken(found, broken)
    if len(good) < len(names):
        pixels = pixels[[row for row, _ in good]]
    colored = any(colored for _, (_, colored) in good)
    if wish.colors == "gray" or (wish.colors == "auto" and not colored):
        pixels = _gray(pixels) if colored else pixels[:, :1].copy()
    classes, labels = _labelled([names[row] for row, _ in good])
    told = Explanation(
        images=len(good),
        size=size,
        reason=reason,
        resized=sum(resized for _, (resized, _) in good),
        classes=classes,
        broken=tuple(sorted(broken.items())),
        stray=found.stray,
        content=_content(pixels, labels),
    )
    return Opened(pixels, labels, told)


def _tried(read: Callable[[], T]) -> T | str:
    """What was read, or why it could not be."""
    try:
        return read()
    except BrokenError as error:
        return str(error)


def _all_broken(found: Listing, broken: dict[str, str]) -> SparringError:
    named = some([f"{name} ({why})" for name, why in broken.items()])
    return SparringError(f"{found.folder} holds no image that can be read; broken: {named}: copy them again")


def _gray(pixels: np.ndarray) -> np.ndarray:
    """Luma of ITU-R BT.601, `(N, 3, H, W)` -> `(N, 1, H, W)`, a block at a time: the whole in int32 may not fit."""
    gray = np.empty_like(pixels[:, :1])
    for start in range(0, len(pixels), 1024):
        red, green, blue = pixels[start : start + 1024].astype(np.int32).swapaxes(0, 1)
        gray[start : start + 1024, 0] = (299 * red + 587 * green + 114 * blue + 500) // 1000
    return gray


def _labelled(names: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray | None]:
    """Class names and each image's index among them; none where there is but one."""
    held = classes_of(names)
    classes = tuple(sorted(set(held)))
    if len(classes) == 1:
        return (), None
    index = {name: number for number, name in enumerate(classes)}
    return classes, np.array([index[name] for name in held], dtype=np.int64)


def _content(pixels: np.ndarray, labels: np.ndarray | None) -> str:
    digest = hashlib.blake2b(str(pixels.shape).encode(), digest_size=8)
    digest.update(np.ascontiguousarray(pixels).data)
    if labels is not None:
        digest.update(labels.data)
    return digest.hexdigest()


# The cache.


def _place(folder: Path, wish: Wish) -> Path:
    import pooch

    name = hashlib.sha256(json.dumps([str(folder), asdict(wish)]).encode()).hexdigest()[:24]
    return Path(pooch.os_cache("sparring")) / "folders" / f"{name}.safetensors"


def _key(found: Listing, wish: Wish) -> str:
    parts = [FORMAT, str(found.folder), asdict(wish), found.images, found.stray]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _load(place: Path, key: str) -> Opened | None:
    """What is kept there, if it was made from these files; a file that is damaged is as good as none."""
    try:
        with safetensors.safe_open(place, framework="numpy") as file:
            about = file.metadata() or {}
            if about.get("key") != key:
                return None
            told = _told(json.loads(about["told"]))
            labels = file.get_tensor("labels") if told.classes else None
            return Opened(file.get_tensor("pixels"), labels, told)
    except (OSError, safetensors.SafetensorError, KeyError, ValueError, TypeError):
        return None


def _told(plain: dict[str, Any]) -> Explanation:
    tuples = {name: tuple(plain[name]) for name in ("size", "classes", "stray")}
    told: dict[str, Any] = {**plain, **tuples, "broken": tuple((name, why) for name, why in plain["broken"])}
    return Explanation(**told)


def _keep(held: Opened, place: Path, key: str) -> None:
    tensors = {"pixels": np.ascontiguousarray(held.pixels)} | (
        {"labels": held.labels} if held.labels is not None else {}
    )
    about = {"key": key, "told": json.dumps(asdict(held.told))}
    try:
        write_atomically(place, lambda path: safetensors.numpy.save_file(tensors, path, metadata=about))
    except (SparringError, safetensors.SafetensorError) as error:
        say(f"the decoded images are not kept, they will be decoded again next time: {error}")
