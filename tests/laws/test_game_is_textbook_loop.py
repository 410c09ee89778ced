"""Law 3: the game equals a hand-written textbook loop.

The loop below is written as the textbooks write it, in torch's own words: modules, `nn.Sigmoid`, `nn.MSELoss` or
`nn.BCELoss` against targets, `torch.optim`, zero_grad, backward, step. It plays one member, knows nothing of
populations, objectives, tricks or moves, and is handed the same first weights and the same draws.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sparring import catalogue
from sparring.assembly import game_of
from sparring.chance import Chance
from sparring.game import d_sees_both, d_sees_fake, d_sees_mixture, d_sees_real, g_fools_d
from sparring.recipe import Recipe, find_recipe
from sparring.tricks.label_smoothing import LabelSmoothing
from sparring.tricks.label_swapping import LabelSwapping
from tests.miniature import miniature

ROUNDS = 20
TOLERANCE = 1e-11
"""In float64. The textbook's sigmoid followed by a logarithm loses digits that the game's softplus keeps, and Adam
magnifies what is lost (measured: 1e-13)."""
SEEDS = (11, 5)


class Textbook:
    """One GAN, as it would be written from scratch."""

    def __init__(self, recipe: Recipe, member: int, game: Any, data_dir: Path):
        shape = recipe.data.shape
        self.recipe = recipe
        self.G = recipe.generator.build((recipe.latent.size,), shape).double()
        network = recipe.discriminator.build(shape, ()).double()
        self.D = nn.Sequential(network, nn.Sigmoid())
        self.G.load_state_dict({n: t[member].clone() for n, t in game.G.state().items()})
        network.load_state_dict({n: t[member].clone() for n, t in game.D.state().items()})
        self.criterion, self.criterion_G = CRITERIA[name(recipe.objective)]
        self.optimiser_G = optimiser(recipe.generator_optimiser, self.G)
        self.optimiser_D = optimiser(recipe.discriminator_optimiser, self.D)
        self.chance = Chance((SEEDS[member],), dtype=torch.float64)
        draw_dropout_from(self.chance, self.G, "G layers")
        draw_dropout_from(self.chance, self.D, "D layers")
        self.source = recipe.data.open(data_dir, "cpu")
        self.progress = 0.0

    def play(self, rounds: int) -> None:
        steps = {
            d_sees_real: self.discriminator_step_on_real,
            d_sees_fake: self.discriminator_step_on_fake,
            d_sees_both: self.discriminator_step_on_both,
            d_sees_mixture: self.discriminator_step_on_mixture,
            g_fools_d: self.generator_step,
        }
        for number in range(rounds):
            self.chance.begin(number)
            self.progress = number / self.recipe.rounds
            for move in self.recipe.round:
                steps[move]()

    def discriminator_step_on_real(self) -> None:
        self.optimiser_D.zero_grad()
        self.loss_on_real().backward()
        self.optimiser_D.step()

    def discriminator_step_on_fake(self) -> None:
        self.optimiser_D.zero_grad()
        self.loss_on_fake().backward()
        self.optimiser_D.step()

    def discriminator_step_on_both(self) -> None:
        self.optimiser_D.zero_grad()
        (self.loss_on_real() + self.loss_on_fake()).backward()
        self.optimiser_D.step()

    def discriminator_step_on_mixture(self) -> None:
        half = self.recipe.batch // 2
        real = self.source.draw(self.chance, self.recipe.batch)[0][half:]
        seeds = self.recipe.latent.draw(self.chance, "latent", half)[0]
        fake = torch.cat([self.G(seed.unsqueeze(0)) for seed in seeds]).detach()
        labels = torch.cat([torch.ones(len(real)), torch.zeros(len(fake))]).double()
        self.optimiser_D.zero_grad()
        self.criterion(self.D(torch.cat([real, fake])), labels).backward()
        self.optimiser_D.step()

    def generator_step(self) -> None:
        self.optimiser_G.zero_grad()
        output = self.D(self.G(self.seed_numbers()))
        self.criterion_G(output, torch.ones_like(output)).backward()
        self.optimiser_G.step()

    def loss_on_real(self) -> Tensor:
        real = self.source.draw(self.chance, self.recipe.batch)[0]
        return self.criterion(self.D(real), self.labels(1))

    def loss_on_fake(self) -> Tensor:
        fake = self.G(self.seed_numbers()).detach()
        return self.criterion(self.D(fake), self.labels(0))

    def seed_numbers(self) -> Tensor:
        return self.recipe.latent.draw(self.chance, "latent", self.recipe.batch)[0]

    def labels(self, truth: int) -> Tensor:
        labels = torch.full((self.recipe.batch,), float(truth), dtype=torch.float64)
        for trick in self.recipe.tricks:
            if isinstance(trick, LabelSmoothing):
                low, high = trick.real if truth else trick.fake
                if low == high:
                    labels = torch.full_like(labels, low)
                else:
                    labels = low + (high - low) * self.chance.uniform(f"label smoothing {truth}", labels.shape)[0]
            elif isinstance(trick, LabelSwapping):
                rate = trick.rate * (max(0.0, 1 - self.progress / trick.until) if trick.until else 1)
                if rate:
                    swapped = self.chance.uniform(f"label swapping {truth}", labels.shape)[0] < rate
                    labels = torch.where(swapped, 1 - labels, labels)
            else:
                pytest.fail(f"write down what {name(trick)} means in a textbook loop")
        return labels

    def weights(self) -> Iterator[tuple[str, Tensor]]:
        yield from ((f"G.{n}", t) for n, t in self.G.state_dict().items())
        yield from ((f"D.{n}", t) for n, t in self.D[0].state_dict().items())


def cross_entropy_by_hand(output: Tensor, target: Tensor) -> Tensor:
    return -(target * torch.log(output + 1e-8) + (1 - target) * torch.log(1 - output + 1e-8)).mean()


CRITERIA: dict[str, tuple[Any, Any]] = {
    "mse": (nn.MSELoss(), nn.MSELoss()),
    "bce-with-logits": (nn.BCELoss(), nn.BCELoss()),
    "handwritten-cross-entropy": (cross_entropy_by_hand, cross_entropy_by_hand),
    "sigmoid-twice": (nn.BCELoss(), nn.BCEWithLogitsLoss()),
}
"""What a script gives D's output, a probability, and its targets to: for D's loss, and for G's."""


class ReplayedDropout(nn.Module):
    """nn.Dropout that draws what the game draws."""

    def __init__(self, share: float, chance: Chance, purpose: str):
        super().__init__()
        self.share, self.chance, self.purpose = share, chance, purpose

    def forward(self, x: Tensor) -> Tensor:
        kept = self.chance.uniform(self.purpose, x.shape)[0] >= self.share
        return x * kept / (1 - self.share)


def draw_dropout_from(chance: Chance, network: nn.Module, purpose: str) -> None:
    for module in list(network.modules()):
        for child, layer in module.named_children():
            if isinstance(layer, nn.Dropout):
                setattr(module, child, ReplayedDropout(layer.p, chance, purpose))


def name(leaf: Any) -> str:
    return catalogue.name_of(type(leaf)) or ""


def optimiser(leaf: Any, module: nn.Module) -> torch.optim.Optimizer:
    if name(leaf) == "sgd":
        return torch.optim.SGD(
            module.parameters(), lr=leaf.rate, momentum=leaf.momentum, weight_decay=leaf.weight_decay
        )
    assert name(leaf) == "adam", f"write down which of torch's optimisers {name(leaf)} is"
    return torch.optim.Adam(module.parameters(), lr=leaf.rate, betas=leaf.betas, weight_decay=leaf.weight_decay)


def assert_game_is_textbook_loop(recipe: Recipe, data_dir: Path) -> None:
    recipe = miniature(recipe).with_(seeds=SEEDS, rounds=ROUNDS)
    game = game_of(recipe, recipe.data.open(data_dir, "cpu"), dtype=torch.float64)
    loops = [Textbook(recipe, member, game, data_dir) for member in range(len(SEEDS))]
    begun = [{n: t.clone() for n, t in loop.weights()} for loop in loops]
    for _ in range(ROUNDS):
        game.play()
    played = {f"{who}.{n}": t for who in "GD" for n, t in game.players[who].networks.state().items()}
    for member, loop in enumerate(loops):
        loop.play(ROUNDS)
        for weight, tensor in loop.weights():
            size = tensor.abs().max()
            assert (tensor - begun[member][weight]).abs().max() / size > 1e3 * TOLERANCE, f"{weight} never moved"
            assert (played[weight][member] - tensor).abs().max() / size <= TOLERANCE, f"member {member}, {weight}"


def test_the_game_is_the_textbook_loop(recipe: Recipe, data_dir: Path) -> None:
    assert_game_is_textbook_loop(recipe, data_dir)


@pytest.mark.parametrize(
    "tricks",
    [
        (LabelSmoothing(real=(0.7, 1.0), fake=(0.0, 0.3)),),
        (LabelSmoothing(real=(0.9, 0.9)),),
        (LabelSwapping(0.4, until=0.7),),
        (LabelSwapping(0.2, until=0.0),),
        (LabelSmoothing(real=(0.7, 1.0), fake=(0.1, 0.1)), LabelSwapping(0.5, until=0.9)),
    ],
    ids=["smoothed", "one fixed label", "swapped ever less", "swapped always", "smoothed then swapped"],
)
@pytest.mark.parametrize("which", ["pattern-1010", "digits"], ids=["mse", "bce"])
def test_label_tricks_are_labels_of_the_textbook_loop(tricks: tuple[Any, ...], which: str, data_dir: Path) -> None:
    """For BCE, mixing the two losses by the name is what a label between 0 and 1 means.

    For MSE it is so up to a constant that no weight feels: n (s - 1)^2 + (1 - n) s^2 = (s - n)^2 + n (1 - n).
    """
    assert_game_is_textbook_loop(find_recipe(which).with_(tricks=tricks, batch=8), data_dir)


@pytest.mark.parametrize(
    "steps",
    [(d_sees_real, d_sees_fake) * 2 + (g_fools_d,), (d_sees_both,) + (g_fools_d,) * 4],
    ids=["D twice", "G four times"],
)
def test_a_ratio_of_steps_is_a_longer_round(steps: tuple[Any, ...], data_dir: Path) -> None:
    """The k-th step of a kind in a round has draws of its own."""
    assert_game_is_textbook_loop(find_recipe("digits").with_(round=steps, batch=5), data_dir)


def test_every_move_has_its_textbook_step(move: Any) -> None:
    assert move in (d_sees_real, d_sees_fake, d_sees_both, d_sees_mixture, g_fools_d), (
        f"write {move.__name__} down above"
    )
