"""What the settings of an optimizer may be."""

from __future__ import annotations


def refuse_outside(at_least_0: dict[str, float], below_1: dict[str, float | tuple[float, float]]) -> None:
    """Raises ValueError for a negative setting, or for one outside [0, 1) where that is its range."""
    for name, value in at_least_0.items():
        if value < 0:
            raise ValueError(f"{name} must be at least 0, not {value}")
    for name, value in below_1.items():
        if not all(0 <= each < 1 for each in (value if isinstance(value, tuple | list) else (value,))):
            raise ValueError(f"{name} must lie in [0, 1), not at {value}")
