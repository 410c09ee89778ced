"""The way from one latent vector to another, or the square between four."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from sparring.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

Path = Literal["linear", "spherical"]

STRAIGHT = 1e-6
"""Sine of the angle between two vectors from which down the arc is replaced by the straight line."""


def blend(corners: Tensor, steps: int, path: Path = "linear") -> Tensor:
    """Two vectors `(P, 2, size)` -> `(P, steps, size)`; four `(P, 4, size)` -> `(P, steps, steps, size)`.

    The ends are the vectors themselves. Four are the corners of a square in reading order (top left, top right, bottom
    left, bottom right): along each row, then down each column. With t from 0 to 1 in equal steps,

    - `linear` is `(1 - t) a + t b`;
    - `spherical` turns from the direction of a to that of b at a constant speed (K. Shoemake, "Animating rotation with
      quaternion curves", SIGGRAPH 1985) while the length goes linearly from |a| to |b|, so vectors of one length keep
      it. A normal latent vector has a length near sqrt(size), and a straight line passes through shorter ones that the
      generator has hardly ever seen. Where the turn is not defined, because a vector is zero or the two are opposite,
      and where it hardly differs, because they are nearly parallel, the straight line is taken.
    """
    if path not in get_args(Path):
        raise UsageError(f"a path is {' or '.join(get_args(Path))}, not {path!r}")
    if steps < 2:
        raise UsageError(f"a blend needs at least 2 steps, not {steps}")
    count = corners.shape[1]
    if count not in (2, 4):
        raise UsageError(f"a blend lies between 2 or 4 latent vectors, not {count}")
    exact = corners.double()
    if count == 2:
        return _between(exact[:, 0], exact[:, 1], steps, path).to(corners.dtype)
    top, bottom = _between(exact[:, 0], exact[:, 1], steps, path), _between(exact[:, 2], exact[:, 3], steps, path)
    return _between(top, bottom, steps, path).transpose(1, 2).to(corners.dtype)


def _between(a: Tensor, b: Tensor, steps: int, path: Path) -> Tensor:
    """`(..., size)` twice -> `(..., steps, size)`."""
    import torch

    t = torch.linspace(0, 1, steps, dtype=a.dtype, device=a.device)[:, None]
    a, b = a.unsqueeze(-2), b.unsqueeze(-2)
    straight = (1 - t) * a + t * b
    if path == "linear":
        return straight
    lengths = a.norm(dim=-1, keepdim=True), b.norm(dim=-1, keepdim=True)
    there = (lengths[0] > 0) & (lengths[1] > 0)
    first, second = (torch.where(there, length, 1.0) for length in lengths)
    # The angle by its tangent: its cosine says little of a small one.
    angle = 2 * torch.atan2((a / first - b / second).norm(dim=-1), (a / first + b / second).norm(dim=-1)).unsqueeze(-1)
    turns = there & (angle.sin() > STRAIGHT)
    angle = torch.where(turns, angle, 1.0)
    length = (1 - t) * first + t * second
    arc = ((1 - t) * angle).sin() / angle.sin() * length / first * a + (t * angle).sin() / angle.sin() * (
        length / second * b
    )
    return torch.where(turns, arc, straight)
