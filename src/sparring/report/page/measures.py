"""A run's newest measurement, told: words for a terminal, a table for the page. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement as Width
from rich.table import Table
from rich.text import Text

from sparring.analysis.stats import Spread
from sparring.analysis.wording import number, plus_minus
from sparring.record import Run
from sparring.report.page.document import table
from sparring.report.page.markup import Markup, join, tag

FILE = "measures.json"
MOST_SEEDS = 16
"""Seeds that the page's table has a column for; the file tells of all."""
COUNTED = 100
"""From here on a figure is written without decimals."""
WIDEST = 10_000
"""Columns that no table needs."""
ARROWS = {"lower": "↓", "higher": "↑"}


@dataclass(frozen=True)
class Row:
    """One metric as a reader meets it."""

    title: str
    better: str
    real: float
    members: np.ndarray
    """`(P,)`, NaN where a member has none."""

    @property
    def called(self) -> str:
        """Its title and which way is better."""
        return f"{self.title} {ARROWS[self.better]}"

    @property
    def spread(self) -> Spread:
        return Spread.of(self.members)

    def order(self) -> np.ndarray:
        """Members that have a number, the best first."""
        sound = np.flatnonzero(np.isfinite(self.members))
        worth = self.members[sound] * (1 if self.better == "lower" else -1)
        return sound[np.argsort(worth, kind="stable")]

    def as_good(self, value: float) -> bool:
        """Whether a value is no worse than held-out real data's."""
        return value <= self.real if self.better == "lower" else value >= self.real

    def gap(self, value: float | None) -> str:
        """How far a value is from held-out real data's: `+3.21`, or `as real` where it is no worse."""
        if value is None or not np.isfinite(value) or not np.isfinite(self.real):
            return ""
        return "as real" if self.as_good(value) else signed(value - self.real)


def held(run: Run) -> dict[str, Any] | None:
    """What `sparring measure` last wrote in a run's folder, or None. Raises SparringError when it is damaged."""
    return run.measures


def rows(told: dict[str, Any]) -> list[Row]:
    """Every metric of a measurement, in its order."""
    return [
        Row(m["title"], m["better"], _number(m["real"]), np.array([_number(v) for v in m["members"]]))
        for m in told["metrics"].values()
    ]


def measurement_text(told: dict[str, Any]) -> RenderableType:
    """What `sparring measure` prints: each metric beside held-out real data, over seeds, and the two extremes."""
    return _Words(told)


@dataclass(frozen=True)
class _Words:
    """Where the terminal is narrow the extremes lose their seeds' names, and then go."""

    told: dict[str, Any]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        several = len(self.told["seeds"]) > 1
        ways = ("named", "bare", "none") if several else ("none",)
        tables = (self._table(extremes) for extremes in ways)
        unbounded = options.update(max_width=WIDEST)
        fitting = (t for t in tables if Width.get(console, unbounded, t).maximum <= options.max_width)
        yield next(fitting, None) or self._table("none")
        yield Text(f"\n{caption(self.told)}", "dim")

    def _table(self, extremes: Literal["named", "bare", "none"]) -> Table:
        shown = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
        ends = () if extremes == "none" else ("best", "worst")
        middle = "mean ± SD" if len(self.told["seeds"]) > 1 else "value"
        for title in ("", "real data", middle, "from real", *ends):
            shown.add_column(title, justify="right" if title else "left", no_wrap=True)
        for row in rows(self.told):
            mean = row.spread.mean
            good = mean is not None and row.as_good(mean)
            cells = [Text(figure(row.real), "dim"), Text(figures(row.spread), "bold")]
            cells.append(Text(row.gap(mean), "green" if good else "yellow"))
            if ends:
                order = row.order()
                cells += [self._who(row, member, extremes == "named") for member in (order[:1], order[-1:])]
            shown.add_row(row.called, *cells)
        return shown

    def _who(self, row: Row, member: np.ndarray, named: bool) -> Text:
        if not len(member):
            return Text("–")
        seed = (f" seed {self.told['seeds'][member[0]]}", "dim") if named else ""
        return Text.assemble(figure(float(row.members[member[0]])), seed)


def section(run: Run) -> Markup | None:
    """The page's table: each cell with how far it is from real; None for a run that was not measured."""
    told = held(run)
    if told is None:
        return None
    seeds = told["seeds"]
    several = len(seeds) > 1
    columns = ["", "real data", *(["mean ± SD"] if several else []), *(f"seed {seed}" for seed in seeds[:MOST_SEEDS])]
    cells: list[list[str]] = []
    for row in rows(told):
        middle = [_cell(row, row.spread.mean, figures(row.spread))] if several else []
        each = [_cell(row, value, figure(value)) for value in row.members[:MOST_SEEDS].tolist()]
        cells.append([row.called, figure(row.real), *middle, *each])
    rest = f" The first {MOST_SEEDS} of {len(seeds):,} seeds; {FILE} tells all." if len(seeds) > MOST_SEEDS else ""
    return tag(
        "section",
        tag("h2", "Measured beside real data"),
        table(columns, cells, main=2, caption=f"{caption(told)}{rest}"),
        class_="wide measured",
    )


def caption(told: dict[str, Any]) -> str:
    """What the figures were taken with."""
    judge = told["judge"]
    by = f"through the judge {judge} ({_credit(told)})" if judge else "without a judge"
    unit = "KL in nats. " if any("divergence" in name for name in told["metrics"]) else ""
    lost = sum(all(np.isnan(row.members[m]) for row in rows(told)) for m in range(len(told["seeds"])))
    missing = f"{lost:,} of {len(told['seeds']):,} seeds diverged and have no figure. " if lost else ""
    return (
        f"{missing}{told['n']:,} examples of each seed at round {told['round']:,}, {by}, beside as many real ones. "
        f"Real data: {told['unseen_from']}, measured the same way. ↓ lower is better, ↑ higher. {unit}"
        + " ".join(["Beside a figure that is worse than real data's: by how much.", *told.get("notes", [])])
    )


def _credit(told: dict[str, Any]) -> str:
    """How the judge was taught or does; measurements of older versions tell its accuracy only."""
    return told.get("judge_words") or f"{told['judge_accuracy']:.2%} right on held-out data"


def figure(value: float | None) -> str:
    """Like `number`, but whole numbers and those from a thousand up as one counts."""
    if value is not None and np.isfinite(value) and (abs(value) >= COUNTED or (value == round(value) and value != 0)):
        return f"{value:,.0f}"
    return number(value)


def figures(spread: Spread) -> str:
    """Mean ± SD, written as `figure` writes."""
    if spread.sd is None:
        return figure(spread.mean)
    if spread.mean is None or abs(spread.mean) < COUNTED:
        return plus_minus(spread)
    return f"{spread.mean:,.0f} ± {spread.sd:,.0f}"


def signed(difference: float) -> str:
    """A difference with its sign."""
    return f"{difference:+,.0f}" if abs(difference) >= COUNTED else f"{difference:+.3g}"


def _cell(row: Row, value: float | None, spelled: str) -> Markup:
    gap = row.gap(value)
    kind = "near" if gap == "as real" else None
    return join(spelled, Markup(" "), tag("small", gap, class_=kind) if gap else None)


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
