"""Turn one number of a latent vector and leave the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sparring.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor


def sweep(z: Tensor, dims: Sequence[int], values: Sequence[float]) -> Tensor:
    """Base vectors `(P, N, size)` -> `(P, N, len(dims), len(values), size)`.

    Entry `[p, n, i, j]` is `z[p, n]` with the number at index `dims[i]` (from 0) set to `values[j]`.
    """
    size = z.shape[-1]
    beyond = [dim for dim in dims if not 0 <= dim < size]
    if beyond:
        raise UsageError(f"a latent vector of {size} numbers has no number at index {beyond[0]}")
    swept = z[:, :, None, None, :].repeat(1, 1, len(dims), len(values), 1)
    levels = z.new_tensor(list(values))
    for row, dim in enumerate(dims):
        swept[:, :, row, :, dim] = levels
    return swept
