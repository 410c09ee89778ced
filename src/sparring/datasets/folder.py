from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, final

from sparring.datasets import Card, Dataset, Shape, Source
from sparring.errors import SparringError, UsageError

if TYPE_CHECKING:
    import torch

    from sparring.datasets._folder import Opened, Wish

FOUND = ("found_shape", "found_content")
"""The fields that are read off the files."""


@final
@dataclass(frozen=True)
class Folder(Dataset):
    """A folder of images of your own: PNG, JPEG, WebP, BMP, GIF or TIFF, of any sizes; its subfolders are classes.

    They are decoded once and kept in the user's cache. Files that are no images or broken are skipped and named.
    """

    path: str
    """Where the folder is."""
    size: int = 0
    """Side of the square to train at, in pixels; 0: the size that 90 % share, else a power of two up to 64."""
    fit: Literal["crop", "pad", "stretch"] = "crop"
    """What becomes of an image of another size: scaled and cropped, scaled and padded, or stretched."""
    background: str = "#000000"
    """Color behind what is transparent, and around what is padded: #rrggbb or a name."""
    colors: Literal["auto", "gray", "rgb"] = "auto"
    """auto: gray where no image has any color."""
    span: tuple[float, float] = (0.0, 1.0)
    found_shape: tuple[int, int, int] = (0, 0, 0)
    """Of one example, filled in when training begins."""
    found_content: str = ""
    """A hash of every pixel and label, filled in when training begins: a run goes on with the same images or not at
    all."""

    card: ClassVar[Card] = Card(
        title="A folder of images",
        examples=None,
        licence="that of the images: yours to know",
        source="the user",
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", str(self.path))  # a folder called 2024 is no number
        if self.size < 0:
            raise ValueError(f"size must be at least 1, or 0 to let the images choose, not {self.size}")

    @property
    def shape(self) -> Shape:  # pyright: ignore[reportIncompatibleVariableOverride] - read alike, never assigned
        """Opens the folder if nobody has yet: a recipe that trains is settled first, and knows."""
        return self.found_shape if self.found_content else self.settled().found_shape

    def sizes(self) -> tuple[Shape, int | None]:
        count, *shape = self._opened().pixels.shape
        return tuple(shape), count

    def settled(self) -> Self:
        return self if self.found_content else self._settled(self._opened())

    def settled_to_open(self, data_dir: Path | None, device: str | torch.device) -> tuple[Self, Callable[[], Source]]:
        if self.found_content:
            return self, lambda: self.open(data_dir, device)
        held = self._opened()
        return self._settled(held), lambda: self._source(held, device)

    def _settled(self, held: Opened) -> Self:
        from sparring.datasets._folder import words
        from sparring.progress import say

        channels, height, width = held.pixels.shape[1:]
        shape = (channels, height, width)
        path = Path(self.path).expanduser().resolve()
        for line in words(held.told, shape, self.fit):
            say(f"{path}: {line}")
        return dataclasses.replace(self, path=str(path), found_shape=shape, found_content=held.told.content)

    def changed_since(self, told: Mapping[str, Any]) -> str | None:
        mine = dataclasses.asdict(self)
        asked = [name for name in mine if name not in (*FOUND, "span")]
        if told.get("is") != "folder" or any(told.get(name) != mine[name] for name in asked):
            return None
        return self._changed() if told.get("found_content") != self.found_content else None

    def open(self, data_dir: Path | None, device: str | torch.device) -> Source:
        held = self._opened()
        if self.found_content and held.told.content != self.found_content:
            raise SparringError(self._changed())
        return self._source(held, device)

    def _source(self, held: Opened, device: str | torch.device) -> Source:
        from sparring.datasets._images import Images

        return Images.of(held.pixels, self.span, device, held.labels)

    def _changed(self) -> str:
        return f"the images in {self.path} have changed since: put them back, or begin anew with another --out"

    def _opened(self) -> Opened:
        from sparring.datasets._folder import opened

        return opened(Path(self.path), self.wish)

    @property
    def wish(self) -> Wish:
        """The settings, as they are given to `opened`. Raises UsageError for a background that is no color."""
        from PIL import ImageColor

        from sparring.datasets._folder import Wish

        try:
            red, green, blue = ImageColor.getrgb(self.background)[:3]
        except ValueError:
            raise UsageError(f"background is a color (#rrggbb or a name like white), not {self.background!r}") from None
        return Wish(self.size, self.fit, (red, green, blue), self.colors)
