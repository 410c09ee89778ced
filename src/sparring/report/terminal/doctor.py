"""What `sparring doctor` prints about a folder of images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from sparring.analysis.wording import count
from sparring.characters import printable
from sparring.datasets._folder import some

if TYPE_CHECKING:
    from sparring.analysis.doctor import Examination


def doctor_text(examination: Examination) -> RenderableType:
    """Contents, problems and the shape of the training data, a row each.

    The example command is left out, so that the caller can print it on one line: a terminal would break it.
    """
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for title, text in (*_contents(examination), *_problems(examination), *_training(examination)):
        table.add_row(title, Text(text))
    return table


def _contents(examination: Examination) -> list[tuple[str, str]]:
    rows = [
        ("folder", printable(str(examination.contents.folder))),
        ("images", f"{len(examination.good):,}"),
        ("formats", _counts(examination.formats)),
        ("sizes", _counts(examination.sizes)),
        ("colors", _counts(examination.colors)),
    ]
    if examination.imbalance is not None:
        rows.append(("classes", f"{len(examination.classes):,}: {_counts(examination.classes)}"))
        rows.append(("imbalance", f"the largest class is {examination.imbalance:.1f} times the smallest"))
    return [(title, text or "none") for title, text in rows]


def _problems(examination: Examination) -> list[tuple[str, str]]:
    copies = sum(len(group) - 1 for group in examination.duplicates)
    duplicates = [f"{group[0]} = {group[1]}" for group in examination.duplicates]
    look_alikes = [f"{group[0]} ~ {group[1]}" for group in examination.look_alikes]
    redundant = f"{copies:,} redundant {'copy' if copies == 1 else 'copies'} in {_groups(duplicates)}"
    problems: dict[str, tuple[str, Sequence[str]]] = {
        "broken": (f"{len(examination.broken):,}", [f"{file.name} ({file.fault})" for file in examination.broken]),
        "not images": (f"{len(examination.contents.stray):,}", examination.contents.stray),
        "exact duplicates": (redundant, duplicates),
        "look alike": (f"{sum(map(len, examination.look_alikes)):,} in {_groups(look_alikes)}", look_alikes),
        "nearly one color": (f"{len(examination.flat):,}", examination.flat),
    }
    rows = {title: f"{amount}: {some(names)}" if names else "none" for title, (amount, names) in problems.items()}
    hidden = len(set(examination.flat) & set(examination.transparent))
    if hidden:
        which = "all" if hidden == len(examination.flat) else f"{hidden:,}"
        rows["nearly one color"] += f"; {which} of them transparent: another --background may show them"
    return list(rows.items())


def _training(examination: Examination) -> list[tuple[str, str]]:
    if not examination.good:
        return [("training", "impossible: no image can be read")]
    (width, height), reason = examination.training_size
    channels = "gray" if examination.channels == 1 else "red, green and blue"
    text = f"{width}x{height}, {channels} ({reason})"
    if examination.resized:
        fit = examination.settings.fit
        how = {"crop": "scaled and cropped", "pad": "scaled and padded", "stretch": "stretched"}[fit]
        text += f"; {examination.resized:,} {how}"
        if fit == "crop" and examination.cropped_share > 0:
            text += f", which cuts off {examination.cropped_share:.0%} on average"
    if examination.transparent:
        text += f"; {len(examination.transparent):,} transparent, seen on {examination.background}"
    return [("training sees", text)]


def _groups(groups: Sequence[str]) -> str:
    return count(len(groups), "group")


def _counts(counts: dict[str, int], max_names: int = 8) -> str:
    """`PNG 12, JPEG 3`, the first few."""
    named = [f"{printable(name)} {amount:,}" for name, amount in list(counts.items())[:max_names]]
    return ", ".join(named) + (f" and {len(counts) - max_names:,} more" if len(counts) > max_names else "")
