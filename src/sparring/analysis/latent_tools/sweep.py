"""Latent traversal: set one dimension of a latent vector to several values and keep the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sparring.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor


def sweep(z: Tensor, dims: Sequence[int], values: Sequence[float]) -> Tensor:
    """Latent vectors for a traversal of each chosen dimension.

    Args:
        z: Base vectors, `(P, N, size)`.
        dims: Indices of the dimensions to change, from 0.
        values: What to set each to.

    Returns:
        `(P, N, len(dims), len(values), size)`; entry `[p, n, i, j]` is `z[p, n]` with dimension `dims[i]` set to
        `values[j]`.

    Raises:
        UsageError: A dimension lies outside the vector.
    """
    size = z.shape[-1]
    beyond = [dim for dim in dims if not 0 <= dim < size]
    if beyond:
        raise UsageError(f"a latent vector of {size} dimensions has none at index {beyond[0]}")
    swept = z[:, :, None, None, :].repeat(1, 1, len(dims), len(values), 1)
    levels = z.new_tensor(list(values))
    for row, dim in enumerate(dims):
        swept[:, :, row, :, dim] = levels
    return swept
