"""Loops that no rule was chosen by, in ten styles, one file each: written afterwards, run once. See watching.py.

Every file has `SOUND`, a name -> a loop, and `BROKEN`, a name -> a loop and the rule that must come first. A mistake is
planted where a person would make it; sound loops do what is unusual and right.
"""

from __future__ import annotations

from loops_second import (
    accelerated,
    conditional,
    critics,
    functional,
    keras_like,
    lightning_like,
    practices,
    script,
    toys,
    two_classes,
)
from loops_second.data import Loop

STYLES = {
    "script": script,
    "two classes": two_classes,
    "Keras-like": keras_like,
    "Lightning-like": lightning_like,
    "accelerated": accelerated,
    "critics": critics,
    "conditional": conditional,
    "functional": functional,
    "practices": practices,
    "toys": toys,
}
SOUND: dict[str, Loop] = {
    f"{style}: {name}": loop for style, file in STYLES.items() for name, loop in file.SOUND.items()
}
BROKEN: dict[str, tuple[Loop, str]] = {
    f"{style}: {name}": broken for style, file in STYLES.items() for name, broken in file.BROKEN.items()
}
