from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, final

from sparring.characters import printable
from sparring.datasets import Card, Dataset, Shape, Source
from sparring.errors import SparringError, UsageError

if TYPE_CHECKING:
    import torch

    from sparring.datasets.files.loading import FolderImages
    from sparring.datasets.files.settings import ImageSettings

FOUND = ("found_shape", "found_content", "found_classes")
"""The fields that are filled in from the files."""


@final
@dataclass(frozen=True)
class Folder(Dataset):
    """Your own images of any size: a folder, with subfolders or a CSV file as classes; a zip or tar archive; an array.

    Images are decoded once and kept in the user's cache. Files that are broken or no images are skipped and listed.
    """

    path: str
    """Path of the folder, of the .zip or .tar archive, or of the .npy or .npz array."""
    size: int = 0
    """Side of the square to train at, in pixels; 0 uses the size that 90 % of the images have, else a power of two up
    to 64."""
    fit: Literal["crop", "pad", "stretch"] = "crop"
    """How an image of another size is made to fit: scaled and cropped, scaled and padded, or stretched."""
    background: str = "#000000"
    """Color behind transparent pixels and of padding: #rrggbb or a name."""
    colors: Literal["auto", "gray", "rgb"] = "auto"
    """auto is gray if no image has any color, else rgb."""
    alpha: Literal["auto"] | bool = "auto"
    """Whether transparency is kept, as a fourth channel; auto keeps it where the images are mostly transparent, unless
    a background or gray is asked for. What it chose is filled in when training begins."""
    frames: Literal["first", "all"] = "first"
    """Which frames of animated files, or pages of TIFFs, are images."""
    levels: str = "full"
    """Which levels become black and white: full (all that a file can have), used (the smallest and the largest that
    occur), or LOW:HIGH, such as 0:4095."""
    resample: Literal["auto", "bicubic", "nearest"] = "auto"
    """How images get another size: smoothed (bicubic), to the nearest pixel, or auto: the latter for pixel art."""
    labels: str = "auto"
    """Where classes come from: auto (dataset.json or a CSV file, else subfolders), folders, none, or the name of a
    column."""
    leave_out: str = ""
    """A text file that lists images to leave out, a name on each line, as `sparring doctor --trim` writes it."""
    span: tuple[float, float] = (0.0, 1.0)
    """Pixel values for black and white: (0, 1) for a G that ends in sigmoid, (-1, 1) for one that ends in tanh."""
    found_shape: tuple[int, int, int] = (0, 0, 0)
    """Shape of one example, filled in when training begins."""
    found_content: str = ""
    """Hash of all pixels and labels, filled in when training begins: a run resumes only with the same images."""
    found_classes: tuple[str, ...] = ()
    """Names of the classes, filled in when training begins."""

    places: ClassVar[tuple[str, ...]] = ("path",)
    card: ClassVar[Card] = Card(
        title="A folder of images",
        examples=None,
        license="that of the images",
        source="the user",
    )

    def __post_init__(self) -> None:
        from sparring.datasets.files.settings import limits_of

        for name in ("path", "background", "levels", "labels", "leave_out"):
            object.__setattr__(self, name, str(getattr(self, name)))  # a folder called 2024 is no number
        if self.size < 0:
            raise ValueError(f"size must be at least 1, or 0 to choose it by the images, not {self.size}")
        limits_of(self.levels)

    @property
    def shape(self) -> Shape:  # pyright: ignore[reportIncompatibleVariableOverride] - read alike, never assigned
        """The shape of one example. Loads the images unless `resolved` has filled it in, as when training begins."""
        return self.found_shape if self.found_content else tuple(self._load().pixels.shape[1:])

    @property
    def classes(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride] - read alike, never assigned
        """The number of classes, 0 where there are none. Loads the images, as `shape` does."""
        return len(self.found_classes if self.found_content else self._load().info.classes)

    @property
    def class_advice(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride] - read alike, never assigned
        """What to do about missing classes."""
        return (
            f"{self.path} has none: put the images of each class into a subfolder, or a CSV file with the columns file "
            "and label beside them"
        )

    @property
    def auto_conditional(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride] - read alike, never assigned
        """Whether there are classes with images enough in each. Loads the images, as `shape` does."""
        info = self._load().info
        return bool(info.classes) and not info.class_doubt

    @property
    def pixel_art(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride] - read alike, never assigned
        """Whether the images are pixel art. Loads them, as `shape` does."""
        return bool(self._load().info.pixel_art)

    def shape_and_count(self) -> tuple[Shape, int | None]:
        count, *shape = self._load().pixels.shape
        return tuple(shape), count

    def resolved(self) -> Self:
        return self if self.found_content else self._resolved(self._load())

    def with_opener(self, data_dir: Path | None, device: str | torch.device) -> tuple[Self, Callable[[], Source]]:
        if self.found_content:
            return self, lambda: self.open(data_dir, device)
        loaded = self._load()
        return self._resolved(loaded), lambda: self._source(loaded, device)

    def _resolved(self, loaded: FolderImages) -> Self:
        from sparring.datasets.files.paths import expanded
        from sparring.datasets.files.settings import WITH_ALPHA
        from sparring.datasets.files.summary import summary_lines
        from sparring.progress import say

        channels, height, width = loaded.pixels.shape[1:]
        shape, info = (channels, height, width), loaded.info
        path = expanded(self.path)
        leave_out = str(expanded(self.leave_out)) if self.leave_out else ""
        for line in summary_lines(info, shape, self.settings):
            say(f"{printable(str(path))}: {line}")
        found = {"found_shape": shape, "found_content": info.content, "found_classes": info.classes}
        return dataclasses.replace(self, path=str(path), leave_out=leave_out, alpha=channels == WITH_ALPHA, **found)

    def changed_since(self, recorded: Mapping[str, Any]) -> str | None:
        mine = dataclasses.asdict(self)
        asked = [name for name in mine if name not in (*FOUND, "span")]
        if recorded.get("is") != "folder" or any(recorded.get(name) != mine[name] for name in asked):
            return None
        return self._changed() if recorded.get("found_content") != self.found_content else None

    def content_hash(self, source: Source) -> str:
        return f"BLAKE2b {self.found_content}" if self.found_content else ""

    def open(self, data_dir: Path | None = None, device: str | torch.device = "cpu") -> Source:
        loaded = self._load()
        if self.found_content and loaded.info.content != self.found_content:
            raise SparringError(self._changed())
        return self._source(loaded, device)

    def _source(self, loaded: FolderImages, device: str | torch.device) -> Source:
        from sparring.datasets._images import Images

        return Images.of(loaded.pixels, self.span, device, loaded.labels)

    def _changed(self) -> str:
        state = f"the images in {self.path} have changed since this run began"
        if self.resample == "auto" and self.pixel_art:
            state += " (or it smoothed pixel art: then --resample bicubic)"
        return f"{state}: restore them, or start a new run with another --out"

    def _load(self) -> FolderImages:
        from sparring.datasets.files.loading import load_folder

        return load_folder(self.path, self.settings)

    @property
    def settings(self) -> ImageSettings:
        """The settings that `load_folder` takes. Raises UsageError for a background that is no color."""
        from PIL import ImageColor

        from sparring.datasets.files.settings import ImageSettings

        try:
            red, green, blue = ImageColor.getrgb(self.background)[:3]
        except ValueError:
            raise UsageError(
                f"background must be a color (#rrggbb or a name such as white), not {self.background!r}"
            ) from None
        color = (red, green, blue)
        grounded = self.alpha == "auto" and self.background != Folder.background
        return ImageSettings(
            *(self.size, self.fit, color, self.colors, False if grounded else self.alpha),
            *(self.frames, self.levels, self.resample, self.labels, self.leave_out),
        )
