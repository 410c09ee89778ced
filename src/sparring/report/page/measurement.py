"""A run's newest measurement on its page: every metric of every seed beside held-out real data."""

from __future__ import annotations

from sparring.languages import Text
from sparring.record import RunFolder
from sparring.report.measurement import (
    AS_GOOD,
    FILE,
    Row,
    measurement_caption,
    measurement_rows,
    spread_text,
    value_text,
)
from sparring.report.page.document import table
from sparring.report.page.markup import Markup, join, tag

MAX_SEEDS = 16
"""Seeds that the table has a column for; the file has all."""


def section(run: RunFolder) -> Markup | None:
    """The table, each cell with its gap to real data; None for a run that was not measured."""
    measured = run.measures
    if measured is None:
        return None
    seeds = measured["seeds"]
    several = len(seeds) > 1
    columns = [*Text.each("", "real data"), *(Text.each("mean ± SD") if several else [])]
    columns += [Text("seed {seed}", seed=seed) for seed in seeds[:MAX_SEEDS]]
    cells: list[list[str]] = []
    for row in measurement_rows(measured):
        mean = [_cell(row, row.spread.mean, spread_text(row.spread))] if several else []
        members = [_cell(row, value, value_text(value)) for value in row.members[:MAX_SEEDS].tolist()]
        heading = Text("{metric} (independent judge)", metric=row.heading) if row.independent else row.heading
        cells.append([heading, value_text(row.real), *mean, *members])
    named = Text(
        " The first {some} of {total} seeds; {file} has all.", some=MAX_SEEDS, total=f"{len(seeds):,}", file=FILE
    )
    rest = [named] if len(seeds) > MAX_SEEDS else []
    return tag(
        "section",
        tag("h2", Text("Measured against real data")),
        table(columns, cells, main=2, caption=Text.joined([measurement_caption(measured), *rest])),
        class_="wide measured",
    )


def _cell(row: Row, value: float | None, text: str) -> Markup:
    gap = row.gap(value)
    kind = "near" if gap == AS_GOOD else None
    return join(text, Markup(" "), tag("small", gap, class_=kind) if gap else None)
