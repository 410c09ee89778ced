"""Quality over truncation in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sparring.analysis.stats import Spread
from sparring.analysis.wording import count, features_of, number, plus_minus

if TYPE_CHECKING:
    from sparring.analysis.latent_tools.truncation import Truncation


def truncation_text(found: Truncation) -> RenderableType:
    """A row for each psi and one for real data, and the recommended value."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for title in ("psi", *found.metrics):
        table.add_column(title, justify="right", no_wrap=True)
    for k, psi in enumerate(found.psis):
        style = "bold" if psi == found.recommended else ""
        cells = [plus_minus(Spread.of(values[k])) for values in found.metrics.values()]
        table.add_row(f"{psi:g}", *cells, style=style)
    table.add_row("real", *(number(found.real[name]) for name in found.metrics), style="dim")
    interval = found.interval
    sure = f", between {interval[0]:g} and {interval[1]:g} for 95 % of resampled seeds" if interval else ""
    few = "" if interval else "; train three seeds or more for an interval"
    seeds = count(len(found.seeds), "seed")
    lost = f", without {found.diverged:,} that diverged" if found.diverged else ""
    judge = f", using {features_of(found.judge)}" if found.judge else ""
    answer = f"Recommended: psi {found.recommended:g}{sure}{few}; 1 is no truncation."
    return Group(
        Text(f"Mean ± SD over {seeds}{lost}; {found.n:,} samples of each against as many real examples{judge}."),
        table,
        Text(f"\n{answer} Balance is the harmonic mean of both; psi is chosen by it, so these figures flatter it."),
    )
