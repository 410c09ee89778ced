"""Runs, told: pictures, a page for one or for several, words in a terminal, plain data, a display while one trains.

Each name is imported when it is first used, so `sparring show` loads neither torch nor matplotlib.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sparring.analysis.comparison import Comparison as Comparison
    from sparring.analysis.comparison import comparison_summary as comparison_summary
    from sparring.analysis.facts import summary as summary
    from sparring.report.figures.contact_sheet import contact_sheet as contact_sheet
    from sparring.report.figures.run import save_figures as save_figures
    from sparring.report.live.shards import LiveShards as LiveShards
    from sparring.report.live.training import Live as Live
    from sparring.report.markdown.metrics import judges_in_markdown as judges_in_markdown
    from sparring.report.markdown.metrics import metrics_in_markdown as metrics_in_markdown
    from sparring.report.markdown.recipes import recipes_in_markdown as recipes_in_markdown
    from sparring.report.page.comparison import write_comparison as write_comparison
    from sparring.report.page.findings import diagnosis_text as diagnosis_text
    from sparring.report.page.measures import measurement_text as measurement_text
    from sparring.report.page.run import write_report as write_report
    from sparring.report.terminal.doctor import doctor_text as doctor_text
    from sparring.report.terminal.run import run_text as run_text

_HOMES = {
    "Comparison": "sparring.analysis.comparison",
    "Live": "sparring.report.live.training",
    "LiveShards": "sparring.report.live.shards",
    "contact_sheet": "sparring.report.figures.contact_sheet",
    "doctor_text": "sparring.report.terminal.doctor",
    "comparison_summary": "sparring.analysis.comparison",
    "diagnosis_text": "sparring.report.page.findings",
    "judges_in_markdown": "sparring.report.markdown.metrics",
    "measurement_text": "sparring.report.page.measures",
    "metrics_in_markdown": "sparring.report.markdown.metrics",
    "recipes_in_markdown": "sparring.report.markdown.recipes",
    "save_figures": "sparring.report.figures.run",
    "summary": "sparring.analysis.facts",
    "run_text": "sparring.report.terminal.run",
    "write_comparison": "sparring.report.page.comparison",
    "write_report": "sparring.report.page.run",
}
__all__ = [
    "Comparison",
    "Live",
    "LiveShards",
    "comparison_summary",
    "contact_sheet",
    "diagnosis_text",
    "doctor_text",
    "judges_in_markdown",
    "measurement_text",
    "metrics_in_markdown",
    "recipes_in_markdown",
    "run_text",
    "save_figures",
    "summary",
    "write_comparison",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sparring.report' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
