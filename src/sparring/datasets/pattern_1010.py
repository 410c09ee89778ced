from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, final

from sparring.datasets import Card, Dataset, Shape, Source

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from sparring.rng import RandomStreams

LOW, HIGH = (0.8, 0.0, 0.8, 0.0), (1.0, 0.2, 1.0, 0.2)


@final
@dataclass(frozen=True)
class Pattern1010(Dataset):
    """Four numbers of the form high, low, high, low: U(0.8, 1), U(0, 0.2), U(0.8, 1), U(0, 0.2)."""

    shape: ClassVar[Shape] = (4,)
    target: ClassVar[tuple[float, ...] | None] = (0.9, 0.1, 0.9, 0.1)
    card: ClassVar[Card] = Card(
        title="The 1010 pattern",
        examples=None,
        license="none needed: sampled from a formula",
        source="T. Rashid, Make Your First GAN With PyTorch, 2020",
    )

    def open(self, data_dir: Path | None = None, device: str | torch.device = "cpu") -> Source:
        import torch

        return _Stream((torch.tensor(LOW, device=device), torch.tensor(HIGH, device=device)))


@dataclass(frozen=True)
class _Stream:
    span: tuple[Tensor, Tensor]

    def draw(self, rng: RandomStreams, count: int) -> Tensor:
        return rng.uniform("real", (count, 4), self.span)
