"""Colors, line styles and markers of a study's cells: distinct for any color vision, and in black and white."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sparring.report.figures.drawing import Scheme
from sparring.study.answer import Answer

MAX_CELLS = 8
"""With more, only the reference, the best and the worst are in color."""
ORDER = ("d_loss", "g_loss", "d_real", "d_fake")
LINES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


@dataclass(frozen=True)
class CellStyle:
    """How one cell is drawn."""

    color: str
    line: Any
    marker: str
    named: bool
    """Whether it is in the legend."""


def cell_styles(answer: Answer, scheme: Scheme) -> list[CellStyle]:
    """How each cell is drawn, in the order of the study."""
    cells = list(range(len(answer.cells)))
    chosen = cells if len(cells) <= MAX_CELLS else _few(answer)
    found = [CellStyle(scheme.missing, "-", "o", False) for _ in cells]
    for place, cell in enumerate(chosen):
        color = scheme.hues[ORDER[place % len(ORDER)]]
        found[cell] = CellStyle(color, LINES[(place + place // len(ORDER)) % len(LINES)], MARKERS[place], True)
    return found


def _few(answer: Answer) -> list[int]:
    """The reference, the best and the worst by the mean."""
    ids = [each.cell.id for each in answer.cells]
    means = [(each.mean, index) for index, each in enumerate(answer.cells) if each.mean is not None]
    ordered: Sequence[int] = [index for _, index in sorted(means)]
    if answer.scores.direction > 0:
        ordered = ordered[::-1]
    reference = [ids.index(answer.results.reference)] if answer.results.reference in ids else []
    return list(dict.fromkeys([*reference, *ordered[:1], *ordered[-1:]]))
