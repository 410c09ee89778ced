"""Between which values a network can give its numbers is found out before the first round, whatever the network."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.game.output_range import OutputRange, output_range, output_ranges
from sparring.objectives.bce_with_logits import BCEWithLogits
from sparring.objectives.least_squares import LeastSquares
from sparring.objectives.relativistic_paired import RelativisticPaired
from sparring.recipe import Recipe, find_recipe

INF = math.inf
UNIT, SIGNED, ANY, POSITIVE = (0.0, 1.0), (-1.0, 1.0), (-INF, INF), (0.0, INF)


class Ending(nn.Module):
    """A network of one's own, whose last step is no layer."""

    def __init__(self, ending: Callable[[Tensor], Tensor], hidden: Callable[[], nn.Module] = nn.ReLU, depth: int = 1):
        super().__init__()
        middle = [layer for _ in range(depth) for layer in (hidden(), nn.Linear(16, 16))]
        self.body, self.ending = nn.Sequential(nn.Linear(8, 16), *middle), ending

    def forward(self, x: Tensor) -> Tensor:
        return self.ending(self.body(x))


class Scaled(nn.Module):
    """A tanh whose height is learned: nothing bounds it."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.height = nn.Linear(8, 16), nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        return self.height * self.body(x).tanh()


class Residual(nn.Module):
    """A sum of what is positive and of what is not."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x).relu()


class SinglePrecision(nn.Module):
    """A network that takes float32 only."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(8, 16)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.body(x) @ torch.eye(16))


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: nn.Sequential(nn.Linear(8, 4), nn.Tanh(), nn.Unflatten(1, (2, 2))), SIGNED),
        (lambda: nn.Sequential(nn.Sequential(nn.Linear(8, 1)), nn.Sequential(nn.Sigmoid(), nn.Flatten(0))), UNIT),
        (lambda: nn.Sequential(nn.Linear(8, 4), nn.Softplus()), POSITIVE),
        (lambda: nn.Sequential(nn.Linear(8, 4), nn.Hardtanh(-2.0, 3.0)), (-2.0, 3.0)),
        (lambda: nn.Sequential(nn.Tanh(), nn.Linear(8, 4)), ANY),
        (lambda: Ending(torch.tanh), SIGNED),
        (lambda: Ending(lambda x: 255 * x.sigmoid()), (0.0, 255.0)),
        (lambda: Ending(lambda x: (x.tanh() + 1) / 2), UNIT),
        (lambda: Ending(lambda x: x.clamp(0, 1)), UNIT),
        (lambda: Ending(F.relu), POSITIVE),
        (lambda: Ending(F.softplus), POSITIVE),
        (lambda: Ending(lambda x: x), ANY),
        (lambda: Ending(lambda x: x, nn.Sigmoid, 5), ANY),
        (lambda: Ending(lambda x: x, nn.Tanh, 20), ANY),
        (lambda: Ending(torch.tanh, nn.ReLU, 60), SIGNED),
        (lambda: Ending(lambda x: x, lambda: nn.LayerNorm(16)), ANY),
        (lambda: Ending(torch.tanh, lambda: nn.BatchNorm1d(16)), SIGNED),
        (lambda: Ending(lambda x: x.sigmoid()[:, 0]), UNIT),
        (lambda: Ending(lambda x: x[:, 0]), ANY),
        (Scaled, ANY),
        (Residual, ANY),
        (SinglePrecision, UNIT),
    ],
)
def test_it_is_read_off_the_last_layer_or_found_by_trial(
    make: Callable[[], nn.Module], expected: tuple[float, float]
) -> None:
    found = output_range(make, (8,))
    assert found is not None
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-3)


def test_a_network_that_allows_no_trial_is_left_alone_and_so_is_chance() -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    assert output_range(lambda: Ending(lambda x: x / 0 if x.abs().max() < 0 else 1 / 0), (8,)) is None
    assert torch.equal(torch.get_rng_state(), before)


def test_a_network_that_gives_one_value_far_away_is_not_called_bounded() -> None:
    """A bump: of far larger weights it gives its foot only, as a D may that has learned nothing of such inputs."""
    bump = lambda: Ending(lambda x: torch.logit(torch.exp(-(x[:, 0] ** 2)).clamp(1e-4, 1 - 1e-4)))  # noqa: E731
    assert output_range(bump, (8,)) is None


def test_a_recipe_of_the_catalogue_reaches_its_data_and_its_scores_have_no_bound(recipe: Recipe) -> None:
    found = output_ranges(recipe)
    span = recipe.data.span if recipe.data.modes is None else (-INF, INF)
    assert (found["generator"].low, found["generator"].high) == span
    assert (found["discriminator"].low, found["discriminator"].high) == ANY


def with_sigmoid(recipe: Recipe) -> Recipe:
    return recipe.replace(discriminator=lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 1), nn.Sigmoid()))


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (BCEWithLogits(), (0.5, 1 / (1 + math.exp(-1)))),
        (LeastSquares(), (0.0, 1.0)),
        (RelativisticPaired(), (1 / (1 + math.e), 1 / (1 + math.exp(-1)))),
    ],
)
def test_what_d_can_say_follows_from_its_scores_and_the_objective(loss: object, expected: tuple[float, float]) -> None:
    recipe = with_sigmoid(find_recipe("digits").replace(objective=loss, tricks=()))
    found = output_ranges(recipe)
    assert found["discriminator"] == OutputRange(*UNIT)
    assert (found["d_output"].low, found["d_output"].high) == pytest.approx(expected, abs=1e-3)


def test_players_that_are_given_classes_are_tried_with_classes() -> None:
    found = output_ranges(find_recipe("digits").replace(conditional=True))
    assert found["generator"] == OutputRange(*SIGNED) and found["discriminator"] == OutputRange()
