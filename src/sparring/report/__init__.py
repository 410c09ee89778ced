"""Drawing and words only: figures, pages, terminal text, and the live display of a run that trains.

Four rooms, on top of a few modules of shared phrases: `figures/` (matplotlib and PNG), then `page/` (HTML) and
`terminal/` (rich), which do not know each other, then `live/`. Each name below is imported when it is first used, so
`sparring show` loads neither torch nor matplotlib.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sparring.analysis.comparison import Comparison as Comparison
    from sparring.analysis.comparison import comparison_summary as comparison_summary
    from sparring.analysis.summary import summary as summary
    from sparring.report.figures.contact_sheet import contact_sheet as contact_sheet
    from sparring.report.figures.run import save_figures as save_figures
    from sparring.report.live.shards import LiveShards as LiveShards
    from sparring.report.live.training import Live as Live
    from sparring.report.page.comparison import write_comparison as write_comparison
    from sparring.report.page.run import write_report as write_report
    from sparring.report.page.study import write_study as write_study
    from sparring.report.terminal.diagnosis import diagnosis_text as diagnosis_text
    from sparring.report.terminal.doctor import doctor_text as doctor_text
    from sparring.report.terminal.measurement import measurement_text as measurement_text
    from sparring.report.terminal.run import run_text as run_text
    from sparring.report.terminal.study import study_text as study_text

_HOMES = {
    "Comparison": "sparring.analysis.comparison",
    "Live": "sparring.report.live.training",
    "LiveShards": "sparring.report.live.shards",
    "comparison_summary": "sparring.analysis.comparison",
    "contact_sheet": "sparring.report.figures.contact_sheet",
    "diagnosis_text": "sparring.report.terminal.diagnosis",
    "doctor_text": "sparring.report.terminal.doctor",
    "measurement_text": "sparring.report.terminal.measurement",
    "run_text": "sparring.report.terminal.run",
    "save_figures": "sparring.report.figures.run",
    "study_text": "sparring.report.terminal.study",
    "summary": "sparring.analysis.summary",
    "write_comparison": "sparring.report.page.comparison",
    "write_report": "sparring.report.page.run",
    "write_study": "sparring.report.page.study",
}
__all__ = [
    "Comparison",
    "Live",
    "LiveShards",
    "comparison_summary",
    "contact_sheet",
    "diagnosis_text",
    "doctor_text",
    "measurement_text",
    "run_text",
    "save_figures",
    "study_text",
    "summary",
    "write_comparison",
    "write_report",
    "write_study",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sparring.report' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
