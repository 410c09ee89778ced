"""What `sparring doctor` prints about a folder of images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from sparring.analysis.wording import count
from sparring.characters import printable
from sparring.datasets.files import cache
from sparring.datasets.files.contents import NAMED, broken_line, few_of, shown
from sparring.datasets.files.labels import doubt_of
from sparring.datasets.files.loading import memory_line
from sparring.datasets.files.summary import (
    animated_line,
    channels_in_words,
    classes_from,
    few_line,
    how_fitted,
    kept_transparency_line,
    levels_line,
    pixel_art_line,
    transparent_line,
)

if TYPE_CHECKING:
    from sparring.analysis.doctor import Examination
    from sparring.analysis.trimming import Trimmed


def doctor_text(examination: Examination, trimmed: Trimmed | None = None) -> RenderableType:
    """Contents, problems, the shape of the training data, and what it takes: a row each.

    The example command is left out, so that the caller can print it on one line: a terminal would break it.
    """
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")  # else a word in Chinese at the end of a line becomes an ellipsis
    left_out = [] if trimmed is None else [("left out", _left_out(trimmed))]
    first = [("do first", line) for line in examination.obstacles]
    for title, text in (*_contents(examination), *_problems(examination), *_training(examination), *left_out, *first):
        table.add_row(title, Text(text))
    return table


def _contents(examination: Examination) -> list[tuple[str, str]]:
    contents, files = examination.contents, len(examination.good)
    of_files = f" in {count(files, 'file')}" if examination.images != files else ""
    rows = [
        (contents.kind, printable(str(contents.path))),
        ("images", f"{examination.images:,}{of_files}"),
        ("formats", _counts(examination.formats)),
        ("sizes", _counts(examination.sizes)),
        ("colors", _counts(examination.colors)),
    ]
    if examination.imbalance is not None:
        source = classes_from(examination.labels.source, doubt_of(examination.classes))
        rows.append(("classes", f"{len(examination.classes):,} ({source}): {_counts(examination.classes)}"))
        rows.append(("imbalance", f"the largest class is {examination.imbalance:.1f} times the smallest"))
    rows += [("note", note) for note in (*contents.notes, *examination.labels.notes)]
    return [(title, text or "none") for title, text in rows]


def _problems(examination: Examination) -> list[tuple[str, str]]:
    copies = sum(len(group) - 1 for group in examination.duplicates)
    duplicates = [" = ".join(map(shown, group[:2])) for group in examination.duplicates]
    look_alikes = [" ~ ".join(map(shown, group[:2])) for group in examination.look_alikes]
    redundant = f"{copies:,} redundant {'copy' if copies == 1 else 'copies'} in {_groups(duplicates)}"
    problems: dict[str, tuple[str, Sequence[str]]] = {
        "not images": (f"{len(examination.stray):,}", list(map(shown, examination.stray))),
        "exact duplicates": (redundant, duplicates),
        "look alike": (f"{sum(map(len, examination.look_alikes)):,} in {_groups(look_alikes)}", look_alikes),
        "nearly one color": (f"{len(examination.flat):,}", list(map(shown, examination.flat))),
    }
    rows = {
        title: f"{amount}: {few_of(names, len(names))}" if names else "none"
        for title, (amount, names) in problems.items()
    }
    hidden = len(set(examination.flat) & set(examination.transparent))
    if hidden and not examination.survey.transparency.kept:
        which = "all" if hidden == len(examination.flat) else f"{hidden:,}"
        rows["nearly one color"] += f"; {which} of them transparent: another --background may show them"
    broken = broken_line(examination.broken) or "none"
    if len({reason for _, reason in examination.broken}) > 1:
        broken = f"{len(examination.broken):,}: {broken}"
    width, height = examination.training_size[0] if examination.good else (0, 0)
    cropped = f"{len(examination.cut):,}, of which a crop to {width}x{height} leaves less than a tenth"
    odd = {"tiny": (f"{len(examination.tiny):,}", examination.tiny), "cut off": (cropped, examination.cut)}
    for title, (amount, names) in odd.items():
        if names:
            rows[title] = f"{amount}: {few_of(list(map(shown, names)), len(names))}"
    dark = [("levels", levels_line(used)) for used in examination.levels]
    few = (
        [("few images", few_line(examination.images, examination.different))]
        if examination.few and examination.good
        else []
    )
    return [("broken", broken), *rows.items(), *dark, *few]


def _training(examination: Examination) -> list[tuple[str, str]]:
    if not examination.good:
        return [("training", "impossible: no image can be read")]
    (width, height), reason = examination.training_size
    settings, survey = examination.settings, examination.survey
    text = f"{width}x{height}, {channels_in_words(examination.channels)} ({reason})"
    if examination.resized:
        text += f"; {examination.resized:,} {how_fitted(settings)}"
        if settings.fit == "crop" and examination.cropped_share > 0:
            text += f", which cuts off {examination.cropped_share:.0%} on average"
    rows = [("training sees", text)]
    if survey.pixel_art.why:
        rows.append(("pixel art", pixel_art_line(survey.pixel_art.why, examination.resized)))
    if survey.transparency.why:
        rows.append(("transparency", kept_transparency_line(survey.transparency.why)))
    elif examination.transparent and not survey.transparency.kept:
        rows.append(("transparency", transparent_line(len(examination.transparent), settings)))
    if survey.animated[0] and settings.frames == "first":
        rows.append(("frames", animated_line(*survey.animated)))
    return [*rows, ("memory", memory_line(examination.readable)), ("cache", cache.in_words())]


def _left_out(trimmed: Trimmed) -> str:
    total, amount = len(trimmed.left_out) + len(trimmed.typical), len(trimmed.left_out)
    names = few_of(list(map(shown, trimmed.left_out[:NAMED])), amount)
    are = "class is" if trimmed.spared == 1 else "classes are"
    spared = f"; {trimmed.spared:,} {are} too small to lose any" if trimmed.spared else ""
    return f"{amount:,} of {total:,}, the least typical by the judge {trimmed.judge}: {names or 'none'}{spared}"


def _groups(groups: Sequence[str]) -> str:
    return count(len(groups), "group")


def _counts(counts: dict[str, int], max_names: int = 8) -> str:
    """`PNG 12, JPEG 3`, the first few."""
    named = [f"{printable(name)} {amount:,}" for name, amount in list(counts.items())[:max_names]]
    return ", ".join(named) + (f" and {len(counts) - max_names:,} more" if len(counts) > max_names else "")
