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
from sparring.judges.network import FEATURES, JudgeNetwork
from sparring.progress import progress

HERE = Path(__file__).parent
LARGEST = 300 * 1024
"""Bytes that one judge's weights may take in the package."""
MOST_STACKED = 3
"""Channels whose classes are spelt out together: ten times as many classes for each."""
AT_ONCE = 1_000
"""Images that a judge looks at in one go."""
COLORS = (1, 3)
"""Channels of gray images, and of those of red, green and blue."""


@dataclass(frozen=True)
class Opinion:
    """What a judge makes of N examples."""

    features: np.ndarray
    """float32 `(N, F)`."""
    probabilities: np.ndarray | None
    """Of the classes, float32 `(N, K)`; rows add up to 1. None where the judge knows no classes."""


@dataclass(frozen=True)
class Judge:
    """A trained network and what is known of it."""

    name: str
    network: nn.Module
    """Images `(B, C, H, W)` in data units -> features `(B, F)` and class scores, which may mean nothing."""
    shape: tuple[int, ...] | None
    """Of the images it looks at; None for images of any size, gray or of red, green and blue."""
    facts: Mapping[str, Any]
    """How it was trained and how well it does, as its file tells."""
    at_once: int = AT_ONCE
    """Images that it looks at in one go."""
    slow: bool = False
    """Whether its looking takes so long that progress is told."""

    @property
    def accuracy(self) -> float | None:
        """Share of held-out examples that it names rightly; None where it knows no classes."""
        right = self.facts.get("accuracy")
        return None if right is None else float(right)

    @property
    def features(self) -> int:
        """How many it sees in an image; in each of several stacked as channels."""
        return int(self.facts.get("features", FEATURES))

    @property
    def words(self) -> str:
        """How it was taught or how well it does."""
        return self.facts.get("words") or f"{self.accuracy:.2%} right on held-out data"

    def sees(self, shape: tuple[int, ...]) -> bool:
        """Whether it can look at images of this shape: its own, or several of its own stacked as channels."""
        if self.shape is None:
            return len(shape) == 3 and shape[0] in COLORS
        stacked = self.shape[0] == 1 and len(shape) == 3 and 1 <= shape[0] <= MOST_STACKED
        return tuple(shape) == self.shape or (stacked and tuple(shape[1:]) == self.shape[1:])

    def refusal(self, shape: tuple[int, ...]) -> str:
        """What to say of images that it cannot look at."""
        what = "images of 1 or 3 channels" if self.shape is None else f"{self.shape} images"
        return f"the judge {self.name!r} looks at {what}, not at {tuple(shape)}"

    @torch.no_grad()
    def __call__(self, examples: np.ndarray) -> Opinion:
        """What it makes of images `(N, C, H, W)` in data units; what lies outside [0, 1] is seen at the bound.

        Of images stacked as channels it looks at each by itself: features are put side by side, and a class is the
        number that the channels' classes spell. Raises UsageError for images that it cannot look at.
        """
        if not self.sees(examples.shape[1:]):
            raise UsageError(self.refusal(examples.shape[1:]))
        seen = torch.from_numpy(np.clip(np.nan_to_num(examples), 0, 1).astype(np.float32))
        told = [self._evaluate(image) for image in ([seen] if self.shape is None else seen.split(self.shape[0], dim=1))]
        features = torch.cat([features for features, _ in told], 1).numpy()
        if self.accuracy is None:
            return Opinion(features, None)
        chances = told[0][1].softmax(1)
        for _, more in told[1:]:
            chances = (chances[:, :, None] * more.softmax(1)[:, None]).flatten(1)
        return Opinion(features, chances.numpy())

    def _evaluate(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Features and class scores."""
        if not self.slow:
            pairs = [self.network(part) for part in images.contiguous().split(self.at_once)]
        else:
            pairs = list[tuple[torch.Tensor, torch.Tensor]]()
            with progress(f"looking at {len(images):,} images through {self.name}", len(images)) as tell:
                for part in images.contiguous().split(self.at_once):
                    pairs.append(self.network(part))
                    tell(min(len(images), self.at_once * len(pairs)))
        return torch.cat([features for features, _ in pairs]), torch.cat([scores for _, scores in pairs])


def names() -> list[str]:
    """The judges that come with the package."""
    return sorted(path.stem for path in HERE.glob("*.safetensors"))


@cache
def judge(name: str) -> Judge:
    """A judge that comes with the package. Raises UsageError when there is none of that name."""
    if name not in names():
        there = f"{', '.join(names())}; to measure, own and inception too"
        raise UsageError(f"no judge called {name!r}; there are: {there}")
    return read(HERE / f"{name}.safetensors")


def read(path: Path) -> Judge:
    """The judge in a file that `write` wrote, under the name that its facts tell, or else its file's."""
    with safetensors.safe_open(path, framework="numpy") as file:
        facts = json.loads((file.metadata() or {})["judge"])
    weights = {name: torch.from_numpy(w.astype(np.float32)) for name, w in safetensors.numpy.load_file(path).items()}
    shape = tuple(facts["shape"])
    network = JudgeNetwork(shape, facts["classes"])
    network.load_state_dict(weights, strict=False)  # the count of batches seen is left out of the file
    return Judge(facts.get("name", path.stem), network.eval().requires_grad_(False), shape, facts)


def write(network: JudgeNetwork, path: Path, facts: Mapping[str, Any]) -> None:
    """Keep a judge, its weights as float16: half the bytes. Its accuracy is to be taken from what was kept."""
    path.write_bytes(safetensors.numpy.save(kept(network), metadata={"judge": json.dumps(dict(facts))}))


def kept(network: JudgeNetwork) -> dict[str, np.ndarray]:
    """What a file holds of a judge's weights, float16."""
    return {n: t.numpy().astype(np.float16) for n, t in network.state_dict().items() if t.is_floating_point()}
