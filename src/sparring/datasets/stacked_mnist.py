from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, final

from sparring.datasets import Card, Dataset, Shape
from sparring.datasets._idx import CLASSES, SIDE, images, labels
from sparring.datasets._idx import MNIST as ARCHIVE

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from sparring.rng import RandomStreams


@final
@dataclass(frozen=True)
class StackedMNIST(Dataset):
    """Handwritten digits of MNIST stacked as colors: 1,000 modes for three of them, 100 for two.

    An example is that many training images of MNIST, one a channel; which, is drawn anew each time. Its mode is the
    number that the digits spell, the first channel's digit first.
    """

    digits_stacked: int = 3
    """Images in a stack, and channels of an example."""
    span: tuple[float, float] = (0.0, 1.0)

    card: ClassVar[Card] = Card(
        title="Stacked MNIST, 28x28",
        examples=None,
        licence="CC BY-SA 3.0",
        source="L. Metz et al., Unrolled generative adversarial networks, ICLR 2017, arXiv:1611.02163; "
        "images of Y. LeCun, C. Cortes and C. J. C. Burges, The MNIST database of handwritten digits, 1998",
    )

    def __post_init__(self) -> None:
        if self.digits_stacked < 1:
            raise ValueError(f"digits_stacked must be at least 1, not {self.digits_stacked}")

    @property
    def shape(self) -> Shape:  # pyright: ignore[reportIncompatibleVariableOverride] - read alike, never assigned
        return (self.digits_stacked, SIDE, SIDE)

    @property
    def classes(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride] - read alike, never assigned
        """How many numbers the digits can spell: its modes."""
        return CLASSES**self.digits_stacked

    def open(self, data_dir: Path | None, device: str | torch.device) -> _Stacks:
        import torch

        pixels = torch.from_numpy(images(ARCHIVE, "train", data_dir)).to(device)
        classes = torch.from_numpy(labels(ARCHIVE, "train", data_dir)).long().to(device)
        return _Stacks(pixels, classes, self.digits_stacked, self.span)


@dataclass(frozen=True)
class _Stacks:
    """`pixels` is uint8 `(N, 1, H, W)`, `classes` int64 `(N,)`. Only what is drawn is ever stacked."""

    pixels: Tensor
    classes: Tensor
    channels: int
    span: tuple[float, float]

    def draw(self, rng: RandomStreams, count: int) -> Tensor:
        return self.draw_with_classes(rng, count)[0]

    def draw_with_classes(self, rng: RandomStreams, count: int) -> tuple[Tensor, Tensor]:
        """Examples `(P, count, C, H, W)`, and the number that each one's digits spell, int64 `(P, count)`."""
        import torch

        low, high = self.span
        # Every channel walks through all images in orders of its own: each is seen once a pass in each channel.
        walks = [rng.shuffled("real", len(self.pixels), count) for _ in range(self.channels)]
        index = torch.stack(walks, -1)
        chosen = self.pixels[index.flatten(), 0].unflatten(0, index.shape).to(rng.dtype)
        places = torch.tensor([CLASSES**k for k in reversed(range(self.channels))], device=index.device)
        return chosen.mul_((high - low) / 255).add_(low), (self.classes[index] * places).sum(-1)
