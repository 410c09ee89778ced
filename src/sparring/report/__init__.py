"""Runs, told: pictures, a page for one or for several, words in a terminal, plain data, a display while one trains.

Each name is imported when it is first used, so `sparring show` loads neither torch nor matplotlib.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sparring.analysis.comparison import Comparison as Comparison
    from sparring.analysis.comparison import comparison as comparison
    from sparring.analysis.facts import summary as summary
    from sparring.report.figures.run import save_figures as save_figures
    from sparring.report.live.shards import LiveParts as LiveParts
    from sparring.report.live.training import Live as Live
    from sparring.report.markdown.metrics import judges_in_markdown as judges_in_markdown
    from sparring.report.markdown.metrics import metrics_in_markdown as metrics_in_markdown
    from sparring.report.markdown.recipes import recipes_in_markdown as recipes_in_markdown
    from sparring.report.page.comparison import write_comparison as write_comparison
    from sparring.report.page.findings import diagnosed_words as diagnosed_words
    from sparring.report.page.measures import measured_words as measured_words
    from sparring.report.page.run import write_report as write_report
    from sparring.report.terminal.run import words as words

_HOMES = {
    "Comparison": "sparring.analysis.comparison",
    "Live": "sparring.report.live.training",
    "LiveParts": "sparring.report.live.shards",
    "comparison": "sparring.analysis.comparison",
    "diagnosed_words": "sparring.report.page.findings",
    "judges_in_markdown": "sparring.report.markdown.metrics",
    "measured_words": "sparring.report.page.measures",
    "metrics_in_markdown": "sparring.report.markdown.metrics",
    "recipes_in_markdown": "sparring.report.markdown.recipes",
    "save_figures": "sparring.report.figures.run",
    "summary": "sparring.analysis.facts",
    "words": "sparring.report.terminal.run",
    "write_comparison": "sparring.report.page.comparison",
    "write_report": "sparring.report.page.run",
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
