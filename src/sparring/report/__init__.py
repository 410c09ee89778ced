"""Runs, told: pictures, a page for one or for several, words in a terminal, plain data, a display while one trains.

Each name is imported when it is first used, so `sparring show` loads neither torch nor matplotlib.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sparring.report.compare import write_comparison as write_comparison
    from sparring.report.facts import summary as summary
    from sparring.report.figures import save_figures as save_figures
    from sparring.report.findings import diagnosed_words as diagnosed_words
    from sparring.report.live import Live as Live
    from sparring.report.live_parts import LiveParts as LiveParts
    from sparring.report.measures import measured_words as measured_words
    from sparring.report.metrics import judges_in_markdown as judges_in_markdown
    from sparring.report.metrics import metrics_in_markdown as metrics_in_markdown
    from sparring.report.page import write_report as write_report
    from sparring.report.recipes import recipes_in_markdown as recipes_in_markdown
    from sparring.report.side_by_side import Comparison as Comparison
    from sparring.report.side_by_side import comparison as comparison
    from sparring.report.terminal import words as words

_HOMES = {
    "Comparison": "sparring.report.side_by_side",
    "Live": "sparring.report.live",
    "LiveParts": "sparring.report.live_parts",
    "comparison": "sparring.report.side_by_side",
    "diagnosed_words": "sparring.report.findings",
    "judges_in_markdown": "sparring.report.metrics",
    "measured_words": "sparring.report.measures",
    "metrics_in_markdown": "sparring.report.metrics",
    "recipes_in_markdown": "sparring.report.recipes",
    "save_figures": "sparring.report.figures",
    "summary": "sparring.report.facts",
    "words": "sparring.report.terminal",
    "write_comparison": "sparring.report.compare",
    "write_report": "sparring.report.page",
}
__all__ = [
    "Comparison",
    "Live",
    "LiveParts",
    "comparison",
    "diagnosed_words",
    "judges_in_markdown",
    "measured_words",
    "metrics_in_markdown",
    "recipes_in_markdown",
    "save_figures",
    "summary",
    "words",
    "write_comparison",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sparring.report' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
