"""A GAN as a script would train it: what the game is compared with.

The loop is written as the textbooks write it, in torch's own words: modules, `nn.Sigmoid`, `nn.MSELoss` or
`nn.BCELoss` against targets, `torch.optim`, zero_grad, backward, step. It plays one member, knows nothing of
populations and of how objectives, tricks and moves are implemented, and gets the same initial weights and the same
draws. What a trick means is written out where a script would have it.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from sparring import catalogue
from sparring.datasets._clusters import in_clusters
from sparring.game.assembly import maker_of_discriminators, maker_of_generators
from sparring.game.moves import d_sees_both, d_sees_fake, d_sees_mixture, d_sees_real, g_fools_d
from sparring.recipe import Recipe
from sparring.rng import RandomStreams
from tests.laws.textbook_losses import LOSSES


class Images(NamedTuple):
    """A batch of images, with their classes in a class-conditional game."""

    x: Tensor
    classes: tuple[Tensor, ...]


class Textbook:
    """One GAN, as it would be written from scratch."""

    def __init__(self, recipe: Recipe, member: int, game: Any, data_dir: Path):
        for trick in recipe.tricks:
            assert name(trick) in WRITTEN_DOWN, f"write down what {name(trick)} means in a textbook loop"
        self.recipe = recipe
        self.tricks = [(name(trick), trick) for trick in recipe.tricks]
        self.G = maker_of_generators(recipe)().double()
        self.D = maker_of_discriminators(recipe)().double()
        self.G.load_state_dict({n: t[member].clone() for n, t in game.G.state().items()})
        self.D.load_state_dict({n: t[member].clone() for n, t in game.players["D"].networks.state().items()})
        self.losses = LOSSES[name(recipe.objective)]
        self.optimizer_G = optimizer(recipe.generator_optimizer, self.G)
        self.optimizer_D = optimizer(recipe.discriminator_optimizer, self.D)
        self.rng = RandomStreams((recipe.seeds[member],), dtype=torch.float64)
        draw_dropout_from(self.rng, self.G, "G layers")
        draw_dropout_from(self.rng, self.D, "D layers")
        self.source = recipe.data.open(data_dir, "cpu")
        if recipe.clusters:
            self.source = in_clusters(self.source, recipe.clusters)
        self.progress = 0.0
        self.average = copy.deepcopy(self.G)
        self.steps_of_G = 0
        self.probability = next((trick.start for what, trick in self.tricks if what == "adaptive-augmentation"), 0.0)

    def play(self, rounds: int) -> None:
        steps = {
            d_sees_real: lambda: self.discriminator_step(real=self.real_images()),
            d_sees_fake: lambda: self.discriminator_step(fake=self.fake_images()),
            d_sees_both: lambda: self.discriminator_step(real := self.real_images(), self.fake_images(real)),
            d_sees_mixture: self.discriminator_step_on_mixture,
            g_fools_d: self.generator_step,
        }
        for number in range(rounds):
            self.rng.begin(number)
            self.round, self.progress = number, number / self.recipe.rounds
            for move in self.recipe.round:
                steps[move]()

    def discriminator_step(self, real: Images | None = None, fake: Images | None = None) -> None:
        self.optimizer_D.zero_grad()
        sides = {truth: side for truth, side in ((1, real), (0, fake)) if side is not None}
        sides = {truth: Images(side.x.detach().requires_grad_(), side.classes) for truth, side in sides.items()}
        scores = {truth: self.score(side) for truth, side in sides.items()}
        loss = torch.zeros((), dtype=torch.float64)
        for truth, score in scores.items():
            output = self.losses.output(score, scores.get(1 - truth))
            labels = self.labels(truth, len(output))
            if truth:
                self.adapt_augmentation(output)
            loss = loss + self.losses.loss_of_D(output, labels)
        (loss + self.penalties(sides, scores)).backward()
        self.step("D", self.D, self.optimizer_D)

    def discriminator_step_on_mixture(self) -> None:
        half = self.recipe.batch // 2
        real = self.source.draw(self.rng, self.recipe.batch)[0][half:]
        latents = self.recipe.latent.draw(self.rng, "latent", half)[0]
        fake = torch.cat([self.G(latent.unsqueeze(0)) for latent in latents]).detach()
        score = self.score(Images(torch.cat([real, fake]), ()))
        labels = torch.cat([self.labels(1, len(real)), self.labels(0, len(fake))])
        self.optimizer_D.zero_grad()
        self.losses.loss_of_D(self.losses.output(score, None), labels).backward()
        self.step("D", self.D, self.optimizer_D)

    def generator_step(self) -> None:
        self.optimizer_G.zero_grad()
        real = self.real_images() if self.losses.relativistic else None
        score = self.score(self.fake_images(real))
        real_score = None if real is None else self.score(real).detach()
        output = self.losses.output(score, real_score)
        best = self.best(output)
        loss = self.losses.loss_of_G(output[best], torch.ones(len(best)).double())
        if real_score is not None:
            loss = loss + self.losses.loss_of_G(
                self.losses.output(real_score, score)[best], torch.zeros(len(best)).double()
            )
        loss.backward()
        self.step("G", self.G, self.optimizer_G)

    def real_images(self) -> Images:
        if not self.recipe.classes:
            return Images(self.source.draw(self.rng, self.recipe.batch)[0], ())
        x, classes = self.source.draw_with_classes(self.rng, self.recipe.batch)
        return Images(x[0], (self.one_hot(classes[0]),))

    def fake_images(self, compared: Images | None = None) -> Images:
        """Of the classes of real images that a relativistic loss compares them with; else of classes drawn anew."""
        latent = self.recipe.latent.draw(self.rng, "latent", self.recipe.batch)[0]
        if not self.recipe.classes:
            return Images(self.G(latent), ())
        if compared is not None and self.losses.relativistic:
            classes = compared.classes[0]
        else:
            drawn = self.rng.uniform("classes", (self.recipe.batch,))[0] * self.recipe.classes
            classes = self.one_hot(drawn.long())
        return Images(self.G(torch.cat([latent, classes], 1)), (classes,))

    def one_hot(self, classes: Tensor) -> Tensor:
        return functional.one_hot(classes, self.recipe.classes).double()

    def score(self, images: Images) -> Tensor:
        """D's scores, before any sigmoid."""
        return self.D(self.augment(images.x), *images.classes)

    def augment(self, x: Tensor) -> Tensor:
        """What tricks do to images, real or fake, before D sees them."""
        for what, trick in self.tricks:
            match what:
                case "instance-noise":
                    sd = trick.sd * max(0.0, 1 - self.progress / trick.until)
                    if sd:
                        x = x + sd * self.rng.normal("instance noise", x.shape)[0]
                case "packing":
                    x = torch.stack([torch.cat(list(pack)) for pack in x.split(trick.count)])
                case "diff-augment":
                    for change in trick.policy:
                        x = self.changed(x, change, trick.strength)
                case "adaptive-augmentation":
                    x = self.augmented(x, trick)
        return x

    def changed(self, x: Tensor, change: str, strength: float) -> Tensor:
        """DiffAugment, image by image."""
        count, _, height, width = x.shape
        if change == "color":
            drawn = strength * (2 * self.rng.uniform("diff augment color", (count, 3))[0].T - 1)
            images = [image + brightness / 2 for image, brightness in zip(x, drawn[0], strict=True)]
            images = [i.mean(0) + (1 + s) * (i - i.mean(0)) for i, s in zip(images, drawn[1], strict=True)]
            return torch.stack([i.mean() + (1 + c / 2) * (i - i.mean()) for i, c in zip(images, drawn[2], strict=True)])
        drawn = self.rng.uniform(f"diff augment {change}", (count, 2))[0].T.tolist()
        images: list[Tensor] = []
        for image, down, right in zip(x, *drawn, strict=True):
            if change == "translation":
                reach = [int(strength * side / 8) for side in (height, width)]
                (up, left) = (math.floor(u * (2 * m + 1)) for u, m in zip((down, right), reach, strict=True))
                # The window starts at 2 * reach - shift in a picture padded by reach on every side.
                padded = functional.pad(image, (reach[1], reach[1], reach[0], reach[0]))
                top, side = 2 * reach[0] - up, 2 * reach[1] - left
                images.append(padded[:, top : top + height, side : side + width])
            else:
                mask = torch.ones(height, width, dtype=torch.float64)
                window: list[slice] = []
                for u, side in ((down, height), (right, width)):
                    cut = int(strength * side / 2)
                    start = math.floor(u * (side + 1 - cut % 2)) - cut // 2
                    window.append(slice(max(0, start), max(0, start + cut)))
                mask[tuple(window)] = 0
                images.append(image * mask)
        return torch.stack(images)

    def augmented(self, x: Tensor, trick: Any) -> Tensor:
        """Adaptive augmentation, image by image, by torch's own affine grids."""
        count, channels, height, width = x.shape
        chosen = (self.rng.uniform("augmentation", (count, 7))[0].mT < self.probability).tolist()
        flip, turn, down, right = self.rng.uniform("augmentation moves", (count, 4))[0].T
        scales = 2 ** (0.2 * self.rng.normal("augmentation scales", (count,))[0])
        colors = self.rng.normal("augmentation colors", (count, 3))[0].T
        images: list[Tensor] = []
        for k, image in enumerate(x):
            flips, turns, shifts, zooms, *recolored = (row[k] for row in chosen)
            if flips and trick.flips and flip[k] < 0.5:
                image = image.flip(2)
            if turns and trick.rotations:
                quarters = int(turn[k] * 4) if height == width else 2 * int(turn[k] * 2)
                image = image.rot90(quarters, (1, 2))
            shift = [round(float((2 * u[k] - 1) * side / 8)) for u, side in ((down, height), (right, width))]
            image = resampled(
                image,
                float(scales[k]) if zooms and trick.scaling else 1.0,
                shift if shifts and trick.translations else (0, 0),
            )
            if trick.colors:
                brightness, contrast, saturation = (c[k] * r for c, r in zip(colors, recolored, strict=True))
                image = (image + 0.2 * brightness) * 2 ** (0.5 * contrast)
                if channels > 1:
                    image = image.mean(0) + 2**saturation * (image - image.mean(0))
            images.append(image)
        return torch.stack(images)

    def adapt_augmentation(self, output: Tensor) -> None:
        for what, trick in self.tricks:
            if what == "adaptive-augmentation":
                overfitting = torch.sign(output.detach() - self.losses.undecided).mean()
                step = float(torch.sign(overfitting - trick.target)) * len(output) / trick.ramp
                self.probability = min(1.0, max(0.0, self.probability + step))

    def labels(self, truth: int, count: int) -> Tensor:
        labels = torch.full((count,), float(truth), dtype=torch.float64)
        for what, trick in self.tricks:
            match what:
                case "label-smoothing":
                    low, high = trick.real if truth else trick.fake
                    if low == high:
                        labels = torch.full_like(labels, low)
                    else:
                        labels = low + (high - low) * self.rng.uniform(f"label smoothing {truth}", labels.shape)[0]
                case "label-swapping":
                    rate = trick.rate * (max(0.0, 1 - self.progress / trick.until) if trick.until else 1)
                    if rate:
                        swapped = self.rng.uniform(f"label swapping {truth}", labels.shape)[0] < rate
                        labels = torch.where(swapped, 1 - labels, labels)
        return labels

    def penalties(self, sides: dict[int, Images], scores: dict[int, Tensor]) -> Tensor:
        total = torch.zeros((), dtype=torch.float64)
        for what, trick in self.tricks:
            if self.round % getattr(trick, "every", 1):
                continue
            match what:
                case "r1" | "r2" | "r1-r2":
                    elapsed = min(1.0, self.progress / trick.until)
                    fallen = trick.final + (1 - trick.final) * (1 + math.cos(math.pi * elapsed)) / 2
                    for truth in {"r1": (1,), "r2": (0,), "r1-r2": (1, 0)}[what]:
                        if truth in sides:
                            steep = steepness(scores[truth], sides[truth].x)
                            total = total + trick.every * trick.gamma * fallen / 2 * (steep**2).mean()
                case "gradient-penalty":
                    real, fake = sides[1], sides[0]
                    alpha = self.for_each(scores[1], real.x, "gradient penalty")
                    between = (alpha * real.x + (1 - alpha) * fake.x).detach().requires_grad_()
                    steep = steepness(self.score(Images(between, fake.classes)), between)
                    total = total + trick.every * trick.weight * ((steep - 1) ** 2).mean()
                case "dragan" if 1 in sides:
                    real = sides[1].x.detach()
                    alpha = self.for_each(scores[1], real, "dragan share")
                    noise = trick.reach * real.std(correction=0) * self.rng.uniform("dragan", real.shape)[0]
                    near = (real + alpha * noise).requires_grad_()
                    steep = steepness(self.score(Images(near, sides[1].classes)), near)
                    total = total + trick.every * trick.weight * ((steep - 1) ** 2).mean()
        return total

    def for_each(self, score: Tensor, x: Tensor, purpose: str) -> Tensor:
        alpha = self.rng.uniform(purpose, score.shape)[0].repeat_interleave(len(x) // len(score))
        return alpha.reshape(-1, *[1] * (x.ndim - 1))

    def best(self, output: Tensor) -> Tensor:
        """Indices of the fakes that G learns from."""
        share = 1.0
        for what, trick in self.tricks:
            if what == "top-k":
                share = trick.final ** min(1.0, self.progress / trick.until)
        return output.topk(max(1, round(share * len(output)))).indices

    def step(self, who: str, network: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        group = optimizer.param_groups[0]
        settings = {setting: group[setting] for setting in ("lr", "betas") if setting in group}
        for what, trick in self.tricks:
            if getattr(trick, "player", "both") not in ("both", who):
                continue
            match what:
                case "gradient-clipping":
                    nn.utils.clip_grad_norm_(network.parameters(), trick.max_norm)
                case "two-time-scales" if who == "D":
                    group["lr"] *= trick.factor
                case "learning-rate-schedule":
                    elapsed = min(1.0, self.progress / trick.until)
                    left = {"constant": 1, "linear": 1 - elapsed, "cosine": (1 + math.cos(math.pi * elapsed)) / 2}
                    group["lr"] *= trick.final + (1 - trick.final) * left[trick.course]
                    if trick.warm_up:
                        group["lr"] *= min(1, (self.round + 1) / (trick.warm_up * self.recipe.rounds))
                case "beta-schedule":
                    elapsed = min(1.0, self.progress / trick.until)
                    moved = (1 - math.cos(math.pi * elapsed)) / 2
                    group["betas"] = (group["betas"][0], trick.start + (trick.end - trick.start) * moved)
        optimizer.step()
        group.update(settings)
        for what, trick in self.tricks:
            if what == "weight-clipping" and who == "D":
                for weight in network.parameters():
                    weight.data.clamp_(-trick.limit, trick.limit)
            elif what == "exponential-moving-average" and who == "G":
                half_life = min(trick.half_life, trick.warm_up * self.steps_of_G if trick.warm_up else math.inf)
                decay = 2 ** (-1 / half_life) if half_life else 0
                for mean, weight in zip(self.average.parameters(), network.parameters(), strict=True):
                    mean.data = decay * mean.data + (1 - decay) * weight.data
                self.steps_of_G += 1

    def weights(self) -> Iterator[tuple[str, Tensor]]:
        yield from ((f"G.{n}", t) for n, t in self.G.state_dict().items())
        yield from ((f"D.{n}", t) for n, t in self.D.state_dict().items())
        if any(what == "exponential-moving-average" for what, _ in self.tricks):
            yield from ((f"average.{n}", t.data) for n, t in self.average.named_parameters())


WRITTEN_DOWN = {
    "label-smoothing", "label-swapping", "r1", "r2", "r1-r2", "gradient-penalty", "dragan", "weight-clipping",
    "exponential-moving-average", "instance-noise", "diff-augment", "adaptive-augmentation", "packing", "top-k",
    "two-time-scales", "learning-rate-schedule", "beta-schedule", "gradient-clipping",
}  # fmt: skip


def steepness(score: Tensor, x: Tensor) -> Tensor:
    """The norm of each score's gradient with respect to the images it is of."""
    (gradient,) = torch.autograd.grad(score.sum(), x, create_graph=True)
    return gradient.reshape(len(score), -1).norm(2, dim=1)


def resampled(image: Tensor, scale: float, shift: Sequence[int]) -> Tensor:
    """An image (C, H, W) moved down and right by whole pixels, then enlarged about the middle; reflected at the rim."""
    # Affine grids map the result's coordinates, from -1 to 1, to where they are in the image.
    (down, height), (right, width) = zip(shift, image.shape[1:], strict=True)
    theta = [[1 / scale, 0, -2 * right / max(1, width - 1)], [0, 1 / scale, -2 * down / max(1, height - 1)]]
    grid = functional.affine_grid(torch.tensor([theta], dtype=torch.float64), [1, *image.shape], align_corners=True)
    return functional.grid_sample(image[None], grid, padding_mode="reflection", align_corners=True)[0]


class ReplayedDropout(nn.Module):
    """nn.Dropout that draws what the game draws."""

    def __init__(self, share: float, rng: RandomStreams, purpose: str):
        super().__init__()
        self.share, self.rng, self.purpose = share, rng, purpose

    def forward(self, x: Tensor) -> Tensor:
        kept = self.rng.uniform(self.purpose, x.shape)[0] >= self.share
        return x * kept / (1 - self.share)


def draw_dropout_from(rng: RandomStreams, network: nn.Module, purpose: str) -> None:
    for module in list(network.modules()):
        for child, layer in module.named_children():
            if isinstance(layer, nn.Dropout):
                setattr(module, child, ReplayedDropout(layer.p, rng, purpose))


def name(leaf: Any) -> str:
    return catalogue.name_of(type(leaf)) or ""


def optimizer(leaf: Any, module: nn.Module) -> torch.optim.Optimizer:
    if name(leaf) == "sgd":
        return torch.optim.SGD(module.parameters(), lr=leaf.lr, momentum=leaf.momentum, weight_decay=leaf.weight_decay)
    assert name(leaf) == "adam", f"write down which of torch's optimizers {name(leaf)} is"
    return torch.optim.Adam(module.parameters(), lr=leaf.lr, betas=leaf.betas, weight_decay=leaf.weight_decay)
