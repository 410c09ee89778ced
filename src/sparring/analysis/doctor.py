"""A folder of images examined before training: its contents, its problems, and how training would read it."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sparring import catalogue
from sparring.characters import quoted
from sparring.datasets._folder import ImageSettings, Listing, chosen_size, classes_of, each, listing, some
from sparring.datasets._pixels import BrokenError, ImageInfo, Size, image_info, is_colored, read_image
from sparring.errors import SparringError

if TYPE_CHECKING:
    from PIL import Image

FLAT = 8
"""An image is of nearly one color when each channel spans at most this many of 256 levels."""
HASH_SIDE = 16
"""Side, in pixels, of the shrunk gray copy that the difference hash is taken of."""
MIN_RISES = 0.1
"""Share of its neighboring pixels that must rise, else no hash: small objects on an empty ground all look alike."""
COLORS = {
    "1": "black and white",
    "L": "gray",
    "I": "16-bit gray",
    "P": "palette",
    "CMYK": "CMYK",
    "RGB": "RGB",
    "RGBA": "RGBA",
    "LA": "gray",
}


@dataclass(frozen=True)
class ImageFile:
    """What was found out about one file."""

    name: str
    info: ImageInfo | None = None
    """What the header says; None if not even that can be read."""
    fault: str = ""
    """Why the image cannot be read; empty if it can."""
    digest: str = ""
    """Hash of its pixels after compositing on the background: equal for exact duplicates."""
    perceptual_hash: str = ""
    """Equal for images that look alike: the difference hash of N. Krawetz, "Kind of like that" (2013), which is the
    signs of the differences between neighboring pixels in a shrunk gray copy. Empty for an image with little in it."""
    flat: bool = False
    """Whether it is of nearly one color."""
    colored: bool = False
    """Whether any pixel is not gray."""


@dataclass(frozen=True)
class Examination:
    """What a folder of images holds, and how training would read it under the settings `settings`."""

    contents: Listing
    settings: ImageSettings
    files: tuple[ImageFile, ...]

    @classmethod
    def of(cls, folder: Path, settings: ImageSettings | None = None) -> Examination:
        """Read every image in a folder and the folders in it.

        Args:
            folder: The folder to examine.
            settings: How training is to read it: size, fit, background and colors.

        Returns:
            The examination; files that cannot be read are part of it.

        Raises:
            SparringError: There is no such folder, or no image in it.
        """
        contents, settings = listing(folder), settings or ImageSettings()
        if not contents.images:
            only = f", only {some(contents.stray)}" if contents.stray else ""
            raise SparringError(f"{contents.folder} holds no image{only}: name a folder of images")
        files = each(lambda name: _examined(contents.folder, name, settings), contents.names, "examining")
        return cls(contents, settings, tuple(files))

    @cached_property
    def good(self) -> list[ImageFile]:
        """Images that can be read."""
        return [file for file in self.files if not file.fault]

    @cached_property
    def broken(self) -> list[ImageFile]:
        """Images that cannot be read."""
        return [file for file in self.files if file.fault]

    @cached_property
    def formats(self) -> dict[str, int]:
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
        """Subfolder -> number of images, the largest first; empty where all lie in one folder."""
        counts = _counted(classes_of([file.name for file in self.good]))
        return counts if len(counts) > 1 else {}

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
        """Files of nearly one color, composited on the chosen background."""
        return [file.name for file in self.good if file.flat]

    @cached_property
    def transparent(self) -> list[str]:
        """Files with transparency, through which the background shows."""
        return [file.name for file in self.good if file.info and file.info.transparent]

    @cached_property
    def training_size(self) -> tuple[Size, str]:
        """Width and height that training would scale to, and the reason in words."""
        if self.settings.size:
            return (self.settings.size, self.settings.size), "as asked"
        return chosen_size([file.info.size for file in self.files if file.info])

    @property
    def channels(self) -> int:
        """1 for gray, 3 for red, green and blue."""
        colored = any(file.colored for file in self.good)
        return 1 if self.settings.colors == "gray" or (self.settings.colors == "auto" and not colored) else 3

    @cached_property
    def resized(self) -> int:
        """How many images are not of the training size."""
        return sum(file.info.size != self.training_size[0] for file in self.good if file.info)

    @cached_property
    def cropped_share(self) -> float:
        """Share of an image's area that cropping cuts off, averaged over images."""
        width, height = self.training_size[0]
        shapes = [file.info.size[0] / file.info.size[1] / (width / height) for file in self.good if file.info]
        return float(np.mean([1 - min(shape, 1 / shape) for shape in shapes])) if shapes else 0.0

    @property
    def background(self) -> str:
        """The background color, as #rrggbb."""
        return "#{:02x}{:02x}{:02x}".format(*self.settings.background)

    def command(self, encoding: str | None = None) -> str:
        """A command that trains on the folder with these settings, to be pasted into a shell.

        Args:
            encoding: Of the terminal where it is printed; see `quoted`.
        """
        folder, settings = self.contents.folder, self.settings
        values = {"size": settings.size, "fit": settings.fit, "colors": settings.colors}
        background = {"background": self.background} if any(settings.background) else {}
        leaf = catalogue.make("datasets", "folder", {"path": str(folder), **values, **background})
        default = catalogue.make("datasets", "folder", {"path": str(folder)})
        data, out = catalogue.to_text(leaf) if leaf != default else folder, f"runs/{folder.name or 'mine'}"
        return f"sparring train auto --data {quoted(data, encoding)} --seeds 4 --out {quoted(out, encoding)}"

    def summary(self) -> dict[str, Any]:
        """Everything as plain data: what `sparring doctor --json` prints."""
        (width, height), reason = self.training_size if self.good else ((0, 0), "no image can be read")
        training = {
            "images": len(self.good),
            "shape": [self.channels, height, width],
            "why": reason,
            "fit": self.settings.fit,
            "background": self.background,
            "resized": self.resized if self.good else 0,
            "command": self.command(),
        }
        return {
            "folder": str(self.contents.folder),
            "images": len(self.good),
            "formats": self.formats,
            "sizes": self.sizes,
            "colors": self.colors,
            "transparent": len(self.transparent),
            "classes": self.classes,
            "imbalance": self.imbalance,
            "broken": [{"file": file.name, "fault": file.fault} for file in self.broken],
            "stray": list(self.contents.stray),
            "duplicates": self.duplicates,
            "look_alike": self.look_alikes,
            "nearly_one_color": self.flat,
            "training": training if self.good else None,
        }


def _examined(folder: Path, name: str, settings: ImageSettings) -> ImageFile:
    header = None
    try:
        header = image_info(folder / name)
        image = read_image(folder / name, settings.background)
    except BrokenError as error:
        return ImageFile(name, header, str(error))
    pixels = np.asarray(image)
    digest = hashlib.blake2b(str(pixels.shape).encode() + pixels.tobytes(), digest_size=16).hexdigest()
    flat = int(np.ptp(pixels.reshape(-1, 3), axis=0).max()) <= FLAT
    return ImageFile(name, header, "", digest, "" if flat else _difference_hash(image), flat, is_colored(pixels))


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
    return f"{name} with transparency" if header.transparent and header.mode != "RGBA" else name


def _counted(names: Any) -> dict[str, int]:
    return dict(Counter(names).most_common())


def _groups(pairs: Any) -> list[list[str]]:
    """Names that share a key, for keys that several share."""
    groups: dict[str, list[str]] = defaultdict(list)
    for key, name in pairs:
        groups[key].append(name)
    return [group for group in groups.values() if len(group) > 1]
