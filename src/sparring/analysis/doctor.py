"""A user's images examined before training: what there is, what is wrong with it, and how training would read it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sparring.characters import quoted
from sparring.datasets.files import cache, memory
from sparring.datasets.files.contents import Contents
from sparring.datasets.files.fitness import Fitness, cut_share, is_cut, is_flat, is_tiny
from sparring.datasets.files.formats import BrokenError
from sparring.datasets.files.labels import Labels, doubt_of, labels_of
from sparring.datasets.files.loading import LevelsUsed, levels_used
from sparring.datasets.files.paths import contents_of
from sparring.datasets.files.pixels import Frame, ImageInfo, Stretch, is_colored, opaque
from sparring.datasets.files.settings import ImageSettings, Size
from sparring.datasets.files.summary import FEW, levels_line
from sparring.datasets.files.survey import Survey, each

if TYPE_CHECKING:
    from PIL import Image

HASH_SIDE = 16
"""Side, in pixels, of the shrunk gray copy that the difference hash is taken of."""
MIN_RISES = 0.1
"""Share of its neighboring pixels that must rise, else no hash: small objects on an empty ground all look alike."""
COLORS = {
    "1": "black and white",
    "L": "gray",
    "I": "16-bit gray",
    "F": "fractional gray",
    "P": "palette",
    "CMYK": "CMYK",
    "RGB": "RGB",
    "RGBA": "RGBA",
    "LA": "gray",
}


@dataclass(frozen=True)
class ImageFile:
    """What was found out about one file; of a file with several frames, about the first of those that are used."""

    name: str
    info: ImageInfo | None = None
    """What the header says; None if not even that can be read."""
    fault: str = ""
    """Why the image cannot be read; empty if it can."""
    digest: str = ""
    """Hash of its pixels as training sees them, but for their size: equal for exact duplicates."""
    perceptual_hash: str = ""
    """Equal for images that look alike: the difference hash of N. Krawetz, "Kind of like that" (2013), which is the
    signs of the differences between neighboring pixels in a shrunk gray copy. Empty for an image with little in it."""
    flat: bool = False
    """Whether it is of nearly one color."""
    colored: bool = False
    """Whether any pixel of any frame is not gray."""
    frames: int = 0
    """Images that it gives."""
    levels: tuple[tuple[float | None, float, float], ...] = ()
    """The level that is white, the lowest and the highest of each frame."""
    of_frames: tuple[str, ...] = ()
    """The hash of each frame."""


@dataclass(frozen=True)
class Examination:
    """What a folder, an archive or an array of images holds, and how training would read it."""

    survey: Survey
    files: tuple[ImageFile, ...]
    """Every image file, in the order of names."""

    @classmethod
    def of(cls, path: str | Path, settings: ImageSettings | None = None) -> Examination:
        """Read every image at a path.

        Args:
            path: The folder, archive or array to examine.
            settings: How training is to read it: size, fit, background and so on.

        Returns:
            The examination; files that cannot be read are part of it.

        Raises:
            SparringError: There is nothing, or no image.
            UsageError: The labels that the settings ask for are not there.
        """
        settings = settings or ImageSettings()
        survey = Survey.of(contents_of(path, settings), settings)
        stretch = survey.stretch()
        files = each(lambda name: _examined(survey, name, stretch), survey.contents.names, "examining")
        return cls(survey, tuple(files))

    @property
    def contents(self) -> Contents:
        """The files at the path."""
        return self.survey.contents

    @property
    def settings(self) -> ImageSettings:
        """How training is to read them."""
        return self.survey.settings

    @cached_property
    def readable(self) -> Survey:
        """The survey without images that turned out to be broken."""
        good = {file.name: file.info for file in self.good if file.info}
        return dataclasses.replace(self.survey, infos=good)

    @cached_property
    def good(self) -> list[ImageFile]:
        """Images that can be read."""
        return [file for file in self.files if not file.fault]

    @cached_property
    def images(self) -> int:
        """How many images there are, frames included."""
        return sum(file.frames for file in self.good)

    @cached_property
    def broken(self) -> list[tuple[str, str]]:
        """Entries that cannot be read, and why."""
        faults = [(file.name, file.fault) for file in self.files if file.fault]
        return sorted([*self.contents.broken, *faults])

    @cached_property
    def stray(self) -> list[str]:
        """Files that are no images, and were not read for labels."""
        return [entry.name for entry in self.contents.stray if entry.name not in self.labels.files]

    @cached_property
    def labels(self) -> Labels:
        """The classes of the images that can be read, and where they come from."""
        return labels_of(self.contents, [file.name for file in self.good], self.settings.labels)

    @cached_property
    def formats(self) -> dict[str, int]:
        if self.contents.kind == "array":
            return {"array": len(self.good)} if self.good else {}
        return _counted(file.info.format for file in self.good if file.info)

    @cached_property
    def colors(self) -> dict[str, int]:
        return _counted(_color(file.info) for file in self.good if file.info)

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Width x height -> number of images, the commonest first."""
        return _counted("{}x{}".format(*file.info.size) for file in self.good if file.info)

    @cached_property
    def classes(self) -> dict[str, int]:
        """Class -> number of images, the largest first; empty where there are none."""
        of = self.labels.of
        if of is None:
            return {}
        counts = Counter[str]()
        for file in self.good:
            counts[self.labels.classes[of[file.name]]] += file.frames
        return dict(counts.most_common())

    @property
    def imbalance(self) -> float | None:
        """How many times larger the largest class is than the smallest."""
        return max(self.classes.values()) / min(self.classes.values()) if self.classes else None

    @cached_property
    def duplicates(self) -> list[list[str]]:
        """Groups of files with exactly the same pixels."""
        return _groups((file.digest, file.name) for file in self.good)

    @cached_property
    def look_alikes(self) -> list[list[str]]:
        """Groups of files that look alike; of exact duplicates only one is counted."""
        first = {file.digest: file for file in reversed(self.good)}
        return _groups((file.perceptual_hash, file.name) for file in reversed(first.values()) if file.perceptual_hash)

    @cached_property
    def flat(self) -> list[str]:
        """Files of nearly one color as training sees them."""
        return [file.name for file in self.good if file.flat]

    @cached_property
    def transparent(self) -> list[str]:
        """Files with transparency, through which the background shows."""
        return [file.name for file in self.good if file.info and file.info.transparent]

    @cached_property
    def levels(self) -> tuple[LevelsUsed, ...]:
        """Kinds of images that use few of the levels they could have; none where levels are stretched."""
        every = [levels for file in self.good for levels in file.levels]
        return levels_used(every) if self.settings.levels == "full" else ()

    @property
    def few(self) -> bool:
        """Whether there are so few images that generated ones will be copies."""
        return self.different < FEW

    @property
    def training_size(self) -> tuple[Size, str]:
        """Width and height that training would scale to, and the reason in words."""
        return self.survey.chosen  # training chooses it before it finds that an image is broken

    @property
    def channels(self) -> int:
        """1 for gray, 3 for red, green and blue, 4 with alpha."""
        if self.survey.transparency.kept:
            return 4
        colored = any(file.colored for file in self.good)
        return 1 if self.settings.colors == "gray" or (self.settings.colors == "auto" and not colored) else 3

    @cached_property
    def resized(self) -> int:
        """How many images are not of the training size."""
        return sum(file.info.size != self.training_size[0] for file in self.good if file.info)

    @cached_property
    def cropped_share(self) -> float:
        """Share of an image's area that cropping cuts off, averaged over images."""
        shares = [cut_share(file.info.size, self.training_size[0]) for file in self.good if file.info]
        return float(np.mean(shares)) if shares else 0.0

    @cached_property
    def cut(self) -> list[str]:
        """Files of which cropping leaves less than a tenth."""
        sizes = {file.name: file.info.size for file in self.good if file.info}
        return [name for name, size in sizes.items() if is_cut(size, self.training_size[0], self.settings)]

    @cached_property
    def tiny(self) -> list[str]:
        """Files with fewer than four pixels."""
        return [file.name for file in self.good if file.info and is_tiny(file.info.size)]

    @cached_property
    def different(self) -> int:
        """How many images there are if of exact duplicates only one is counted."""
        return len({digest for file in self.good for digest in file.of_frames})

    @cached_property
    def obstacles(self) -> list[str]:
        """What to do before training, a line each; none where the images are fit for it, or none can be read."""
        frames = {file.name: file.frames for file in self.good}
        cut, tiny, flat = (sum(frames[name] for name in names) for names in (self.cut, self.tiny, self.flat))
        return Fitness(self.images, cut, tiny, flat, self.different).obstacles() if self.good else []

    @property
    def background(self) -> str:
        """The background color, as #rrggbb."""
        return "#{:02x}{:02x}{:02x}".format(*self.settings.background)

    def command(self, encoding: str | None = None) -> str:
        """A command that trains on these images with these settings, to be pasted into a shell.

        Args:
            encoding: Of the terminal where it is printed; see `quoted`.
        """
        settings, path = self.settings, self.contents.path
        chosen = {**dataclasses.asdict(settings), "background": self.background}
        default = {**dataclasses.asdict(ImageSettings()), "background": "#000000"}
        asked = {name.replace("_", "-"): value for name, value in chosen.items() if value != default[name]}
        if "background" in asked and asked.get("alpha") is False:
            del asked["alpha"]  # a background says it
        flags = [_flag(name, value) for name, value in asked.items()]
        name = path.name if self.contents.kind == "folder" else path.name.partition(".")[0]
        out = f"runs/{name or 'mine'}"
        words = ["sparring", "train", "auto", "--data", path, *flags, "--seeds", "4", "--out", out]
        return " ".join(quoted(word, encoding) for word in words)

    def summary(self) -> dict[str, Any]:
        """Everything as plain data: what `sparring doctor --json` prints."""
        (width, height), reason = self.training_size if self.good else ((0, 0), "")
        training = {
            "images": self.images,
            "shape": [self.channels, height, width],
            "why": reason,
            "fit": self.settings.fit,
            "background": self.background,
            "alpha": self.survey.transparency.kept,
            "frames": self.settings.frames,
            "levels": self.settings.levels,
            "pixel_art": self.survey.pixel_art.why,
            "resample": "nearest" if self.survey.pixel_art.why else "bicubic",
            "resized": self.resized if self.good else 0,
            "bytes": self.readable.bytes if self.good else 0,
            "bytes_free": memory.available_memory(),
            "command": None if self.obstacles else self.command(),
        }
        files, frames = self.survey.animated
        return {
            "folder": str(self.contents.path),
            "kind": self.contents.kind,
            "images": self.images,
            "formats": self.formats,
            "sizes": self.sizes,
            "colors": self.colors,
            "transparent": len(self.transparent),
            "animated": {"files": files, "frames": frames},
            "classes": self.classes,
            "labels_from": self.labels.source,
            "auto_conditional": bool(self.classes) and not doubt_of(self.classes),
            "imbalance": self.imbalance,
            "few": self.few,
            "few_levels": [levels_line(used) for used in self.levels],
            "notes": [*self.contents.notes, *self.labels.notes],
            "broken": [{"file": name, "fault": fault} for name, fault in self.broken],
            "stray": self.stray,
            "duplicates": self.duplicates,
            "look_alike": self.look_alikes,
            "nearly_one_color": self.flat,
            "tiny": self.tiny,
            "cut_off": self.cut,
            "do_first": self.obstacles,
            "training": training if self.good else None,
            "cache": {"folder": str(cache.cache_folder()), "bytes": cache.cached_bytes(), "limit": cache.cache_limit()},
        }


def _flag(name: str, value: Any) -> str:
    """A flag as it is typed: `--alpha`, `--no-alpha`, `--size=64`."""
    if isinstance(value, bool):
        return f"--{name}" if value else f"--no-{name}"
    return f"--{name}={value}"


def _examined(survey: Survey, name: str, stretch: Stretch) -> ImageFile:
    header = survey.infos.get(name)
    if header is None:
        return ImageFile(name, None, survey.broken[name])
    background = survey.settings.background

    def use(frame: Frame) -> ImageFile:
        pixels = np.asarray(frame.image)
        digest = hashlib.blake2b(str(pixels.shape).encode() + pixels.tobytes(), digest_size=16).hexdigest()
        on_ground = opaque(frame.image, background)
        color = np.asarray(on_ground)
        flat = is_flat(pixels)
        looks = "" if flat else _difference_hash(on_ground)
        levels = ((frame.white, *frame.limits),)
        return ImageFile(name, header, "", digest, looks, flat, is_colored(color), 1, levels, (digest,))

    try:
        frames = survey.read(name, use, stretch)
    except BrokenError as error:
        return ImageFile(name, header, str(error))
    return _merged(frames)


def _merged(frames: Sequence[ImageFile]) -> ImageFile:
    """A file of several frames."""
    if len(frames) == 1:
        return frames[0]
    return dataclasses.replace(
        frames[0],
        flat=all(frame.flat for frame in frames),
        colored=any(frame.colored for frame in frames),
        frames=len(frames),
        levels=tuple(levels for frame in frames for levels in frame.levels),
        of_frames=tuple(frame.digest for frame in frames),
    )


def _difference_hash(image: Image.Image) -> str:
    """The hash in hexadecimal digits, with the mean color behind it; empty for an image with little in it."""
    from PIL.Image import Resampling

    small = np.asarray(image.convert("L").resize((HASH_SIDE + 1, HASH_SIDE), Resampling.BOX)).astype(int)
    rises = small[:, 1:] > small[:, :-1]
    if rises.mean() < MIN_RISES:
        return ""
    mean = np.asarray(image.resize((1, 1), Resampling.BOX)).reshape(3) // 16
    return np.packbits(rises).tobytes().hex() + mean.astype(np.uint8).tobytes().hex()


def _color(header: ImageInfo) -> str:
    name = COLORS.get("I" if header.mode.startswith("I") else header.mode, header.mode)
    name = f"16-bit {name}" if header.deep and not header.is_gray else name
    return f"{name} with transparency" if header.transparent and header.mode != "RGBA" else name


def _counted(names: Any) -> dict[str, int]:
    return dict(Counter(names).most_common())


def _groups(pairs: Any) -> list[list[str]]:
    """Names that share a key, for keys that several share."""
    groups: dict[str, list[str]] = defaultdict(list)
    for key, name in pairs:
        groups[key].append(name)
    return [group for group in groups.values() if len(group) > 1]
