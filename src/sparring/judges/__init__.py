"""Judges: what metrics see of an example: features and class probabilities, mostly of small classifiers of real data.

Values measured with one judge are comparable only with values measured with the same judge, so every measurement names
its own. Each data set has two: one that settings are chosen by, and an independent one that results are reported by.
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
from sparring.judges.residual import ResidualNetwork
from sparring.progress import progress

HERE = Path(__file__).parent
MAX_BYTES = 300 * 1024
"""How large the file of one judge in the package may be."""
MAX_STACKED = 3
"""Channels whose classes are combined: each multiplies the number of classes by ten."""
AT_ONCE = 1_000
"""Images that a judge processes at a time."""
COLORS = (1, 3)
"""Channels of grayscale and of RGB images."""
INDEPENDENT = "-independent"
"""How the names of independent judges end."""


@dataclass(frozen=True)
class JudgeOutput:
    """What a judge gives for N examples."""

    features: np.ndarray
    """float32 `(N, F)`."""
    probabilities: np.ndarray | None
    """Of the classes, float32 `(N, K)`; rows sum to 1. None for a judge without classes."""


@dataclass(frozen=True)
class Judge:
    """A trained network and what is known of it."""

    name: str
    network: nn.Module
    """Images `(B, C, H, W)` in data units -> features `(B, F)` and class scores, which may mean nothing."""
    shape: tuple[int, ...] | None
    """Shape of the images that it takes; None for images of any size, grayscale or RGB."""
    facts: Mapping[str, Any]
    """How it was trained and how well it does, as its file states."""
    at_once: int = AT_ONCE
    """Images that it processes at a time."""
    slow: bool = False
    """Whether it takes so long that progress is shown."""
    bounded: bool = True
    """Whether its examples lie in [0, 1], as images do: others are clipped."""

    @property
    def accuracy(self) -> float | None:
        """Share of held-out examples that it classifies correctly; None for a judge without classes."""
        accuracy = self.facts.get("accuracy")
        return None if accuracy is None else float(accuracy)

    @property
    def features(self) -> int:
        """The number of features of one image; of each channel where several are stacked."""
        return int(self.facts.get("features", FEATURES))

    @property
    def words(self) -> str:
        """How it was trained or how well it does."""
        return self.facts.get("words") or f"{self.accuracy:.2%} accurate on held-out data"

    def accepts(self, shape: tuple[int, ...]) -> bool:
        """Whether it takes images of this shape: its own, or several of its own stacked as channels."""
        if self.shape is None:
            return len(shape) == 3 and shape[0] in COLORS
        stacked = self.shape[0] == 1 and len(shape) == 3 and 1 <= shape[0] <= MAX_STACKED
        return tuple(shape) == self.shape or (stacked and tuple(shape[1:]) == self.shape[1:])

    def refusal(self, shape: tuple[int, ...]) -> str:
        """The error message for images that it does not take."""
        what = "images of 1 or 3 channels" if self.shape is None else f"{self.shape} images"
        return f"the judge {self.name!r} takes {what}, not {tuple(shape)}"

    @torch.no_grad()
    def __call__(self, examples: np.ndarray) -> JudgeOutput:
        """Features and class probabilities of images.

        Args:
            examples: `(N, *shape)` in data units; values of images outside [0, 1] are clipped. Of images that are
                stacked as channels each is processed by itself: features are concatenated, and the class is the number
                that has the channels' classes as its digits.

        Raises:
            UsageError: The judge does not take images of this shape.
        """
        if not self.accepts(examples.shape[1:]):
            raise UsageError(self.refusal(examples.shape[1:]))
        finite = np.nan_to_num(examples)
        images = torch.from_numpy((np.clip(finite, 0, 1) if self.bounded else finite).astype(np.float32))
        channels = [images] if self.shape is None else images.split(self.shape[0], dim=1)
        outputs = [self._evaluate(channel) for channel in channels]
        features = torch.cat([features for features, _ in outputs], 1).numpy()
        if self.accuracy is None:
            return JudgeOutput(features, None)
        probabilities = outputs[0][1].softmax(1)
        for _, scores in outputs[1:]:
            probabilities = (probabilities[:, :, None] * scores.softmax(1)[:, None]).flatten(1)
        return JudgeOutput(features, probabilities.numpy())

    def _evaluate(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Features and class scores."""
        if not self.slow:
            pairs = [self.network(part) for part in images.contiguous().split(self.at_once)]
        else:
            pairs = list[tuple[torch.Tensor, torch.Tensor]]()
            with progress(f"computing {self.name} features of {len(images):,} images", len(images)) as advance:
                for part in images.contiguous().split(self.at_once):
                    pairs.append(self.network(part))
                    advance(min(len(images), self.at_once * len(pairs)))
        return torch.cat([features for features, _ in pairs]), torch.cat([scores for _, scores in pairs])


def names() -> list[str]:
    """The judges that come with the package; after each the independent one of the same data."""
    return sorted(path.stem for path in HERE.glob("*.safetensors"))


@cache
def judge(name: str) -> Judge:
    """A judge that comes with the package.

    Raises:
        UsageError: There is none of that name.
    """
    if name not in names():
        available = f"{', '.join(names())}; to measure, own and inception too"
        raise UsageError(f"no judge called {name!r}; there are: {available}")
    return read(HERE / f"{name}.safetensors")


def read(path: Path) -> Judge:
    """The judge in a file that `write` wrote, under the name that its facts state, or else its file's."""
    with safetensors.safe_open(path, framework="numpy") as file:
        facts = json.loads((file.metadata() or {})["judge"])
    weights = {name: torch.from_numpy(w.astype(np.float32)) for name, w in safetensors.numpy.load_file(path).items()}
    shape = tuple(facts["shape"])
    architecture = ResidualNetwork if facts.get("architecture") == "residual" else JudgeNetwork
    network = architecture(shape, facts["classes"])
    network.load_state_dict(weights, strict=False)  # batch normalization's count of batches is not in the file
    return Judge(facts.get("name", path.stem), network.eval().requires_grad_(False), shape, facts)


def write(network: nn.Module, path: Path, facts: Mapping[str, Any]) -> None:
    """Save a judge with its weights as float16. Its accuracy is to be measured with these weights."""
    path.write_bytes(safetensors.numpy.save(half_precision(network), metadata={"judge": json.dumps(dict(facts))}))


def half_precision(network: nn.Module) -> dict[str, np.ndarray]:
    """A judge's weights as its file has them, float16."""
    return {n: t.numpy().astype(np.float16) for n, t in network.state_dict().items() if t.is_floating_point()}
