"""Latent interpolation: from one latent vector to another, or over the square between four."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from sparring.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

Path = Literal["linear", "spherical"]

MIN_SINE = 1e-6
"""When the sine of the angle between two vectors is not above this, the arc is replaced by the straight line."""


def blend(corners: Tensor, steps: int, path: Path = "linear") -> Tensor:
    """Interpolate between latent vectors.

    With t from 0 to 1 in equal steps,

    - `linear` is `(1 - t) a + t b`;
    - `spherical` turns from the direction of a to that of b at a constant angular speed (slerp: K. Shoemake, "Animating
      rotation with quaternion curves", SIGGRAPH 1985), while the length goes linearly from |a| to |b|. Normal latent
      vectors have lengths near sqrt(size), and a straight line passes through shorter ones that the generator hardly
      ever saw in training. Where the arc is not defined (a zero vector, opposite vectors) and where it hardly differs
      (nearly parallel vectors), the straight line is used.

    Args:
        corners: Two vectors, `(P, 2, size)`, or four, `(P, 4, size)`, as the corners of a square in reading order: top
            left, top right, bottom left, bottom right.
        steps: Vectors along each side, both ends included.
        path: `linear` or `spherical`.

    Returns:
        `(P, steps, size)` for two vectors, `(P, steps, steps, size)` for four: rows first, then columns.

    Raises:
        UsageError: `path` is neither, `steps` is below 2, or there are not 2 or 4 vectors.
    """
    if path not in get_args(Path):
        raise UsageError(f"a path is {' or '.join(get_args(Path))}, not {path!r}")
    if steps < 2:
        raise UsageError(f"an interpolation needs at least 2 steps, not {steps}")
    count = corners.shape[1]
    if count not in (2, 4):
        raise UsageError(f"an interpolation is between 2 or 4 latent vectors, not {count}")
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
    nonzero = (lengths[0] > 0) & (lengths[1] > 0)
    first, second = (torch.where(nonzero, length, 1.0) for length in lengths)
    # By its tangent, because the cosine of a small angle is inaccurate.
    angle = 2 * torch.atan2((a / first - b / second).norm(dim=-1), (a / first + b / second).norm(dim=-1)).unsqueeze(-1)
    turns = nonzero & (angle.sin() > MIN_SINE)
    angle = torch.where(turns, angle, 1.0)
    length = (1 - t) * first + t * second
    arc = ((1 - t) * angle).sin() / angle.sin() * length / first * a + (t * angle).sin() / angle.sin() * (
        length / second * b
    )
    return torch.where(turns, arc, straight)
