"""A folder of images examined before training: what is in it, what is wrong with it, what training would make of it."""

from __future__ import annotations

import hashlib
import shlex
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sparring.datasets._folder import Listing, Wish, chosen_size, classes_of, each, listing, some
from sparring.datasets._pixels import BrokenError, Facts, Size, facts, fitted, is_colored, whole
from sparring.errors import SparringError

if TYPE_CHECKING:
    from PIL import Image
    from rich.console import RenderableType

FLAT = 8
"""Levels of 256 that each channel stays within, in an image of nearly one color."""
LOOK = 16
"""Side of the shrunk image whose differences tell how it looks."""
BUSY = 0.1
"""Share of these differences that must be rises: a small thing on an empty ground looks like many others."""
ROW, TILE = 16, 56
"""Images in a row of the contact sheet, and about how wide each is, in pixels."""
MOST_CLASSES, MOST_ROWS = 12, 4
"""Classes that the contact sheet shows, and rows where there are no classes."""
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
class Seen:
    """One file."""

    name: str
    facts: Facts | None = None
    """None where not even the header can be read."""
    fault: str = ""
    digest: str = ""
    """Of its pixels, as they are composited."""
    look: str = ""
    """Equal for images that look alike: of the signs of the differences between neighbors in a shrunk gray copy (the
    difference hash of N. Krawetz, "Kind of like that", 2013). Empty for an image with little in it."""
    flat: bool = False
    colored: bool = False


@dataclass(frozen=True)
class Examination:
    """What was found in a folder, and what training would make of it under `wish`."""

    found: Listing
    wish: Wish
    seen: tuple[Seen, ...]

    @classmethod
    def of(cls, folder: Path, wish: Wish | None = None) -> Examination:
        """Raises SparringError when there is no such folder or no image in it."""
        found, wish = listing(folder), wish or Wish()
        if not found.images:
            only = f", only {some(found.stray)}" if found.stray else ""
            raise SparringError(f"{found.folder} holds no image{only}: name a folder of images")
        return cls(found, wish, tuple(each(lambda name: _look_at(found.folder, name, wish), found.names, "examining")))

    @cached_property
    def good(self) -> list[Seen]:
        return [one for one in self.seen if not one.fault]

    @cached_property
    def broken(self) -> list[Seen]:
        return [one for one in self.seen if one.fault]

    @cached_property
    def formats(self) -> dict[str, int]:
        return _counted(one.facts.format for one in self.good if one.facts)

    @cached_property
    def colors(self) -> dict[str, int]:
        return _counted(_color(one.facts) for one in self.good if one.facts)

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Width x height -> images, the commonest first."""
        return _counted("{}x{}".format(*one.facts.size) for one in self.good if one.facts)

    @cached_property
    def classes(self) -> dict[str, int]:
        """Subfolder -> images, the largest first; empty where there is but one."""
        counts = _counted(classes_of([one.name for one in self.good]))
        return counts if len(counts) > 1 else {}

    @property
    def imbalance(self) -> float | None:
        """How many times larger the largest class is than the smallest."""
        return max(self.classes.values()) / min(self.classes.values()) if self.classes else None

    @cached_property
    def duplicates(self) -> list[list[str]]:
        """Files of exactly the same pixels."""
        return _groups((one.digest, one.name) for one in self.good)

    @cached_property
    def alike(self) -> list[list[str]]:
        """Files that look alike, one of each set of exact duplicates."""
        first = {one.digest: one for one in reversed(self.good)}
        return _groups((one.look, one.name) for one in reversed(first.values()) if one.look)

    @cached_property
    def flat(self) -> list[str]:
        """Files of nearly one color, on the background that is wished for."""
        return [one.name for one in self.good if one.flat]

    @cached_property
    def see_through(self) -> list[str]:
        """Files that the background shows through."""
        return [one.name for one in self.good if one.facts and one.facts.transparent]

    @cached_property
    def training_size(self) -> tuple[Size, str]:
        """What training would scale to, and why."""
        if self.wish.size:
            return (self.wish.size, self.wish.size), "as asked"
        return chosen_size([one.facts.size for one in self.seen if one.facts])

    @property
    def channels(self) -> int:
        colored = any(one.colored for one in self.good)
        return 1 if self.wish.colors == "gray" or (self.wish.colors == "auto" and not colored) else 3

    @cached_property
    def resized(self) -> int:
        return sum(one.facts.size != self.training_size[0] for one in self.good if one.facts)

    @cached_property
    def lost(self) -> float:
        """Share of the picture that cropping cuts off, on average."""
        width, height = self.training_size[0]
        shapes = [one.facts.size[0] / one.facts.size[1] / (width / height) for one in self.good if one.facts]
        return float(np.mean([1 - min(shape, 1 / shape) for shape in shapes])) if shapes else 0.0

    @property
    def background(self) -> str:
        """The color wished for, as #rrggbb."""
        return "#{:02x}{:02x}{:02x}".format(*self.wish.background)

    @property
    def command(self) -> str:
        """An example that trains on it."""
        path, wish = str(self.found.folder), self.wish
        changed = [f"size={wish.size}"] if wish.size else []
        changed += [f"fit={wish.fit}"] if wish.fit != "crop" else []
        changed += [f"background={self.background}"] if any(wish.background) else []
        changed += [f"colors={wish.colors}"] if wish.colors != "auto" else []
        data = f"folder({', '.join([f'path={path}', *changed])})" if changed else path
        return (
            f"sparring train digits --data {shlex.quote(data)} --seeds 4 --out runs/{self.found.folder.name or 'mine'}"
        )

    def document(self) -> dict[str, Any]:
        """Everything, for JSON."""
        (width, height), reason = self.training_size if self.good else ((0, 0), "no image can be read")
        training = {
            "images": len(self.good),
            "shape": [self.channels, height, width],
            "why": reason,
            "fit": self.wish.fit,
            "background": self.background,
            "resized": self.resized if self.good else 0,
            "command": self.command,
        }
        return {
            "folder": str(self.found.folder),
            "images": len(self.good),
            "formats": self.formats,
            "sizes": self.sizes,
            "colors": self.colors,
            "transparent": len(self.see_through),
            "classes": self.classes,
            "imbalance": self.imbalance,
            "broken": [{"file": one.name, "fault": one.fault} for one in self.broken],
            "stray": list(self.found.stray),
            "duplicates": self.duplicates,
            "look_alike": self.alike,
            "nearly_one_color": self.flat,
            "training": training if self.good else None,
        }

    def words(self) -> RenderableType:
        """The same for a person, but for the command: a terminal would break its line."""
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(style="dim", no_wrap=True)
        table.add_column()
        for title, told in (*self._contents(), *self._troubles(), *self._prospects()):
            table.add_row(title, Text(told))
        return table

    def _contents(self) -> list[tuple[str, str]]:
        told = [("folder", str(self.found.folder)), ("images", f"{len(self.good):,}")]
        told += [("formats", _listed(self.formats)), ("sizes", _listed(self.sizes)), ("colors", _listed(self.colors))]
        if self.imbalance is not None:
            told.append(("classes", f"{len(self.classes):,}: {_listed(self.classes)}"))
            told.append(("imbalance", f"the largest class is {self.imbalance:.1f} times the smallest"))
        return [(title, text or "none") for title, text in told]

    def _troubles(self) -> list[tuple[str, str]]:
        spare = sum(len(group) - 1 for group in self.duplicates)
        pairs = [f"{group[0]} = {group[1]}" for group in self.duplicates]
        alike = [f"{group[0]} ~ {group[1]}" for group in self.alike]
        troubles = {
            "broken": (f"{len(self.broken):,}", [f"{one.name} ({one.fault})" for one in self.broken]),
            "not images": (f"{len(self.found.stray):,}", self.found.stray),
            "exact duplicates": (f"{spare:,} too many, {_in_sets(pairs)}", pairs),
            "look alike": (f"{sum(map(len, self.alike)):,}, {_in_sets(alike)}", alike),
            "nearly one color": (f"{len(self.flat):,}", self.flat),
        }
        told = {title: f"{number}: {some(names)}" if names else "none" for title, (number, names) in troubles.items()}
        veiled = len(set(self.flat) & set(self.see_through))
        if veiled:
            which = "all" if veiled == len(self.flat) else f"{veiled:,}"
            told["nearly one color"] += f"; {which} of them transparent: another --background may show them"
        return list(told.items())

    def _prospects(self) -> list[tuple[str, str]]:
        if not self.good:
            return [("training", "impossible: no image can be read")]
        (width, height), reason = self.training_size
        how = {"crop": "scaled and cropped", "pad": "scaled and padded", "stretch": "stretched"}[self.wish.fit]
        told = f"{width}x{height}, {'gray' if self.channels == 1 else 'red, green and blue'} ({reason})"
        if self.resized:
            told += f"; {self.resized:,} {how}"
            told += f", which cuts off {self.lost:.0%} on average" if self.wish.fit == "crop" and self.lost > 0 else ""
        if self.see_through:
            told += f"; {len(self.see_through):,} transparent, seen on {self.background}"
        return [("training sees", told)]

    def contact_sheet(self) -> Image.Image:
        """Rows of images as training sees them: of every class, then of what is doubtful."""
        from PIL import Image, ImageDraw

        if not self.good:
            raise SparringError(f"{self.found.folder} holds no image that can be read: there is nothing to show")
        rows = self._rows()
        width, height = self.training_size[0]
        scale = max(1, round(TILE / max(width, height)))
        across, down, caption, gap = width * scale + 2, height * scale + 2, 16, 10
        heights = [caption + -(-len(names) // ROW) * down + gap for _, names in rows]
        sheet = Image.new("RGB", (ROW * across + 2 * gap, sum(heights) + gap), "white")
        draw = ImageDraw.Draw(sheet)
        top = gap
        for (title, names), tall in zip(rows, heights, strict=True):
            draw.text((gap, top), title, fill=(60, 60, 60))
            for index, name in enumerate(names):
                image = whole(self.found.folder / name, self.wish.background)
                tile = fitted(image, (width, height), self.wish.fit, self.wish.background)
                tile = tile.convert("L") if self.channels == 1 else tile
                tile = tile.resize((width * scale, height * scale), Image.Resampling.NEAREST)
                sheet.paste(tile, (gap + index % ROW * across, top + caption + index // ROW * down))
            top += tall
        return sheet

    def _rows(self) -> list[tuple[str, list[str]]]:
        names = [one.name for one in self.good]
        if self.classes:
            members: dict[str, list[str]] = defaultdict(list)
            for name, of in zip(names, classes_of(names), strict=True):
                members[of].append(name)
            largest = list(self.classes.items())[:MOST_CLASSES]
            rows = [(f"{of} ({count:,})", _spread(members[of], ROW)) for of, count in largest]
        else:
            rows = [(f"{len(names):,} images", _spread(names, ROW * MOST_ROWS))]
        doubtful: list[tuple[str, Sequence[str]]] = [
            (
                f"exact duplicates, two of each ({len(self.duplicates):,})",
                [name for group in self.duplicates for name in group[:2]],
            ),
            (f"look alike, two of each ({len(self.alike):,})", [name for group in self.alike for name in group[:2]]),
            (f"nearly one color ({len(self.flat):,})", self.flat),
        ]
        return rows + [(title, list(held[:ROW])) for title, held in doubtful if held]


def _look_at(folder: Path, name: str, wish: Wish) -> Seen:
    header = None
    try:
        header = facts(folder / name)
        image = whole(folder / name, wish.background)
    except BrokenError as error:
        return Seen(name, header, str(error))
    pixels = np.asarray(image)
    digest = hashlib.blake2b(str(pixels.shape).encode() + pixels.tobytes(), digest_size=16).hexdigest()
    flat = int(np.ptp(pixels.reshape(-1, 3), axis=0).max()) <= FLAT
    return Seen(name, header, "", digest, "" if flat else _evaluate(image), flat, is_colored(pixels))


def _evaluate(image: Image.Image) -> str:
    from PIL.Image import Resampling

    small = np.asarray(image.convert("L").resize((LOOK + 1, LOOK), Resampling.BOX)).astype(int)
    rises = small[:, 1:] > small[:, :-1]
    if rises.mean() < BUSY:
        return ""
    mean = np.asarray(image.resize((1, 1), Resampling.BOX)).reshape(3) // 16
    return np.packbits(rises).tobytes().hex() + mean.astype(np.uint8).tobytes().hex()


def _color(held: Facts) -> str:
    plain = COLORS.get("I" if held.mode.startswith("I") else held.mode, held.mode)
    return f"{plain} with transparency" if held.transparent and held.mode != "RGBA" else plain


def _counted(names: Any) -> dict[str, int]:
    return dict(Counter(names).most_common())


def _groups(pairs: Any) -> list[list[str]]:
    """Names that share a key, for keys that several share."""
    groups: dict[str, list[str]] = defaultdict(list)
    for key, name in pairs:
        groups[key].append(name)
    return [group for group in groups.values() if len(group) > 1]


def _in_sets(sets: Sequence[str]) -> str:
    return f"in {len(sets):,} {'set' if len(sets) == 1 else 'sets'}"


def _listed(counts: dict[str, int], most: int = 8) -> str:
    told = [f"{name} {count:,}" for name, count in list(counts.items())[:most]]
    return ", ".join(told) + (f" and {len(counts) - most:,} more" if len(counts) > most else "")


def _spread(names: Sequence[str], most: int) -> list[str]:
    """At most so many of them, evenly spaced."""
    chosen = np.linspace(0, len(names) - 1, min(most, len(names))).round().astype(int).tolist()
    return [names[int(index)] for index in chosen]
