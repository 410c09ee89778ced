"""Tables of which no cell is cut, however narrow the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table

UNBOUNDED = 10_000
"""Characters; no table is wider."""


class FittingTable:
    """A table of numbers. In a narrow terminal optional columns are left out, and where that is not enough cells wrap.

    Args:
        columns: Titles. The first column, and one without a title, is aligned to the left.
        optional: Titles of the columns to leave out, the first to go first.
    """

    def __init__(self, columns: Sequence[str], optional: Sequence[str] = ()):
        self._columns, self._optional = list(columns), [title for title in optional if title in columns]
        self._rows: list[tuple[RenderableType, ...]] = []

    def add_row(self, *cells: RenderableType) -> None:
        """Add a row: a cell for each column."""
        self._rows.append(cells)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        unbounded = options.update(max_width=UNBOUNDED)
        for dropped in range(len(self._optional) + 1):
            table = self._table(self._optional[:dropped])
            if Measurement.get(console, unbounded, table).maximum <= options.max_width:
                yield table
                return
        yield self._table(self._optional, wrapped=True)

    def _table(self, left_out: Sequence[str], wrapped: bool = False) -> Table:
        table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
        chosen = [index for index, title in enumerate(self._columns) if title not in left_out]
        for index in chosen:
            title = self._columns[index]
            justify = "left" if index == 0 or not title else "right"
            table.add_column(title, justify=justify, no_wrap=not wrapped, overflow="fold")
        for cells in self._rows:
            table.add_row(*(cells[index] for index in chosen))
        return table
