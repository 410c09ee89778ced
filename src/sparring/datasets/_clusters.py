"""Clusters of similar examples, found by k-means: they take the place of classes where data have none."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from sparring.datasets import Source
from sparring.datasets._images import Images
from sparring.datasets._stored import Rows
from sparring.errors import UsageError

SIDE = 32
"""Images are compared at up to this many pixels a side."""
COMPONENTS, FITTED = 50, 10_000
"""Principal components by which examples are compared, and the number of examples that these are found from."""
BATCH, STARTS = 4_096, 5
"""Of minibatch k-means."""
KEPT = 4
"""Data whose clusters are remembered: several games of a process are of the same."""


@dataclass(frozen=True, eq=False)
class Clusters:
    """K clusters of N examples."""

    to_components: Callable[[np.ndarray], np.ndarray]
    """Examples -> what is compared, `(M, F)`."""
    centers: np.ndarray
    """`(K, F)`."""
    labels: np.ndarray
    """The cluster of each example, int64 `(N,)`."""

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Examples in each cluster."""
        return tuple(np.bincount(self.labels, minlength=len(self.centers)).tolist())

    def of(self, examples: np.ndarray) -> np.ndarray:
        """The clusters of other examples, uint8 images `(M, C, H, W)` or numbers `(M, *shape)`: int64 `(M,)`."""
        from scipy.spatial.distance import cdist

        return cdist(self.to_components(examples), self.centers, "sqeuclidean").argmin(1)


def clusters_of(source: Source, count: int) -> Clusters:
    """`count` clusters of a source's examples, by minibatch k-means of their principal components.

    D. Sculley, "Web-scale k-means clustering", WWW 2010. The same examples give the same clusters, whatever the number
    of threads. Raises UsageError for data that is drawn without end, and for fewer examples than clusters.
    """
    examples = _examples(source)
    if len(examples) < count:
        raise UsageError(
            f"clusters must be at most the number of examples, {len(examples):,}, not {count:,}; --clusters 0 (in "
            "Python clusters=0) trains without them"
        )
    key = _hash(examples), count
    if key not in _known:
        _known[key] = _found(examples, count)
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


def _found(examples: np.ndarray, count: int) -> Clusters:
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.decomposition import PCA
    from threadpoolctl import threadpool_limits

    def to_components(some: np.ndarray) -> np.ndarray:
        parts = np.array_split(some, -(-len(some) // BATCH))
        return np.concatenate([pca.transform(_rows(part)) for part in parts]).astype(np.float32)

    # With one thread sums come out the same on every machine of a kind; random_state is sklearn's seed.
    with threadpool_limits(1):
        some = _rows(examples[np.random.default_rng(0).permutation(len(examples))[:FITTED]])
        pca = PCA(min(COMPONENTS, *some.shape), random_state=0).fit(some)
        compared = to_components(examples)
        k_means = MiniBatchKMeans(count, batch_size=BATCH, n_init=STARTS, random_state=0).fit(compared)
        labels: Any = k_means.predict(compared)
    return Clusters(to_components, k_means.cluster_centers_, labels.astype(np.int64))


def _examples(source: Source) -> np.ndarray:
    if isinstance(source, Images):
        return source.pixels.cpu().numpy()
    if isinstance(source, Rows):
        return source.rows.cpu().numpy()
    raise UsageError("clusters are for data of so many examples, not for data that is drawn without end")


def _rows(examples: np.ndarray) -> np.ndarray:
    """Examples as rows, float32 `(N, F)`: of images their pixels in [0, 1], of large ones averaged over squares."""
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
