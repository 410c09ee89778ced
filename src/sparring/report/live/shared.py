"""Parts that the displays of one training session and of several shards share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from sparring.analysis.facts import TITLES
from sparring.analysis.stats import Spread
from sparring.analysis.wording import duration, number, plus_minus
from sparring.languages import Text as Said
from sparring.languages import said
from sparring.record.story import CURVES

REFRESH_SECONDS = 0.5
"""Between two drawings in a terminal."""
PLAIN_SECONDS = 10.0
"""Between two lines where there is no terminal."""
CTRL_C = Said("Ctrl-C saves a checkpoint; rerun to resume")
STOPPING = Said("stopping: finishing the current step, saving a checkpoint")


def spreads_of(recent_means: Mapping[str, np.ndarray]) -> dict[str, Spread]:
    """The spread over seeds of each curve's recent mean."""
    return {name: Spread.of(values) for name, values in recent_means.items()}


def spreads_table(spreads: Mapping[str, Spread]) -> Table:
    """Each curve's recent mean over seeds: mean ± SD, min, max and n."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 3, 0, 0))
    table.add_column(said("recent mean"), style="bold")
    for title in Said.each("mean ± SD over seeds", "min", "max", "n"):
        table.add_column(said(title), justify="right", no_wrap=True)
    for name in CURVES:
        if name in spreads:
            spread = spreads[name]
            table.add_row(
                said(TITLES[name]), plus_minus(spread), number(spread.min), number(spread.max), f"{spread.n:,}"
            )
    return table


def spread_phrases(spreads: Mapping[str, Spread]) -> list[str]:
    """`D's loss 0.650 ± 0.010`, a phrase for each curve."""
    return [
        said(Said("{curve} {value}", curve=Said(TITLES[name]), value=plus_minus(spread)))
        for name, spread in spreads.items()
    ]


def time_phrases(speed: str, seconds_left: float | None, seconds: float) -> list[str]:
    """Speed, time left and time spent, as far as they are known."""
    left = [said(Said("{time} left", time=duration(seconds_left)))] if seconds_left else []
    return [*([speed] if speed else []), *left, said(Said("{time} spent", time=duration(seconds)))]


def joined(phrases: Sequence[str]) -> str:
    """Phrases in one line."""
    line = phrases[0]
    for phrase in phrases[1:]:
        line = said(Said("{first}, {second}", first=line, second=phrase))
    return line


def bar_width(console_width: int) -> int:
    """Characters of a progress bar in a terminal of so many."""
    return max(8, console_width // 4 - 8)


def fitting(phrases: Sequence[str], width: int) -> Text:
    """As many phrases as fit on a line of so many characters, at least one; none is cut."""
    chosen = list(phrases[:1])
    for phrase in phrases[1:]:
        if cell_len(joined([*chosen, phrase])) > width:
            break
        chosen.append(phrase)
    return Text(joined(chosen))
