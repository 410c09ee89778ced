"""What every network must keep."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
import torch
from torch import nn

from sparring.population import Population

CASES = {
    "a generator of vectors": ((1,), (4,)),
    "a generator of pictures": ((32,), (1, 8, 8)),
    "a generator of colour": ((10,), (3, 8, 8)),
    "a discriminator of vectors": ((4,), ()),
    "a discriminator of pictures": ((1, 8, 8), ()),
    "a discriminator of colour": ((3, 8, 8), ()),
}
SEEDS = (5, 0, 2**40)


def variants(network: Any) -> list[Any]:
    """The leaf with its defaults, and once with each other choice that one of its fields offers."""
    found = [network]
    for name, kind in get_type_hints(type(network)).items():
        if get_origin(kind) is Literal:
            found += [dataclasses.replace(network, **{name: choice}) for choice in get_args(kind)]
    return found


def population(network: Any, case: str, seeds: tuple[int, ...] = SEEDS) -> Population:
    takes, gives = CASES[case]
    return Population(lambda: network.build(takes, gives), seeds, lambda: seeds, dtype=torch.float64)


def module(network: Any, case: str, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return network.build(*CASES[case]).double()


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("batch", [1, 6])
def test_a_network_maps_what_it_takes_to_what_it_must_give(network: Any, case: str, batch: int) -> None:
    takes, gives = CASES[case]
    for each in variants(network):
        given = each.build(takes, gives)(torch.rand(batch, *takes))
        assert given.shape == (batch, *gives), each
        assert torch.isfinite(given).all()


@pytest.mark.parametrize("case", CASES)
def test_a_population_answers_and_learns_as_its_modules(network: Any, case: str) -> None:
    """Answers, and slopes by every weight, in float64 to 12 digits."""
    takes, _ = CASES[case]
    for each in variants(network):
        many = population(each, case)
        x = torch.rand(len(SEEDS), 6, *takes, dtype=torch.float64)
        answers = many(x)
        slopes = torch.autograd.grad(answers.square().sum(), many.parameters)
        for member, seed in enumerate(SEEDS):
            alone = module(each, case, seed)
            torch.testing.assert_close(answers[member], alone(x[member]), rtol=1e-12, atol=1e-13)
            assert many.state().keys() == alone.state_dict().keys()
            for name, tensor in alone.state_dict().items():
                assert torch.equal(many.state()[name][member], tensor), f"{each}: {name}"
        with torch.no_grad():
            for p, slope in zip(many.parameters, slopes, strict=True):
                p -= slope
        for member, seed in enumerate(SEEDS):
            alone = module(each, case, seed)
            alone(x[member]).square().sum().backward()
            for name, p in alone.named_parameters():
                assert p.grad is not None
                torch.testing.assert_close(many.state()[name][member], p.detach() - p.grad, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_every_weight_has_a_slope(network: Any, case: str) -> None:
    takes, _ = CASES[case]
    for each in variants(network):
        many = population(each, case)
        assert many.parameters
        weighing = torch.rand(len(SEEDS), 20, *CASES[case][1], dtype=torch.float64)
        answers = many(torch.randn(len(SEEDS), 20, *takes, dtype=torch.float64))
        for p, slope in zip(
            many.parameters, torch.autograd.grad((answers * weighing).sum(), many.parameters), strict=True
        ):
            assert slope.shape == p.shape
            assert (slope != 0).flatten(1).any(1).all(), "a member has a weight that learns nothing"


@pytest.mark.parametrize(("output", "span"), [("sigmoid", (0.0, 1.0)), ("tanh", (-1.0, 1.0))])
@pytest.mark.parametrize("case", [c for c in CASES if "generator" in c])
def test_a_squashed_output_stays_in_its_range_and_can_fill_it(
    network: Any, case: str, output: str, span: tuple[float, float]
) -> None:
    takes, _ = CASES[case]
    made = module(dataclasses.replace(network, output=output), case, 0)
    given = made(1e4 * torch.randn(50, *takes, dtype=torch.float64))
    assert span[0] <= given.min() < span[0] + 0.01
    assert span[1] - 0.01 < given.max() <= span[1]
    unbounded = module(dataclasses.replace(network, output="none"), case, 0)
    assert unbounded(1e4 * torch.randn(50, *takes, dtype=torch.float64)).abs().max() > 1


def test_weights_come_from_torchs_generator_alone(network: Any) -> None:
    one, same, other = (module(network, "a generator of pictures", seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("case", CASES)
def test_a_state_loads_into_a_population_of_other_seeds(network: Any, case: str) -> None:
    takes, _ = CASES[case]
    for each in variants(network):
        one, other = population(each, case), population(each, case, (8, 9, 10))
        x = torch.rand(len(SEEDS), 4, *takes, dtype=torch.float64)
        assert not torch.equal(one(x), other(x))
        other.load({name: tensor.clone() for name, tensor in one.state().items()})
        assert torch.equal(one(x), other(x))
