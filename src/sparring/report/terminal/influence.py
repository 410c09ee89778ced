"""The influence of latent dimensions in a terminal: one table for each member."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sparring.analysis.written import read
from sparring.languages import Text as Said
from sparring.languages import said
from sparring.report.terminal.prose import Prose

if TYPE_CHECKING:
    from sparring.analysis.latent_tools.influence import Influence
    from sparring.analysis.latent_tools.ranking import Row


def influence_text(
    influence: Influence, seeds: Sequence[int], dims: Sequence[Sequence[int]], ends: tuple[float, float], count: int
) -> RenderableType:
    """Tables of the dimensions `dims` (from 1) of each member, over `count` latent vectors."""
    from sparring.analysis.latent_tools.ranking import concentration, ranking
    from sparring.analysis.wording import count as counted

    relative = Said(
        "How much a sample changes when one latent dimension goes from {low} to {high} and the others stay: 100 % is "
        "the difference between two random samples. Mean over {vectors}, ± its standard error."
    )
    of_one = Said(
        "How much a sample changes when one latent dimension goes from {low} to {high} and the others stay, in data "
        "units. With --count 2 or more it is a share of the difference between two random samples."
    )
    ends_as_text = {"low": f"{ends[0]:g}", "high": f"{ends[1]:g}"}
    turned = (relative if count > 1 else of_one).filled(**ends_as_text, vectors=counted(count, "latent vector"))
    parts: list[RenderableType] = [Prose(said(turned))]
    for member, seed in enumerate(seeds):
        constant = not influence.whole[member] > 0 and count > 1
        equal = Said("all its latent vectors are equal: change in data units")
        note = equal if constant else read(concentration(influence, member))
        parts.append(Text.assemble("\n", (said(Said("seed {seed}", seed=seed)), "bold"), (f"  {said(note)}", "dim")))
        parts.append(_table(ranking(influence, member, dims[member])))
    return Group(*parts)


def _table(rows: Sequence[Row]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for title in Said.each("dim", "change"):
        table.add_column(said(title), justify="right", no_wrap=True)
    table.add_column(said("what happens as it rises"))
    for row in rows:
        table.add_row(str(row.dim), _change(row), said(read(row.effect)))
    return table


def _change(row: Row) -> str:
    """Relative to two random samples; in data units where these do not differ."""
    if row.strength is None:
        return said("not finite")
    if row.relative is None:
        return f"{row.strength:.3g}"
    error = "" if row.error is None or not row.strength else f" ± {row.error / row.strength * row.relative:.0%}"
    return f"{row.relative:.0%}{error}".replace("%", " %")
