"""The parts of statsmodels that a study's statistics use, imported when they are needed."""

from __future__ import annotations

import importlib
from typing import Any

from sparring.errors import SparringError

PART = {
    "multipletests": "statsmodels.stats.multitest",
    "TTestPower": "statsmodels.stats.power",
    "SurvfuncRight": "statsmodels.duration.survfunc",
    "survdiff": "statsmodels.duration.survfunc",
    "ols": "statsmodels.formula.api",
    "anova_lm": "statsmodels.stats.anova",
    "DataFrame": "pandas",
}


def from_statsmodels(name: str) -> Any:
    """One function or class, by its name. Raises SparringError, which says what to install, where it is missing."""
    try:
        return getattr(importlib.import_module(PART[name]), name)
    except ImportError as error:
        raise SparringError("a study's statistics need statsmodels: pip install 'sparring[study]'") from error


def check_installed() -> None:
    """Raise the same before anything is trained rather than after."""
    from_statsmodels("multipletests")
