"""What `sparring measure` prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement as Width
from rich.table import Table
from rich.text import Text

from sparring.languages import Text as Said
from sparring.languages import said
from sparring.report.measurement import (
    Measured,
    Row,
    column_rows,
    measurement_caption,
    measurement_rows,
    spread_text,
    value_text,
)
from sparring.report.terminal.prose import Prose

MAX_WIDTH = 10_000
"""Characters; no table is wider."""
COLUMNS = 8
"""Columns of a table that are shown, those farthest from the real ones."""
Extremes = Literal["with seeds", "values only", "none"]
"""How the best and the worst member are shown."""


def measurement_text(measured: Measured) -> RenderableType:
    """Each metric beside held-out real data, its spread over seeds, and the best and the worst seed."""
    return _Text(measured)


_TITLES = Said.each("column", "real mean ± SD", "generated", "distance in SD")


@dataclass(frozen=True)
class _Text:
    """In a narrow terminal the two extremes lose the names of their seeds, and then are left out."""

    measured: Measured

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        choices: tuple[Extremes, ...] = ("with seeds", "values only", "none") if self._several else ("none",)
        unbounded = options.update(max_width=MAX_WIDTH)
        tables = (self._table(extremes) for extremes in choices)
        fitting = (t for t in tables if Width.get(console, unbounded, t).maximum <= options.max_width)
        yield next(fitting, None) or self._table("none")
        if rows := column_rows(self.measured, COLUMNS):
            yield Text("")
            yield self._columns(rows)
        yield Prose(f"\n{said(measurement_caption(self.measured))}", "dim")

    def _columns(self, rows: list[tuple[str, str, str, str]]) -> Table:
        """Each column of a table, the farthest first; of a signal, the correlation at each lag."""
        is_signal = "lags" in self.measured
        table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
        more = len(self.measured["columns"]) - len(rows)
        titles = Said.each("correlation at", "real", "generated", "difference") if is_signal else _TITLES
        for title in titles:
            table.add_column(said(title), justify="left" if title == titles[0] else "right", no_wrap=title != titles[0])
        for row in rows:
            table.add_row(*map(_said, row))
        if more > 0 and not is_signal:
            table.add_row(Text(said(Said("{count} more, nearer", count=f"{more:,}")), "dim"))
        return table

    @property
    def _several(self) -> bool:
        return len(self.measured["seeds"]) > 1

    def _table(self, extremes: Extremes) -> Table:
        table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
        columns = [*Said.each("", "real data"), Said("mean ± SD" if self._several else "value"), Said("gap to real")]
        for title in (*columns, *([] if extremes == "none" else Said.each("best", "worst"))):
            table.add_column(said(title), justify="right" if title else "left", no_wrap=bool(title))
        rows = measurement_rows(self.measured)
        first = next((at for at, row in enumerate(rows) if row.independent), None)
        for at, row in enumerate(rows):
            if at == first:
                table.add_section()
                table.add_row(Text(said("by the independent judge"), "dim"))
            mean = row.spread.mean
            good = mean is not None and row.as_good(mean)
            style = "green" if good else "yellow" if row.is_healthy(mean) else "red"
            cells = [Text(value_text(row.real), "dim"), Text(spread_text(row.spread), "bold")]
            cells.append(Text(_said(row.gap(mean)), style))
            if extremes != "none":
                ranking = row.ranking()
                cells += [self._member(row, m, extremes == "with seeds") for m in (ranking[:1], ranking[-1:])]
            table.add_row(said(row.heading), *cells)
        return table

    def _member(self, row: Row, member: np.ndarray, with_seed: bool) -> Text:
        if not len(member):
            return Text("–")
        seed = said(Said("seed {seed}", seed=self.measured["seeds"][member[0]]))
        value = value_text(float(row.members[member[0]]))
        return Text.assemble(value, (f" {seed}", "dim") if with_seed else "")


def _said(text: str) -> str:
    """A text in the language of the command; a number or a column's name stays."""
    return said(text) if isinstance(text, Said) else text
