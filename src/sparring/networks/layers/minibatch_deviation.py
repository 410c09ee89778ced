"""Minibatch standard deviation."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn

GROUP = 4
"""Examples over which the standard deviation is taken, as in StyleGAN's code."""


@final
class MinibatchStandardDeviation(nn.Module):
    """Adds a feature map that says how much examples of a batch differ, so that D notices a lack of variety.

    The standard deviation of each feature over GROUP examples (over all of them when GROUP does not divide the batch),
    averaged over features and positions. `(B, C, H, W)` -> `(B, C + 1, H, W)`, and `(B, C)` -> `(B, C + 1)`.
    Karras et al., "Progressive growing of GANs for improved quality, stability, and variation", ICLR 2018, section 3.
    """

    def forward(self, x: Tensor) -> Tensor:
        return with_deviation(x.unsqueeze(0)).squeeze(0)


def with_deviation(x: Tensor) -> Tensor:
    """`MinibatchStandardDeviation` for P members: `(P, B, C, ...)` -> `(P, B, C + 1, ...)`."""
    members, batch = x.shape[:2]
    group = GROUP if batch % GROUP == 0 else batch
    grouped = x.unflatten(1, (group, batch // group))  # groups are strided, so each has examples of the whole batch
    # Not `var`, which goes over strided groups one number at a time, and is ten times as slow on a CPU.
    variance = (grouped - grouped.mean(1, keepdim=True)).square().mean(1)
    deviation = (variance + 1e-8).sqrt().flatten(2).mean(2)  # (P, B / group)
    deviation = deviation.repeat(1, group).view(members, batch, *([1] * (x.ndim - 2)))
    return torch.cat([x, deviation.expand(*x.shape[:2], 1, *x.shape[3:])], 2)
