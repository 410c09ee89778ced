"""Which outputs each number of a latent vector moves, how far, and which way."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from sparring.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

OUTPUTS_AT_ONCE = 2**22
"""Numbers that the generators give in one call, so that memory does not grow with members, numbers and dimensions."""
CLEAR = 0.05
"""By how much a region's share of a map must exceed its usual share, for the map to be said to lie there."""


class Influence(NamedTuple):
    """What `influence` found, for P members, a latent vector of `size` numbers and examples of some `shape`."""

    moved: Tensor
    """Mean absolute change of each output, `(P, size, *shape)`, in the units of the outputs."""
    change: Tensor
    """Mean change with its sign, `(P, size, *shape)`: how much brighter a pixel becomes."""
    strength: Tensor
    """`moved`, averaged over the outputs, `(P, size)`."""
    error: Tensor
    """Standard error of `strength` over the N base vectors, `(P, size)`; NaN for one."""
    whole: Tensor
    """Mean absolute change of an output when the whole vector is replaced by another, `(P,)`; NaN for one."""

    @property
    def share(self) -> Tensor:
        """Each number's part of the sum of all strengths, `(P, size)`; zero where nothing moves."""
        total = self.strength.sum(1, keepdim=True)
        return self.strength / total.where(total > 0, 1.0)

    @property
    def order(self) -> Tensor:
        """Indices of the numbers from the strongest to the weakest, `(P, size)`."""
        return self.strength.argsort(dim=1, descending=True, stable=True)


def influence(G: Callable[[Tensor], Tensor], z: Tensor, low: float = -3.0, high: float = 3.0) -> Influence:
    """Set each number of the base vectors `z`, `(P, N, size)`, to `low` and to `high`, and see what changes.

    `G` maps `(P, n, size)` to `(P, n, *shape)`. With z[d := v] for z with the number at index d set to v, and means
    over the N base vectors of a member,

        moved[d]    = mean_n |G(z_n[d := high]) - G(z_n[d := low])|
        change[d]   = mean_n (G(z_n[d := high]) - G(z_n[d := low]))
        strength[d] = mean of moved[d] over the outputs
        whole       = mean_n |G(z_n) - G(z_n+1)|, averaged over the outputs; the last is followed by the first

    For a linear G, `moved[d]` is |weights of d| * (high - low) whatever z is. For any other it is what number d does on
    average while the others are drawn from their law. Memory is the results' and that of some OUTPUTS_AT_ONCE numbers.
    """
    import torch

    if not low < high:
        raise UsageError(f"an influence goes from a lower to a higher value, not from {low:g} to {high:g}")
    members, count, size = z.shape
    shape = tuple(G(z[:, :1]).shape[2:])
    outputs = max(1, math.prod(shape))
    moved, change = (z.new_zeros(members, size, *shape) for _ in range(2))
    by_vector = z.new_zeros(members, count, size)
    at_once = max(1, OUTPUTS_AT_ONCE // (2 * members * outputs))
    some = min(count, at_once)
    dims_at_once = min(size, max(1, at_once // some))
    index = torch.arange(size, device=z.device)
    for dims in index.split(dims_at_once):
        for first in range(0, count, some):
            base = z[:, first : first + some]
            # (P, n, dims, two ends, size)
            ends = base[:, :, None, None, :].repeat(1, 1, len(dims), 2, 1)
            for end, value in enumerate((low, high)):
                ends[:, :, :, end].masked_fill_(dims[:, None] == index, value)
            given = G(ends.flatten(1, 3)).reshape(members, base.shape[1], len(dims), 2, *shape)
            steps = given[:, :, :, 1] - given[:, :, :, 0]
            change[:, dims] += steps.sum(1)
            moved[:, dims] += steps.abs().sum(1)
            by_vector[:, first : first + some, dims] = steps.abs().flatten(3).mean(3)
    spread = by_vector.std(1) / math.sqrt(count) if count > 1 else torch.full_like(by_vector[:, 0], math.nan)
    return Influence(moved / count, change / count, by_vector.mean(1), spread, _whole(G, z, at_once))


def _whole(G: Callable[[Tensor], Tensor], z: Tensor, at_once: int) -> Tensor:
    import torch

    members, count, _ = z.shape
    if count < 2:
        return torch.full_like(z[:, 0, 0], math.nan)
    total = z.new_zeros(members)
    for first in range(0, count, at_once):
        at = torch.arange(first, min(first + at_once, count), device=z.device)
        step = G(z[:, (at + 1) % count]) - G(z[:, at])
        total += step.abs().flatten(2).mean(2).sum(1)
    return total / count


def region(weight: Tensor) -> str:
    """Where the weight of one map lies, in a word or two; `weight` is not negative and has an example's shape.

    For images `(C, H, W)` the regions are `top`, `bottom`, `left` and `right` (the outer thirds), `middle` (the inner
    third both ways) and `border` (a sixth of the way in from each edge). The word is that of the region whose share of
    `weight` most exceeds its share of the area, by CLEAR or more; two words, as in `top left`, where both do; `all
    over` where none does. For vectors: the number that moves most, counted from 1.
    """
    if not weight.isfinite().all() or weight.sum() <= 0:
        return "nowhere"
    if weight.ndim != 3:
        return f"number {int(weight.flatten().argmax()) + 1}"
    flat = weight.sum(0) / weight.sum()
    gains = {name: float((flat * mask).sum() - mask.mean()) for name, mask in _regions(flat).items()}
    best = max(gains, key=lambda name: gains[name])
    if gains[best] < CLEAR:
        return "all over"
    if best in ("middle", "border"):
        return best
    words = [max(pair, key=lambda name: gains[name]) for pair in (("top", "bottom"), ("left", "right"))]
    return " ".join(word for word in words if gains[word] >= CLEAR)


def effect(change: Tensor) -> str:
    """What one map of signed changes does, in words: `darkens top`, `brightens middle, darkens border`.

    Brightening or darkening is told where it is a fifth or more of all change. Of vectors it is told which numbers,
    from 1, rise or fall by a tenth or more of all change: `raises 1, 3, lowers 2, 4`.
    """
    total = float(change.abs().sum())
    if not math.isfinite(total) or total <= 0:
        return "nothing"
    told: list[str] = []
    for image_verb, vector_verb, part in (
        ("brightens", "raises", change.clamp(min=0)),
        ("darkens", "lowers", (-change).clamp(min=0)),
    ):
        if change.ndim == 3:
            if part.sum() >= total / 5:
                told.append(f"{image_verb} {region(part)}")
        elif some := [str(k + 1) for k, moved in enumerate(part.flatten().tolist()) if moved >= total / 10]:
            told.append(f"{vector_verb} {', '.join(some)}")
    return ", ".join(told) or "a little of everything"


def _regions(flat: Tensor) -> dict[str, Tensor]:
    """Masks `(H, W)` of ones and zeros."""
    import torch

    height, width = flat.shape
    y = ((torch.arange(height, device=flat.device) + 0.5) / height)[:, None].expand(height, width)
    x = ((torch.arange(width, device=flat.device) + 0.5) / width)[None, :].expand(height, width)
    third, rim = 1 / 3, 1 / 6
    masks = {
        "top": y < third,
        "bottom": y > 1 - third,
        "left": x < third,
        "right": x > 1 - third,
        "middle": ((y - 0.5).abs() < third / 2) & ((x - 0.5).abs() < third / 2),
        "border": ((y - 0.5).abs() > 0.5 - rim) | ((x - 0.5).abs() > 0.5 - rim),
    }
    return {name: mask.to(flat.dtype) for name, mask in masks.items()}
