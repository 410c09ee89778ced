"""Clusters of similar examples, found by k-means: they take the place of classes where data have none."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from sparring.datasets import Source
from sparring.datasets._images import Images
from sparring.datasets._stored import Rows
from sparring.errors import UsageError

SIDE = 16
"""Images are compared at up to this many pixels a side: finer detail tells images of one kind from one another."""
BATCH, STARTS = 4_096, 5
"""Of minibatch k-means."""
KEPT = 4
"""Data whose clusters are remembered: several games of a process are of the same."""


@dataclass(frozen=True, eq=False)
class Clusters:
    """K clusters of N examples."""

    centers: np.ndarray
    """float32 `(K, F)`."""
    labels: np.ndarray
    """The cluster of each example, int64 `(N,)`."""

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Examples in each cluster."""
        return tuple(np.bincount(self.labels, minlength=len(self.centers)).tolist())

    def of(self, examples: np.ndarray) -> np.ndarray:
        """The clusters of other examples, uint8 images `(M, C, H, W)` or numbers `(M, *shape)`: int64 `(M,)`."""
        from scipy.spatial.distance import cdist

        parts = np.array_split(_compared(examples), max(1, len(examples) // BATCH))
        return np.concatenate([cdist(part, self.centers, "sqeuclidean").argmin(1) for part in parts])


def clusters_of(source: Source, count: int) -> Clusters:
    """`count` clusters of a source's examples, by minibatch k-means.

    D. Sculley, "Web-scale k-means clustering", WWW 2010. The same examples give the same clusters, whatever the number
    of threads. Raises UsageError for data that is drawn without end, and for fewer examples than clusters.
    """
    examples = _examples(source)
    if len(examples) < count:
        raise UsageError(f"clusters must be at most the number of examples, {len(examples):,}, not {count:,}")
    key = _hash(examples), count
    if key not in _known:
        _known[key] = _found(_compared(examples), count)
        if len(_known) > KEPT:
            _known.popitem(last=False)
    return _known[key]


def in_clusters(source: Source, count: int) -> Source:
    """The same examples, with their clusters in place of classes. Raises UsageError as `clusters_of` does."""
    labels = clusters_of(source, count).labels
    if isinstance(source, Images):
        return replace(source, labels=labels, read_labels=None)
    import torch

    assert isinstance(source, Rows)
    return replace(source, labels=torch.from_numpy(labels).to(source.rows.device))


_known: OrderedDict[tuple[str, int], Clusters] = OrderedDict()


def _found(rows: np.ndarray, count: int) -> Clusters:
    from sklearn.cluster import MiniBatchKMeans
    from threadpoolctl import threadpool_limits

    # With one thread sums come out the same on every machine of a kind; random_state is sklearn's seed.
    with threadpool_limits(1):
        fitted = MiniBatchKMeans(count, batch_size=BATCH, n_init=STARTS, random_state=0).fit(rows)
        found: Any = fitted.predict(rows)
    return Clusters(fitted.cluster_centers_.astype(np.float32), found.astype(np.int64))


def _examples(source: Source) -> np.ndarray:
    if isinstance(source, Images):
        return source.pixels.cpu().numpy()
    if isinstance(source, Rows):
        return source.rows.cpu().numpy()
    raise UsageError("clusters are for data of so many examples, not for data that is drawn without end")


def _compared(examples: np.ndarray) -> np.ndarray:
    """What is compared, float32 `(N, F)`: of images their pixels in [0, 1], averaged over squares."""
    if examples.dtype != np.uint8:
        return examples.reshape(len(examples), -1).astype(np.float32)
    height, width = examples.shape[2:]
    square = -(-min(height, width) // SIDE)
    cut = examples[:, :, : height // square * square, : width // square * square]
    parts = cut.reshape(*cut.shape[:2], height // square, square, width // square, square)
    return (parts.mean((3, 5), dtype=np.float32) / 255).reshape(len(examples), -1)


def _hash(examples: np.ndarray) -> str:
    import hashlib

    digest = hashlib.blake2b(f"{examples.dtype} {examples.shape}".encode(), digest_size=16)
    digest.update(np.ascontiguousarray(examples).data)
    return digest.hexdigest()
