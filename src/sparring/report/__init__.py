"""One run, told: pictures, a page, words in a terminal, plain data, and a display while it trains.

Each name is imported when it is first used, so `sparring show` loads neither torch nor matplotlib.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sparring.report.facts import summary as summary
    from sparring.report.figures import save_figures as save_figures
    from sparring.report.live import Live as Live
    from sparring.report.page import write_report as write_report
    from sparring.report.terminal import words as words

_HOMES = {
    "Live": "sparring.report.live",
    "save_figures": "sparring.report.figures",
    "summary": "sparring.report.facts",
    "words": "sparring.report.terminal",
    "write_report": "sparring.report.page",
}
__all__ = ["Live", "save_figures", "summary", "words", "write_report"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sparring.report' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
