"""How long a run usually is: how many examples it sees until its samples settle, as was measured.

Recipes that train well were trained with frequent evaluations (`benchmarks/usual_length.py`,
docs/diagnosis-measured.md). Until the distance from the data stayed within a quarter of its final value, they saw
72,000 to 280,000 images. It made no visible difference whether images have a side of 8 or 64 pixels, whether there are
100 or 60,000 of them, or whether the networks have a hundred thousand or six million weights. Nothing larger was
measured.
"""

from __future__ import annotations

from sparring.errors import UsageError

USUAL_IMAGES = 200_000
"""Images that a usual run sees until its samples settle."""
USUAL_VECTORS = 100_000
"""The same for points and other vectors: `ring` with batches of 64 has settled after 60,000 to 80,000."""
MIN_BATCHES, MAX_BATCHES = 2_000, 10_000
"""A usual run has at least so many batches, however large they are, and settles after so many, however small: those
measured took 1,500 to 8,700, `ring` and `grid` about 2,000 of 128 points, and batches of one example 7,500."""

LONGEST = 7 * 24 * 60
"""Minutes that a run may be given: a week."""


def check_minutes(minutes: float) -> None:
    """Raises UsageError for minutes that are no time to train for."""
    if not 0 < minutes <= LONGEST:
        raise UsageError(f"minutes must lie above 0, and be at most {LONGEST:,} (a week), not {minutes:g}")


def usual_examples(images: bool, batch: int, examples: int | None = None) -> int:
    """How many examples a usual run sees until its samples settle.

    Args:
        images: Whether examples are images.
        batch: How many there are in a batch.
        examples: How many training examples there are, of which each is seen at least once; None if not known.
    """
    usual = max(USUAL_IMAGES if images else USUAL_VECTORS, examples or 0)
    return max(MIN_BATCHES * batch, min(MAX_BATCHES * batch, usual))
