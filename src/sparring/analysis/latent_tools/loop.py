"""A closed path through latent vectors, followed at a speed that looks constant."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from sparring.analysis.latent_tools.blend import blend
from sparring.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

FINER = 4
"""Places along the path at which examples are compared, for each frame."""
MIN_STOPS = 2
"""Latent vectors that a path needs."""
AT_ONCE = 128
"""Latent vectors of each member at a time."""


def check_stops(count: int) -> None:
    """Raises UsageError for fewer latent vectors than a closed path passes."""
    if count < MIN_STOPS:
        raise UsageError(f"a loop needs at least {MIN_STOPS} latent vectors, not {count}")


def closed_path(stops: Tensor, steps: int) -> Tensor:
    """The closed path through latent vectors: from each to the next by spherical interpolation, and back to the first.

    Args:
        stops: `(P, K, size)`, K at least 2.
        steps: Places from one to the next, without the next.

    Returns:
        `(P, K * steps, size)`.

    Raises:
        UsageError: There are fewer than two vectors.
    """
    import torch

    check_stops(stops.shape[1])
    following = stops.roll(-1, 1)
    pairs = zip(stops.unbind(1), following.unbind(1), strict=True)
    return torch.cat([blend(torch.stack(pair, 1), steps + 1, "spherical")[:, :-1] for pair in pairs], 1)


def even_frames(features: np.ndarray, frames: int) -> np.ndarray:
    """Places on a closed path between which features change by about the same amount.

    Args:
        features: Of the examples along the path, `(T, F)`; after the last comes the first.
        frames: How many places.

    Returns:
        Positions in units of steps of the path, float64 `(frames,)`, from 0 and below T. Where no feature changes they
        are evenly spaced.
    """
    steps = np.linalg.norm(np.roll(features, -1, axis=0) - features, axis=1)
    if not np.isfinite(steps).all() or steps.sum() <= 0:
        steps = np.ones(len(features))
    along = np.concatenate([[0.0], np.cumsum(steps)])
    return np.interp(np.arange(frames) / frames * along[-1], along, np.arange(len(along)))


def loop(
    G: Callable[[Tensor], Tensor],
    stops: Tensor,
    frames: int,
    features: Callable[[np.ndarray], np.ndarray],
    on_step: Callable[[float], None] = lambda share: None,
) -> tuple[np.ndarray, np.ndarray]:
    """Examples along a closed path, at a speed that is constant as features see it.

    Args:
        G: Latent vectors `(P, N, size)` -> examples `(P, N, *shape)` in data units.
        stops: The vectors that it passes, `(P, K, size)`.
        frames: How many examples.
        features: Examples `(N, *shape)` -> `(N, F)`.
        on_step: Called now and then with the share of the work that is done.

    Returns:
        Examples `(P, frames, *shape)`, and for each member how much steps between frames differ: the standard deviation
        of the change of features over its mean, `(P,)`; 0 is a constant speed.

    Raises:
        UsageError: There are fewer than two vectors.
    """
    import torch

    path = closed_path(stops, max(2, -(-FINER * frames // stops.shape[1])))
    done, total = 0, path.shape[1] + frames

    def seen(z: Tensor) -> tuple[list[np.ndarray], np.ndarray]:
        """Examples in parts, and the features of all of them, `(P, N, F)`."""
        nonlocal done
        made: list[np.ndarray] = []
        found: list[np.ndarray] = []
        for part in z.split(AT_ONCE, 1):
            made.append(G(part).numpy())
            found.append(np.stack([features(member) for member in made[-1]]))
            done += part.shape[1]
            on_step(done / total)
        return made, np.concatenate(found, 1)

    places = [even_frames(along, frames) for along in seen(path)[1]]
    z = torch.stack([_between(path[member], place) for member, place in enumerate(places)])
    made, found = seen(z)
    steps = np.linalg.norm(np.roll(found, -1, 1) - found, axis=2)
    mean = steps.mean(1)
    return np.concatenate(made, 1), np.divide(steps.std(1), mean, out=np.zeros_like(mean), where=mean > 0)


def _between(path: Tensor, places: np.ndarray) -> Tensor:
    """Vectors at positions on a closed path `(T, size)`: its steps are short, so that straight lines will do."""
    import torch

    at = torch.from_numpy(np.floor(places)).long()
    rest = torch.from_numpy(places - np.floor(places))[:, None].to(path.dtype)
    return (1 - rest) * path[at % len(path)] + rest * path[(at + 1) % len(path)]
