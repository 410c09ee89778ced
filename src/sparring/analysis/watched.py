"""A watched loop's run, read without the code that it was written with: its generator and some of its real examples."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast, final

import numpy as np
import safetensors
import torch
from torch import Tensor

from sparring.catalogue import OwnPart
from sparring.datasets import Card, Dataset, Shape, Source
from sparring.datasets._images import Images, content_hash
from sparring.datasets._stored import Rows
from sparring.errors import SparringError, in_one_line
from sparring.game.network_graph import GraphNetwork
from sparring.latents import Latent
from sparring.recipe import Recipe
from sparring.record import RunFolder
from sparring.record.loop import EXAMPLES, GENERATOR, INPUTS, SAME_ROWS, Latents, LoopFacts

if TYPE_CHECKING:
    from sparring.rng import RandomStreams

NEARLY_ALL = 0.9
"""Share of the examples that a run keeps, from which on it is as good as all: copies of others are left out."""


def is_watched(run: RunFolder) -> bool:
    """Whether a run was a user's own loop."""
    try:
        return run.about.get("watched") is not None
    except SparringError:  # about.json is damaged; the journal says it too
        return run.story.loop is not None


def watched_recipe(run: RunFolder) -> Recipe:
    """The recipe of a watched run, with a generator that is read from the run's folder and the examples it keeps.

    Raises:
        SparringError: The run has no such files: its generator could not be written down, or it was killed before.
    """
    facts = run.story.loop
    if facts is None or not (run.path / GENERATOR).is_file():
        raise SparringError(
            f"{run.path} is a watched loop whose generator is not in its folder: sample where it trains"
        )
    base = Recipe.from_dict(run.recipe, placeholders=True)
    seen = SeenExamples.of(run.path, facts)
    latent = base.latent if not isinstance(base.latent, OwnPart) else WatchedLatent(facts.latent, str(run.path))
    made = partial(WatchedGenerator.read, run, facts)
    return dataclasses.replace(base, data=seen, generator=made, latent=latent)


class WatchedGenerator(GraphNetwork):
    """A watched loop's generator, as the rest of Sparring calls one: `(B, size)`, classes appended -> `(B, *shape)`."""

    def __init__(self, graph: dict[str, Any], state: dict[str, Tensor], latent: Latents, shape: Shape):
        super().__init__(graph, state)
        self._latent, self._shape = latent, shape

    @classmethod
    def read(cls, run: RunFolder, facts: LoopFacts) -> WatchedGenerator:
        """From a run's folder. Raises SparringError where its files are damaged."""
        try:
            graph = json.loads((run.path / GENERATOR).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SparringError(f"{run.path / GENERATOR} cannot be read: {in_one_line(error)}") from error
        checkpoint = run.load("G.")
        if checkpoint is None:
            raise SparringError(f"{run.path} has no checkpoint yet; let it train a little longer")
        state = {
            name.removeprefix("G."): torch.from_numpy(np.asarray(array[0])) for name, array in checkpoint[1].items()
        }
        # As the weights of any generator: what has none to train is taken for a mistake.
        return cls(graph, state, facts.latent, facts.makes or facts.data.shape).requires_grad_(True)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Raises what torch raises for inputs of another size."""
        (x,) = inputs
        latent, size = self._latent, int(np.prod(self._latent.shape))
        z = x[:, :size].unflatten(1, latent.shape)
        if latent.unbatched:
            made = torch.vmap(lambda each: cast(Tensor, GraphNetwork.forward(self, each)))(z)
        elif not latent.classes:
            made = super().forward(z)
        else:
            one_hot = x[:, size:]
            made = super().forward(z, one_hot if latent.one_hot else one_hot.argmax(1))
        examples = made if isinstance(made, Tensor) else max(cast(list[Tensor], made), key=lambda t: t.numel())
        return examples.reshape(x.shape[0], *self._shape)  # by its shape, which the exporter follows; len() it does not


@final
@dataclass(frozen=True)
class WatchedLatent(Latent):
    """Latent vectors of a law that the catalogue does not have: uniform between two ends, or else what G was fed."""

    facts: Latents
    path: str = ""
    """The run's folder."""

    @property
    def size(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride] - read alike, never assigned
        """Numbers of one vector."""
        return int(np.prod(self.facts.shape))

    @cached_property
    def inputs(self) -> Tensor | None:
        """What the run keeps of those, `(N, size)`; None where it is from an older version, or keeps none."""
        if self.facts.law not in ("", SAME_ROWS) or not (Path(self.path) / INPUTS).is_file():
            return None
        with safetensors.safe_open(Path(self.path) / INPUTS, framework="pt") as file:
            return file.get_tensor("inputs").flatten(1)

    def draw(self, rng: RandomStreams, purpose: str, count: int) -> Tensor:
        if self.facts.law != "uniform":
            if self.inputs is None:
                return rng.normal(purpose, (count, self.size))
            return self.inputs[rng.shuffled(purpose, len(self.inputs), count)].to(rng.dtype)
        return rng.uniform(purpose, (count, self.size)) * (self.facts.high - self.facts.low) + self.facts.low


@final
@dataclass(frozen=True)
class SeenExamples(Dataset):
    """Real examples that a watched loop was seen to give to D."""

    path: str
    """The run's folder."""
    shape: Shape  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues] - read alike
    classes: int = 0  # pyright: ignore[reportIncompatibleVariableOverride]
    span: tuple[float, float] = (0.0, 1.0)
    shares: tuple[float, ...] = ()
    """How often G is given each class; empty where about equally often."""
    card: ClassVar[Card] = Card("Examples that a watched loop gave to D", None, "that of the data", "the user")

    @classmethod
    def of(cls, path: Path, facts: LoopFacts) -> SeenExamples:
        """Those that the run in this folder keeps."""
        latent = facts.latent
        return cls(str(path), facts.makes or facts.data.shape, latent.classes, facts.data.span, latent.shares)

    @property
    def _examples(self) -> np.ndarray:
        return self._kept["examples"]

    @cached_property
    def _kept(self) -> dict[str, np.ndarray]:
        if not (Path(self.path) / EXAMPLES).is_file():
            raise SparringError(
                f"{self.path} keeps no real examples to compare with: the loop gave D none of the shape "
                f"{self.shape} that G makes, or it was killed before; sampling works"
            )
        try:
            with safetensors.safe_open(Path(self.path) / EXAMPLES, framework="numpy") as file:
                return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no __iter__
        except (OSError, safetensors.SafetensorError) as error:
            raise SparringError(f"{Path(self.path) / EXAMPLES} cannot be read: {in_one_line(error)}") from error

    def __len__(self) -> int:
        return len(self._examples)

    def open(self, data_dir: Path | None = None, device: str | torch.device = "cpu") -> Source:
        examples, classes = self._examples, self._kept.get("classes")
        if examples.dtype == np.uint8:
            return SeenImages(torch.from_numpy(examples).to(device), self.span, classes, shares=self.shares)
        labels = None if classes is None else torch.from_numpy(classes).to(device)
        return SeenRows(torch.from_numpy(examples).to(device), labels, self.shares)

    def content_hash(self, source: Source) -> str:
        return content_hash(torch.from_numpy(self._examples))


def unsearched(run: RunFolder) -> str:
    """Among how many examples copies are searched for, if the run of a watched loop keeps some of them; else empty."""
    loop = run.story.loop
    if loop is None or (kept := len(SeenExamples.of(run.path, loop))) >= NEARLY_ALL * loop.data.total:
        return ""
    return (
        f"Copies were searched for among {kept:,} of {loop.data.total:,} training examples, those that the run keeps: "
        "copies of the others are not found."
    )


@dataclass(frozen=True)
class SeenImages(Images):
    """Images, and how often G is given each class."""

    shares: tuple[float, ...] = ()

    def class_counts(self) -> np.ndarray | None:
        """Shares in place of counts; None where they are about equal."""
        return np.array(self.shares) if self.shares else None


@dataclass(frozen=True)
class SeenRows(Rows):
    """The same of examples that are no images."""

    shares: tuple[float, ...] = ()

    def class_counts(self) -> np.ndarray | None:
        """Shares in place of counts; None where they are about equal."""
        return np.array(self.shares) if self.shares else None
