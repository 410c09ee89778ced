"""In a terminal: whether the seeds of a run learned the same latent space."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from sparring.analysis.latent_tools.spaces import Spaces


def spaces_text(found: Spaces) -> RenderableType:
    """The answer, and the three shares behind it."""
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    top = len(found.effects[0])
    for title, shared, words in (
        ("same images", found.same_images, "how well seeds find each other's samples, beside their own"),
        ("same arrangement", found.same_arrangement, "distances between latent vectors of the same images"),
        ("same directions", found.same_directions, f"of each seed's {top} strongest, found in another seed"),
    ):
        table.add_row(title, shared.words, words)
    interval = "" if found.same_images.low is None else " In brackets: the 95 % interval over seeds."
    return Group(Text(f"{found.says}{interval}"), table)
