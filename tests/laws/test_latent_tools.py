"""What each walk in the latent space computes, against formulas written out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sparring.analysis.generators import explorable, latents, sample
from sparring.analysis.latent_tools.arithmetic import arithmetic, letters
from sparring.analysis.latent_tools.blend import blend
from sparring.analysis.latent_tools.influence import effect, influence, region
from sparring.analysis.latent_tools.sweep import sweep
from sparring.errors import UsageError
from sparring.recipe import find_recipe
from sparring.training import train

P, SIZE = 3, 6


def vectors(count: int, seed: int = 0, members: int = P, size: int = SIZE) -> Tensor:
    return torch.randn(members, count, size, generator=torch.Generator().manual_seed(seed))


def bent(z: Tensor) -> Tensor:
    """P generators that are not linear and give pictures."""
    rng = torch.Generator().manual_seed(2)
    first, second = (torch.randn(P, *s, generator=rng, dtype=z.dtype) for s in ((SIZE, 5), (5, 28)))
    return (torch.tanh(z @ first) @ second).unflatten(-1, (1, 7, 4))


# Sweep.


def test_a_sweep_sets_one_number_and_leaves_the_others() -> None:
    z = vectors(2)
    dims, values = [0, 4], [-3.0, 0.0, 3.0, 7.5]
    swept = sweep(z, dims, values)
    assert swept.shape == (P, 2, 2, 4, SIZE)
    for row, dim in enumerate(dims):
        others = [d for d in range(SIZE) if d != dim]
        for column, value in enumerate(values):
            assert (swept[:, :, row, column, dim] == value).all()
            assert torch.equal(swept[:, :, row, column][..., others], z[..., others])


def test_a_sweep_leaves_its_base_as_it_was() -> None:
    z = vectors(2)
    before = z.clone()
    sweep(z, [1], [9.0])
    assert torch.equal(z, before)


@pytest.mark.parametrize("dim", [-1, SIZE])
def test_a_sweep_of_a_number_that_is_not_there_is_refused(dim: int) -> None:
    with pytest.raises(UsageError, match=f"{SIZE} dimensions"):
        sweep(vectors(1), [dim], [0.0])


# Blend.


@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_a_blend_ends_at_its_corners(path: str) -> None:
    two, four = vectors(2), vectors(4)
    line, square = blend(two, 5, path), blend(four, 5, path)  # pyright: ignore[reportArgumentType]
    assert line.shape == (P, 5, SIZE)
    assert square.shape == (P, 5, 5, SIZE)
    assert torch.equal(line[:, [0, -1]], two)
    for corner, (row, column) in enumerate([(0, 0), (0, -1), (-1, 0), (-1, -1)]):
        assert torch.equal(square[:, row, column], four[:, corner])


def test_a_linear_blend_is_bilinear() -> None:
    four = vectors(4).double()
    square = blend(four, 4)
    for row in range(4):
        for column in range(4):
            y, x = row / 3, column / 3
            weights = four.new_tensor([(1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x])
            torch.testing.assert_close(square[:, row, column], torch.einsum("c,pcs->ps", weights, four))


def test_a_spherical_blend_keeps_a_common_length_and_turns_evenly() -> None:
    two = 10 * nn.functional.normalize(vectors(2).double(), dim=-1)
    walk = blend(two, 9, "spherical")
    torch.testing.assert_close(walk.norm(dim=-1), torch.full((P, 9), 10.0, dtype=torch.float64))
    cosines = (walk[:, 1:] * walk[:, :-1]).sum(-1) / 100
    torch.testing.assert_close(cosines, cosines[:, :1].expand_as(cosines))
    a, b = two.unbind(1)
    angle = torch.arccos((a * b).sum(-1, keepdim=True) / 100)
    torch.testing.assert_close(walk[:, 4], (angle / 2).sin() / angle.sin() * (a + b))  # Shoemake's formula at t = 1/2


def test_the_length_of_a_spherical_blend_goes_linearly() -> None:
    walk = blend(torch.tensor([[[1.0, 0.0], [0.0, 3.0]]]), 5, "spherical")
    torch.testing.assert_close(walk.norm(dim=-1), torch.tensor([[1.0, 1.5, 2.0, 2.5, 3.0]]))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([1.0, 2.0], [1.0, 2.0]),
        ([1.0, 2.0], [1.0 + 1e-7, 2.0]),
        ([1.0, 2.0], [2.0, 4.0]),
        ([1.0, 2.0], [-1.0, -2.0]),
        ([0.0, 0.0], [1.0, 2.0]),
        ([0.0, 0.0], [0.0, 0.0]),
    ],
)
def test_where_no_arc_is_defined_a_spherical_blend_is_straight(a: list[float], b: list[float]) -> None:
    corners = torch.tensor([[a, b]])
    torch.testing.assert_close(blend(corners, 7, "spherical"), blend(corners, 7, "linear"))


def test_what_cannot_be_blended_is_refused() -> None:
    for corners, steps, path in ((3, 9, "linear"), (2, 1, "linear"), (2, 9, "curly")):
        with pytest.raises(UsageError):
            blend(vectors(corners), steps, path)  # pyright: ignore[reportArgumentType]


# Arithmetic.


@pytest.mark.parametrize(
    ("expression", "by_hand"),
    [
        ("a + b", lambda a, b, c: a + b),
        ("a - b", lambda a, b, c: a - b),
        ("a * b", lambda a, b, c: a * b),
        ("a - b + c", lambda a, b, c: a - b + c),
        (" 0.5*(a+b) ", lambda a, b, c: 0.5 * (a + b)),
        ("-a * 2 - -c", lambda a, b, c: -a * 2 + c),
        ("a\n+ 1e-1", lambda a, b, c: a + 0.1),
    ],
)
def test_an_expression_is_what_numpy_makes_of_it(expression: str, by_hand: object) -> None:
    named = dict(zip("abc", vectors(3).double().unbind(1), strict=True))
    expected = by_hand(*(v.numpy() for v in named.values()))  # type: ignore[operator]
    np.testing.assert_array_equal(arithmetic(expression, named).numpy(), expected)


def test_letters_come_in_order_of_appearance() -> None:
    assert letters("c - a * (c + z)") == ["c", "a", "z"]


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("a / b", "character 5"),
        ("a ** 2", "character 6"),
        ("a - B", "at character 5: 'B' is not one letter"),
        ("a + ab", "at character 5: 'ab' is not one letter"),
        ("a + x", "at character 5: there is no vector 'x'"),
        ("  a + f(b)", "at character 7"),
        ("__import__('os')", "at character 1"),
        ("a.real", "at character 1"),
        ("a[0]", "at character 1"),
        ("(lambda: a)()", "at character 1"),
        ("a if b else c", "at character 1"),
        ("a + True", "at character 5"),
        ("a + 3j", "at character 5"),
        ("a + 1e999", "at character 5"),
        ("a * 1e300", "too large"),
        ("a + 'b'", "at character 5"),
        ("a b", "cannot read"),
        ("a +", "cannot read"),
        ("a) + (b", "cannot read"),
        ("", "cannot read"),
        ("1or a", "at character 1"),
        ("a \x00 b", "cannot read"),
        ("1 + 2", "no letter"),
        ("a" + " + a" * 100, "at most 200 characters"),
        ("(" * 99 + "a", "cannot read"),
    ],
)
def test_anything_else_is_refused_in_one_line(expression: str, words: str) -> None:
    with pytest.raises(UsageError) as raised:
        arithmetic(expression, dict(zip("abc", vectors(3).unbind(1), strict=True)))
    assert words in str(raised.value)


# Influence.


def test_the_influence_of_a_linear_generator_is_its_weights() -> None:
    weights = torch.randn(P, SIZE, 2, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found = influence(lambda z: torch.einsum("pns,pshw->pnhw", z, weights) + 7, vectors(4).double(), -1, 3)
    assert found.moved.shape == found.change.shape == (P, SIZE, 2, 5)
    torch.testing.assert_close(found.change, 4 * weights)
    torch.testing.assert_close(found.moved, 4 * weights.abs())
    strength = 4 * weights.abs().mean((2, 3))
    torch.testing.assert_close(found.strength, strength)
    torch.testing.assert_close(found.error, torch.zeros_like(strength))
    torch.testing.assert_close(found.share.sum(1), torch.ones(P, dtype=torch.float64))
    assert found.order.tolist() == [sorted(range(SIZE), key=lambda d: -row[d]) for row in strength.tolist()]


def test_the_influence_on_any_generator_is_the_mean_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    z = vectors(5).double()
    whole = influence(bent, z)
    monkeypatch.setattr("sparring.analysis.latent_tools.influence.OUTPUTS_AT_ONCE", 7 * 4 * P * 4)
    pieces = influence(bent, z)
    ends = sweep(z, range(SIZE), [-3.0, 3.0])
    low, high = (bent(ends[:, :, :, end].flatten(1, 2)).unflatten(1, (5, SIZE)) for end in (0, 1))
    steps, others = high - low, bent(z) - bent(z.roll(-1, 1))
    for found in (whole, pieces):
        torch.testing.assert_close(found.change, steps.mean(1))
        torch.testing.assert_close(found.moved, steps.abs().mean(1))
        by_vector = steps.abs().mean((3, 4, 5))
        torch.testing.assert_close(found.strength, by_vector.mean(1))
        torch.testing.assert_close(found.error, by_vector.std(1) / 5**0.5)
        torch.testing.assert_close(found.whole, others.abs().mean((1, 2, 3, 4)))


def test_a_member_that_does_not_move_has_no_share() -> None:
    found = influence(lambda z: torch.ones(*z.shape[:2], 4), vectors(3))
    assert (found.strength == 0).all()
    assert (found.share == 0).all()


def test_regions_and_effects_are_told_in_words() -> None:
    def lit(rows: slice, columns: slice) -> Tensor:
        map = torch.zeros(1, 12, 12)
        map[:, rows, columns] = 1
        return map

    everywhere = slice(None)
    assert region(lit(slice(0, 4), everywhere)) == "top"
    assert region(lit(slice(8, 12), everywhere)) == "bottom"
    assert region(lit(everywhere, slice(0, 4))) == "left"
    assert region(lit(slice(0, 4), slice(8, 12))) == "top right"
    assert region(lit(slice(4, 8), slice(4, 8))) == "middle"
    assert region(1 - lit(slice(2, 10), slice(2, 10))) == "border"
    assert region(torch.ones(3, 12, 12)) == "all over"
    assert region(torch.zeros(1, 12, 12)) == "nowhere"
    assert region(torch.tensor([0.1, 0.5, 0.2])) == "number 2"
    top, right = lit(slice(0, 4), everywhere), lit(everywhere, slice(8, 12))
    middle, rim = lit(slice(4, 8), slice(4, 8)), lit(slice(0, 2), everywhere)
    for change, words in (
        (top, "brightens the top"),
        (-right, "darkens the right"),
        (middle - rim, "brightens the middle, darkens the top"),
        (torch.ones(1, 12, 12), "brightens everything"),
        (20 * lit(slice(5, 7), slice(5, 7)) - torch.ones(1, 12, 12), "brightens the middle, darkens the rest"),
        (torch.tensor([0.5, -0.4, 0.01, 0.3]), "raises numbers 1 and 4, lowers number 2"),
        (torch.tensor([0.5, -0.4]), "raises x, lowers y"),
        (torch.full((1, 4, 4), torch.nan), "changes nothing"),
        (torch.zeros(1, 4, 4), "changes nothing"),
    ):
        assert effect(change, change.abs()) == words
    assert effect(0.1 * top, top) == "changes the top, one way or the other as the other dimensions say"


# Every member is what it would be alone.


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[int, ...], Path]:
    folder = tmp_path_factory.mktemp("walks")
    recipe = find_recipe("digits")
    made = {seeds: folder / "-".join(map(str, seeds)) for seeds in ((4, 9, 2), (9,))}
    for seeds, path in made.items():
        train(recipe.replace(seeds=seeds, rounds=20, log_points=1), path, threads=1)
    return made


def test_a_latent_vector_is_known_by_its_z_seed_alone(latent: object) -> None:
    recipe = find_recipe("digits").replace(latent=latent, seeds=(4, 9, 2))
    many = latents(recipe, range(700))
    assert many.shape == (3, 700, recipe.latent.size)
    some = latents(recipe, [3, 650, 3, 0])
    assert torch.equal(some, many[:, [3, 650, 3, 0]])
    assert torch.equal(latents(recipe.replace(seeds=(9,)), range(700)), many[1:2])
    with pytest.raises(UsageError, match="z seed"):
        latents(recipe, [-1])


def test_a_member_walks_as_it_would_alone(folders: dict[tuple[int, ...], Path]) -> None:
    together, alone = folders[4, 9, 2], folders[9,]
    for run, seeds in ((together, (9,)), (alone, None)):
        recipe, G = explorable(run, seeds=seeds)
        assert recipe.seeds == (9,)
        z = latents(recipe, range(4))
        given, moved = G(z), influence(G, z)
        if run is together:
            first = given, moved
        else:
            torch.testing.assert_close(given, first[0], rtol=0, atol=1e-4)
            for one, other in zip(moved, first[1], strict=True):
                torch.testing.assert_close(one, other, rtol=0, atol=1e-4)
    recipe, G = explorable(together)
    z = latents(recipe, range(4))
    torch.testing.assert_close(G(z)[1:2], first[0], rtol=0, atol=1e-5)
    for one, other in zip(influence(G, z), first[1], strict=True):
        torch.testing.assert_close(one[1:2], other, rtol=0, atol=1e-5)


def test_samples_are_those_of_their_z_seeds_and_seeds(folders: dict[tuple[int, ...], Path]) -> None:
    run = folders[4, 9, 2]
    all = sample(run, 8)
    np.testing.assert_allclose(sample(run, z_seeds=[7, 1]), all[:, [7, 1]], atol=1e-6)
    np.testing.assert_allclose(sample(run, 8, seeds=[2, 4]), all[[2, 0]], atol=1e-6)
    with pytest.raises(UsageError, match="no seed 5; it has 4, 9, 2"):
        sample(run, 8, seeds=[5])
