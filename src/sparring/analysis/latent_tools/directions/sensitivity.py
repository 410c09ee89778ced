"""The directions in which examples change fastest: eigenvectors of the mean of JᵀJ over latent vectors."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from sparring.errors import SparringError, in_one_line, shortened

Generator = Callable[[Tensor], Tensor]

EXACT = 256
"""Latent dimensions up to which all of JᵀJ is computed; of larger ones, only what is strongest, by iteration."""
ROWS = 2_048
"""Latent vectors in one call of the generator."""
EXTRA, STEPS = 8, 12
"""Subspace iteration: vectors beside those that are asked for, and how often JᵀJ is applied."""


class Directions(NamedTuple):
    """Directions that one way has found."""

    vectors: Tensor
    """`(K, size)`, orthonormal where the way makes them so, the strongest first."""
    strength: Tensor
    """`(K,)`, in the unit of the way that found them."""


def sensitivity(G: Generator, z: Tensor, count: int, size: int | None = None) -> Directions:
    """Directions in which outputs change fastest, averaged over latent vectors.

    With J(z) the derivative of the output by z, `(outputs, size)`, the eigenvectors of mean_n J(z_n)ᵀJ(z_n): a small
    step e along eigenvector v changes the output by e² times its eigenvalue in mean squared length, and no direction
    by more than the first. B. Wang and C. Ponce, "A geometric analysis of deep generative image models and its
    applications", ICLR 2021; the metric as in A. Shao et al., "The Riemannian geometry of deep generative models", CVPR
    workshops 2018.

    Args:
        G: Latent vectors `(B, size)` -> examples `(B, *shape)`.
        z: Base vectors, `(N, size)`, or with one-hot classes appended.
        count: How many directions, at most the size of a vector.
        size: How many of a vector's numbers are its own, without the class; all if None.

    Returns:
        Their strength is the root of the eigenvalue over the number of outputs: the root-mean-square change of an
        output for a step of length 1.

    Raises:
        SparringError: The generator has an operation that torch cannot differentiate.
    """
    size = size or z.shape[1]
    count = min(count, size)
    outputs = max(1, G(z[:1]).numel())
    try:
        if size <= EXACT:
            eigenvalues, vectors = torch.linalg.eigh(_whole(G, z, size).double())
            values, vectors = eigenvalues.flip(0)[:count], vectors.flip(1).T[:count]
        else:
            values, vectors = _strongest(G, z, count, size)
    except (RuntimeError, NotImplementedError) as error:
        raise SparringError(
            f"torch cannot differentiate this generator: {shortened(in_one_line(error), 120)}"
        ) from error
    return Directions(signed(vectors).detach().to(z.dtype), (values.clamp(min=0) / outputs).sqrt().detach().to(z.dtype))


def signed(vectors: Tensor) -> Tensor:
    """Each direction with its largest number positive, so that a direction and its opposite are the same one."""
    at = vectors.abs().argmax(1, keepdim=True)
    return vectors * vectors.gather(1, at).sign()


def _whole(G: Generator, z: Tensor, size: int) -> Tensor:
    """mean_n J(z_n)ᵀJ(z_n), `(size, size)`."""
    total = z.new_zeros(size, size)
    basis = torch.eye(size, z.shape[1], dtype=z.dtype)
    some = max(1, ROWS // size)
    for base in z.split(some):
        columns = _pushed(G, base.repeat_interleave(size, 0), basis.repeat(len(base), 1))
        J = columns.reshape(len(base), size, -1)
        total += torch.einsum("nio,njo->ij", J, J)
    return total / len(z)


def _strongest(G: Generator, z: Tensor, count: int, size: int) -> tuple[Tensor, Tensor]:
    """The largest eigenvalues and their vectors by subspace iteration: JᵀJ is applied, never made."""
    width = min(size, count + EXTRA)
    generator = torch.Generator().manual_seed(0)
    basis = torch.linalg.qr(torch.randn(size, width, generator=generator, dtype=z.dtype)).Q
    applied = basis
    for _ in range(STEPS):
        applied = _applied(G, z, basis.T).T
        basis = torch.linalg.qr(applied).Q
    small = basis.T @ _applied(G, z, basis.T).T
    values, turned = torch.linalg.eigh(((small + small.T) / 2).double())
    vectors = (basis.double() @ turned).T
    return values.flip(0)[:count], vectors.flip(0)[:count]


def _applied(G: Generator, z: Tensor, vectors: Tensor) -> Tensor:
    """Each of `vectors` `(K, size)` times mean_n J(z_n)ᵀJ(z_n)."""
    total = torch.zeros_like(vectors)
    padded = torch.nn.functional.pad(vectors, (0, z.shape[1] - vectors.shape[1]))
    for base in z.split(max(1, ROWS // len(vectors))):
        points, tangents = base.repeat_interleave(len(vectors), 0), padded.repeat(len(base), 1)
        pushed = _pushed(G, points, tangents)
        pull = cast(Any, torch.func.vjp(G, points))[1]
        (pulled,) = pull(pushed)
        total += pulled[:, : vectors.shape[1]].reshape(len(base), *vectors.shape).sum(0)
    return total / len(z)


def _pushed(G: Generator, points: Tensor, tangents: Tensor) -> Tensor:
    """J(point) times tangent, row by row: `(B, size)` twice -> `(B, *shape)`."""
    # Its first call imports a corner of torch that is made with a deprecated function of torch.
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        return torch.func.jvp(G, (points,), (tangents,))[1]
