"""Layers that torch lacks, and networks in class-conditional training."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from sparring import catalogue
from sparring.datasets.mnist import MNIST
from sparring.errors import SparringError
from sparring.game.assembly import game_of, maker_of_discriminators, maker_of_generators
from sparring.game.chain import is_chain
from sparring.game.moves import MODERN
from sparring.latents.normal import Normal
from sparring.networks.layers import Bilinear, MinibatchStandardDeviation, SpectralNorm
from sparring.recipe import Recipe, find_recipe
from tests.contracts.network_cases import SEEDS, narrow, populated

# The layers that torch lacks.

LAYERS = {
    "linear": (lambda: nn.Linear(48, 5, bias=False), (48,)),
    "convolution": (lambda: nn.Conv2d(3, 5, 4, bias=False), (3, 4, 4)),
}


@pytest.mark.parametrize("kind", LAYERS)
def test_spectral_normalization_makes_the_largest_singular_value_1(kind: str) -> None:
    make, shape = LAYERS[kind]
    torch.manual_seed(0)
    layer = SpectralNorm(make()).double()
    with torch.no_grad():
        layer.layer.weight *= 7
    x = torch.eye(48, dtype=torch.float64).view(48, *shape)
    found = [float(torch.linalg.svdvals(layer(x).detach().view(48, 5))[0]) for _ in range(60)]
    assert found[0] > 1.001, "sigma is underestimated at first"
    assert found == sorted(found, reverse=True)
    assert found[-1] == pytest.approx(1, abs=1e-3)
    u = layer.u.clone()
    assert float(torch.linalg.svdvals(layer.eval()(x).detach().view(48, 5))[0]) == pytest.approx(1, abs=1e-3)
    assert torch.equal(layer.u, u)


@pytest.mark.parametrize("kind", LAYERS)
def test_spectral_normalization_is_torchs(kind: str) -> None:
    """Answers and slopes, given the same u and v."""
    make, shape = LAYERS[kind]
    torch.manual_seed(0)
    layer = SpectralNorm(make(), bias=False).double()
    theirs = nn.utils.parametrizations.spectral_norm(copy.deepcopy(layer.layer)).eval()
    with torch.no_grad():
        v = functional.normalize(layer.u @ layer.layer.weight.flatten(1), dim=0)
    x = torch.randn(6, *shape, dtype=torch.float64)
    answers = layer(x)
    theirs.parametrizations.weight[0]._u.copy_(layer.u)
    theirs.parametrizations.weight[0]._v.copy_(v)
    torch.testing.assert_close(answers, theirs(x), rtol=1e-12, atol=1e-12)
    (mine,) = torch.autograd.grad(answers.square().sum(), layer.layer.weight)
    (other,) = torch.autograd.grad(theirs(x).square().sum(), theirs.parametrizations.weight.original)
    torch.testing.assert_close(mine, other, rtol=1e-10, atol=1e-12)


def test_the_deviation_of_a_minibatch_is_that_of_groups_of_four_across_it() -> None:
    layer = MinibatchStandardDeviation()
    same, wide = torch.ones(2, 1, 1), torch.tensor([1.0, -1.0])[:, None, None]
    # Eight examples of two maps: those at even places are alike, those at odd places have SD 1 and 3, on average 2.
    x = torch.stack(
        [same if k % 2 == 0 else torch.tensor([1.0, 3.0])[:, None, None] * wide[k // 2 % 2] for k in range(8)]
    )
    given = layer(x.expand(8, 2, 3, 3))
    assert given.shape == (8, 3, 3, 3)
    torch.testing.assert_close(given[:, :2], x.expand(8, 2, 3, 3))
    torch.testing.assert_close(given[0::2, 2], torch.full((4, 3, 3), 1e-4))  # the root of what keeps its slope finite
    torch.testing.assert_close(given[1::2, 2], torch.full((4, 3, 3), 2.0))
    # Six are no whole groups, so all of them are one.
    flat = torch.tensor([[0.0], [0.0], [0.0], [2.0], [2.0], [2.0]])
    torch.testing.assert_close(layer(flat)[:, 1], torch.ones(6))
    torch.testing.assert_close(layer(flat[:1])[:, 1], torch.full((1,), 1e-4))


@pytest.mark.parametrize("side", [4, 7, 10])
def test_bilinear_doubling_is_torchs_and_halving_its_transpose(side: int) -> None:
    x = torch.randn(2, 3, side, side, dtype=torch.float64)
    y = torch.randn(2, 3, 2 * side, 2 * side, dtype=torch.float64)
    small, large = (side, side), (2 * side, 2 * side)
    double, half = Bilinear(small, large), Bilinear(large, small)
    torch.testing.assert_close(double(x), functional.interpolate(x, scale_factor=2, mode="bilinear"))
    torch.testing.assert_close((double(x) * y).sum(), 4 * (x * half(y)).sum())
    torch.testing.assert_close(half(torch.ones_like(y)), torch.ones_like(x))


def test_bilinear_resampling_keeps_what_is_constant_or_stays_and_knows_odd_sides() -> None:
    x = torch.rand(2, 3, 5, 4, dtype=torch.float64)
    doubled = functional.interpolate(x, scale_factor=(2, 1), mode="bilinear")
    torch.testing.assert_close(Bilinear((5, 4), (9, 4))(x), doubled[:, :, :9])
    for before, after in (((5, 4), (9, 7)), ((9, 7), (5, 4)), ((9, 4), (9, 2)), ((3, 3), (3, 3))):
        ones = torch.ones(1, 2, *before, dtype=torch.float64)
        torch.testing.assert_close(Bilinear(before, after)(ones), torch.ones(1, 2, *after, dtype=torch.float64))
    with pytest.raises(ValueError, match="5 is neither half nor twice 8"):
        Bilinear((5, 4), (8, 8))


# Class-conditional networks.


def conditional(network: Any, who: str) -> Recipe:
    """A class-conditional recipe of digits with this network as one of the two."""
    latent = Normal(4 * 28 * 28) if type(network).__name__ == "FullyConvolutional" else Normal(8)
    recipe = find_recipe("fashion-fc").replace(data=MNIST(), latent=latent, conditional=True, round=MODERN, tricks=())
    return recipe.replace(**{who: narrow(network)}, batch=4, seeds=SEEDS)


def maker_for(recipe: Recipe, who: str) -> Any:
    """What makes its networks, or None where such a network is not for such data."""
    try:
        return (maker_of_generators if who == "generator" else maker_of_discriminators)(recipe)
    except SparringError:
        return None


@pytest.mark.parametrize("who", ["generator", "discriminator"])
def test_every_network_can_be_class_conditional(network: Any, who: str) -> None:
    recipe = conditional(network, who)
    make = maker_for(recipe, who)
    if make is None:
        assert maker_for(recipe.replace(conditional=False), who) is None
        return
    x = torch.rand(len(SEEDS), 4, *((recipe.latent.size,) if who == "generator" else (1, 28, 28)), dtype=torch.float64)

    def inputs(*classes: int) -> tuple[Tensor, ...]:
        hot = functional.one_hot(torch.tensor(classes), 10).double().expand(len(SEEDS), 4, 10)
        return (torch.cat([x, hot], -1),) if who == "generator" else (x, hot)

    assert is_chain(make())
    many = populated(make)
    together = many(*inputs(1, 0, 3, 8))
    for member, seed in enumerate(SEEDS):
        torch.manual_seed(seed)
        alone = make().double()
        answer = alone(*(each[member] for each in inputs(1, 0, 3, 8)))
        torch.testing.assert_close(together[member], answer, rtol=1e-10, atol=1e-12)
    many.train(False)
    one, other = many(*inputs(1, 0, 3, 8)), many(*inputs(1, 5, 3, 2))
    differs = (one != other).view(len(SEEDS), 4, -1).any(2)
    assert differs.equal(torch.tensor([[False, True, False, True]]).expand(len(SEEDS), 4))


@pytest.mark.parametrize("family", ["dcgan", "sngan", "r3gan"])
def test_a_class_conditional_family_learns_from_the_classes(family: str, data_dir: Path) -> None:
    players = {who: narrow(catalogue.find("networks", f"{family}-{who}")()) for who in ("generator", "discriminator")}
    recipe = conditional(players["generator"], "generator").replace(**players)
    game = game_of(recipe, recipe.data.open(data_dir, "cpu"))
    before = {f"{who}.{n}": t.clone() for who, p in game.players.items() for n, t in p.networks.state().items()}
    for _ in range(2):
        game.play()
    after = {f"{who}.{n}": t for who, p in game.players.items() for n, t in p.networks.state().items()}
    assert all(torch.isfinite(tensor).all() for tensor in after.values())
    embeddings = [name for name in after if "embed." in name and name.endswith("weight")]
    assert {name[0] for name in embeddings} == {"G", "D"}
    assert all((after[name] != before[name]).flatten(1).any(1).all() for name in embeddings)
