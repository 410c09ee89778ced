from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, final

from sparring.members import shaped, whole
from sparring.tricks import Hook, Now, Shape, Trick
from sparring.tricks._images import over_images, read, refuse_no_image, signals

if TYPE_CHECKING:
    from torch import Tensor

    from sparring.members import Number

Change = Literal["color", "flip", "translation", "cutout"]


@final
@dataclass(frozen=True)
class DiffAugment(Trick):
    """Random changes of color, position and content to every image that D gets, real or generated.

    The changes are differentiable, so G learns through them. They are applied in the order of `policy`:

    - color: brightness (adds up to 0.5 either way), saturation (distance from the mean over channels times 0 to 2),
      contrast (distance from the mean of the image times 0.5 to 1.5);
    - flip: half of the images are mirrored left and right (not in the paper, and not by default);
    - translation: by whole pixels, up to an eighth of either side, filled with 0;
    - cutout: a rectangle with half the image's sides, at a random position, is set to 0.

    Strengths are the paper's, for images in [-1, 1], of any number of channels.
    """

    policy: tuple[Change, ...] = ("color", "translation", "cutout")
    """The changes, in order."""
    strength: float = 1.0
    """Factor on all of these strengths; 0 changes nothing."""

    per_member: ClassVar[frozenset[str]] = frozenset({"strength"})
    strength_field: ClassVar[str] = "strength"
    hooks: ClassVar[frozenset[Hook]] = frozenset({"augment"})
    when: ClassVar[str] = "few images, which D would otherwise memorize"
    source: ClassVar[str] = "Zhao et al., Differentiable augmentation for data-efficient GAN training, NeurIPS 2020"

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise ValueError(f"strength must lie in [0, 1], not {self.strength}")
        if not set(self.policy) <= set(CHANGES):
            raise ValueError(f"policy must consist of {tuple(CHANGES)}, not {self.policy!r}")

    def shape(self, shape: Shape) -> Shape:
        refuse_no_image(shape, "diff-augment")
        return shape

    def augment(self, x: Tensor, now: Now) -> Tensor:
        for change in self.policy:
            x = CHANGES[change](x, self.strength, now)
        return x


def _color(x: Tensor, strength: Number, now: Now) -> Tensor:
    # (P, B, 3), each uniform on [-strength, strength)
    drawn = now.rng.uniform("diff augment color", (x.shape[1], 3))
    drawn = shaped(strength, drawn) * (2 * drawn - 1)
    brightness, saturation, contrast = (over_images(each) for each in drawn.unbind(2))
    x = x + brightness / 2
    if x.shape[2] > 1:
        gray = x.mean(2, keepdim=True)
        x = gray + (1 + saturation) * (x - gray)
    mean = x.mean((2, 3, 4), keepdim=True)
    return mean + (1 + contrast / 2) * (x - mean)


def _flip(x: Tensor, strength: Number, now: Now) -> Tensor:
    import torch

    drawn = now.rng.uniform("diff augment flip", (x.shape[1],))
    return torch.where(over_images(drawn < shaped(strength, drawn) / 2), x.flip(-1), x)


def _translation(x: Tensor, strength: Number, now: Now) -> Tensor:
    import torch

    drawn = now.rng.uniform("diff augment translation", (x.shape[1], 2)).unbind(2)
    matrices: list[Tensor] = []
    for share, size in zip(drawn, x.shape[-2:], strict=True):
        limit = shaped(whole(strength * size / 8), share)
        shift = (share * (2 * limit + 1)).floor() - limit
        matrices.append(signals(torch.arange(size, device=x.device) - shift.unsqueeze(-1), size))
    return read(x, *matrices)


def _cutout(x: Tensor, strength: Number, now: Now) -> Tensor:
    import torch

    drawn = now.rng.uniform("diff augment cutout", (x.shape[1], 2)).unbind(2)
    inside: list[Tensor] = []
    for share, size in zip(drawn, x.shape[-2:], strict=True):
        side = shaped(whole(strength * size / 2), share)
        # Its center lies anywhere in the image, so that it may stick out.
        start = (share * (size + 1 - side % 2)).floor() - side // 2
        place = torch.arange(size, device=x.device) - start.unsqueeze(-1)
        inside.append((place >= 0) & (place < shaped(side, place)))
    rows, columns = inside
    return x * ~(rows[:, :, None, :, None] & columns[:, :, None, None, :])


CHANGES: dict[Change, Callable[[Tensor, Number, Now], Tensor]] = {
    "color": _color,
    "flip": _flip,
    "translation": _translation,
    "cutout": _cutout,
}
