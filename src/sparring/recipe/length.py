"""How long a run usually is: how many examples it sees until its samples settle, as was measured.

Eleven recipes were trained with an evaluation at every log point (`benchmarks/usual_length.py`, docs/diagnosis.md).
Until the distance from the data stayed within a quarter of its final value they saw 57,000 to 277,000 images. It made
no visible difference whether images have a side of 8 or 64 pixels, whether there are 100 or 60,000 of them, or whether
the networks have a hundred thousand or six million weights. Nothing larger was measured.
"""

from __future__ import annotations

USUAL_IMAGES = 200_000
"""Images that a usual run sees until its samples settle."""
USUAL_VECTORS = 100_000
"""The same for points and other vectors."""
MIN_BATCHES, MAX_BATCHES = 2_000, 10_000
"""A usual run has at least so many batches, however large they are, and settles after so many, however small: the
fastest of those measured took 2,250, and a batch of one example 7,700."""


def usual_examples(images: bool, batch: int, examples: int | None = None) -> int:
    """How many examples a usual run sees until its samples settle.

    Args:
        images: Whether examples are images.
        batch: How many there are in a batch.
        examples: How many training examples there are, of which each is seen at least once; None if not known.
    """
    usual = max(USUAL_IMAGES if images else USUAL_VECTORS, examples or 0)
    return max(MIN_BATCHES * batch, min(MAX_BATCHES * batch, usual))
