"""What D says of real and of generated examples in one step, in each of the forms that an objective may report."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from sparring.training.watch.provenance import FAKE, REAL
from sparring.training.watch.rounds import Call

OUTPUTS = ("d_real", "d_fake")
"""The curves of D's outputs."""
PROBABILITY = "_probability"
"""What follows a curve's name where D's logits are made into probabilities."""
COMPARED = {"relativistic-paired": "_pairs", "relativistic-average": "_averages"}
"""The same where a loss compares scores and leaves it open what a constant adds to all of them: by the objective."""
RIGHT = "d_right"


def outputs_of(calls: Sequence[Call]) -> dict[str, Tensor]:
    """D's mean outputs `d_real` and `d_fake`, `()` each, of these calls; of either kind where there is one.

    Beside the scores there are their sigmoids, and of both kinds what D says of one compared with the other: the
    sigmoids of differences, from one example of the other kind or from the mean of all. `d_right` is the share of pairs
    that D ranks right; equal scores count as half a pair.
    """
    found: dict[str, Tensor] = {}
    scores: dict[str, Tensor] = {}
    for name, kind in zip(OUTPUTS, (REAL, FAKE), strict=True):
        parts = [part for call in calls if (part := call.of(kind)) is not None]
        if parts:
            scores[name] = torch.cat(parts).float()
            found[name] = scores[name].mean()
            found[name + PROBABILITY] = scores[name].sigmoid().mean()
    if len(scores) == 2:
        found |= _compared(scores["d_real"], scores["d_fake"])
    return found


def _compared(real: Tensor, fake: Tensor) -> dict[str, Tensor]:
    count = max(len(real), len(fake))
    # A penalty may score a batch again: pairs are then made of the shorter list as often as it takes.
    gaps = _repeated(real, count) - _repeated(fake, count)
    return {
        "d_real_pairs": gaps.sigmoid().mean(),
        "d_fake_pairs": (-gaps).sigmoid().mean(),
        "d_real_averages": (real - fake.mean()).sigmoid().mean(),
        "d_fake_averages": (fake - real.mean()).sigmoid().mean(),
        RIGHT: (gaps.sign().mean() + 1) / 2,
    }


def _repeated(scores: Tensor, count: int) -> Tensor:
    return scores if len(scores) == count else scores.repeat(-(-count // len(scores)))[:count]
