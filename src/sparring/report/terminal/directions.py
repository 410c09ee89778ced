"""Directions in a terminal: one member's table, way by way, and which names the members share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sparring.analysis.written import read
from sparring.languages import Text as Said
from sparring.languages import said, said_again
from sparring.report.terminal.prose import Prose

if TYPE_CHECKING:
    from sparring.analysis.latent_tools.directions.survey import Found, Survey


def directions_text(survey: Survey, member: int) -> RenderableType:
    """The table of one member of a survey, and what is common to all."""
    from sparring.analysis.latent_tools.directions.survey import WAYS
    from sparring.analysis.wording import count

    others = len(survey.recipe.seeds) - 1
    parts: list[RenderableType] = [
        Prose(
            said(
                Said(
                    "How much a sample changes from {low} to {high} along a direction of length 1: 100 % is the "
                    "difference between two random samples. Mean over {vectors}, ± its standard error.",
                    low=f"{-survey.reach:.3g}",
                    high=f"{survey.reach:.3g}",
                    vectors=count(survey.count, "latent vector"),
                )
            )
        )
    ]
    if others:
        parts.append(
            Prose(
                said(
                    Said(
                        "seeds: in how many of the others a direction does the same, matched by the map of what it "
                        "changes, beyond what random directions reach."
                    )
                )
            )
        )
    parts.append(Text.assemble("\n", (said(Said("seed {seed}", seed=survey.recipe.seeds[member])), "bold")))
    found = survey.members[member]
    for way, what in WAYS.items():
        rows = [each for each in found if each.way == way]
        if rows:
            parts.append(Text.assemble("\n", (said(read(way)), "bold"), (f"  {said(read(what))}", "dim")))
            parts.append(_table(rows, bool(others)))
    if others:
        parts += _in_all(survey)
    names = survey.named()
    if others and names:
        named = Said(
            "Names among the most sensitive directions of {seeds}: {names}.",
            seeds=count(others + 1, "seed"),
            names=Said.joined([_in_so_many(name, n) for name, n in names.items()], "; "),
        )
        parts.append(Prose(f"\n{said(named)}"))
    parts += [Prose(f"\n{said(Said('Left out: {note}.', note=said_again(note)))}") for note in survey.notes]
    return Group(*parts)


def _in_all(survey: Survey) -> list[RenderableType]:
    """What the most sensitive directions and single dimensions do in all seeds."""
    from sparring.analysis.latent_tools.directions.across import across

    parts: list[RenderableType] = [
        Text.assemble(
            "\n",
            (said(Said("all {count} seeds", count=len(survey.members))), "bold"),
            f"  {said('mean ± SD over seeds; what a direction moves most, and in how many')}",
        ),
    ]
    for way in ("sensitivity", "dims"):
        rows = across(survey, way)
        if not rows:
            continue
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        for title in (read(way), Said("change")):
            table.add_column(said(title), justify="right", no_wrap=True)
        table.add_column(said("what it moves"))
        for row in rows:
            moves = Said.joined([_in_so_many(name, n) for name, n in row.moves.items()], ", ")
            share = row.share.mean if row.share.mean is not None else float("nan")
            table.add_row(row.label, _percent(share, row.share.sd), said(moves))
        parts += [Text(""), table]
    return parts


def _in_so_many(name: str, members: int) -> Said:
    """`lower – taller in 3`."""
    return Said("{name} in {count}", name=read(name), count=members)


def _table(rows: list[Found], with_others: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    titles = [*Said.each("change"), *(Said.each("class") if rows[0].class_change is not None else [])]
    table.add_column("")
    for title in [*titles, *(Said.each("seeds", "alike") if with_others else [])]:
        table.add_column(said(title), justify="right", no_wrap=True)
    table.add_column(said("what it moves"))
    for row in rows:
        cells = [row.label, _percent(row.effect.share, row.effect.error)]
        if row.class_change is not None:
            cells.append(_percent(row.class_change))
        if with_others:
            stable = row.stability
            mean = "–" if stable.likeness.mean is None else f"{stable.likeness.mean:.2f} ({stable.baseline:.2f})"
            cells += [said(Said("{count} of {total}", count=stable.found, total=stable.of)), mean]
        table.add_row(*cells, said(read(row.what)))
    return table


def _percent(share: float, error: float | None = None) -> str:
    if share != share:
        return "–"
    beside = "" if error is None or error != error else f" ± {error:.0%}"
    return f"{share:.0%}{beside}".replace("%", " %")
