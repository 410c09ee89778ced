"""A folder of images as one uint8 array, decoded once and kept in the user's cache.

The cache has one file for each folder and settings. It is valid as long as the folder's file names, sizes and
modification times are those that it was made from, and it is written atomically.
"""

from __future__ import annotations

import contextlib
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

from sparring.characters import printable
from sparring.datasets._pixels import BrokenError, Color, Fit, Size, fitted, image_info, is_colored, read_image
from sparring.errors import SparringError
from sparring.progress import progress, say
from sparring.record import one_process_at_a_time, write_atomically

T = TypeVar("T")

ENDINGS = frozenset(("png", "jpg", "jpeg", "jpe", "jfif", "webp", "bmp", "dib", "gif", "tif", "tiff"))
KINDS = "PNG, JPEG, WebP, BMP, GIF or TIFF"
SHARED = 0.9
"""Fraction of the images that must have the same size for it to be chosen."""
LARGEST_SHARED, LARGEST = 128, 64
"""Largest side that is chosen, in pixels: where most images have the same size, and where they do not."""
AT_A_TIME = 256
"""Files decoded before it is checked again whether Ctrl-C was pressed."""
THREADS = min(8, os.cpu_count() or 1)
NAMED = 3
"""Files of a kind that a message lists by name; it counts the others."""
FORMAT = 2
"""Version of the cache files; other versions are ignored."""


@dataclass(frozen=True)
class Listing:
    """The files in a folder and its subfolders, by name, without those whose name begins with a dot."""

    folder: Path
    images: tuple[tuple[str, int, int], ...]
    """Path inside the folder, size in bytes, and modification time in nanoseconds."""
    stray: tuple[str, ...]
    """Files that are no images, judged by their names."""

    @property
    def names(self) -> list[str]:
        return [name for name, _, _ in self.images]


@dataclass(frozen=True)
class ImageSettings:
    """How images are brought to one shape."""

    size: int = 0
    """Side of the square, in pixels; 0 chooses it by the images."""
    fit: Fit = "crop"
    background: Color = (0, 0, 0)
    colors: Literal["auto", "gray", "rgb"] = "auto"


@dataclass(frozen=True)
class FolderInfo:
    """What a user should know about a loaded folder."""

    images: int
    size: Size
    reason: str
    """Why this size was chosen."""
    resized: int
    """Images that had another size."""
    classes: tuple[str, ...]
    broken: tuple[tuple[str, str], ...]
    """File and reason."""
    stray: tuple[str, ...]
    content: str
    """Hash of all pixels and labels, 16 hexadecimal digits."""


@dataclass(frozen=True)
class FolderImages:
    """A loaded folder. `pixels` is uint8 `(N, C, H, W)`; `labels` int64 `(N,)`, indices of `info.classes`, or None."""

    pixels: np.ndarray
    labels: np.ndarray | None
    info: FolderInfo


def load_folder(folder: Path, settings: ImageSettings) -> FolderImages:
    """The images of a folder, from the cache or else decoded and cached.

    Raises SparringError when there is no such folder or no image in it that can be read.
    """
    found = listing(folder)
    if not found.images:
        raise SparringError(f"{found.folder} holds no image ({KINDS}){_instead(found.stray)}: name a folder of images")
    place, key = _place(found.folder, settings), _key(found, settings)
    loaded = _load(place, key)
    if loaded is not None:
        return loaded
    with one_process_at_a_time(place, "the decoded images", say) as may_keep:
        # Another process may have decoded them while this one waited.
        loaded = _load(place, key)
        if loaded is None:
            loaded = _decoded(found, settings)
            if may_keep:
                _keep(loaded, place, key)
    return loaded


def expanded(folder: Path) -> Path:
    """The absolute path of a folder; a leading ~ is the home folder, or part of the name without such a home."""
    with contextlib.suppress(RuntimeError):
        folder = folder.expanduser()
    return folder.resolve()


def listing(folder: Path) -> Listing:
    """The files in a folder. Raises SparringError when there is no such folder or it may not be read."""
    folder = expanded(folder)
    if not folder.is_dir():
        state = "is a file" if folder.exists() else "does not exist"
        raise SparringError(f"{folder} {state}: name a folder of images")
    files = sorted(_files(folder, "", set()))
    images = tuple(file for file in files if _ends_as_image(file[0]))
    stray = tuple(name for name, _, _ in files if not _ends_as_image(name))
    return Listing(folder, images, stray)


def classes_of(names: Sequence[str]) -> list[str]:
    """The class of each image: its subfolder within the innermost folder that has all images, "." for none."""
    parts = [name.split("/")[:-1] for name in names]
    shared = 0
    while parts and all(len(part) > shared and part[shared] == parts[0][shared] for part in parts):
        shared += 1
    return [part[shared] if len(part) > shared else "." for part in parts]


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
    import warnings

    done: list[T] = []
    # What Pillow warns about (a palette's transparency, odd EXIF data) is either handled here or an error later on.
    bar = progress(title, len(names), quiet=True)
    with ThreadPoolExecutor(THREADS) as pool, bar as update, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for start in range(0, len(names), AT_A_TIME):
            done += pool.map(work, names[start : start + AT_A_TIME])
            update(len(done))
    return done


def summary_lines(info: FolderInfo, shape: tuple[int, ...], fit: Fit) -> list[str]:
    """Lines for the user: the images, what was done to them, and the files that were skipped."""
    colors = "gray" if shape[0] == 1 else "red, green and blue"
    where = f" in {len(info.classes)} classes" if info.classes else ""
    size = f"{info.size[0]}x{info.size[1]}"
    lines = [f"{info.images:,} {'image' if info.images == 1 else 'images'}{where}, {size}, {colors} ({info.reason})"]
    if info.resized:
        how = {"crop": "scaled and cropped", "pad": "scaled and padded", "stretch": "stretched"}[fit]
        lines.append(f"{info.resized:,} of another size {how} to {size}")
    if info.stray:
        lines.append(f"not images, skipped: {some(info.stray)}")
    if info.broken:
        lines.append(f"broken, skipped: {some([f'{name} ({why})' for name, why in info.broken])}")
    return lines


def some(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - NAMED
    return ", ".join(map(printable, names[:NAMED])) + (f" and {more:,} more" if more > 0 else "")


def _ends_as_image(name: str) -> bool:
    return name.rpartition(".")[2].lower() in ENDINGS  # a Path for each of 50,000 would take as long as listing them


def _instead(stray: Sequence[str]) -> str:
    return f", only {some(stray)}" if stray else ""


def _files(folder: Path, inside: str, seen: set[tuple[int, int]]) -> Iterator[tuple[str, int, int]]:
    """Every file below; symbolic links are followed, and a folder that occurs twice is read once."""
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
                except OSError:  # a dangling link: it will be listed as broken
                    yield f"{inside}{entry.name}", 0, 0
                else:
                    yield f"{inside}{entry.name}", state.st_size, state.st_mtime_ns
    except OSError as error:
        raise SparringError(f"cannot open {folder} ({error.strerror}): make it a folder that you may read") from error


def _decoded(found: Listing, settings: ImageSettings) -> FolderImages:
    names, broken = found.names, dict[str, str]()
    if settings.size:
        size, reason = (settings.size, settings.size), "as asked"
    else:
        measured = each(lambda name: _tried(lambda: image_info(found.folder / name).size), names, "measuring")
        sizes = [s for s in measured if not isinstance(s, str)]
        broken = {name: s for name, s in zip(names, measured, strict=True) if isinstance(s, str)}
        if not sizes:
            raise _all_broken(found, broken)
        size, reason = chosen_size(sizes)
        names = [name for name in names if name not in broken]
    pixels = np.empty((len(names), 3, size[1], size[0]), dtype=np.uint8)
    rows = {name: row for row, name in enumerate(names)}

    def decode(name: str) -> tuple[bool, bool]:
        """Decode one image into `pixels`; returns whether it had another size, and whether it has color."""
        image = read_image(found.folder / name, settings.background, size)
        made = np.asarray(fitted(image, size, settings.fit, settings.background))
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
    if settings.colors == "gray" or (settings.colors == "auto" and not colored):
        pixels = _gray(pixels) if colored else pixels[:, :1].copy()
    classes, labels = _labeled([names[row] for row, _ in good])
    info = FolderInfo(
        images=len(good),
        size=size,
        reason=reason,
        resized=sum(resized for _, (resized, _) in good),
        classes=classes,
        broken=tuple(sorted(broken.items())),
        stray=found.stray,
        content=_content(pixels, labels),
    )
    return FolderImages(pixels, labels, info)


def _tried(read: Callable[[], T]) -> T | str:
    """The result, or the reason why the file could not be read."""
    try:
        return read()
    except BrokenError as error:
        return str(error)


def _all_broken(found: Listing, broken: dict[str, str]) -> SparringError:
    named = some([f"{name} ({why})" for name, why in broken.items()])
    return SparringError(f"{found.folder} holds no image that can be read; broken: {named}. Copy them again")


def _gray(pixels: np.ndarray) -> np.ndarray:
    """Luma of ITU-R BT.601, `(N, 3, H, W)` -> `(N, 1, H, W)`, in blocks to save memory."""
    gray = np.empty_like(pixels[:, :1])
    for start in range(0, len(pixels), 1024):
        red, green, blue = pixels[start : start + 1024].astype(np.int32).swapaxes(0, 1)
        gray[start : start + 1024, 0] = (299 * red + 587 * green + 114 * blue + 500) // 1000
    return gray


def _labeled(names: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray | None]:
    """Class names, and each image's index among them; neither if there is only one class."""
    loaded = classes_of(names)
    classes = tuple(sorted(set(loaded)))
    if len(classes) == 1:
        return (), None
    index = {name: number for number, name in enumerate(classes)}
    return classes, np.array([index[name] for name in loaded], dtype=np.int64)


def _content(pixels: np.ndarray, labels: np.ndarray | None) -> str:
    digest = hashlib.blake2b(str(pixels.shape).encode(), digest_size=8)
    digest.update(np.ascontiguousarray(pixels).data)
    if labels is not None:
        digest.update(labels.data)
    return digest.hexdigest()


# The cache.


def _place(folder: Path, settings: ImageSettings) -> Path:
    import pooch

    name = hashlib.sha256(json.dumps([str(folder), asdict(settings)]).encode()).hexdigest()[:24]
    return Path(pooch.os_cache("sparring")) / "folders" / f"{name}.safetensors"


def _key(found: Listing, settings: ImageSettings) -> str:
    parts = [FORMAT, str(found.folder), asdict(settings), found.images, found.stray]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _load(place: Path, key: str) -> FolderImages | None:
    """The cached images, if they were made from these files; a damaged cache file is ignored."""
    try:
        with safetensors.safe_open(place, framework="numpy") as file:
            about = file.metadata() or {}
            if about.get("key") != key:
                return None
            info = _info(json.loads(about["info"]))
            labels = file.get_tensor("labels") if info.classes else None
            return FolderImages(file.get_tensor("pixels"), labels, info)
    except (OSError, safetensors.SafetensorError, KeyError, ValueError, TypeError):
        return None


def _info(plain: dict[str, Any]) -> FolderInfo:
    tuples = {name: tuple(plain[name]) for name in ("size", "classes", "stray")}
    values: dict[str, Any] = {**plain, **tuples, "broken": tuple((name, why) for name, why in plain["broken"])}
    return FolderInfo(**values)


def _keep(loaded: FolderImages, place: Path, key: str) -> None:
    tensors = {"pixels": np.ascontiguousarray(loaded.pixels)} | (
        {"labels": loaded.labels} if loaded.labels is not None else {}
    )
    about = {"key": key, "info": json.dumps(asdict(loaded.info))}
    try:
        write_atomically(place, lambda path: safetensors.numpy.save_file(tensors, path, metadata=about))
    except (SparringError, safetensors.SafetensorError) as error:
        say(f"the decoded images could not be cached and will be decoded again next time: {error}")
