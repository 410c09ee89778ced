"""The influence of latent dimensions in a terminal: one table for each member."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from sparring.analysis.latent_tools.influence import Influence
    from sparring.analysis.latent_tools.ranking import Row


def influence_text(
    influence: Influence, seeds: Sequence[int], dims: Sequence[Sequence[int]], ends: tuple[float, float], count: int
) -> RenderableType:
    """Tables of the dimensions `dims` (from 1) of each member, over `count` latent vectors."""
    from sparring.analysis.latent_tools.ranking import ranking
    from sparring.record.journal import json_numbers

    parts: list[RenderableType] = [
        Text(
            f"Mean absolute change of an output (data units) when one latent dimension goes from {ends[0]:g} to "
            f"{ends[1]:g}, over {count} latent vectors; ± is the standard error over them."
        )
    ]
    for member, seed in enumerate(seeds):
        whole = json_numbers(influence.whole[member])
        beside = f"baseline: two random latents differ by {whole:.3g}" if whole else "all its latent vectors are equal"
        note = "" if whole is None else f"  ({beside})"
        parts.append(Text.assemble("\n", (f"seed {seed}", "bold"), (note, "dim")))
        parts.append(_table(ranking(influence, member, dims[member])))
    return Group(*parts)


def _table(rows: Sequence[Row]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("dim", "change", "share"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("where")
    table.add_column("what it does")
    for row in rows:
        error = "" if row.error is None else f" ± {row.error:.4f}"
        change = "not finite" if row.strength is None else f"{row.strength:.4f}{error}"
        share = "" if row.share is None else f"{100 * row.share:.1f} %"
        table.add_row(str(row.dim), change, share, row.region, row.effect)
    return table
