"""What every trick must keep."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, get_args

import numpy as np
import pytest
import torch
from torch import Tensor

from sparring import catalogue
from sparring.errors import UsageError
from sparring.game.assembly import AVERAGED, game_of, restore, sampling_weights, state_of
from sparring.game.game import Game
from sparring.game.moves import MODERN, TEXTBOOK
from sparring.networks.fully_connected import FullyConnected
from sparring.optimizers.adam import Adam
from sparring.optimizers.sgd import SGD
from sparring.recipe import Recipe, find_recipe
from sparring.rng import RandomStreams
from sparring.tricks import Hook, Now, Scored, Trick
from sparring.tricks._images import read, reflected, signals
from sparring.tricks.adaptive_augmentation import AdaptiveAugmentation
from sparring.tricks.beta_schedule import BetaSchedule
from sparring.tricks.diff_augment import DiffAugment
from sparring.tricks.dragan import DRAGAN
from sparring.tricks.exponential_moving_average import ExponentialMovingAverage
from sparring.tricks.gradient_clipping import GradientClipping
from sparring.tricks.gradient_penalty import GradientPenalty
from sparring.tricks.instance_noise import InstanceNoise
from sparring.tricks.label_smoothing import LabelSmoothing
from sparring.tricks.label_swapping import LabelSwapping
from sparring.tricks.learning_rate_schedule import LearningRateSchedule
from sparring.tricks.packing import Packing
from sparring.tricks.r1 import R1
from sparring.tricks.r1_r2 import R1R2
from sparring.tricks.r2 import R2
from sparring.tricks.top_k import TopK
from sparring.tricks.two_time_scales import TwoTimeScales
from sparring.tricks.weight_clipping import WeightClipping

SHAPE = (3, 400)
SEEDS = (4, 0, 99)
SMALL = find_recipe("digits").replace(
    tricks=(),
    generator=FullyConnected((12,), output="tanh"),
    discriminator=FullyConnected((12,)),
    batch=4,
    rounds=8,
    seeds=SEEDS,
)
LIVELY = {
    "adaptive-augmentation": {"start": 0.5},
    "exponential-moving-average": {"half_life": 3.0},
    "gradient-clipping": {"max_norm": 0.01},
}
"""Values at which a trick does something within a few rounds, where its defaults are for thousands."""


@pytest.fixture(autouse=True)
def same_numbers_every_time() -> None:
    torch.manual_seed(0)


def now(round: int = 0, rounds: int = 100, seeds: tuple[int, ...] = SEEDS, **memory: list[Tensor]) -> Now:
    rng = RandomStreams(seeds)
    rng.begin(round)
    return Now(rng, round, rounds, memory)


def names(trick: Any, truth: int, round: int = 0, rounds: int = 100, seeds: tuple[int, ...] = SEEDS) -> Tensor:
    """What D is told in a round, `(P, B)`."""
    told = trick.label(truth, truth, (len(seeds), SHAPE[1]), now(round, rounds, seeds))
    return torch.as_tensor(told, dtype=torch.float32).expand(len(seeds), SHAPE[1])


def lively(trick: Any) -> Any:
    return dataclasses.replace(trick, **LIVELY.get(catalogue.name_of(type(trick)) or "", {}))


def begun(recipe: Recipe, *tricks: Any) -> Game:
    """The game with these tricks before its first round, in float64."""
    return game_of(recipe.replace(tricks=tricks), recipe.data.open(None, "cpu"), dtype=torch.float64)


def played(recipe: Recipe, *tricks: Any, rounds: int = 5) -> Game:
    game = begun(recipe, *tricks)
    for _ in range(rounds):
        game.play()
    return game


def kept(game: Game) -> dict[str, np.ndarray]:
    return {name: array.copy() for name, array in state_of(game).items()}


def test_a_trick_declares_every_moment_it_touches_and_no_other(trick: Any) -> None:
    moments = get_args(Hook)
    assert trick.hooks
    for moment in moments:
        overrides = getattr(type(trick), moment) is not getattr(Trick, moment)
        assert overrides == (moment in trick.hooks), moment


def test_every_moment_of_the_game_is_a_method_that_changes_nothing_by_itself() -> None:
    class Idle(Trick):
        pass

    for truth in (0, 1):
        assert Idle().label(truth, truth, SHAPE, now()) == truth
    x, loss = torch.rand(*SHAPE, 4), torch.rand(SHAPE)
    assert Idle().penalty(None, None, lambda x, classes: Scored(x, loss), now()) == 0.0
    assert Idle().augment(x, now()) is x
    assert Idle().select_g_loss(loss, loss, now()) is loss
    assert Idle().step(Adam(), "G", now()) == Adam()
    methods = {m for m in vars(Trick) if not m.startswith("_") and callable(getattr(Trick, m))}
    assert methods - {"check", "begin", "shape", "averaged"} == set(get_args(Hook))


@pytest.mark.parametrize("truth", [0, 1])
@pytest.mark.parametrize("round", [0, 25, 49, 50, 99])
def test_names_lie_between_fake_and_real(trick: Any, truth: int, round: int) -> None:
    told = names(trick, truth, round)
    assert told.min() >= 0
    assert told.max() <= 1
    assert torch.isfinite(told).all()


@pytest.mark.parametrize("truth", [0, 1])
def test_what_a_member_is_told_does_not_depend_on_who_else_plays(trick: Any, truth: int) -> None:
    together = names(trick, truth, 3)
    for member, seed in enumerate(SEEDS):
        assert torch.equal(together[member], names(trick, truth, 3, seeds=(seed,))[0])


def test_a_trick_hears_the_tricks_before_it(trick: Any) -> None:
    """Given a name that is already mixed, it still answers with a name."""
    mixed = torch.full(SHAPE, 0.7)
    told = trick.label(mixed, 1, SHAPE, now())
    assert torch.as_tensor(told).min() >= 0
    assert torch.as_tensor(told).max() <= 1


def test_a_trick_plays_in_a_game(trick: Any) -> None:
    rounds = [MODERN] if trick.joint_step else [MODERN, TEXTBOOK]
    for moves in rounds:
        game = begun(SMALL.replace(round=moves), trick)
        for _ in range(3):
            game.recording = True
            game.play()
        assert all(torch.isfinite(figure).all() for figures in game.logged.values() for figure in figures)


def test_a_trick_changes_the_game(trick: Any) -> None:
    plain, changed = kept(played(SMALL)), kept(played(SMALL, lively(trick)))
    shown = {name.removeprefix(AVERAGED): array for name, array in changed.items() if name.startswith(AVERAGED)}
    if shown:
        assert all(not np.array_equal(array, changed[f"G.{name}"]) for name, array in shown.items())
    else:
        assert any(changed[name].shape != plain[name].shape or (changed[name] != plain[name]).any() for name in plain)


def test_a_member_plays_the_same_alone_as_among_others(trick: Any) -> None:
    together = kept(played(SMALL, lively(trick)))
    for member, seed in enumerate(SEEDS):
        alone = kept(played(SMALL.replace(seeds=(seed,)), lively(trick)))
        assert alone.keys() == together.keys()
        for name, array in alone.items():
            if ".memory.steps" not in name:
                np.testing.assert_allclose(together[name][member], array[0], rtol=0, atol=1e-10, err_msg=name)


def test_a_game_that_was_left_goes_on_bit_for_bit(trick: Any) -> None:
    whole = kept(played(SMALL, lively(trick), rounds=7))
    saved = kept(played(SMALL, lively(trick), rounds=3))
    resumed = begun(SMALL, lively(trick))
    restore(resumed, 3, saved)
    for _ in range(4):
        resumed.play()
    again = kept(resumed)
    assert again.keys() == whole.keys()
    for name, array in whole.items():
        np.testing.assert_array_equal(again[name], array, err_msg=name)


def test_a_recipe_with_it_survives_json(trick: Any) -> None:
    recipe = SMALL.replace(tricks=(lively(trick), trick))
    assert Recipe.from_json(recipe.to_json()) == recipe
    for each in recipe.tricks:
        assert catalogue.read("tricks", catalogue.to_text(each)) == each


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"data": catalogue.read("datasets", "ring"), "generator": FullyConnected((12,))}, "images"),
        ({"conditional": True}, "classes"),
    ],
    ids=["points in the plane", "told classes"],
)
def test_other_games_are_played_or_refused_before_they_begin(trick: Any, changes: Any, what: str) -> None:
    refusal = ""
    try:
        game = begun(SMALL.replace(**changes), trick)
    except UsageError as error:
        refusal = str(error)
    else:
        for _ in range(2):
            game.play()
        assert all(torch.isfinite(w).all() for player in game.players.values() for w in player.networks.parameters)
    assert not refusal or (what in refusal and len(refusal.splitlines()) == 1)


def test_it_says_when_to_use_it_and_where_it_is_from(trick: Any) -> None:
    assert trick.when
    assert any(character.isdigit() for character in trick.source)


def test_a_trick_is_one_frozen_value(trick: Any) -> None:
    assert dataclasses.replace(trick) == trick
    assert hash(dataclasses.replace(trick)) == hash(trick)


# Each trick's own promise.


def test_smoothed_labels_lie_in_their_ranges_and_fill_them() -> None:
    trick = LabelSmoothing(real=(0.7, 1.0), fake=(0.0, 0.3))
    real, fake = names(trick, 1), names(trick, 0)
    assert 0.7 <= real.min() < 0.72
    assert 0.98 < real.max() <= 1.0
    assert 0 <= fake.min() < 0.02
    assert 0.28 < fake.max() <= 0.3


def test_a_range_of_no_width_is_a_fixed_label() -> None:
    assert torch.equal(names(LabelSmoothing(real=(0.9, 0.9)), 1), torch.full(SHAPE, 0.9))
    assert torch.equal(names(LabelSmoothing(real=(0.9, 0.9)), 0), torch.zeros(SHAPE))


@pytest.mark.parametrize("truth", [0, 1])
@pytest.mark.parametrize(
    ("swapping", "round", "share"),
    [
        (LabelSwapping(0.4, until=0.5), 0, 0.4),
        (LabelSwapping(0.4, until=0.5), 25, 0.2),
        (LabelSwapping(0.4, until=0.5), 50, 0.0),
        (LabelSwapping(0.4, until=0.5), 99, 0.0),
        (LabelSwapping(0.4, until=1.0), 50, 0.2),
        (LabelSwapping(0.4, until=0.0), 99, 0.4),
        (LabelSwapping(1.0, until=0.0), 99, 1.0),
        (LabelSwapping(0.0, until=0.5), 0, 0.0),
    ],
)
def test_swapped_labels_fall_to_none_by_the_stated_share_of_the_run(
    swapping: LabelSwapping, round: int, share: float, truth: int
) -> None:
    swapped = (names(swapping, truth, round) != truth).float().mean()
    slack = 5 * (share * (1 - share) / (SHAPE[0] * SHAPE[1])) ** 0.5  # five standard errors of a share
    assert abs(float(swapped) - share) <= slack
    assert swapping.rate_at(round / 100) == pytest.approx(share)


# Penalties.


def linear(x: Tensor, w: Tensor, per: int = 1) -> Scored:
    """How a linear D with weights `w` `(P, F)` scores examples `(P, B, F)`, each or `per` at once."""
    x = x.detach().requires_grad_()
    return Scored(x, (x * w[:, None]).sum(-1).unflatten(1, (-1, per)).sum(-1))


def critic_of(w: Tensor, seen: list[Tensor]) -> Any:
    def critic(x: Tensor, classes: Tensor | None) -> Scored:
        seen.append(x.detach())
        return linear(x, w)

    return critic


def penalised(trick: Any, w: Tensor, real: Tensor, fake: Tensor, at: Now | None = None) -> tuple[Tensor, list[Tensor]]:
    """A penalty on a linear D, and the examples it was shown besides."""
    seen: list[Tensor] = []
    return trick.penalty(linear(real, w), linear(fake, w), critic_of(w, seen), at or now(1)), seen


@pytest.fixture
def w() -> Tensor:
    """Weights of three linear discriminators of slopes 1, 3 and 0.2, `(P, F)`."""
    raw = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    return (raw / raw.norm(dim=1, keepdim=True) * torch.tensor([[1.0], [3.0], [0.2]])).requires_grad_()


REAL, FAKE = torch.randn(3, 6, 5, generator=torch.Generator().manual_seed(1)), torch.ones(3, 6, 5)


@pytest.mark.parametrize(("chosen", "times"), [(R1(4.0), 1), (R2(4.0), 1), (R1R2(4.0), 2)])
def test_zero_centred_penalties_of_a_linear_d_are_its_squared_slope(chosen: Any, times: int, w: Tensor) -> None:
    """gamma / 2 * |w|^2, whose gradient is gamma * w."""
    penalty, _ = penalised(chosen, w, REAL, FAKE)
    torch.testing.assert_close(penalty, (times * 2.0 * w.square().sum(1, keepdim=True)).expand(3, 6))
    (gradient,) = torch.autograd.grad(penalty.mean(1).sum(), w)
    torch.testing.assert_close(gradient, times * 4.0 * w.detach())


def test_r1_looks_at_real_examples_alone_and_r2_at_fakes(w: Tensor) -> None:
    real, fake = linear(REAL, w), linear(FAKE, 2 * w)
    slopes = w.detach().norm(dim=1, keepdim=True).expand(3, 6)
    critic = critic_of(w, [])
    torch.testing.assert_close(R1(2.0).penalty(real, None, critic, now()), slopes**2)
    torch.testing.assert_close(R2(2.0).penalty(None, fake, critic, now()), 4 * slopes**2)
    assert R1().penalty(None, fake, critic, now()) == R2().penalty(real, None, critic, now()) == 0.0


def test_a_pack_is_as_steep_as_all_its_examples_together(w: Tensor) -> None:
    penalty = R1(2.0).penalty(linear(REAL, w, per=3), None, critic_of(w, []), now())
    assert isinstance(penalty, Tensor)
    torch.testing.assert_close(penalty, (3 * w.square().sum(1, keepdim=True)).expand(3, 2))


@pytest.mark.parametrize("chosen", [GradientPenalty(10.0), DRAGAN(10.0)])
def test_one_centred_penalties_are_nothing_at_a_slope_of_one(chosen: Any, w: Tensor) -> None:
    penalty, _ = penalised(chosen, w, REAL, FAKE)
    torch.testing.assert_close(penalty[0], torch.zeros(6), atol=1e-9, rtol=0)
    torch.testing.assert_close(penalty[1], torch.full((6,), 10.0 * (3 - 1) ** 2))
    torch.testing.assert_close(penalty[2], torch.full((6,), 10.0 * (0.2 - 1) ** 2))


@pytest.mark.parametrize("chosen", [GradientPenalty(), DRAGAN()])
def test_a_d_that_is_flat_is_penalised_and_its_gradient_is_finite(chosen: Any) -> None:
    flat = torch.zeros(3, 5, requires_grad=True)
    penalty, _ = penalised(chosen, flat, REAL, FAKE)
    torch.testing.assert_close(penalty, torch.full((3, 6), 10.0))
    assert torch.isfinite(torch.autograd.grad(penalty.sum(), flat)[0]).all()


def test_the_gradient_penalty_looks_between_each_pair_at_a_place_of_its_own(w: Tensor) -> None:
    _, [between] = penalised(GradientPenalty(), w, REAL, FAKE)
    share = (between - FAKE) / (REAL - FAKE)
    torch.testing.assert_close(share, share[..., :1].expand_as(share), atol=1e-4, rtol=1e-4)
    assert share.min() >= 0 and share.max() <= 1
    assert len(share[..., 0].flatten().unique()) == 18


def test_dragan_looks_within_its_reach_of_real_examples(w: Tensor) -> None:
    scales = torch.tensor([1.0, 5.0, 0.1])[:, None, None]
    _, [near] = penalised(DRAGAN(reach=0.5), w, scales * REAL, FAKE)
    apart = (near - scales * REAL) / (scales * REAL).flatten(1).std(1, correction=0)[:, None, None]
    assert apart.min() >= -1e-5 and 0.2 < apart.max() <= 0.5


@pytest.mark.parametrize("chosen", [R1(every=4), R2(every=4), R1R2(every=4), GradientPenalty(every=4), DRAGAN(every=4)])
def test_a_lazy_penalty_weighs_over_four_rounds_what_a_constant_one_does(chosen: Any, w: Tensor) -> None:
    always = dataclasses.replace(chosen, every=1)
    lazy = [penalised(chosen, w, REAL, FAKE, now(round))[0] for round in range(8)]
    assert [isinstance(penalty, Tensor) for penalty in lazy] == [True, False, False, False] * 2
    torch.testing.assert_close(lazy[4], 4 * penalised(always, w, REAL, FAKE)[0], rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("kind", [R1, R2, R1R2])
def test_gamma_falls_along_a_cosine(kind: Any, w: Tensor) -> None:
    falling = kind(gamma=2.0, final=0.1, until=0.5)
    w = w.detach()
    at = {round: float(penalised(falling, w, REAL, FAKE, now(round))[0][0, 0]) for round in (0, 25, 50, 99)}
    share = {round: value / at[0] for round, value in at.items()}
    assert share == pytest.approx({0: 1.0, 25: 0.55, 50: 0.1, 99: 0.1})
    assert float(penalised(kind(gamma=2.0), w, REAL, FAKE, now(99))[0][0, 0]) == pytest.approx(at[0])


# Weights and gradients.


def test_clipped_weights_lie_within_bounds_and_gs_are_left_alone() -> None:
    game, free = played(SMALL, WeightClipping(0.02), rounds=1), played(SMALL, rounds=0)
    for clipped in game.players["D"].networks.parameters:
        assert clipped.abs().max() <= 0.02
    assert all(weight.abs().max() > 0.02 for weight in game.G.parameters)
    before = free.players["D"].networks.parameters[0].clamp(-0.02, 0.02)
    assert (game.players["D"].networks.parameters[0] - before).abs().max() < 2 * 5e-4  # Adam's first step is its rate


def test_a_long_gradient_is_shortened_member_by_member_and_a_short_one_left() -> None:
    gradients = [torch.randn(3, 4, 5), torch.randn(3, 2), torch.randn(3, 1, 4)]
    gradients = [g * torch.tensor([0.01, 1.0, 100.0]).view(3, *[1] * (g.ndim - 1)) for g in gradients]
    norms = torch.cat([g.flatten(1) for g in gradients], 1).norm(dim=1)
    clipped = GradientClipping(max_norm=1.0).gradients(gradients, norms, "D", now())
    after = torch.cat([g.flatten(1) for g in clipped], 1)
    torch.testing.assert_close(after.norm(dim=1), norms.clamp(max=1.0), rtol=1e-5, atol=0)
    cosine = (after * torch.cat([g.flatten(1) for g in gradients], 1)).sum(1) / after.norm(dim=1) / norms
    torch.testing.assert_close(cosine, torch.ones(3))
    assert torch.equal(clipped[0][0], gradients[0][0])
    assert GradientClipping(max_norm=1.0, player="G").gradients(gradients, norms, "D", now()) is gradients


def averaging(trick: ExponentialMovingAverage, course: Sequence[Tensor]) -> Tensor:
    """The average after G's weights took this course; the first are those it was born with."""
    memory = trick.begin({"G": [course[0].clone()]}, len(course[0]), torch.device("cpu"))
    for weights in course[1:]:
        trick.weights([torch.full_like(weights, 1e9)], "D", Now(RandomStreams(SEEDS), 0, 1, memory))
        trick.weights([weights], "G", Now(RandomStreams(SEEDS), 0, 1, memory))
    (average,) = trick.averaged(memory)
    return average


def test_the_average_is_the_sum_that_it_stands_for() -> None:
    course = list(torch.randn(21, 3, 4, dtype=torch.float64))
    decay = 0.5 ** (1 / 5)
    wanted = decay**20 * course[0] + sum((1 - decay) * decay ** (20 - k) * course[k] for k in range(1, 21))
    torch.testing.assert_close(averaging(ExponentialMovingAverage(5.0, warm_up=0), course), wanted)


def test_the_average_soon_forgets_where_it_began_and_comes_to_its_half_life() -> None:
    trick = ExponentialMovingAverage(half_life=100.0, warm_up=0.05)
    spike = [torch.full((1, 1), 1e6), *[torch.zeros(1, 1)] * 2]
    assert float(averaging(trick, spike)) == 0  # the first step is taken whole
    shares = [float(trick.share_after(torch.tensor(float(steps)))) for steps in (0, 200, 2_000, 10**9)]
    assert shares == pytest.approx([1, *(1 - 0.5 ** (1 / half_life) for half_life in (10, 100, 100))])


def test_examples_are_made_with_the_average_and_training_goes_on_without() -> None:
    averaged, plain = played(SMALL, ExponentialMovingAverage(3.0)), played(SMALL)
    for mine, theirs in zip(averaged.G.parameters, plain.G.parameters, strict=True):
        assert torch.equal(mine, theirs)
    own = [weight.clone() for weight in averaged.G.parameters]
    (average,) = (trick.averaged(memory) for trick, memory in zip(averaged.tricks, averaged.memories, strict=True))
    with averaged.with_averaged_weights():
        assert all(map(torch.equal, averaged.G.parameters, average))
    assert all(map(torch.equal, averaged.G.parameters, own))
    shown = sampling_weights(kept(averaged))
    assert shown.keys() == averaged.G.state().keys()
    torch.testing.assert_close(shown["0.weight"], averaged.G.named(average)["0.weight"])


# What D sees.


def test_noise_fades_to_none_by_the_stated_share_of_the_run() -> None:
    trick = InstanceNoise(sd=0.4, until=0.5)
    x = torch.zeros(3, 2000, 4)
    for round, sd in ((0, 0.4), (25, 0.2), (49, 0.008)):
        assert float(trick.augment(x, now(round)).std()) == pytest.approx(sd, rel=0.03)
    assert trick.augment(x, now(50)) is x
    assert trick.sd_at(0.99) == 0


@pytest.mark.parametrize(("shape", "packed"), [((1, 6, 5), (3, 6, 5)), ((3, 4, 4), (9, 4, 4)), ((7,), (21,))])
def test_a_pack_is_examples_side_by_side(shape: tuple[int, ...], packed: tuple[int, ...]) -> None:
    trick = Packing(3)
    x = torch.randn(2, 6, *shape)
    seen = trick.augment(x, now())
    assert trick.shape(shape) == packed
    assert seen.shape == (2, 2, *packed)
    for pack in range(2):
        assert torch.equal(seen[:, pack], torch.cat(list(x[:, 3 * pack : 3 * pack + 3].unbind(1)), 1))


def test_a_packed_d_gives_its_opinion_of_any_number_of_examples() -> None:
    game = begun(SMALL, Packing(2))
    real, fake = torch.rand(3, 7, 1, 8, 8).double(), torch.rand(3, 5, 1, 8, 8).double()
    assert [tuple(said.shape) for said in game.outputs(real, fake)] == [(3, 3), (3, 2)]


AUGMENTATIONS = [DiffAugment(), AdaptiveAugmentation(start=1.0, flips=True)]


def augmented(trick: Any, x: Tensor, round: int = 3) -> Tensor:
    members = len(x)
    rng = RandomStreams(SEEDS[:members], dtype=x.dtype)
    rng.begin(round)
    return trick.augment(x, Now(rng, round, 100, trick.begin({}, members, torch.device("cpu"))))


@pytest.mark.parametrize("chosen", AUGMENTATIONS)
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 7, 9), (5, 28, 28), (2, 1, 4)])
def test_augmentations_keep_the_shape_and_change_every_image(chosen: Any, shape: tuple[int, ...]) -> None:
    x = torch.randn(3, 6, *shape)
    seen = augmented(chosen, x)
    assert chosen.shape(shape) == shape
    assert seen.shape == x.shape and seen.dtype == x.dtype
    changed = (seen != x).flatten(2).any(-1)
    assert changed.float().mean() > 0.9
    assert not torch.equal(seen, augmented(chosen, x, round=4))


@pytest.mark.parametrize("chosen", AUGMENTATIONS)
def test_augmentations_are_differentiable_twice(chosen: Any) -> None:
    x = torch.randn(1, 1, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    torch.autograd.gradcheck(lambda x: augmented(chosen, x), x)
    torch.autograd.gradgradcheck(lambda x: augmented(chosen, x).square(), x)


@pytest.mark.parametrize("chosen", [DiffAugment(strength=0.0), AdaptiveAugmentation(start=0.0)])
def test_augmentations_of_no_strength_change_nothing(chosen: Any) -> None:
    x = torch.randn(3, 6, 3, 8, 8)
    torch.testing.assert_close(augmented(chosen, x), x, rtol=1e-6, atol=1e-6)


def test_diff_augments_changes_have_the_stated_sizes() -> None:
    x = torch.ones(3, 200, 1, 16, 16)
    brighter = augmented(DiffAugment(("color",)), x)[..., 0, 0, 0] - 1
    assert -0.5 <= brighter.min() < -0.4 and 0.4 < brighter.max() <= 0.5
    cut = (augmented(DiffAugment(("cutout",)), x) == 0).sum((2, 3, 4))
    assert cut.max() == 64 and cut.min() >= 16  # a quarter of the image, or as much of it as does not stick out
    marked = torch.zeros(3, 200, 1, 16, 16)
    marked[..., 8, 8] = 1
    moved = augmented(DiffAugment(("translation",)), marked).flatten(2).argmax(-1)
    rows, columns = moved // 16 - 8, moved % 16 - 8
    assert {int(r) for r in rows.unique()} == {int(c) for c in columns.unique()} == {-2, -1, 0, 1, 2}


def test_saturation_changes_colors_about_grey() -> None:
    x = torch.randn(3, 50, 3, 4, 4)
    seen = augmented(DiffAugment(("color",)), x)
    color, before = seen - seen.mean(2, keepdim=True), x - x.mean(2, keepdim=True)
    times = (color * before).sum((2, 3, 4), keepdim=True) / before.square().sum((2, 3, 4), keepdim=True)
    torch.testing.assert_close(color, times * before, rtol=1e-4, atol=1e-5)
    assert times.min() >= 0 and times.max() < 2 * 1.5  # of saturation and contrast
    assert times.std() > 0.3


def test_beyond_the_rim_the_image_is_reflected() -> None:
    for size in (1, 2, 5):
        row = torch.arange(1.0, size + 1)
        places = torch.arange(-7.0, size + 7)
        matrix = signals(reflected(places[None, None], size), size)
        wanted = np.pad(row.numpy(), 7, mode="reflect" if size > 1 else "edge")
        np.testing.assert_array_equal((matrix[0, 0] @ row).numpy(), wanted)


def test_between_pixels_an_image_is_read_linearly() -> None:
    image = torch.arange(12.0).view(1, 1, 1, 3, 4)
    rows, columns = signals(torch.tensor([[[0.5, 2.0]]]), 3), signals(torch.tensor([[[1.25]]]), 4)
    assert read(image, rows, columns).flatten().tolist() == pytest.approx([0.5 * 4 + 1.25, 8 + 1.25])


def test_augmentation_grows_where_d_overfits_and_shrinks_where_it_cannot_tell() -> None:
    trick = AdaptiveAugmentation(target=0.6, ramp=1000, start=0.5)
    moment = Now(RandomStreams(SEEDS), 0, 1, trick.begin({}, 3, torch.device("cpu")))
    scores = torch.tensor([[9.0] * 10, [1.0, -1.0] * 5, [2.0] * 8 + [-5.0] * 2])  # mean signs 1, 0 and 0.6
    trick.on_scores(0, -scores, moment)
    assert moment.memory["probability"][0].tolist() == [0.5] * 3
    trick.on_scores(1, scores, moment)
    assert moment.memory["probability"][0].tolist() == pytest.approx([0.51, 0.49, 0.5], abs=0.0101)
    for _ in range(200):
        trick.on_scores(1, scores[[0, 1, 0]], moment)
    assert moment.memory["probability"][0].tolist() == [1.0, 0.0, 1.0]


@pytest.mark.parametrize("which", ["bce-with-logits", "least-squares", "relativistic-paired"])
def test_augmentation_hears_how_far_scores_are_from_the_undecided_one(which: str) -> None:
    """A D that answers the same to everything does not overfit, wherever its objective's middle lies."""
    objective = catalogue.find("objectives", which)()
    game = begun(SMALL.replace(objective=objective), AdaptiveAugmentation(ramp=8, start=0.5))
    game.d_loss(1, torch.full((3, 4), objective.undecided, dtype=torch.float64))
    assert game.memories[0]["probability"][0].tolist() == [0.0] * 3
    for _ in range(3):
        game.d_loss(1, torch.full((3, 4), objective.undecided + 0.1, dtype=torch.float64))
    assert game.memories[0]["probability"][0].tolist() == [1.0] * 3


@pytest.mark.parametrize("kind", ["flips", "rotations", "translations", "scaling", "colors"])
def test_each_augmentation_happens_to_a_share_p_of_the_images(kind: str) -> None:
    off = dict.fromkeys(("flips", "rotations", "translations", "scaling", "colors"), False)
    trick = AdaptiveAugmentation(start=0.4, **(off | {kind: True}))
    x = torch.randn(3, 2000, 1, 9, 9)
    share = float((augmented(trick, x) - x).flatten(2).abs().amax(-1).gt(1e-4).float().mean())
    visible = {
        "flips": 0.4 / 2,
        "rotations": 0.4 * 3 / 4,
        "translations": 0.4 * (1 - (1 / 2.25) ** 2),  # within 1.125 pixels each way, of which half a pixel rounds to 0
        "scaling": 0.4,
        "colors": 1 - 0.6**2,  # saturation does nothing to gray
    }[kind]
    assert share == pytest.approx(visible, abs=5 * (visible * (1 - visible) / 6000) ** 0.5 + 1e-3)


# What G is paid for.


def test_the_share_of_fakes_that_counts_falls_and_the_best_are_kept() -> None:
    trick = TopK(final=0.25, until=0.5)
    score = torch.randn(3, 8)
    loss = -score
    assert trick.select_g_loss(loss, score, now(0)) is loss
    for round, count in ((25, 4), (50, 2), (99, 2)):
        assert torch.equal(
            trick.select_g_loss(loss, score, now(round)), -score.sort(1, descending=True).values[:, :count]
        )
    assert [trick.share_at(p) for p in (0, 0.25, 0.5, 0.9)] == pytest.approx([1, 0.5, 0.25, 0.25])
    assert TopK(final=0.01, until=0.1).select_g_loss(loss, score, now(99)).shape == (3, 1)


# Steps.


def stepped(trick: Any, who: Any = "G", round: int = 0) -> Any:
    return trick.step(Adam(0.1, betas=(0.5, 0.999)), who, now(round))


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        (LearningRateSchedule(), {0: 1, 50: 0.5, 75: 0.5 - 0.5**1.5, 99: 0.0}),
        (LearningRateSchedule(final=0.2, until=0.5), {0: 1, 25: 0.6, 50: 0.2, 99: 0.2}),
        (LearningRateSchedule("linear", final=0.5), {0: 1, 50: 0.75, 99: 0.505}),
        (LearningRateSchedule("linear", warm_up=0.1), {0: 0.1, 4: 0.5 * 0.96, 9: 0.91, 50: 0.5}),
        (LearningRateSchedule("constant", warm_up=0.04), {0: 0.25, 1: 0.5, 3: 1, 50: 1, 99: 1}),
        (LearningRateSchedule("constant"), {0: 1, 99: 1}),
    ],
)
def test_the_learning_rate_follows_its_schedule(schedule: LearningRateSchedule, rates: dict[int, float]) -> None:
    found = {round: stepped(schedule, round=round).lr / 0.1 for round in rates}
    assert found == pytest.approx(rates, abs=3e-4)


def test_settings_change_for_the_player_that_is_named() -> None:
    assert stepped(LearningRateSchedule(player="D"), "G", 50) == Adam(0.1, betas=(0.5, 0.999))
    assert stepped(LearningRateSchedule(player="D"), "D", 50).lr == pytest.approx(0.05)
    assert stepped(BetaSchedule(player="G"), "D") == Adam(0.1, betas=(0.5, 0.999))
    assert stepped(TwoTimeScales(3.0), "G") == Adam(0.1, betas=(0.5, 0.999))
    assert stepped(TwoTimeScales(3.0), "D") == Adam(0.1 * 3.0, betas=(0.5, 0.999))


def test_the_second_beta_moves_from_start_to_end() -> None:
    betas = [stepped(BetaSchedule(0.9, 0.99, until=0.5), round=r).betas for r in (0, 25, 50, 99)]
    assert [first for first, _ in betas] == [0.5] * 4
    assert [second for _, second in betas] == pytest.approx([0.9, 0.945, 0.99, 0.99])


# What cannot be.


@pytest.mark.parametrize(
    ("changes", "chosen", "says"),
    [
        ({"generator_optimizer": SGD()}, BetaSchedule(), "SGD has no betas"),
        ({"data": catalogue.read("datasets", "ring")}, DiffAugment(), "diff-augment is for images"),
        ({"data": catalogue.read("datasets", "ring")}, AdaptiveAugmentation(), "adaptive-augmentation is for images"),
        ({"batch": 5}, Packing(2), "needs a batch size that is a multiple of 2, not 5"),
        ({"conditional": True}, Packing(2), "does not work with class-conditional training"),
        ({"round": TEXTBOOK}, GradientPenalty(), "use the round d_sees_both g_fools_d"),
    ],
)
def test_a_game_that_cannot_be_is_refused_before_it_begins(changes: Any, chosen: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        begun(SMALL.replace(**changes), chosen)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda: LabelSmoothing(real=(1.0, 0.9)),
        lambda: LabelSmoothing(real=(0.9, 1.1)),
        lambda: LabelSmoothing(fake=(-0.1, 0.1)),
        lambda: LabelSwapping(1.5),
        lambda: LabelSwapping(-0.1),
        lambda: LabelSwapping(0.1, until=2.0),
        lambda: R1(gamma=-1.0),
        lambda: R2(every=0),
        lambda: R1R2(until=0.0),
        lambda: GradientPenalty(weight=-1.0),
        lambda: DRAGAN(reach=0.0),
        lambda: WeightClipping(0.0),
        lambda: GradientClipping(0.0),
        lambda: ExponentialMovingAverage(half_life=0.0),
        lambda: InstanceNoise(sd=-0.1),
        lambda: DiffAugment(strength=2.0),
        lambda: catalogue.read("tricks", "diff-augment(policy=('shear',))"),
        lambda: AdaptiveAugmentation(start=2.0),
        lambda: Packing(0),
        lambda: TopK(final=0.0),
        lambda: TwoTimeScales(-1.0),
        lambda: LearningRateSchedule(warm_up=2.0),
        lambda: BetaSchedule(end=1.5),
    ],
)
def test_values_that_make_no_sense_are_refused_where_they_are_written(make: Any) -> None:
    with pytest.raises((ValueError, UsageError)) as caught:
        make()
    assert len(str(caught.value).splitlines()) == 1
