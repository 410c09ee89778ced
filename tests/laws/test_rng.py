"""What a member draws depends on its seed, the round and the purpose of the draw, and on nothing else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from sparring.rng import BLOCK_ROUNDS, RandomStreams

SEEDS = (7, 0, 123456789012, 2**63 - 1)
Draw = Callable[[RandomStreams], Tensor]

DRAWS: dict[str, Draw] = {
    "a small uniform": lambda c: c.uniform("a", (3,)),
    "a large uniform": lambda c: c.uniform("a", (300, 40)),
    "a uniform in a span": lambda c: c.uniform("a", (2, 2), (torch.tensor([1.0, 5.0]), torch.tensor([2.0, 6.0]))),
    "a normal": lambda c: c.normal("b", (5, 7)),
    "shuffled indices": lambda c: c.shuffled("c", 10, 4),
    "a second use": lambda c: (c.uniform("a", (3,)), c.uniform("a", (3,)))[1],
    "seeds for torch": lambda c: torch.tensor(c.torch_seeds("d")),
}
ROUNDS = [0, 1, 2, 5, BLOCK_ROUNDS - 1, BLOCK_ROUNDS, 3 * BLOCK_ROUNDS + 5]


def at(seeds: tuple[int, ...], round: int, draw: Draw, dtype: torch.dtype = torch.float32) -> Tensor:
    """What fresh streams draw in a round."""
    rng = RandomStreams(seeds, dtype=dtype)
    rng.begin(round)
    return draw(rng).clone()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("what", DRAWS)
def test_a_members_draws_do_not_depend_on_who_else_plays_or_in_which_order(what: str, dtype: torch.dtype) -> None:
    for round in ROUNDS:
        together = at(SEEDS, round, DRAWS[what], dtype)
        reversed_ = at(SEEDS[::-1], round, DRAWS[what], dtype)
        for member, seed in enumerate(SEEDS):
            alone = at((seed,), round, DRAWS[what], dtype)[0]
            assert torch.equal(together[member], alone)
            assert torch.equal(reversed_[len(SEEDS) - 1 - member], alone)


@pytest.mark.parametrize("what", DRAWS)
def test_what_is_drawn_in_a_round_does_not_depend_on_the_rounds_before(what: str) -> None:
    played = RandomStreams(SEEDS)
    for round in range(BLOCK_ROUNDS + 3):
        played.begin(round)
        drawn = DRAWS[what](played)
        if round in ROUNDS:
            assert torch.equal(drawn, at(SEEDS, round, DRAWS[what])), f"round {round}"
    for round in (3 * BLOCK_ROUNDS + 5, 0, 5, 1):  # nor on going on at another place, nor on going back
        played.begin(round)
        assert torch.equal(DRAWS[what](played), at(SEEDS, round, DRAWS[what])), f"round {round}"


@pytest.mark.parametrize("what", DRAWS)
def test_what_is_drawn_does_not_depend_on_draws_for_other_purposes(what: str) -> None:
    rng = RandomStreams(SEEDS)
    rng.begin(2)
    rng.uniform("something else", (3,))
    rng.normal("something else", (3,))
    rng.shuffled("yet another", 10, 4)
    assert torch.equal(DRAWS[what](rng), at(SEEDS, 2, DRAWS[what]))


def test_a_shape_or_a_span_that_changes_from_round_to_round_is_respected() -> None:
    """A move may draw noise that fades, or ever larger batches; the numbers are still the round's own."""

    def fading(rng: RandomStreams) -> Tensor:
        return rng.uniform("noise", (4,), (-1 / (1 + rng.round), 1 / (1 + rng.round)))

    def growing(rng: RandomStreams) -> Tensor:
        return rng.normal("batch", (2 + rng.round, 3))

    def turning(rng: RandomStreams) -> Tensor:
        return (rng.normal if rng.round % 2 else rng.uniform)("either", (5,))

    draws: list[Draw] = [fading, growing, turning]
    for draw in draws:
        rng = RandomStreams(SEEDS)
        for round in range(6):
            rng.begin(round)
            assert torch.equal(draw(rng), at(SEEDS, round, draw)), f"{draw.__name__}, round {round}"
    assert at(SEEDS, 99, fading).abs().max() <= 0.01


def test_rounds_uses_purposes_and_seeds_draw_different_numbers() -> None:
    drawn = [
        at((seed,), round, lambda c, use=use, purpose=purpose: [c.uniform(purpose, (4,)) for _ in range(use + 1)][use])
        for seed in (0, 1, 2**62)
        for round in (0, 1, BLOCK_ROUNDS, BLOCK_ROUNDS + 1)
        for use in (0, 1, 2)
        for purpose in ("latent", "real", "G", "D", "")
    ]
    numbers = torch.cat(drawn).flatten()
    assert len(numbers.unique()) >= len(numbers) - 1  # of 720 numbers out of 2**24 two may coincide


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**63 - 1), total=st.integers(1, 30), count=st.integers(1, 70), passes=st.integers(1, 4))
def test_every_pass_shows_every_example_once(seed: int, total: int, count: int, passes: int) -> None:
    """Also where a batch straddles two passes, or spans several."""
    rng = RandomStreams((seed, seed ^ 1))
    passed: list[Tensor] = []
    for round in range(-(-total * passes // count)):
        rng.begin(round)
        drawn = rng.shuffled("real", total, count)
        assert drawn.shape == (2, count)
        assert drawn.dtype == torch.int64
        passed.append(drawn)
    indices = torch.cat(passed, 1)
    for number in range(passes):
        one_pass = indices[:, number * total : (number + 1) * total].sort(1).values
        assert torch.equal(one_pass, torch.arange(total).expand(2, total))


def test_passes_have_orders_of_their_own() -> None:
    rng = RandomStreams((0, 1))
    orders: list[tuple[int, ...]] = []
    for round in range(4):
        rng.begin(round)
        orders += map(tuple, rng.shuffled("real", 50, 50).tolist())
    assert len(set(orders)) == 8


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_uniform_numbers_are_uniform_and_normal_ones_normal(dtype: torch.dtype) -> None:
    """40,000 numbers: their mean and SD lie within five standard errors of the distribution's, in one fixed draw."""
    count = 40_000
    uniform = at((5,), 0, lambda c: c.uniform("u", (count,)), dtype).numpy()
    normal = at((5,), 0, lambda c: c.normal("n", (count,)), dtype).numpy()
    spread = at((5,), 0, lambda c: c.uniform("u", (count,), (2.0, 6.0)), dtype)
    assert uniform.dtype == normal.dtype == {torch.float32: np.float32, torch.float64: np.float64}[dtype]
    assert uniform.min() >= 0
    assert uniform.max() < 1
    assert abs(uniform.mean() - 0.5) < 5 * (1 / 12 / count) ** 0.5
    assert abs(uniform.var() - 1 / 12) < 5 * (1 / 180 / count) ** 0.5
    assert abs(normal.mean()) < 5 / count**0.5
    assert abs(normal.std() - 1) < 5 / (2 * count) ** 0.5
    assert abs(np.mean(np.abs(normal) < 1) - 0.682689) < 5 * (0.2166 / count) ** 0.5
    torch.testing.assert_close(spread, torch.from_numpy(uniform) * 4 + 2)


def test_numbers_along_rounds_are_as_independent_as_along_a_draw() -> None:
    rng = RandomStreams((3,))
    rows: list[Tensor] = []
    for round in range(2000):
        rng.begin(round)
        rows.append(rng.normal("n", (4,))[0])
    series = torch.stack(rows).double()
    neighbors = (series[1:] * series[:-1]).mean(0)
    across = (series[:, 1:] * series[:, :-1]).mean(0)
    assert neighbors.abs().max() < 5 / 2000**0.5
    assert across.abs().max() < 5 / 2000**0.5


def test_a_constant_is_not_random() -> None:
    rng = RandomStreams(SEEDS, dtype=torch.float64)
    assert torch.equal(rng.constant(0.5, (2, 3)), torch.full((4, 2, 3), 0.5, dtype=torch.float64))
    assert torch.equal(rng.constant(0.25, (2, 3)), torch.full((4, 2, 3), 0.25, dtype=torch.float64))


def test_seeds_for_torch_are_integers_that_any_generator_takes() -> None:
    torch_seeds = at(SEEDS, 0, lambda c: torch.tensor(c.torch_seeds("G"))).tolist()
    assert len(set(torch_seeds)) == len(SEEDS)
    assert all(0 <= seed < 2**63 for seed in torch_seeds)
