"""Projections in a terminal: errors of images, and training images beside held-out ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table

from sparring.analysis.written import measured, read
from sparring.languages import Text as Said
from sparring.languages import said
from sparring.report.terminal.prose import Prose

if TYPE_CHECKING:
    from sparring.analysis.latent_tools.projected import Projected
    from sparring.analysis.latent_tools.projection import Memorization


def projection_text(found: Projected) -> RenderableType:
    """A row for each image and seed: columns for many seeds would not fit."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column(said("image"), overflow="fold")
    for title in Said.each("seed", "difference"):
        table.add_column(said(title), justify="right", no_wrap=True)
    for k, name in enumerate(found.names):
        for seed, each in zip(found.recipe.seeds, found.members, strict=True):
            error = f"{float(each.error[k]):.3f} ± {float(each.spread[k]):.3f}"
            table.add_row(name if seed == found.recipe.seeds[0] else "", str(seed), error)
    text = Said(
        "Root-mean-square difference of each image from the nearest example that a seed's generator makes, in data "
        "units; ± SD over restarts of the search."
    )
    return Group(Prose(said(text)), table)


def memorization_text(seeds: Sequence[int], results: Sequence[Memorization], held_out_from: str) -> RenderableType:
    """A row for each member."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for title in Said.each("seed", "training", "held-out", "ratio"):
        table.add_column(said(title), justify="right", no_wrap=True)
    table.add_column("")
    for seed, each in zip(seeds, results, strict=True):
        low, high = f"{each.low:.3f}", f"{each.high:.3f}"
        ratio = said(Said("{value} ({low} to {high})", value=f"{each.ratio:.3f}", low=low, high=high))
        table.add_row(str(seed), f"{each.training:.4f}", f"{each.held_out:.4f}", ratio, said(read(each.says)))
    text = Said(
        "Mean error of {count} training and as many held-out images ({source}) projected into each seed's latent "
        "space, and their ratio with its 95 % interval: above 1, training images are found more easily.",
        count=results[0].n,
        source=measured(held_out_from),
    )
    return Group(Prose(said(text)), table)
