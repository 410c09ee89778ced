from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast, final

from sparring.datasets import Card, Dataset, Shape, Source
from sparring.datasets._idx import CLASSES, SIDE, images, labels
from sparring.datasets._idx import MNIST as ARCHIVE
from sparring.datasets._images import content_hash

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from sparring.rng import RandomStreams


@final
@dataclass(frozen=True)
class StackedMNIST(Dataset):
    """MNIST digits stacked as color channels: 1,000 modes for three digits, 100 for two.

    An example has one randomly drawn MNIST training image per channel. Its mode is the number that its digits form,
    with the first channel's digit first.
    """

    digits_stacked: int = 3
    """Digits per example, one in each channel."""
    span: tuple[float, float] = (0.0, 1.0)
    """Pixel values for black and white: (0, 1) for a G that ends in sigmoid, (-1, 1) for one that ends in tanh."""

    card: ClassVar[Card] = Card(
        title="Stacked MNIST, 28x28",
        examples=None,
        license="CC BY-SA 3.0",
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
        """The number of modes: each number that the digits can form is one."""
        return CLASSES**self.digits_stacked

    def open(self, data_dir: Path | None = None, device: str | torch.device = "cpu") -> _Stacks:
        import torch

        pixels = torch.from_numpy(images(ARCHIVE, "train", data_dir)).to(device)
        classes = torch.from_numpy(labels(ARCHIVE, "train", data_dir)).long().to(device)
        return _Stacks(pixels, classes, self.digits_stacked, self.span)

    def content_hash(self, source: Source) -> str:
        return content_hash(cast(_Stacks, source).pixels)


@dataclass(frozen=True)
class _Stacks:
    """A source of stacked digits. `pixels` is uint8 `(N, 1, H, W)`, `classes` int64 `(N,)`."""

    pixels: Tensor
    classes: Tensor
    channels: int
    span: tuple[float, float]

    def draw(self, rng: RandomStreams, count: int) -> Tensor:
        return self.draw_with_classes(rng, count)[0]

    def draw_with_classes(self, rng: RandomStreams, count: int) -> tuple[Tensor, Tensor]:
        """Examples `(P, count, C, H, W)`, and the number that each one's digits form, int64 `(P, count)`."""
        import torch

        low, high = self.span
        # Every channel has its own order of the images: in each pass, each image occurs once in each channel.
        orders = [rng.shuffled("real", len(self.pixels), count) for _ in range(self.channels)]
        index = torch.stack(orders, -1)
        chosen = self.pixels[index.flatten(), 0].unflatten(0, index.shape).to(rng.dtype)
        places = torch.tensor([CLASSES**k for k in reversed(range(self.channels))], device=index.device)
        return chosen.mul_((high - low) / 255).add_(low), (self.classes[index] * places).sum(-1)
