"""Quality over truncation in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table

from sparring.analysis.stats import Spread
from sparring.analysis.wording import count, features_of, number, plus_minus
from sparring.languages import Text as Said
from sparring.languages import said
from sparring.report.terminal.prose import Prose

if TYPE_CHECKING:
    from sparring.analysis.latent_tools.truncation import Truncation


def truncation_text(found: Truncation) -> RenderableType:
    """A row for each psi and one for real data, and the recommended value."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for title in ("psi", *map(Said, found.metrics)):
        table.add_column(said(title), justify="right", no_wrap=True)
    for k, psi in enumerate(found.psis):
        style = "bold" if psi == found.recommended else ""
        cells = [plus_minus(Spread.of(values[k])) for values in found.metrics.values()]
        table.add_row(f"{psi:g}", *cells, style=style)
    table.add_row(said("real"), *(number(found.real[name]) for name in found.metrics), style="dim")
    interval = found.interval
    sure = Said("; train three seeds or more for an interval")
    if interval:
        ends = {"low": f"{interval[0]:g}", "high": f"{interval[1]:g}"}
        sure = Said(", between {low} and {high} for 95 % of resampled seeds", **ends)
    how = Said(
        "Mean ± SD over {seeds}{lost}; {count} samples of each against as many real examples{judge}.",
        seeds=count(len(found.seeds), "seed"),
        lost=Said(", without {count} that diverged", count=f"{found.diverged:,}") if found.diverged else "",
        count=f"{found.n:,}",
        judge=Said(", using {features}", features=features_of(found.judge)) if found.judge else "",
    )
    answer = Said(
        "Recommended: psi {psi}{sure}; 1 is no truncation. Balance is the harmonic mean of both; psi is chosen by it, "
        "so these figures flatter it.",
        psi=f"{found.recommended:g}",
        sure=sure,
    )
    return Group(Prose(said(how)), table, Prose(f"\n{said(answer)}"))
