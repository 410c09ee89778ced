"""Images in a NumPy file, .npy or .npz, as if each were an image file."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

import numpy as np

from sparring.datasets._levels import NEAR, SLACK
from sparring.datasets.files.contents import Contents, Entry, shown
from sparring.datasets.files.formats import BrokenError
from sparring.datasets.files.levels import eight_bits
from sparring.datasets.files.settings import ImageSettings, Limits
from sparring.errors import SparringError

IMAGES = ("images", "train_images", "x_train", "x", "data", "arr_0")
LABELS = ("labels", "train_labels", "y_train", "y", "label", "targets", "target", "classes")
"""Names of arrays in an .npz file, in lower case, that are tried in this order."""
CHANNELS = (1, 3, 4)
AT_ONCE = 256
"""Items whose levels are read together."""


def array_contents(path: Path, settings: ImageSettings) -> Contents:
    """The images in an .npy or .npz file: `(N, H, W)`, `(N, H, W, C)` or `(N, C, H, W)`, of any type of number.

    Raises SparringError for a file that holds no such array, or one whose levels do not say which is white.
    """
    images, labels, notes = _loaded(path)
    limits = _limits(path, images, settings)
    stamp, digits = path.stat().st_mtime_ns, len(str(len(images) - 1))
    each = int(images[0].nbytes)
    entries = tuple(Entry(f"{index:0{digits}}", each, stamp) for index in range(len(images)))

    def open_item(name: str) -> AbstractContextManager[IO[bytes]]:
        item = np.asarray(images[int(name)])
        if item.dtype.kind == "f" and not np.isfinite(item).all():
            raise BrokenError("has NaN or infinite values")
        if limits is not None:
            item = eight_bits(item, limits)
        return io.BytesIO(_tiff(item))

    return Contents(path, "array", entries, (), (), open_item, labels, notes, leveled=limits is not None)


def _loaded(path: Path) -> tuple[np.ndarray, tuple[str, ...] | None, tuple[str, ...]]:
    """Images `(N, H, W, C)`, the class of each, and notes."""
    try:
        if path.suffix.lower() == ".npy":
            return _as_images(path, np.load(path, mmap_mode="r", allow_pickle=False)), None, ()
        with path.open("rb") as file, np.load(file, allow_pickle=False) as loaded:
            arrays = {name: np.asarray(loaded[name]) for name in loaded.files}
    except (OSError, ValueError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        why = f"({error})"
        if "Object arrays" in str(error) or "Python objects" in str(error):
            why = "(it holds Python objects, which are never read)"
        elif "pickle" in str(error):
            why = "(it is not in NumPy's format)"
        raise SparringError(f"{path} is no array that can be read {why}: save it again, as numbers") from error
    name = _chosen(path, arrays)
    images = _as_images(path, arrays[name])
    unused = [shown(key) for key in arrays if key != name and arrays[key].ndim >= 3]
    notes = [f"images are those of the array {name}; not used: {', '.join(unused)}"] if unused else []
    of_others = [key for key in arrays if key.lower() in LABELS and arrays[key].shape[:1] != (len(images),)]
    notes += [
        f"{shown(key)}, {arrays[key].shape}, has no label for each of {len(images):,} images" for key in of_others
    ]
    return images, _labels(arrays, len(images)), tuple(notes)


def _chosen(path: Path, arrays: Mapping[str, np.ndarray]) -> str:
    """The name of the array that holds images: one that such arrays often have, or else the largest."""
    by_name = {name.lower(): name for name in arrays}
    known = [by_name[name] for name in IMAGES if name in by_name and arrays[by_name[name]].ndim >= 3]
    largest = sorted((name for name in arrays if arrays[name].ndim >= 3), key=lambda name: -arrays[name].size)
    if not (known or largest):
        present = ", ".join(f"{shown(name)} {array.shape}" for name, array in arrays.items()) or "nothing"
        raise SparringError(
            f"{path} holds no array of images, only {present}: save one of shape (N, H, W) or (N, H, W, C)"
        )
    return (known or largest)[0]


def _as_images(path: Path, array: np.ndarray) -> np.ndarray:
    """`(N, H, W, C)`, a view."""
    shape = array.shape
    if array.dtype.kind not in "biuf":
        raise SparringError(f"{path} holds {array.dtype} values, which are no levels of pixels: save numbers")
    if array.ndim == 2:
        raise SparringError(f"{path} holds an array of shape {shape}, not images: as numbers it is table(path=...)")
    if 0 in shape:
        raise SparringError(f"{path} holds an array of shape {shape}, which is empty: save one with images (N, H, W)")
    if array.ndim == 3 and shape[-1] in CHANNELS:  # one image
        array = array[None]
    elif array.ndim == 3:
        array = array[..., None]
    elif array.ndim == 4 and shape[-1] not in CHANNELS and shape[1] in CHANNELS:
        array = array.transpose(0, 2, 3, 1)
    if array.ndim != 4 or array.shape[-1] not in CHANNELS:
        raise SparringError(
            f"{path} holds an array of shape {shape}, not images: (N, H, W), or (N, H, W, C) or (N, C, H, W) with 1, 3 "
            "or 4 channels"
        )
    return array


def _labels(arrays: Mapping[str, np.ndarray], count: int) -> tuple[str, ...] | None:
    """The class of each image; those that are one-hot are decoded."""
    by_name = {name.lower(): name for name in arrays}
    for name in LABELS:
        found = arrays.get(by_name.get(name, ""))
        if found is None or found.shape[:1] != (count,):
            continue
        if found.ndim == 2 and found.shape[1] > 1 and ((found == 0) | (found == 1)).all() and (found.sum(1) == 1).all():
            found = found.argmax(1)
        flat = found.reshape(count, -1)
        if flat.shape[1] == 1:
            values = flat[:, 0]
            whole = values.dtype.kind == "f" and bool((values == np.floor(values)).all())
            return tuple(map(str, (values.astype(np.int64) if whole else values).tolist()))
    return None


def _limits(path: Path, images: np.ndarray, settings: ImageSettings) -> Limits | None:
    """The levels that become black and white; None where the images are of 8 or 16 bits, like files.

    Fractions are taken to be in [0, 1], in [-1, 1] or in [0, 255], the first of these that holds them all; not in
    [-1, 1] if they only undershoot 0.
    """
    if images.dtype.kind == "u" and images.dtype.itemsize <= 2:
        return None
    if settings.limits is not None or images.dtype == np.bool_:
        return settings.limits or (0.0, 1.0)
    low, high = _extremes(images)
    if settings.levels == "used":
        return (low, high) if low < high else (low, low + 1)
    usual = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)) if images.dtype.kind == "f" else ((0.0, 255.0), (0.0, 65_535.0))
    for limits in usual:
        undershot = limits[0] == -1 and low > -NEAR
        if limits[0] - SLACK <= low and high <= limits[1] + SLACK and not undershot:
            return limits
    raise SparringError(
        f"{path} has levels from {low:g} to {high:g}, which do not say what is black and white: --levels used "
        "takes the smallest and the largest, --levels=LOW:HIGH says others"
    )


def _extremes(images: np.ndarray) -> Limits:
    low, high = np.inf, -np.inf
    for start in range(0, len(images), AT_ONCE):
        block = np.asarray(images[start : start + AT_ONCE])
        finite = block[np.isfinite(block)] if block.dtype.kind == "f" else block
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    return (low, high) if low <= high else (0.0, 1.0)


def _tiff(pixels: np.ndarray) -> bytes:
    """uint8 or uint16 `(H, W, C)` as a TIFF file without compression, which Pillow reads like any other."""
    height, width, channels = pixels.shape
    data = np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder("<"))).tobytes()
    bits = 8 * pixels.dtype.itemsize
    values: list[tuple[int, str, list[int]]] = [
        (256, "I", [width]),
        (257, "I", [height]),
        (258, "H", [bits] * channels),
        (259, "H", [1]),  # not compressed
        (262, "H", [1 if channels == 1 else 2]),  # gray, RGB
        (273, "I", [8]),  # where the pixels begin
        (277, "H", [channels]),
        (278, "I", [height]),
        (279, "I", [len(data)]),
        *([(338, "H", [2])] if channels == 4 else []),  # the fourth is alpha
    ]
    directory = 8 + len(data) + len(data) % 2
    behind, entries, tail = directory + 2 + 12 * len(values) + 4, b"", b""
    for tag, kind, numbers in values:
        packed = struct.pack(f"<{len(numbers)}{kind}", *numbers)
        place = packed.ljust(4, b"\0") if len(packed) <= 4 else struct.pack("<I", behind + len(tail))
        tail += packed if len(packed) > 4 else b""
        entries += struct.pack("<HHI", tag, {"H": 3, "I": 4}[kind], len(numbers)) + place
    head = b"II*\0" + struct.pack("<I", directory)
    return head + data + b"\0" * (len(data) % 2) + struct.pack("<H", len(values)) + entries + b"\0" * 4 + tail
