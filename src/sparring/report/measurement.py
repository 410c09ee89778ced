"""A saved measurement (`measures.json`) as rows of numbers and text, for the terminal and the page. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sparring.analysis.stats import Spread
from sparring.analysis.wording import features_of, number, plus_minus
from sparring.analysis.written import measured as measured_text
from sparring.languages import Text

FILE = "measures.json"
NO_DECIMALS_FROM = 100
"""From this value up, a metric is written without decimals."""
ARROWS = {"lower": "↓", "higher": "↑", "as-real": "="}
AS_GOOD = Text("as real")
"""Stands beside a value that is no worse than held-out real data's."""
AS_REAL = 0.05
"""Share of real data's value within which one that is best as real is no worse."""

Measured = dict[str, Any]
"""A measurement as plain data, as `sparring measure --json` prints it."""


@dataclass(frozen=True)
class Row:
    """One metric of a measurement."""

    title: str
    better: str
    """`lower`, `higher`, or `as-real` where both less and more are worse."""
    real: float
    """What held-out real data scores."""
    members: np.ndarray
    """`(P,)`, NaN where a member has no value."""
    healthy: tuple[float, float] = (-np.inf, np.inf)
    """Between which values it is healthy."""
    independent: bool = False
    """Whether it is by the independent judge."""

    @property
    def heading(self) -> str:
        """The title with an arrow in the direction that is better, or = where it is best as with real data."""
        return Text.joined([Text(self.title), ARROWS[self.better]], " ")

    @property
    def spread(self) -> Spread:
        return Spread.of(self.members)

    def ranking(self) -> np.ndarray:
        """Indices of the members that have a value, the best first."""
        finite = np.flatnonzero(np.isfinite(self.members))
        values = self.members[finite]
        off = {"lower": values, "higher": -values, "as-real": np.abs(values - self.real)}[self.better]
        return finite[np.argsort(off, kind="stable")]

    def as_good(self, value: float) -> bool:
        """Whether a value is no worse than held-out real data's."""
        if self.better == "as-real":
            return abs(value - self.real) <= AS_REAL * abs(self.real)
        return value <= self.real if self.better == "lower" else value >= self.real

    def is_healthy(self, value: float | None) -> bool:
        """Whether a value lies in the healthy range; True where there is no value."""
        return value is None or not np.isfinite(value) or self.healthy[0] <= value <= self.healthy[1]

    def gap(self, value: float | None) -> str:
        """How far a value is from held-out real data's: `+3.21`, or `as real` where it is no worse."""
        if value is None or not np.isfinite(value) or not np.isfinite(self.real):
            return ""
        return AS_GOOD if self.as_good(value) else _signed(value - self.real)


def measurement_rows(measured: Measured) -> list[Row]:
    """Every metric of a measurement, in its order; after them those by the independent judge, where there is one."""
    independent = measured.get("independent") or {"metrics": {}}
    return [_row(m) for m in measured["metrics"].values()] + [
        _row(m, independent=True) for m in independent["metrics"].values()
    ]


def column_rows(measured: Measured, limit: int) -> list[tuple[str, str, str, str]]:
    """Of a table's columns, those farthest from the real ones: name, real mean ± SD, generated ones, and distance.

    Of a signal its lags: correlation of real and of generated points so far apart, and their difference.
    """
    if lags := measured.get("lags"):
        pairs = [(lag, Spread.of(np.array([_number(v) for v in lag["members"]]))) for lag in lags]
        return [
            (
                Text("lag {lag}", lag=lag["lag"]),
                value_text(lag["real"]),
                spread_text(found),
                _apart(lag["real"], found.mean),
            )
            for lag, found in pairs
        ]
    columns = measured.get("columns", [])
    far = [(Spread.of(np.array([_number(v) for v in column["distances"]])), column) for column in columns]
    far.sort(key=lambda pair: -(pair[0].mean or 0.0))
    return [
        (
            column["name"],
            f"{value_text(column['real_mean'])} ± {value_text(column['real_sd'])}",
            f"{value_text(_mean(column['means']))} ± {value_text(_mean(column['sds']))}",
            spread_text(apart),
        )
        for apart, column in far[:limit]
    ]


def _apart(real: float | None, found: float | None) -> str:
    return "" if real is None or found is None else f"{found - real:+.3f}"


def _mean(values: list[float | None]) -> float | None:
    return Spread.of(np.array([_number(value) for value in values])).mean


def _row(metric: dict[str, Any], independent: bool = False) -> Row:
    members = np.array([_number(v) for v in metric["members"]])
    healthy = _healthy(metric.get("healthy"))
    return Row(metric["title"], metric["better"], _number(metric["real"]), members, healthy, independent)


def measurement_caption(measured: Measured) -> str:
    """How the values were measured, and how to read them."""
    judge = measured["judge"]
    features: str = Text("without a judge")
    if judge:
        features = Text("using {features} ({credit})", features=features_of(judge), credit=_credit(measured))
    unit = Text("KL in nats. ") if any("divergence" in name for name in measured["metrics"]) else ""
    seeds = len(measured["seeds"])
    lost = sum(all(np.isnan(row.members[m]) for row in measurement_rows(measured)) for m in range(seeds))
    second = ""
    if "independent" in measured:
        second = Text(
            "Report the figures by the independent judge ({credit}): no setting was chosen by it. ",
            credit=_credit(measured["independent"]),
        )
    lost_text = Text("{some} of {total} seeds diverged and have no value. ", some=f"{lost:,}", total=f"{seeds:,}")
    rows = measurement_rows(measured)
    far = [Text(row.title) for row in rows if not row.independent and not row.is_healthy(row.spread.mean)]
    unhealthy = Text("Out of the healthy range: {metrics}. ", metrics=Text.joined(far, ", ")) if far else ""
    how = Text(
        "{missing}{count} generated examples per seed at round {round} against as many real ones, {features}. Real "
        "data: {held_out}, measured the same way. ↓ lower is better, ↑ higher, = as real. {unit}{second}{unhealthy}"
        "Beside a value that is worse than real data's: by how much.",
        missing=lost_text if lost else "",
        count=f"{measured['n']:,}",
        round=f"{measured['round']:,}",
        features=features,
        held_out=measured_text(measured["held_out"]),
        unit=unit,
        second=second,
        unhealthy=unhealthy,
    )
    return Text.joined([how, *map(measured_text, measured.get("notes", []))], " ")


def value_text(value: float | None) -> str:
    """Like `number`, but whole numbers and those from a hundred up without decimals."""
    if value is None or not np.isfinite(value):
        return number(value)
    is_whole = value == round(value) and value != 0
    return f"{value:,.0f}" if is_whole or abs(value) >= NO_DECIMALS_FROM else number(value)


def spread_text(spread: Spread) -> str:
    """Mean ± SD, written as `value_text` writes."""
    if spread.sd is None:
        return value_text(spread.mean)
    if spread.mean is None or abs(spread.mean) < NO_DECIMALS_FROM:
        return plus_minus(spread)
    return f"{spread.mean:,.0f} ± {spread.sd:,.0f}"


def _credit(measured: Measured) -> str:
    """How the judge was trained or how good it is; measurements of older versions have its accuracy only."""
    accuracy = measured.get("judge_accuracy")
    if words := measured.get("judge_words"):
        return measured_text(words)
    if isinstance(accuracy, float):
        return Text("{share} accurate on held-out data", share=f"{accuracy:.2%}")
    return Text("of unknown accuracy")


def _healthy(stated: list[float | None] | None) -> tuple[float, float]:
    """The ends of a healthy range; measurements of older versions state none."""
    low, high = stated or (None, None)
    return -np.inf if low is None else low, np.inf if high is None else high


def _signed(difference: float) -> str:
    return f"{difference:+,.0f}" if abs(difference) >= NO_DECIMALS_FROM else f"{difference:+.3g}"


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
