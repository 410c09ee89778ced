"""What filtering samples with D did, in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table

from sparring.analysis.wording import count
from sparring.analysis.written import measured
from sparring.languages import Text as Said
from sparring.languages import said
from sparring.report.terminal.prose import Prose

if TYPE_CHECKING:
    from sparring.analysis.rejection import Filtered


def rejection_text(found: Filtered) -> RenderableType:
    """A row for each member: how many passed, how well its D tells, and quality without and with the filter."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for title in (*Said.each("seed", "passed", "D's AUC"), *map(Said, found.metrics)):
        table.add_column(said(title), justify="right", no_wrap=True)
    for m, name in enumerate(found.names):
        changes = [f"{before[m]:.3f} → {after[m]:.3f}" for before, after in found.metrics.values()]
        table.add_row(str(name), f"{found.acceptance[m]:.0%}".replace("%", " %"), f"{found.auc[m]:.3f}", *changes)
    amount = count(found.samples.shape[1], "sample")
    real = Said("training data, since none are held out")
    if found.unseen:
        real = Said("held-out data ({source})", source=measured(found.held_out_from))
    how = Said(
        "{samples} of each seed that its own D takes for real, calibrated on {real}. AUC: how well D tells those from "
        "generated examples; 0.5 is not at all, and then the filter chooses at random.",
        samples=amount,
        real=real,
    )
    arrows = Said(" Arrows: as many samples without the filter, and with it; diversity 1 is that of real data.")
    return Group(Prose(said(Said.joined([how, *([arrows] if found.metrics else [])]))), table)
