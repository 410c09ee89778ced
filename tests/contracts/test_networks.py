"""What every built-in network must keep."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
import torch
from torch import Tensor, nn

from sparring import catalogue
from sparring.game.chain import is_chain
from sparring.game.population import Population
from sparring.networks._images import sides
from sparring.networks.layers import Residual
from tests.contracts.network_cases import SEEDS, narrow, populated

CASES = {
    "a generator of vectors": ((1,), (4,)),
    "a generator of pictures": ((32,), (1, 8, 8)),
    "a generator of color": ((10,), (3, 8, 8)),
    "a generator of pictures from an array": ((16 * 16,), (1, 8, 8)),
    "a generator of 28 x 28": ((6,), (1, 28, 28)),
    "a generator of 32 x 32 in color": ((6,), (3, 32, 32)),
    "a generator of 25 x 10": ((6,), (2, 25, 10)),
    "a discriminator of vectors": ((4,), ()),
    "a discriminator of pictures": ((1, 8, 8), ()),
    "a discriminator of color": ((3, 8, 8), ()),
    "a discriminator of 28 x 28": ((1, 28, 28), ()),
    "a discriminator of 32 x 32 in color": ((3, 32, 32), ()),
    "a discriminator of 25 x 10": ((2, 25, 10), ()),
}


SIZES = (
    *((side, side) for side in (7, 8, 14, 16, 28, 32, 48, 56, 64, 80, 112, 128, 256)),
    *((side, side) for side in (1, 3, 9, 11, 30, 33, 57, 96, 100, 127, 218)),
    *((64, 48), (48, 64), (178, 218), (28, 20), (5, 8), (3, 100), (100, 3), (1, 128), (17, 256)),
)
"""Heights and widths of images: what the papers have, odd ones, and some that are not square."""


STATED = ((1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 64, 64))
"""Examples for which an image network says how many weights it has, from 64 latent numbers."""


Fit = tuple[Any, str]


def variants(network: Any, case: str) -> list[Any]:
    """The leaf, narrow, once with each other choice that one of its fields offers and once with dropout.

    On larger pictures it is tried with its defaults only.
    """
    network = narrow(network)
    found = [network]
    hints = get_type_hints(type(network)) if " x " not in case else {}
    if "dropout" in hints:
        found.append(dataclasses.replace(network, dropout=0.3))
    for name, kind in hints.items():
        choices = get_args(kind) if get_origin(kind) is Literal else (True, False) if kind is bool else ()
        found += [dataclasses.replace(network, **{name: c}) for c in choices if c != getattr(network, name)]
    return [each for each in found if builds(each, case)]


def builds(network: Any, case: str) -> bool:
    """Whether a network is made for such examples. One that is not says so in one line."""
    try:
        network.build(*CASES[case])
    except ValueError as error:
        said = str(error).splitlines()
    else:
        return True
    assert len(said) == 1
    return False


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`fit` is every network with every case that it is made for."""
    if "fit" in metafunc.fixturenames:
        leaves = {name: catalogue.find("networks", name)() for name in catalogue.entries("networks")}
        fits = [(name, case) for name, leaf in leaves.items() for case in CASES if builds(leaf, case)]
        metafunc.parametrize("fit", [(leaves[n], c) for n, c in fits], ids=[f"{n}, {c}" for n, c in fits])


def test_a_network_is_made_for_something(network: Any) -> None:
    assert any(builds(network, case) for case in CASES)


def population(network: Any, case: str, seeds: tuple[int, ...] = SEEDS) -> Population:
    takes, gives = CASES[case]
    return populated(lambda: network.build(takes, gives), seeds)


def module(network: Any, case: str, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return network.build(*CASES[case]).double()


@pytest.mark.parametrize("batch", [1, 6])
def test_a_network_maps_what_it_takes_to_what_it_must_give(fit: Fit, batch: int) -> None:
    network, case = fit
    takes, gives = CASES[case]
    for each in variants(network, case):
        made = each.build(takes, gives).train(batch > 1)  # batch normalization learns nothing from one example
        given = made(torch.rand(batch, *takes))
        assert given.shape == (batch, *gives), each
        assert torch.isfinite(given).all()


def test_a_population_computes_and_learns_as_its_modules(fit: Fit) -> None:
    network, case = fit
    """Answers, and slopes by every weight, in float64 to 12 digits. Dropout draws otherwise, and is tested below."""
    takes, _ = CASES[case]
    for each in (each for each in variants(network, case) if not getattr(each, "dropout", 0)):
        many = population(each, case)
        x = torch.rand(len(SEEDS), 6, *takes, dtype=torch.float64)
        answers = many(x)
        slopes = torch.autograd.grad(answers.square().sum(), many.parameters)
        for member, seed in enumerate(SEEDS):
            alone = module(each, case, seed)
            torch.testing.assert_close(answers[member], alone(x[member]), rtol=1e-12, atol=1e-13)
            assert many.state().keys() == alone.state_dict().keys()
            for name, tensor in alone.state_dict().items():
                torch.testing.assert_close(many.state()[name][member], tensor, rtol=1e-12, atol=1e-13)
        with torch.no_grad():
            for p, slope in zip(many.parameters, slopes, strict=True):
                p -= slope
        for member, seed in enumerate(SEEDS):
            alone = module(each, case, seed)
            alone(x[member]).square().sum().backward()
            for name, p in alone.named_parameters():
                assert p.grad is not None
                torch.testing.assert_close(many.state()[name][member], p.detach() - p.grad, rtol=1e-9, atol=1e-11)


def test_every_layer_of_a_network_has_a_batched_form(fit: Fit) -> None:
    network, case = fit
    for each in variants(network, case):
        assert is_chain(each.build(*CASES[case])), f"the layers of {each} would be mapped, which is slow"


def test_second_derivatives_through_a_population_are_those_of_its_modules(fit: Fit) -> None:
    """What a gradient penalty learns from, with other examples looked at in between."""
    network, case = fit
    takes, gives = CASES[case]
    if gives:
        return

    def slopes(score: Tensor, x: Tensor, weights: list[Tensor]) -> tuple[Tensor, ...]:
        (slope,) = torch.autograd.grad(score.square().sum(), x, create_graph=True)
        return torch.autograd.grad(slope.square().sum(), weights, materialize_grads=True)

    for each in (each for each in variants(network, case) if not getattr(each, "dropout", 0)):
        many = population(each, case)
        x, other = torch.rand(2, len(SEEDS), 4, *takes, dtype=torch.float64).requires_grad_()
        score, _ = many(x), many(other)
        together = many.named(slopes(score, x, many.parameters))
        for member, seed in enumerate(SEEDS):
            alone = module(each, case, seed)
            mine = x[member].detach().requires_grad_()
            score, _ = alone(mine), alone(other[member])
            names, weights = zip(*alone.named_parameters(), strict=True)
            for name, slope in zip(names, slopes(score, mine, list(weights)), strict=True):
                torch.testing.assert_close(together[name][member], slope, rtol=1e-9, atol=1e-11)
            assert any(tensor.any() for tensor in together.values())


def test_every_weight_has_a_slope(fit: Fit) -> None:
    """A little after birth: branches that are born silent have heard of something by then."""
    network, case = fit
    takes, _ = CASES[case]
    for each in variants(network, case):
        many = population(each, case)
        assert many.parameters
        with torch.no_grad():
            for p in many.parameters:
                p += 0.01 * torch.randn_like(p)
        weighing = torch.rand(len(SEEDS), 20, *CASES[case][1], dtype=torch.float64)
        answers = many(torch.randn(len(SEEDS), 20, *takes, dtype=torch.float64))
        for p, slope in zip(
            many.parameters, torch.autograd.grad((answers * weighing).sum(), many.parameters), strict=True
        ):
            assert slope.shape == p.shape
            assert (slope != 0).flatten(1).any(1).all(), "a member has a weight that learns nothing"


@pytest.mark.parametrize(("output", "span"), [("sigmoid", (0.0, 1.0)), ("tanh", (-1.0, 1.0))])
def test_a_squashed_output_stays_in_its_range_and_can_fill_it(
    network: Any, output: str, span: tuple[float, float]
) -> None:
    for case in (case for case in CASES if "generator" in case and builds(network, case)):
        made = module(dataclasses.replace(narrow(network), output=output), case, 0).eval()
        given = made(1e5 * torch.randn(50, *CASES[case][0], dtype=torch.float64))
        assert span[0] <= given.min() < span[0] + 0.01
        assert span[1] - 0.01 < given.max() <= span[1]


def test_dropout_draws_for_each_member_and_not_when_it_is_tried(fit: Fit) -> None:
    network, case = fit
    takes, _ = CASES[case]
    if not hasattr(network, "dropout"):
        return
    dropping = dataclasses.replace(narrow(network), dropout=0.5)
    many, alone = population(dropping, case), population(dropping, case, SEEDS[1:2])
    x = torch.rand(1, 6, *takes, dtype=torch.float64).expand(len(SEEDS), 6, *takes)
    torch.testing.assert_close(many(x)[1:2], alone(x[1:2]), rtol=1e-12, atol=1e-13)
    many.train(False)
    assert torch.equal(many(x), many(x))
    many.train()
    assert not torch.equal(many(x), many(x))


def test_weights_come_from_torchs_generator_alone(network: Any) -> None:
    case = next(case for case in CASES if builds(network, case))
    one, same, other = (module(network, case, seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_a_state_loads_into_a_population_of_other_seeds(fit: Fit) -> None:
    network, case = fit
    takes, _ = CASES[case]
    for each in variants(network, case):
        one, other = population(each, case), population(each, case, (8, 9, 10))
        x = torch.rand(len(SEEDS), 4, *takes, dtype=torch.float64)
        one.train(False)
        other.train(False)
        assert not torch.equal(one(x), other(x))
        other.load({name: tensor.clone() for name, tensor in one.state().items()})
        assert torch.equal(one(x), other(x))


# Image networks: what sets their size.


def generates(network: Any, shape: tuple[int, ...]) -> bool:
    """Whether a leaf is a generator of such examples, or else a discriminator."""
    try:
        network.size((64,), shape)
    except ValueError:
        return False
    return True


def test_a_network_that_sizes_itself_says_how_many_weights_that_makes(network: Any) -> None:
    if not hasattr(network, "width"):
        return
    said = " ".join(type(network).__doc__.split())
    for shape in STATED:
        takes, gives = ((64,), shape) if generates(network, shape) else (shape, ())
        assert f"{network.size(takes, gives):,} for {shape}" in said
        with torch.random.fork_rng():
            assert network.size(takes, gives) == sum(p.numel() for p in network.build(takes, gives).parameters())
        assert network.size(takes, gives) < dataclasses.replace(network, width=200).size(takes, gives)


def ends(network: Any, shape: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What it takes and gives for such examples."""
    return ((64,), shape) if generates(network, (1, 8, 8)) else (shape, ())


def test_a_network_that_sizes_itself_fits_every_size_and_any_channels(network: Any) -> None:
    if not hasattr(network, "width"):
        return
    for size, channels in zip(SIZES, itertools.cycle((1, 3, 2, 6))):
        takes, gives = ends(network, (channels, *size))
        with torch.device("meta"):  # shapes without numbers
            assert network.build(takes, gives)(torch.empty(2, *takes)).shape == (2, *gives)


def test_sizes_are_halved_down_to_the_smallest_maps() -> None:
    assert sides((1, 28, 28)) == ((28, 28), (14, 14), (7, 7))
    assert sides((3, 100, 30)) == ((100, 30), (50, 15), (25, 8), (13, 4), (7, 4))
    assert sides((3, 64, 48))[-1] == (4, 6) and sides((1, 3, 2)) == ((3, 2),)
    for size in SIZES:
        assert all(4 <= small <= 7 or small == large for small, large in zip(sides((1, *size))[-1], size, strict=True))


def test_an_odd_size_costs_about_what_its_neighbors_do(network: Any) -> None:
    """No size falls back on wide linear layers: weights lie between half and twice those of a size that halves."""
    if not hasattr(network, "width"):
        return
    for shape, near in (
        ((3, 100, 100), (3, 96, 96)),
        ((3, 64, 48), (3, 64, 64)),
        ((1, 27, 29), (1, 32, 32)),
        ((3, 61, 67), (3, 64, 64)),
    ):
        assert 0.5 < network.size(*ends(network, shape)) / network.size(*ends(network, near)) < 2


@pytest.mark.parametrize("size", [(9, 14), (100, 30), (13, 13)])
def test_every_pixel_is_made_and_seen(network: Any, size: tuple[int, int]) -> None:
    """No row or column of an odd size is cut off: G makes it, and D's score depends on it."""
    if not hasattr(network, "width"):
        return
    takes, gives = ends(network, (2, *size))
    torch.manual_seed(0)
    made = dataclasses.replace(network, width=8).build(takes, gives).double()
    with torch.no_grad():
        for p in made.parameters():  # branches that are initialized to 0 included
            p += 0.02 * torch.randn_like(p)
    if gives:
        images = made(torch.randn(6, *takes, dtype=torch.float64))
        assert (images.std(0) > 1e-6).all()
        return
    x = torch.rand(4, *takes, dtype=torch.float64).requires_grad_()
    (gradient,) = torch.autograd.grad(made(x).sum(), x)
    assert (gradient.abs().amax(0) > 1e-12).all()


@pytest.mark.parametrize("shape", [(3, 32), (4,)])
def test_a_network_of_images_says_that_it_is_one(network: Any, shape: tuple[int, ...]) -> None:
    if not hasattr(network, "width"):
        return
    with pytest.raises(ValueError, match=r"for images \(C, H, W\), not for examples of") as caught:
        network.build(*ends(network, shape))
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(ValueError, match="width must be"):
        dataclasses.replace(network, width=-1).build(*ends(network, (1, 8, 8)))


def test_blocks_without_normalization_begin_as_their_shortcuts() -> None:
    generator = catalogue.find("networks", "r3gan-generator")
    made = module(generator(width=4, blocks=2), "a generator of 28 x 28", 0)
    blocks = [layer for layer in made.modules() if isinstance(layer, Residual)]
    assert len(blocks) == 2 * 3  # at 7, 14 and 28 pixels
    for block in blocks:
        x = torch.randn(2, block.main[0].in_channels, 5, 5, dtype=torch.float64)
        assert torch.equal(block(x), x)
        assert block.main[:3](x).std() > 0.1
