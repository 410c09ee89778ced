"""What filtering samples with D did, in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sparring.analysis.wording import count

if TYPE_CHECKING:
    from sparring.analysis.rejection import Filtered


def rejection_text(found: Filtered) -> RenderableType:
    """A row for each member: how many passed, how well its D tells, and quality without and with the filter."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for title in ("seed", "passed", "D's AUC", *found.metrics):
        table.add_column(title, justify="right", no_wrap=True)
    for m, name in enumerate(found.names):
        changes = [f"{before[m]:.3f} → {after[m]:.3f}" for before, after in found.metrics.values()]
        table.add_row(str(name), f"{found.acceptance[m]:.0%}".replace("%", " %"), f"{found.auc[m]:.3f}", *changes)
    amount = count(found.samples.shape[1], "sample")
    real = f"held-out data ({found.held_out_from})" if found.unseen else "training data, since none are held out"
    lines = [
        f"{amount} of each seed that its own D takes for real, calibrated on {real}. "
        "AUC: how well D tells those from generated examples; 0.5 is not at all, and then the filter chooses at random."
    ]
    if found.metrics:
        lines.append("Arrows: as many samples without the filter, and with it; diversity 1 is that of real data.")
    return Group(Text(" ".join(lines)), table)
