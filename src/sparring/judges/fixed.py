"""Fixed features for data that no network is trained on: rows of a table, signals, points, and the tiniest images.

Nothing is learned but scales: principal components of the standardized numbers, how much lies outside of them, how much
neighbors differ, and random cosines of the components, whose means tell any two distributions apart (Rahimi and Recht,
"Random features for large-scale kernel machines", NeurIPS 2007).
"""

from __future__ import annotations

import hashlib
from typing import final

import numpy as np
import torch
from torch import Tensor, nn

from sparring.judges import Judge

MAX_FITTED = 2_048
"""Examples that scales are taken from, at most."""
COMPONENTS, WEIGHTY = 16, 1e-3
"""Principal components at most, and the share of the variance that each must have."""
MIN_SD = 0.05
"""Of a component, in standard deviations of the numbers, and of a number, in their typical one."""
PER_COMPONENT = 8
"""Examples for each component at least: with fewer they fit these examples only."""
EXPLAINED = (0.5, 0.9, 0.99)
"""Shares of the variance: what lies outside the components that explain so much is measured for each of them."""
COSINES, REACHES = 32, (0.7, 0.25)
"""Random cosines, and over what share of the median distance between two examples each half of them changes."""
SERIES = 8
"""From so many numbers in a row on, differences between neighbors are measured."""
FAINT = 1e-3
"""Root mean squares below this share of the data's are alike: they are rounding errors."""
MIN_SPREAD = 0.3
"""Of the logarithms of root mean squares, at least: where the data's noise never varies, a third more is no fault."""
SQUARED_LENGTH = 64.0
"""Mean squared length of the features of real examples, as with the judges that are trained."""
CLAMP = 1e4
"""In standard deviations: further away is no worse, and squares stay finite."""


@final
class FixedFeatures(nn.Module):
    """Examples `(B, *shape)` in data units -> features `(B, F)`, and no class scores `(B, 0)`."""

    mean: Tensor
    scale: Tensor
    basis: Tensor
    spread: Tensor
    center: Tensor
    width: Tensor
    frequencies: Tensor
    phases: Tensor

    def __init__(self, examples: np.ndarray):
        """Takes scales from examples `(N, *shape)`: principal components from every other one, spreads from the
        rest, to which those were not fitted."""
        super().__init__()
        flat = torch.from_numpy(examples.reshape(len(examples), -1).astype(np.float64))
        self.row = examples.shape[-1]
        sd, mean = flat.std(0, correction=0), flat.mean(0)
        typical = sd.square().mean().sqrt()
        for name, value in {"mean": mean, "scale": sd.clamp(min=MIN_SD * float(typical) or 1.0)}.items():
            self.register_buffer(name, value)
        self._find_components(self._standardized(flat[::2]))
        rest = flat[1::2]
        logarithms = self._logarithms(self._standardized(rest), rest)
        center = logarithms.mean(0)
        self.register_buffer("center", center)
        self.register_buffer("width", (logarithms - center).square().mean(0).sqrt().clamp(min=MIN_SPREAD))
        components = self._components(self._standardized(rest))
        apart = float(torch.pdist(components[:512]).median()) or 1.0
        rng = np.random.default_rng(0)
        reach = np.repeat([apart * reach for reach in REACHES], COSINES // len(REACHES))
        self.register_buffer("frequencies", torch.from_numpy(rng.standard_normal((self.count, COSINES)) / reach))
        self.register_buffer("phases", torch.from_numpy(rng.uniform(0, 2 * np.pi, COSINES)))
        self.size = self.count + logarithms.shape[1] + COSINES

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        flat = x.flatten(1).double()
        z = self._standardized(flat)
        components = self._components(z)
        cosines = 2**0.5 * (components @ self.frequencies + self.phases).cos()
        logarithms = (self._logarithms(z, flat) - self.center) / self.width
        features = torch.cat([components, logarithms, cosines], 1) * (SQUARED_LENGTH / self.size) ** 0.5
        return features.float(), features.new_zeros(len(x), 0)

    def _find_components(self, z: Tensor) -> None:
        _, values, directions = torch.linalg.svd(z, full_matrices=False)
        variance = values.square() / len(z)
        share = variance / variance.sum().clamp(min=1e-12)
        limit = max(1, len(z) // PER_COMPONENT)
        self.count = max(1, min(COMPONENTS, limit, int((share > WEIGHTY).sum())))
        enough = [int((share.cumsum(0) < explained).sum()) + 1 for explained in EXPLAINED]
        self.levels = sorted({level for level in enough if level < min(z.shape[1], limit)})
        kept = max([self.count, *self.levels])
        # The sign of a direction is arbitrary: its largest number is positive.
        signs = directions[:kept].gather(1, directions[:kept].abs().argmax(1, keepdim=True)).sign()
        self.register_buffer("basis", directions[:kept] * signs)
        self.register_buffer("spread", variance[: self.count].sqrt().clamp(min=MIN_SD))

    def _standardized(self, flat: Tensor) -> Tensor:
        return ((flat - self.mean) / self.scale).clamp(-CLAMP, CLAMP)

    def _components(self, z: Tensor) -> Tensor:
        """The weightiest principal components, each with a variance of about 1."""
        return z @ self.basis[: self.count].T / self.spread

    def _logarithms(self, z: Tensor, flat: Tensor) -> Tensor:
        """Of the root mean squares of what lies outside the components, and of the differences of neighbors."""
        on_basis, sizes = z @ self.basis.T, list[Tensor]()
        for level in self.levels:
            outside = z - on_basis[:, :level] @ self.basis[:level]
            sizes.append(outside.square().mean(1).sqrt())
        if self.row >= SERIES:
            rows = (flat / self.scale.mean()).clamp(-CLAMP, CLAMP).unflatten(1, (-1, self.row))
            sizes += [rows.diff(n=order).square().flatten(1).mean(1).sqrt() for order in (1, 2)]
        return torch.stack(sizes, 1).add(FAINT).log() if sizes else flat.new_zeros(len(flat), 0)


def fixed_judge(examples: np.ndarray) -> Judge:
    """The judge of data like `examples` `(N, *shape)`, in data units. The same examples give the same judge."""
    fitted = examples[:MAX_FITTED]
    with torch.no_grad():
        network = FixedFeatures(fitted).eval().requires_grad_(False)
    words = f"fixed features, scaled by {len(fitted):,} real examples"
    facts = {"features": network.size, "words": words}
    digest = hashlib.blake2b(np.ascontiguousarray(fitted).tobytes(), digest_size=4).hexdigest()
    return Judge(f"fixed:{digest}", network, tuple(examples.shape[1:]), facts, bounded=False)
