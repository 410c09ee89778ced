"""What lies outside its healthy range, whether or not a rule has a name for it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from sparring.rules import MIN_SHARE, Evidence, Finding
from sparring.rules._signals import Signals
from sparring.rules._words import curve_evidence, quality_evidence

CURVES = ("lead", "d_real", "d_fake", "d_loss", "g_loss")


def unexplained(signals: Signals, findings: Iterable[Finding]) -> tuple[Evidence, ...]:
    """Every number outside its healthy range, of members that have not diverged, that no fault gives as evidence.

    Like a finding, a number must be so for some of the members to be reported. Numbers of samples come first.
    """
    sound = np.flatnonzero(~signals.diverged)
    if not len(sound):
        return ()
    faults = [finding for finding in findings if finding.fault]
    named = {evidence.name for finding in faults for evidence in finding.evidence if evidence.speaks(True).any()}
    known = quality_evidence(signals, sound)
    if signals.levels is not None and len(signals.logged_rounds):
        known += [curve_evidence(signals, name, sound) for name in CURVES]
    return tuple(e for e in known if e.name not in named and e.speaks(True).mean() >= MIN_SHARE)
