"""What to say to a user of loaded images, a line for each kind of thing."""

from __future__ import annotations

from sparring.datasets.files.contents import broken_line, some
from sparring.datasets.files.loading import FolderInfo, LevelsUsed
from sparring.datasets.files.settings import WITH_ALPHA, ImageSettings

FEW = 100
"""Images below which generated ones are mostly copies of them."""
DARK = 0.1
"""Images whose lightest level is a smaller share of white are nearly black."""


def summary_lines(info: FolderInfo, shape: tuple[int, ...], settings: ImageSettings) -> list[str]:
    """Lines for the user: the images, what was done to them, what they could be instead, and what was skipped."""
    size = f"{info.size[0]}x{info.size[1]}"
    where = (
        f" in {len(info.classes):,} classes ({classes_from(info.labels_from, info.class_doubt)})"
        if info.classes
        else ""
    )
    count = "1 image" if info.images == 1 else f"{info.images:,} images"
    lines = [f"{count}{where}, {size}, {channels_in_words(shape[0])} ({info.reason})"]
    if info.resized:
        lines.append(f"{info.resized:,} of another size {how_fitted(settings)} to {size}")
    if info.pixel_art:
        lines.append(f"pixel art: {pixel_art_line(info.pixel_art, info.resized)}")
    if info.kept_transparency:
        lines.append(kept_transparency_line(info.kept_transparency))
    elif info.transparent and shape[0] != WITH_ALPHA:
        lines.append(transparent_line(info.transparent, settings))
    if info.animated[0] and settings.frames == "first":
        lines.append(animated_line(*info.animated))
    if settings.levels == "full":
        lines += map(levels_line, info.levels)
    lines += info.notes
    if info.fitness.different < FEW:
        lines.append(few_line(info.images, info.fitness.different))
    if info.stray:
        lines.append(f"not images, skipped: {some(info.stray)}")
    if info.broken:
        lines.append(f"broken, skipped: {broken_line(info.broken)}")
    return [*lines, *(f"warning: {line}" for line in info.fitness.obstacles())]


def channels_in_words(channels: int) -> str:
    """`gray`, `red, green and blue`, or with alpha."""
    return {1: "gray", 3: "red, green and blue"}.get(channels, "red, green, blue and alpha")


def how_fitted(settings: ImageSettings) -> str:
    """What was done to images of another size."""
    return {"crop": "scaled and cropped", "pad": "scaled and padded", "stretch": "stretched"}[settings.fit]


def classes_from(source: str, doubt: str) -> str:
    """Where classes come from, whether `auto` trains with them, and the flag for the contrary."""
    if doubt:
        return f"{source}; used with --conditional, not by auto: {doubt}"
    return f"{source}; auto trains with them, --no-conditional without"


def pixel_art_line(why: str, resized: int) -> str:
    """What is done to pixel art, and the flag for the contrary."""
    how = "resized to the nearest pixel, and " if resized else ""
    return f"{why}: {how}where auto augments it, colors stay (--resample bicubic: as if it were none)"


def kept_transparency_line(why: str) -> str:
    """That transparency is kept by itself, and the flag for the contrary."""
    return f"{why}: kept, as a fourth channel (--no-alpha draws them on the background)"


def transparent_line(count: int, settings: ImageSettings) -> str:
    """What becomes of transparency."""
    color = "#{:02x}{:02x}{:02x}".format(*settings.background)
    return (
        f"{count:,} transparent, seen on {color}: --alpha keeps the transparency, --background COLOR changes the color"
    )


def animated_line(files: int, frames: int) -> str:
    """What becomes of frames."""
    have = "1 file has" if files == 1 else f"{files:,} files have"
    return f"{have} several frames or pages ({frames:,}), of which the first is used: --frames all uses all"


def levels_line(used: LevelsUsed) -> str:
    """That images are dark or pale, and what stretches them."""
    grays = round(used.high * 255 / used.white) - round(used.low * 255 / used.white) + 1
    depth = {255: "8", 4_095: "12", 65_535: "16"}.get(int(used.white), f"{used.white:,.0f}-level")
    kind = f"{depth}-bit " if depth.isdecimal() else ""
    dark = ", nearly black" if used.high < DARK * used.white else ""
    many = f"1 {kind}image uses" if used.images == 1 else f"{used.images:,} {kind}images use"
    return (
        f"{many} only levels {used.low:,.0f} to {used.high:,.0f} of {used.white:,.0f} ({grays} of 256 gray levels"
        f"{dark}): --levels {_stretching(used)} stretches them"
    )


def few_line(images: int, different: int) -> str:
    """That so few images are learned by heart."""
    many = f"{images:,}" if images == different else f"{different:,} different among {images:,}"
    return f"few ({many}): expect copies of them rather than new images"


def _stretching(used: LevelsUsed) -> str:
    """The value of --levels that stretches such images: all levels of so many bits, or else those that occur."""
    bits = int(used.high).bit_length()
    return f"0:{2**bits - 1}" if used.low < used.high / 4 and used.white > 255 else "used"
