"""How much each latent dimension influences the outputs of a generator, where, and in which direction."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from sparring.analysis.wording import listed
from sparring.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

OUTPUTS_AT_ONCE = 2**22
"""Output values per call of the generators, which limits memory whatever the numbers of members and dimensions."""
MIN_EXCESS = 0.05
"""A map is said to lie in a region whose share of the map exceeds its share of the area by this much."""
MIN_AGREEMENT = 1 / 3
"""Share of the mean absolute change that must be left in the mean signed change, or the direction varies too much."""
MIN_IMAGE_SHARE, MIN_VECTOR_SHARE = 1 / 5, 1 / 10
"""Share of all change from which on brightening or darkening, or a rise or fall of one number, is mentioned."""


class Influence(NamedTuple):
    """The result of `influence`, for P members, latent vectors of `size` dimensions and examples of some `shape`."""

    moved: Tensor
    """Mean absolute change of each output, `(P, size, *shape)`, in the units of the outputs."""
    change: Tensor
    """Mean signed change, `(P, size, *shape)`: how much brighter a pixel becomes."""
    strength: Tensor
    """`moved`, averaged over the outputs, `(P, size)`."""
    error: Tensor
    """Standard error of `strength` over the N base vectors, `(P, size)`; NaN if N = 1."""
    whole: Tensor
    """Mean absolute difference between the outputs of two random latent vectors, `(P,)`: the baseline. NaN if N = 1."""

    @property
    def share(self) -> Tensor:
        """Each dimension's share of the sum of all strengths, `(P, size)`; zero where nothing changes."""
        total = self.strength.sum(1, keepdim=True)
        return self.strength / total.where(total > 0, 1.0)

    @property
    def order(self) -> Tensor:
        """Indices of the dimensions from the strongest to the weakest, `(P, size)`."""
        return self.strength.argsort(dim=1, descending=True, stable=True)


def influence(
    G: Callable[[Tensor], Tensor], z: Tensor, low: float = -3.0, high: float = 3.0, size: int | None = None
) -> Influence:
    """Measure how outputs change when each latent dimension goes from `low` to `high` and the others stay.

    With z[d := v] for z with dimension d set to v, and means over the N base vectors of a member,

        moved[d]    = mean_n |G(z_n[d := high]) - G(z_n[d := low])|
        change[d]   = mean_n (G(z_n[d := high]) - G(z_n[d := low]))
        strength[d] = mean of moved[d] over the outputs
        whole       = mean_n |G(z_n) - G(z_n+1)|, averaged over the outputs; the last is followed by the first

    For a linear G, `moved[d]` is |weights of d| * (high - low) whatever z is. Otherwise it is the effect of dimension d
    averaged over the latent distribution of the others. Memory is that of the results and of about OUTPUTS_AT_ONCE
    values.

    Args:
        G: Maps latent vectors `(P, n, size)` to examples `(P, n, *shape)`.
        z: Base vectors, `(P, N, size)`, or longer ones, with the one-hot class behind.
        low: The lower value of a dimension.
        high: The higher one.
        size: Dimensions of a latent vector, where more numbers follow that are no dimensions; all if None.

    Returns:
        The influence of every dimension of every member.

    Raises:
        UsageError: `low` is not below `high`.
    """
    import torch

    if not low < high:
        raise UsageError(f"the lower value must be below the higher one: {low:g} is not below {high:g}")
    members, count, width = z.shape
    size = width if size is None else size
    shape = tuple(G(z[:, :1]).shape[2:])
    outputs = max(1, math.prod(shape))
    moved, change = (z.new_zeros(members, size, *shape) for _ in range(2))
    by_vector = z.new_zeros(members, count, size)
    at_once = max(1, OUTPUTS_AT_ONCE // (2 * members * outputs))
    some = min(count, at_once)
    dims_at_once = min(size, max(1, at_once // some))
    index = torch.arange(width, device=z.device)
    for dims in index[:size].split(dims_at_once):
        for first in range(0, count, some):
            base = z[:, first : first + some]
            # (P, n, dims, two ends, size)
            ends = base[:, :, None, None, :].repeat(1, 1, len(dims), 2, 1)
            for end, value in enumerate((low, high)):
                ends[:, :, :, end].masked_fill_(dims[:, None] == index, value)
            outputs_of_ends = G(ends.flatten(1, 3)).reshape(members, base.shape[1], len(dims), 2, *shape)
            steps = outputs_of_ends[:, :, :, 1] - outputs_of_ends[:, :, :, 0]
            change[:, dims] += steps.sum(1)
            moved[:, dims] += steps.abs().sum(1)
            by_vector[:, first : first + some, dims] = steps.abs().flatten(3).mean(3)
    error = by_vector.std(1) / math.sqrt(count) if count > 1 else torch.full_like(by_vector[:, 0], math.nan)
    return Influence(moved / count, change / count, by_vector.mean(1), error, _baseline(G, z, at_once))


def _baseline(G: Callable[[Tensor], Tensor], z: Tensor, at_once: int) -> Tensor:
    """Mean absolute difference between the outputs of neighboring base vectors, `(P,)`."""
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
    """Name the region of an example where one map of changes lies.

    Args:
        weight: Not negative, of an example's shape.

    Returns:
        For an image `(C, H, W)`: `top`, `bottom`, `left` or `right` (the outer thirds), `middle` (the inner third both
        ways) or `border` (a sixth of the way in from each edge), whichever region's share of `weight` exceeds its share
        of the area by most, if by MIN_EXCESS or more; two words, as in `top left`, where both do; `all over` where none
        does; `nowhere` where nothing changes. For a vector: the number that changes most, counted from 1.
    """
    if not weight.isfinite().all() or weight.sum() <= 0:
        return "nowhere"
    if weight.ndim != 3:
        return f"number {int(weight.flatten().argmax()) + 1}"
    flat = weight.sum(0) / weight.sum()
    gains = {name: float((flat * mask).sum() - mask.mean()) for name, mask in _regions(flat).items()}
    best = max(gains, key=lambda name: gains[name])
    if gains[best] < MIN_EXCESS:
        return "all over"
    if best in ("middle", "border"):
        return best
    words = [max(pair, key=lambda name: gains[name]) for pair in (("top", "bottom"), ("left", "right"))]
    return " ".join(word for word in words if gains[word] >= MIN_EXCESS)


def effect(change: Tensor, moved: Tensor) -> str:
    """What happens in words as a dimension rises: `darkens the top`, `brightens the middle, darkens the border`.

    Args:
        change: Mean signed change, of an example's shape.
        moved: Mean absolute change, of the same shape.

    Returns:
        For an image, brightening and darkening and their regions, each if it is a fifth or more of all change. For a
        vector, the numbers, from 1, that rise or fall by a tenth or more of all change: `raises numbers 1 and 3, lowers
        number 2`; x and y for points in the plane. Where most of the change cancels over latent vectors, that it
        depends on them.
    """
    total = float(change.abs().sum())
    if not math.isfinite(total) or float(moved.sum()) <= 0:
        return "changes nothing"
    if total < MIN_AGREEMENT * float(moved.sum()):
        where = _within(region(moved)) if change.ndim == 3 else "the numbers"
        return f"changes {where}, one way or the other as the other dimensions say"
    parts = {"brightens": change.clamp(min=0), "darkens": (-change).clamp(min=0)}
    if change.ndim == 3:
        where = {verb: region(part) for verb, part in parts.items() if part.sum() >= total * MIN_IMAGE_SHARE}
        if len(where) == 2 and set(where.values()) == {"all over"}:
            return "brightens and darkens everything"
        texts = [f"{verb} {_within(name, alone=len(where) == 1)}" for verb, name in where.items()]
    else:
        shares = {"raises": parts["brightens"] / total, "lowers": parts["darkens"] / total}
        indices = {verb: (part.flatten() >= MIN_VECTOR_SHARE).nonzero()[:, 0].tolist() for verb, part in shares.items()}
        texts = [f"{verb} {_named(some, change.numel())}" for verb, some in indices.items() if some]
    return ", ".join(texts) or "changes a little of everything"


def _within(region: str, alone: bool = True) -> str:
    """`top left` as part of a sentence, which is `alone` unless it names another region too."""
    if region == "all over":
        return "everything" if alone else "the rest"
    return f"the {region}"


def _named(indices: list[int], size: int) -> str:
    """Numbers of a vector, from their indices; the two of a point in the plane are x and y."""
    if size == 2:
        return " and ".join("xy"[k] for k in indices)
    return f"number{'s' if len(indices) > 1 else ''} {listed([str(k + 1) for k in indices])}"


def _regions(flat: Tensor) -> dict[str, Tensor]:
    """A mask `(H, W)` of ones and zeros for each region."""
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
