from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from sparring.members import shaped
from sparring.tricks import Hook, Memory, Now, Shape, Trick, Who
from sparring.tricks._images import over_images, read, reflected, refuse_no_image, signals

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@final
@dataclass(frozen=True)
class AdaptiveAugmentation(Trick):
    """ADA: random changes to every image that D gets, real or generated, stronger the more D overfits.

    Each change below is applied to an image with probability p, independently. At every step of D on real examples, p
    rises a little if the mean sign of their scores is above `target`, and falls otherwise; each member has its own p.
    (The paper updates it every fourth batch.) The sign is that of the score minus the undecided score; with a
    relativistic objective, of what the objective compares.

    Of the paper's changes (appendix B) these are implemented, in this order, with its strengths for images in [-1, 1]:

    - flips: mirrors left and right, for half of the chosen images. Off by default: digits and letters do not allow it
    - rotations: by 0, 90, 180 or 270 degrees (0 or 180 where the image is not square)
    - translations: by whole pixels, up to an eighth of either side
    - scaling: by 2^(0.2 n), with n standard normal, interpolated linearly
    - colors: brightness (adds 0.2 n), contrast (times 2^(0.5 n)), saturation (distance from the mean over channels
      times 2^n), each chosen with probability p

    Beyond its border an image is continued by reflection. Not implemented: other rotations, anisotropic scaling,
    fractional translation, hue, filtering, noise, cutout. While p stays well below 1, the changes do not leak into G's
    samples.
    """

    target: float = 0.6
    """The mean sign of D's scores of real examples that p is regulated to: 0 is a D that guesses, 1 a perfect one."""
    ramp: int = 500_000
    """Real examples, or packs of them, in which p can go from 0 to 1."""
    start: float = 0.0
    """p before the first round."""
    flips: bool = False
    rotations: bool = True
    translations: bool = True
    scaling: bool = True
    colors: bool = True

    per_member: ClassVar[frozenset[str]] = frozenset({"target", "start"})
    at_start: ClassVar[frozenset[str]] = frozenset({"start"})
    also: ClassVar[tuple[str, ...]] = ("ada",)
    hooks: ClassVar[frozenset[Hook]] = frozenset({"augment", "on_scores"})
    when: ClassVar[str] = "as diff-augment, with the strength adapted during training"
    source: ClassVar[str] = (
        "Karras et al., Training generative adversarial networks with limited data, NeurIPS 2020, eq. 1 and appendix B"
    )

    def __post_init__(self) -> None:
        if not (-1 <= self.target <= 1 and 0 <= self.start <= 1 and self.ramp >= 1):
            raise ValueError(
                f"target must lie in [-1, 1], start in [0, 1] and ramp be at least 1, "
                f"not {self.target}, {self.start} and {self.ramp}"
            )

    def shape(self, shape: Shape) -> Shape:
        refuse_no_image(shape, "adaptive-augmentation")
        return shape

    def begin(self, who: Mapping[Who, Sequence[Tensor]], members: int, device: torch.device) -> Memory:
        import torch

        probability = torch.zeros(members, device=device)
        return {"probability": [probability + shaped(self.start, probability)]}

    def on_scores(self, truth: int, score: Tensor, now: Now) -> None:
        if truth:
            probability = now.memory["probability"][0]
            mean = score.sign().mean(1)
            up_or_down = (mean - shaped(self.target, mean)).sign()
            probability.add_(up_or_down, alpha=score.shape[1] / self.ramp).clamp_(0, 1)

    def augment(self, x: Tensor, now: Now) -> Tensor:
        probability = now.memory["probability"][0][:, None, None]
        chosen = (now.rng.uniform("augmentation", (x.shape[1], 7)) < probability).unbind(2)
        if self.flips or self.rotations or self.translations or self.scaling:
            x = self._moved(x, chosen[:4], now)
        return _recolored(x, chosen[4:], now) if self.colors else x

    def _moved(self, x: Tensor, chosen: Sequence[Tensor], now: Now) -> Tensor:
        import torch

        flipped, turned, shifted, scaled = (
            each & wanted
            for each, wanted in zip(chosen, (self.flips, self.rotations, self.translations, self.scaling), strict=True)
        )
        height, width = x.shape[-2:]
        drawn = now.rng.uniform("augmentation moves", (x.shape[1], 4))
        flip, turn, *shares = drawn.unbind(2)
        zoom = torch.where(scaled, (0.2 * now.rng.normal("augmentation scales", x.shape[1:2])).exp2(), 1)
        mirror = torch.where(flipped & (flip < 0.5), -1, 1)
        quarters = ((turn * 4).floor() if height == width else (turn * 2).floor() * 2) * turned
        # A quarter turn is rows for columns, and then the new rows backwards.
        sideways = quarters % 2 == 1
        if height == width:
            x = torch.where(over_images(sideways), x.mT, x)
        backwards = (
            torch.where((quarters == 1) | (quarters == 2), -1, 1) * torch.where(sideways, mirror, 1),
            torch.where(quarters >= 2, -1, 1) * torch.where(sideways, 1, mirror),
        )
        matrices: list[Tensor] = []
        for size, share, sign in zip((height, width), shares, backwards, strict=True):
            center = (size - 1) / 2
            shift = ((2 * share - 1) * size / 8).round() * shifted
            place = torch.arange(size, device=x.device, dtype=x.dtype) - center
            seen_at = center + sign.unsqueeze(-1) * (place / zoom.unsqueeze(-1) - shift.unsqueeze(-1))
            matrices.append(signals(reflected(seen_at, size), size))
        return read(x, *matrices)


def _recolored(x: Tensor, chosen: Sequence[Tensor], now: Now) -> Tensor:
    drawn = now.rng.normal("augmentation colors", (x.shape[1], 3)).unbind(2)
    brightness, contrast, saturation = (over_images(each * wanted) for each, wanted in zip(drawn, chosen, strict=True))
    x = (x + 0.2 * brightness) * (0.5 * contrast).exp2()
    if x.shape[2] == 1:
        return x
    gray = x.mean(2, keepdim=True)
    return gray + saturation.exp2() * (x - gray)
