"""In a terminal: whether the seeds of a run learned the same latent space."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table

from sparring.analysis.written import read
from sparring.languages import Text as Said
from sparring.languages import said
from sparring.report.terminal.prose import Prose

if TYPE_CHECKING:
    from sparring.analysis.latent_tools.spaces import Spaces


def spaces_text(found: Spaces) -> RenderableType:
    """The answer, and the three shares behind it."""
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    top = len(found.effects[0])
    for title, shared, words in (
        (Said("same images"), found.same_images, Said("how well seeds find each other's samples, beside their own")),
        (
            Said("same arrangement"),
            found.same_arrangement,
            Said("distances between latent vectors of the same images"),
        ),
        (
            Said("same directions"),
            found.same_directions,
            Said("of each seed's {top} strongest, found in another seed", top=top),
        ),
    ):
        table.add_row(said(title), said(shared.words), said(words))
    answer = said(read(found.says))
    interval = "" if found.same_images.low is None else said(Said(" In brackets: the 95 % interval over seeds."))
    return Group(Prose(f"{answer}{interval}"), table)
