"""A recipe's game with smaller networks and batches, so that laws can be tried on every recipe in seconds."""

from __future__ import annotations

import dataclasses
import io
import itertools
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from sparring.recipe import Recipe

CHILDREN = Path(__file__).parent / "children"
MOST_REPEATS, WIDEST, MOST_CHANNELS, LARGEST_BATCH = 3, 24, 4, 4


def miniature(recipe: Recipe) -> Recipe:
    """The same data, objective, tricks, optimizers and kinds of layers. Recipes that are small stay as they are."""
    large = wide(recipe.generator) or wide(recipe.discriminator) or recipe.batch > 64
    if len(recipe.round) <= 4 and not large:
        return recipe
    moves = [move for _, run in itertools.groupby(recipe.round) for move in itertools.islice(run, MOST_REPEATS)]
    return recipe.replace(
        generator=small(recipe.generator),
        discriminator=small(recipe.discriminator),
        round=tuple(moves),
        batch=min(recipe.batch, LARGEST_BATCH),
    )


def small(network: Any) -> Any:
    """A network leaf with fewer numbers in each layer."""
    if hasattr(network, "width"):
        return dataclasses.replace(network, width=MOST_CHANNELS)
    limits = {"hidden": WIDEST, "channels": MOST_CHANNELS}
    held = {name: most for name, most in limits.items() if hasattr(network, name)}
    return dataclasses.replace(network, **{n: tuple(min(w, m) for w in getattr(network, n)) for n, m in held.items()})


def wide(network: Any) -> bool:
    convolutions = hasattr(network, "channels") or hasattr(network, "width")
    return convolutions or max(getattr(network, "hidden", ()), default=0) > 400


@contextmanager
def figures_left_blank() -> Generator[None]:
    """Figures are made, in light colors alone, but neither laid out nor drawn: that is most of the time of a page."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    from sparring.report.figures.drawing import LIGHT, as_png
    from sparring.report.page import document

    file = io.BytesIO()
    Image.new("RGB", (1, 1)).save(file, "PNG")
    dot = file.getvalue()
    DRAWING.setdefault(Figure, (Figure.savefig, ConstrainedLayoutEngine.execute, document.drawn))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", lambda figure, into, **how: into.write(dot))
        patch.setattr(ConstrainedLayoutEngine, "execute", lambda engine, figure: None)
        patch.setattr(document, "drawn", lambda draw, scheme: as_png(draw(scheme)) if scheme is LIGHT else dot)
        patch.setenv("PYTHONPATH", str(CHILDREN), prepend=os.pathsep)  # and so in the processes that tests start
        yield


@contextmanager
def figures_drawn() -> Generator[None]:
    """Figures are drawn, as they are for users."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    from sparring.report.page import document

    owners = {Figure: "savefig", ConstrainedLayoutEngine: "execute", document: "drawn"}
    with pytest.MonkeyPatch.context() as patch:
        for (owner, name), original in zip(owners.items(), DRAWING[Figure], strict=True):
            patch.setattr(owner, name, original)
        without = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part != str(CHILDREN)]
        patch.setenv("PYTHONPATH", os.pathsep.join(without))
        yield


DRAWING: dict[Any, Any] = {}
"""matplotlib's figure -> what draws it, what lays it out, and what draws one for a page."""
