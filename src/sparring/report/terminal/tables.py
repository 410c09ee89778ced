"""Tables of which no cell is cut, however narrow the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table

from sparring.languages import Text as Said
from sparring.languages import said
from sparring.report.terminal.prose import Prose

UNBOUNDED = 10_000
"""Characters; no table is wider."""


class FittingTable:
    """A table of numbers. In a narrow terminal optional columns are left out, and where that is not enough cells wrap.

    Args:
        columns: Titles. The first column, and one without a title, is aligned to the left.
        optional: Titles of the columns to leave out, the first to go first.
        label: Before a column is left out, the first one wraps, down to so many characters; what is left out then is
            named below the table. 0: it does not, and nothing is said.
    """

    def __init__(self, columns: Sequence[str], optional: Sequence[str] = (), label: int = 0):
        self._columns, self._optional = list(columns), [title for title in optional if title in columns]
        self._label = label
        self._rows: list[tuple[RenderableType, ...]] = []

    def add_row(self, *cells: RenderableType) -> None:
        """Add a row: a cell for each column."""
        self._rows.append(cells)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        unbounded = options.update(max_width=UNBOUNDED)
        for dropped in range(len(self._optional) + 1):
            left_out = self._optional[:dropped]
            table = self._table(left_out)
            room = options.max_width - Measurement.get(console, unbounded, table).maximum
            if room < 0 and self._label:
                longest = max(Measurement.get(console, unbounded, row[0]).maximum for row in self._rows)
                room = longest + room - self._label
                table = self._table(left_out, label=self._label + max(0, room))
            if room >= 0:
                yield table
                yield from self._named(left_out)
                return
        yield self._table(self._optional, wrapped=True)
        yield from self._named(self._optional)

    def _named(self, left_out: Sequence[str]) -> RenderResult:
        if self._label and left_out:
            columns = Said.joined(left_out, ", ")
            yield Prose(said(Said("A wider terminal also shows: {columns}.", columns=columns)), "dim")

    def _table(self, left_out: Sequence[str], wrapped: bool = False, label: int = 0) -> Table:
        table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
        chosen = [index for index, title in enumerate(self._columns) if title not in left_out]
        for index in chosen:
            title = self._columns[index]
            justify = "left" if index == 0 or not title else "right"
            wraps = wrapped or (index == 0 and label > 0)
            width = label if index == 0 and label else None
            table.add_column(title, justify=justify, no_wrap=not wraps, overflow="fold", width=width)
        for cells in self._rows:
            table.add_row(*(cells[index] for index in chosen))
        return table
