"""Fifty-four more loops, most of them sound: practices that are unusual and right, and slips in rarer places.

They were written by somebody who knew how the watch works, after the first two sets, and run once. See watching.py.
"""

from loops_third.broken import BROKEN
from loops_third.sound import SOUND

__all__ = ["BROKEN", "SOUND"]
