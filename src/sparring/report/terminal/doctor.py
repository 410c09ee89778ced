"""What `sparring doctor` prints about a folder of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.table import Table

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
from sparring.languages import Text as Said
from sparring.languages import said, said_again
from sparring.report.terminal.prose import Prose

if TYPE_CHECKING:
    from sparring.analysis.doctor import Examination
    from sparring.analysis.trimming import Trimmed


ONE_COLOR = Said("nearly one color")


def doctor_text(examination: Examination, trimmed: Trimmed | None = None) -> RenderableType:
    """Contents, problems, the shape of the training data, and what it takes: a row each.

    The example command is left out, so that the caller can print it on one line: a terminal would break it.
    """
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")  # else a word in Chinese at the end of a line becomes an ellipsis
    left_out = [] if trimmed is None else [(Said("left out"), _left_out(trimmed))]
    first = [(Said("do first"), line) for line in examination.obstacles]
    for title, text in (*_contents(examination), *_problems(examination), *_training(examination), *left_out, *first):
        table.add_row(said(title), Prose(said_again(text)))
    return table


def _contents(examination: Examination) -> list[tuple[str, str]]:
    contents, files = examination.contents, len(examination.good)
    images: str = f"{examination.images:,}"
    if examination.images != files:
        images = Said("{count} in {files}", count=images, files=count(files, "file"))
    rows = [
        (Said(contents.kind), Said.joined([printable(str(contents.path))])),
        (Said("images"), images),
        (Said("formats"), _counts(examination.formats)),
        (Said("sizes"), _counts(examination.sizes)),
        (Said("colors"), _counts({_read(color): amount for color, amount in examination.colors.items()})),
    ]
    if examination.imbalance is not None:
        source = classes_from(examination.labels.source, doubt_of(examination.classes))
        classes = Said(
            "{count} ({source}): {classes}",
            count=f"{len(examination.classes):,}",
            source=_read(source),
            classes=_counts(examination.classes),
        )
        times = Said("the largest class is {times} times the smallest", times=f"{examination.imbalance:.1f}")
        rows += [(Said("classes"), classes), (Said("imbalance"), times)]
    rows += [(Said("note"), note) for note in (*contents.notes, *examination.labels.notes)]
    return [(title, text or Said("none")) for title, text in rows]


def _problems(examination: Examination) -> list[tuple[str, str]]:
    copies = sum(len(group) - 1 for group in examination.duplicates)
    duplicates = [" = ".join(map(shown, group[:2])) for group in examination.duplicates]
    look_alikes = [" ~ ".join(map(shown, group[:2])) for group in examination.look_alikes]
    redundant = Said(
        "{count} redundant copy in {groups}" if copies == 1 else "{count} redundant copies in {groups}",
        count=f"{copies:,}",
        groups=_groups(duplicates),
    )
    alike = f"{sum(map(len, examination.look_alikes)):,}"
    problems: dict[Said, tuple[str, Sequence[str]]] = {
        Said("not images"): (f"{len(examination.stray):,}", list(map(shown, examination.stray))),
        Said("exact duplicates"): (redundant, duplicates),
        Said("look alike"): (Said("{count} in {groups}", count=alike, groups=_groups(look_alikes)), look_alikes),
        ONE_COLOR: (f"{len(examination.flat):,}", list(map(shown, examination.flat))),
    }
    rows: dict[Said, str] = {
        title: _named(amount, names) if names else Said("none") for title, (amount, names) in problems.items()
    }
    hidden = len(set(examination.flat) & set(examination.transparent))
    if hidden and not examination.survey.transparency.kept:
        which = Said("all") if hidden == len(examination.flat) else f"{hidden:,}"
        seen = Said("; {which} of them transparent: another --background may show them", which=which)
        rows[ONE_COLOR] = Said.joined([rows[ONE_COLOR], seen])
    damaged = [(name, said_again(reason)) for name, reason in examination.broken]
    broken: str = Said.joined([broken_line(damaged)]) if damaged else Said("none")
    if len({reason for _, reason in examination.broken}) > 1:
        broken = Said("{label}: {text}", label=f"{len(examination.broken):,}", text=broken)
    width, height = examination.training_size[0] if examination.good else (0, 0)
    cropped = Said(
        "{count}, of which a crop to {size} leaves less than a tenth",
        count=f"{len(examination.cut):,}",
        size=f"{width}x{height}",
    )
    odd: dict[Said, tuple[str, Sequence[str]]] = {
        Said("tiny"): (f"{len(examination.tiny):,}", examination.tiny),
        Said("cut off"): (cropped, examination.cut),
    }
    for title, (amount, names) in odd.items():
        if names:
            rows[title] = _named(amount, list(map(shown, names)))
    dark = [(Said("levels"), levels_line(used)) for used in examination.levels]
    few = (
        [(Said("few images"), few_line(examination.images, examination.different))]
        if examination.few and examination.good
        else []
    )
    return [(Said("broken"), broken), *rows.items(), *dark, *few]


def _training(examination: Examination) -> list[tuple[str, str]]:
    if not examination.good:
        return [(Said("training"), Said("impossible: no image can be read"))]
    (width, height), reason = examination.training_size
    settings, survey = examination.settings, examination.survey
    channels = _read(channels_in_words(examination.channels))
    parts = [Said("{size}, {channels} ({why})", size=f"{width}x{height}", channels=channels, why=_read(reason))]
    if examination.resized:
        how = _read(how_fitted(settings))
        parts.append(Said("; {count} {how}", count=f"{examination.resized:,}", how=how))
        if settings.fit == "crop" and examination.cropped_share > 0:
            share = f"{examination.cropped_share:.0%}"
            parts.append(Said(", which cuts off {share} on average", share=share))
    rows: list[tuple[str, str]] = [(Said("training sees"), Said.joined(parts))]
    if survey.pixel_art.why:
        rows.append((Said("pixel art"), pixel_art_line(survey.pixel_art.why, examination.resized)))
    if survey.transparency.why:
        rows.append((Said("transparency"), kept_transparency_line(survey.transparency.why)))
    elif examination.transparent and not survey.transparency.kept:
        rows.append((Said("transparency"), transparent_line(len(examination.transparent), settings)))
    if survey.animated[0] and settings.frames == "first":
        rows.append((Said("frames"), animated_line(*survey.animated)))
    memory = memory_line(examination.readable)
    return [*rows, (Said("memory"), memory), (Said("cache"), cache.in_words())]


def _left_out(trimmed: Trimmed) -> str:
    total, amount = len(trimmed.left_out) + len(trimmed.typical), len(trimmed.left_out)
    names = few_of(list(map(shown, trimmed.left_out[:NAMED])), amount)
    spared = Said(
        "; {count} class is too small to lose any"
        if trimmed.spared == 1
        else "; {count} classes are too small to lose any",
        count=f"{trimmed.spared:,}",
    )
    return Said(
        "{some} of {total}, the least typical by the judge {judge}: {names}{spared}",
        some=f"{amount:,}",
        total=f"{total:,}",
        judge=trimmed.judge,
        names=names or Said("none"),
        spared=spared if trimmed.spared else "",
    )


def _groups(groups: Sequence[str]) -> str:
    return count(len(groups), "group")


def _counts(counts: Mapping[str, int], max_names: int = 8) -> str:
    """`PNG 12, JPEG 3`, the first few."""
    named = [
        Said.joined([name if isinstance(name, Said) else printable(name), f"{amount:,}"], " ")
        for name, amount in list(counts.items())[:max_names]
    ]
    rest = Said(" and {count} more", count=f"{len(counts) - max_names:,}")
    return Said.joined([Said.joined(named, ", "), *([rest] if len(counts) > max_names else [])])


def _named(amount: str, names: Sequence[str]) -> Said:
    """How many, and which."""
    rest = [Said(" and {count} more", count=f"{len(names) - NAMED:,}")] if len(names) > NAMED else []
    return Said("{label}: {text}", label=amount, text=Said.joined([Said.joined(names[:NAMED], ", "), *rest]))


def _read(english: str) -> Said:
    """What the data's own modules say in English, as the message that it was made of."""
    return Said.joined([said_again(english)])
