"""Judges: small classifiers of real data, through whose features and classes metrics look at generated data.

A figure that was seen through a judge means something beside figures seen through the same judge only, so every figure
names its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
import torch
from torch import nn

from sparring.errors import UsageError
from sparring.judges.network import JudgeNetwork

HERE = Path(__file__).parent
LARGEST = 300 * 1024
"""Bytes that one judge's weights may take in the package."""
MOST_STACKED = 3
"""Channels whose classes are spelt out together: ten times as many classes for each."""
AT_ONCE = 1_000
"""Images that a judge looks at in one go."""


@dataclass(frozen=True)
class Opinion:
    """What a judge makes of N examples."""

    features: np.ndarray
    """float32 `(N, F)`."""
    probabilities: np.ndarray
    """Of the classes, float32 `(N, K)`; rows add up to 1."""


@dataclass(frozen=True)
class Judge:
    """A trained classifier and what is known of it."""

    name: str
    network: nn.Module
    shape: tuple[int, ...]
    facts: Mapping[str, Any]
    """How it was trained and how well it does, as its file tells."""

    @property
    def accuracy(self) -> float:
        """Share of held-out examples that it names rightly."""
        return float(self.facts["accuracy"])

    def sees(self, shape: tuple[int, ...]) -> bool:
        """Whether it can look at images of this shape: its own, or several of its own stacked as channels."""
        stacked = self.shape[0] == 1 and len(shape) == 3 and 1 <= shape[0] <= MOST_STACKED
        return tuple(shape) == self.shape or (stacked and tuple(shape[1:]) == self.shape[1:])

    def refusal(self, shape: tuple[int, ...]) -> str:
        """What to say of images that it cannot look at."""
        return f"the judge {self.name!r} looks at {self.shape} images, not at {tuple(shape)}"

    @torch.no_grad()
    def __call__(self, examples: np.ndarray) -> Opinion:
        """What it makes of images `(N, C, H, W)` in data units; what lies outside [0, 1] is seen at the bound.

        Of images stacked as channels it looks at each by itself: features are put side by side, and a class is the
        number that the channels' classes spell. Raises UsageError for images that it cannot look at.
        """
        if not self.sees(examples.shape[1:]):
            raise UsageError(self.refusal(examples.shape[1:]))
        seen = torch.from_numpy(np.clip(np.nan_to_num(examples), 0, 1).astype(np.float32))
        told = [self._look(channel) for channel in seen.split(self.shape[0], dim=1)]
        chances = told[0][1]
        for _, more in told[1:]:
            chances = (chances[:, :, None] * more[:, None]).flatten(1)
        return Opinion(torch.cat([features for features, _ in told], 1).numpy(), chances.numpy())

    def _look(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        pairs = [self.network(part) for part in images.contiguous().split(AT_ONCE)]
        return torch.cat([features for features, _ in pairs]), torch.cat([scores for _, scores in pairs]).softmax(1)


def names() -> list[str]:
    """The judges that come with the package."""
    return sorted(path.stem for path in HERE.glob("*.safetensors"))


@cache
def judge(name: str) -> Judge:
    """A judge that comes with the package. Raises UsageError when there is none of that name."""
    if name not in names():
        raise UsageError(f"no judge called {name!r}; there are: {', '.join(names())}")
    return read(HERE / f"{name}.safetensors")


def read(path: Path) -> Judge:
    """The judge in a file that `write` wrote."""
    with safetensors.safe_open(path, framework="numpy") as file:
        facts = json.loads((file.metadata() or {})["judge"])
    weights = {name: torch.from_numpy(w.astype(np.float32)) for name, w in safetensors.numpy.load_file(path).items()}
    shape = tuple(facts["shape"])
    network = JudgeNetwork(shape, facts["classes"])
    network.load_state_dict(weights, strict=False)  # the count of batches seen is left out of the file
    return Judge(path.stem, network.eval().requires_grad_(False), shape, facts)


def write(network: JudgeNetwork, path: Path, facts: Mapping[str, Any]) -> None:
    """Keep a judge, its weights as float16: half the bytes. Its accuracy is to be taken from what was kept."""
    held = {n: t.numpy().astype(np.float16) for n, t in network.state_dict().items() if t.is_floating_point()}
    path.write_bytes(safetensors.numpy.save(held, metadata={"judge": json.dumps(dict(facts))}))
