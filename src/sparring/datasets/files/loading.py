"""A user's images as one uint8 array, decoded once and kept in the user's cache.

The cache has one entry for each path and settings. It is valid as long as the names, sizes and modification times of
all files are those that it was made from, and it is written atomically.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sparring.datasets.files import cache, memory
from sparring.datasets.files.cache import ABOUT, PIXELS, PixelStore
from sparring.datasets.files.contents import Contents, no_image
from sparring.datasets.files.fitness import Fitness, flat_and_different, is_cut, is_tiny
from sparring.datasets.files.formats import BrokenError
from sparring.datasets.files.labels import doubt_of, labels_of
from sparring.datasets.files.paths import contents_of
from sparring.datasets.files.pixels import Frame, fitted, is_colored
from sparring.datasets.files.settings import WITH_ALPHA, Colors, ImageSettings, Size
from sparring.datasets.files.survey import Survey, each, tried
from sparring.errors import SparringError
from sparring.progress import say
from sparring.record import one_process_at_a_time, write_atomically

FORMAT = 8
"""Version of the cache files; other versions are ignored."""
SPARE_DISK = 2**28
"""Bytes of the disk that decoded images leave free."""
SPARE_MEMORY = 0.9
"""Share of the free memory that decoded images may take."""
HASHED_AT_ONCE = 1_024
"""Images."""
FEW_LEVELS = 0.3
"""Share of the levels below which images are dark or pale by mistake: 12 of 16 bits use a sixteenth."""


@dataclass(frozen=True)
class FolderInfo:
    """What a user should know about loaded images."""

    images: int
    size: Size
    reason: str
    """Why this size was chosen."""
    resized: int
    """Images that had another size."""
    classes: tuple[str, ...]
    labels_from: str
    """Where classes come from: `subfolders`, or a file's name."""
    class_doubt: str
    """Why training had better not use the classes, a clause; empty where it can."""
    broken: tuple[tuple[str, str], ...]
    """File and reason."""
    stray: tuple[str, ...]
    """Files that are no images, and were not read for labels."""
    transparent: int
    """Files with transparency."""
    kept_transparency: str
    """Why transparency is kept without being asked for, in words; empty where it was asked for, or is not kept."""
    pixel_art: str
    """What makes them pixel art, in words; empty where they are none."""
    animated: tuple[int, int]
    """Files with several frames or pages, and frames in them."""
    levels: tuple[LevelsUsed, ...]
    """Kinds of images that use few of their levels."""
    notes: tuple[str, ...]
    """What else is to be known, a clause each."""
    fitness: Fitness
    """Whether they are fit to train on."""
    content: str
    """Hash of all pixels and labels, 16 hexadecimal digits."""


class LevelsUsed(NamedTuple):
    """Images of one depth, and the levels that occur in them."""

    images: int
    white: float
    """The level that is white: 255, 4,095 or 65,535."""
    low: float
    high: float


@dataclass(frozen=True)
class FolderImages:
    """Loaded images. `pixels` is uint8 `(N, C, H, W)`; `labels` int64 `(N,)`, indices of `info.classes`, or None."""

    pixels: np.ndarray
    labels: np.ndarray | None
    info: FolderInfo


class Decoded(NamedTuple):
    """What is remembered of one decoded image beside its pixels."""

    resized: bool
    colored: bool
    white: float | None
    low: float
    high: float


def load_folder(path: str | Path, settings: ImageSettings) -> FolderImages:
    """The images at a path, from the cache or else decoded and cached.

    Raises:
        SparringError: There is nothing, no image that can be read, or not enough memory and disk to decode them; the
            last is said before any is decoded.
        UsageError: The labels that the settings ask for are not there.
    """
    contents = contents_of(path, settings)
    if not contents.images:
        raise no_image(contents)
    place, key = _place(contents.path, settings), _key(contents, settings)
    loaded = _load(place, key) or _chosen_alike(contents, settings)
    if loaded is not None:
        return loaded
    with one_process_at_a_time(place, "the decoded images", say) as may_keep:
        # Another process may have decoded them while this one waited.
        loaded = _load(place, key)
        if loaded is None:
            survey = Survey.of(contents, settings)
            if not survey.infos:
                raise survey.all_broken()
            labels_of(contents, list(survey.infos), settings.labels)  # an error is due before anything is decoded
            keeps = room_for(survey, may_keep)
            loaded = _decode_and_keep(survey, place, key) if keeps else _decoded(survey, None)
    return loaded


def room_for(survey: Survey, may_keep: bool = True) -> bool:
    """Whether decoded images go to the cache; without it they stay in memory.

    Raises SparringError where neither has room; says it where they will be read from the disk while training.
    """
    line = memory_line(survey)
    free, needed = memory.available_memory(), survey.bytes
    cacheable = may_keep and needed <= min(cache.cache_limit(), _free_disk())
    if cacheable:
        if needed > SPARE_MEMORY * free:
            say(f"{survey.contents.path}: {line}: they are read from the cache on disk while training, which is slower")
        return True
    if needed > SPARE_MEMORY * free:
        raise SparringError(
            f"{survey.contents.path} does not fit: {line}; the disk of {cache.cache_folder()} has "
            f"{memory.as_size(max(0, _free_disk()))} free, and {cache.LIMIT} allows "
            f"{memory.as_size(cache.cache_limit())}"
        )
    return False


def memory_line(survey: Survey) -> str:
    """What images need beside what is free, and a size that fits where this one does not."""
    free = memory.available_memory()
    (width, height), taken = survey.size, memory.as_size(survey.bytes)
    need = f"1 image at {width}x{height} needs {taken} decoded"
    if survey.images != 1:
        need = f"{survey.images:,} images at {width}x{height} need {taken} decoded"
    one = f"{need}, {memory.as_size(free)} of memory is free"
    line = f"{need}, {memory.as_size(free)} of memory are free" if free >= 10**9 else one
    if survey.bytes > SPARE_MEMORY * free and (smaller := survey.smaller(int(SPARE_MEMORY * free))):
        line += f"; {smaller}"
    return line


def levels_used(decoded: Sequence[tuple[float | None, float, float]]) -> tuple[LevelsUsed, ...]:
    """Kinds of images that use few of their levels, of the white, the lowest and the highest level of each image."""
    found: list[LevelsUsed] = []
    for white in sorted({white for white, _, _ in decoded if white is not None}):
        same = [(low, high) for w, low, high in decoded if w == white]
        low, high = min(low for low, _ in same), max(high for _, high in same)
        if 0 < high - low < FEW_LEVELS * white:
            found.append(LevelsUsed(len(same), white, low, high))
    return tuple(found)


def _free_disk() -> int:
    return memory.available_disk(cache.cache_folder()) - SPARE_DISK


def _decode_and_keep(survey: Survey, place: Path, key: str) -> FolderImages:
    """Decode into a file of the cache. Where the disk refuses after all, images are decoded into memory."""
    cache.make_room(survey.bytes, place)
    partial = place.with_suffix(f"{PIXELS}.partial")
    try:
        loaded = _decoded(survey, partial)
        place.with_suffix(ABOUT).unlink(missing_ok=True)  # what it says is not true of the new pixels
        partial.replace(place.with_suffix(PIXELS))
    except OSError as error:
        _say_not_cached(error)
        return _decoded(survey, None)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    labels = None if loaded.labels is None else loaded.labels.tolist()
    facts = {"key": key, "shape": loaded.pixels.shape, "labels": labels, "info": asdict(loaded.info)}
    try:
        write_atomically(place.with_suffix(ABOUT), lambda path: path.write_text(json.dumps(facts), encoding="utf-8"))
    except SparringError as error:
        _say_not_cached(error)
    say(
        f"{survey.contents.path}: decoded images are cached, {memory.as_size(loaded.pixels.nbytes)}; {cache.in_words()}"
    )
    return loaded


def _say_not_cached(error: Exception) -> None:
    say(f"the decoded images could not be cached and will be decoded again next time: {error}")


def _decoded(survey: Survey, file: Path | None) -> FolderImages:
    """Decode every image, into a file or into memory. Raises OSError when the disk refuses."""
    settings, (width, height) = survey.settings, survey.size
    names, stretch, nearest = list(survey.infos), survey.stretch(), bool(survey.pixel_art.why)
    first = dict(zip(names, accumulate(map(survey.frames, names), initial=0), strict=False))
    store = PixelStore((survey.images, survey.channels, height, width), file)

    def use(frame: Frame) -> tuple[np.ndarray, Decoded]:
        made = np.asarray(fitted(frame.image, survey.size, settings.fit, settings.background, nearest))
        about = Decoded(frame.image.size != survey.size, is_colored(made[..., :3]), frame.white, *frame.limits)
        return in_channels(made, survey.channels, settings.colors), about

    def decode(name: str) -> list[Decoded]:
        found = survey.read(name, use, stretch, survey.size)
        if len(found) != survey.frames(name):
            raise BrokenError("has changed while it was read")
        for row, (pixels, _) in enumerate(found, first[name]):
            store.put(row, pixels)
        return [about for _, about in found]

    try:
        results = each(lambda name: tried(lambda: decode(name)), names, "decoding")
        good = [(name, result) for name, result in zip(names, results, strict=True) if not isinstance(result, str)]
        faults = {name: result for name, result in zip(names, results, strict=True) if isinstance(result, str)}
        broken = survey.broken | faults
        if not good:
            raise replace(survey, broken=broken).all_broken()
        gray = survey.channels == 3 and settings.colors == "auto"
        gray = gray and not any(about.colored for _, images in good for about in images)
        rows = [row for name, images in good for row in range(first[name], first[name] + len(images))]
        pixels = store.finish(rows, (lambda block: block[:, :1]) if gray else (lambda block: block))
    finally:
        store.close()
    return _described(survey, pixels, good, broken)


def _described(
    survey: Survey, pixels: np.ndarray, good: Sequence[tuple[str, list[Decoded]]], broken: Mapping[str, str]
) -> FolderImages:
    """Decoded images with their labels and what is to be said of them."""
    contents, names = survey.contents, [name for name, _ in good]
    labels = labels_of(contents, names, survey.settings.labels)
    of_each = labels.of_each([name for name, images in good for _ in images])
    counts = {} if of_each is None else dict(zip(labels.classes, np.bincount(of_each).tolist(), strict=False))
    images = [about for _, images in good for about in images]
    info = FolderInfo(
        images=len(pixels),
        size=survey.size,
        reason=survey.chosen[1],
        resized=sum(about.resized for about in images),
        classes=labels.classes,
        labels_from=labels.source,
        class_doubt=doubt_of(counts),
        broken=tuple(sorted(broken.items())),
        stray=tuple(entry.name for entry in contents.stray if entry.name not in labels.files),
        pixel_art=survey.pixel_art.why,
        transparent=sum(survey.infos[name].transparent for name in names),
        kept_transparency=survey.transparency.why,
        animated=survey.animated,
        levels=levels_used([(about.white, about.low, about.high) for about in images]),
        notes=(*contents.notes, *labels.notes),
        fitness=_fitness(survey, pixels, names),
        content=_content(pixels, of_each),
    )
    return FolderImages(pixels, of_each, info)


def _fitness(survey: Survey, pixels: np.ndarray, names: Sequence[str]) -> Fitness:
    sizes = {name: survey.infos[name].size for name in names}
    cut = sum(survey.frames(name) for name, size in sizes.items() if is_cut(size, survey.size, survey.settings))
    tiny = sum(survey.frames(name) for name, size in sizes.items() if is_tiny(size))
    return Fitness(len(pixels), cut, tiny, *flat_and_different(pixels))


def in_channels(image: np.ndarray, channels: int, colors: Colors) -> np.ndarray:
    """An image `(H, W, 3)` or, with alpha, `(H, W, 4)`, as `(C, H, W)`; gray is the luma of ITU-R BT.601."""
    if colors == "gray":
        red, green, blue = np.moveaxis(image[..., :3].astype(np.int32), -1, 0)
        luma = ((299 * red + 587 * green + 114 * blue + 500) // 1000).astype(np.uint8)
        image = np.dstack([luma, luma, luma, *image[..., 3:].transpose(2, 0, 1)])
    return image[..., :channels].transpose(2, 0, 1)


def _content(pixels: np.ndarray, labels: np.ndarray | None) -> str:
    digest = hashlib.blake2b(str(pixels.shape).encode(), digest_size=8)
    for start in range(0, len(pixels), HASHED_AT_ONCE):
        digest.update(np.ascontiguousarray(pixels[start : start + HASHED_AT_ONCE]).data)
    if labels is not None:
        digest.update(labels.data)
    return digest.hexdigest()


# The cache.


def _place(path: Path, settings: ImageSettings) -> Path:
    """The files of a path and settings in the cache, but for their endings."""
    name = hashlib.sha256(json.dumps([str(path), asdict(settings)]).encode()).hexdigest()[:24]
    return cache.cache_folder() / name


def _key(contents: Contents, settings: ImageSettings) -> str:
    """Changes when a file does."""
    files = [[entry.name, entry.bytes, entry.stamp] for entry in (*contents.images, *contents.stray)]
    parts = [FORMAT, str(contents.path), asdict(settings), files, contents.broken]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _load(place: Path, key: str) -> FolderImages | None:
    """The cached images, if they were made from these files; a damaged cache file is ignored."""
    try:
        facts = json.loads(place.with_suffix(ABOUT).read_text(encoding="utf-8"))
        if facts["key"] != key:
            return None
        labels = None if facts["labels"] is None else np.array(facts["labels"], dtype=np.int64)
        pixels = cache.mapped(place.with_suffix(PIXELS), tuple(facts["shape"]))
        cache.touch(place)
        return FolderImages(pixels, labels, _info(facts["info"]))
    except (OSError, KeyError, ValueError, TypeError):
        return None


def _chosen_alike(contents: Contents, settings: ImageSettings) -> FolderImages | None:
    """The cached images for which `auto` chose to keep transparency, or not to, as it is asked for here."""
    if settings.alpha == "auto":
        return None
    auto = replace(settings, alpha="auto")
    loaded = _load(_place(contents.path, auto), _key(contents, auto))
    return loaded if loaded and (loaded.pixels.shape[1] == WITH_ALPHA) is settings.alpha else None


def _info(plain: Mapping[str, Any]) -> FolderInfo:
    values: dict[str, Any] = {**plain}
    for name in ("size", "classes", "stray", "animated", "notes"):
        values[name] = tuple(plain[name])
    values["broken"] = tuple((name, reason) for name, reason in plain["broken"])
    values["fitness"] = Fitness(**plain["fitness"])
    values["levels"] = tuple(LevelsUsed(*used) for used in plain["levels"])
    return FolderInfo(**values)
