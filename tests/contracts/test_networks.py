"""What every network must keep."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
import torch
from torch import nn

from sparring import catalogue
from sparring.chance import Chance
from sparring.population import Population

CASES = {
    "a generator of vectors": ((1,), (4,)),
    "a generator of pictures": ((32,), (1, 8, 8)),
    "a generator of colour": ((10,), (3, 8, 8)),
    "a generator of pictures from an array": ((16 * 16,), (1, 8, 8)),
    "a discriminator of vectors": ((4,), ()),
    "a discriminator of pictures": ((1, 8, 8), ()),
    "a discriminator of colour": ((3, 8, 8), ()),
}
SEEDS = (5, 0, 2**40)
Fit = tuple[Any, str]


def variants(network: Any) -> list[Any]:
    """The leaf with its defaults, once with each other choice that one of its fields offers, and with dropout."""
    found = [network]
    hints = get_type_hints(type(network))
    if "dropout" in hints:
        found.append(dataclasses.replace(network, dropout=0.3))
    for name, kind in hints.items():
        if get_origin(kind) is Literal:
            found += [dataclasses.replace(network, **{name: choice}) for choice in get_args(kind)]
    return found


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
        leaves = {name: catalogue.find("networks", name)() for name in catalogue.cards("networks")}
        fits = [(name, case) for name, leaf in leaves.items() for case in CASES if builds(leaf, case)]
        metafunc.parametrize("fit", [(leaves[n], c) for n, c in fits], ids=[f"{n}, {c}" for n, c in fits])


def test_a_network_is_made_for_something(network: Any) -> None:
    assert any(builds(network, case) for case in CASES)


def population(network: Any, case: str, seeds: tuple[int, ...] = SEEDS) -> Population:
    takes, gives = CASES[case]
    return Population(
        lambda: network.build(takes, gives), seeds, Chance(seeds, dtype=torch.float64).luck("G"), dtype=torch.float64
    )


def module(network: Any, case: str, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return network.build(*CASES[case]).double()


@pytest.mark.parametrize("batch", [1, 6])
def test_a_network_maps_what_it_takes_to_what_it_must_give(fit: Fit, batch: int) -> None:
    network, case = fit
    takes, gives = CASES[case]
    for each in variants(network):
        made = each.build(takes, gives).train(batch > 1)  # batch normalisation learns nothing from one example
        given = made(torch.rand(batch, *takes))
        assert given.shape == (batch, *gives), each
        assert torch.isfinite(given).all()


def test_a_population_answers_and_learns_as_its_modules(fit: Fit) -> None:
    network, case = fit
    """Answers, and slopes by every weight, in float64 to 12 digits. Dropout draws otherwise, and is tested below."""
    takes, _ = CASES[case]
    for each in (each for each in variants(network) if not getattr(each, "dropout", 0)):
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
                torch.testing.assert_close(many.state()[name][member], p.detach() - p.grad, rtol=1e-10, atol=1e-12)


def test_every_weight_has_a_slope(fit: Fit) -> None:
    network, case = fit
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
def test_a_squashed_output_stays_in_its_range_and_can_fill_it(
    network: Any, output: str, span: tuple[float, float]
) -> None:
    for case in (case for case in CASES if "generator" in case and builds(network, case)):
        made = module(dataclasses.replace(network, output=output), case, 0)
        given = made(1e5 * torch.randn(50, *CASES[case][0], dtype=torch.float64))
        assert span[0] <= given.min() < span[0] + 0.01
        assert span[1] - 0.01 < given.max() <= span[1]


def test_dropout_draws_for_each_member_and_not_when_it_is_tried(fit: Fit) -> None:
    network, case = fit
    takes, _ = CASES[case]
    if not hasattr(network, "dropout"):
        return
    dropping = dataclasses.replace(network, dropout=0.5)
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
    for each in variants(network):
        one, other = population(each, case), population(each, case, (8, 9, 10))
        x = torch.rand(len(SEEDS), 4, *takes, dtype=torch.float64)
        one.train(False)
        other.train(False)
        assert not torch.equal(one(x), other(x))
        other.load({name: tensor.clone() for name, tensor in one.state().items()})
        assert torch.equal(one(x), other(x))
