"""What each trick does to labels, losses, gradients, weights and steps."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from sparring.game.assembly import sampling_weights
from sparring.optimizers.adam import Adam
from sparring.rng import RandomStreams
from sparring.tricks import Now, Scored
from sparring.tricks.beta_schedule import BetaSchedule
from sparring.tricks.dragan import DRAGAN
from sparring.tricks.exponential_moving_average import ExponentialMovingAverage
from sparring.tricks.gradient_clipping import GradientClipping
from sparring.tricks.gradient_penalty import GradientPenalty
from sparring.tricks.label_smoothing import LabelSmoothing
from sparring.tricks.label_swapping import LabelSwapping
from sparring.tricks.learning_rate_schedule import LearningRateSchedule
from sparring.tricks.r1 import R1
from sparring.tricks.r1_r2 import R1R2
from sparring.tricks.r2 import R2
from sparring.tricks.top_k import TopK
from sparring.tricks.two_time_scales import TwoTimeScales
from sparring.tricks.weight_clipping import WeightClipping
from tests.contracts.trick_games import SEEDS, SHAPE, SMALL, kept, labels_of, linear, now, played


@pytest.fixture(autouse=True)
def same_numbers_every_time() -> None:
    torch.manual_seed(0)


# Each trick's own promise.


def test_smoothed_labels_lie_in_their_ranges_and_fill_them() -> None:
    trick = LabelSmoothing(real=(0.7, 1.0), fake=(0.0, 0.3))
    real, fake = labels_of(trick, 1), labels_of(trick, 0)
    assert 0.7 <= real.min() < 0.72
    assert 0.98 < real.max() <= 1.0
    assert 0 <= fake.min() < 0.02
    assert 0.28 < fake.max() <= 0.3


def test_a_range_of_no_width_is_a_fixed_label() -> None:
    assert torch.equal(labels_of(LabelSmoothing(real=(0.9, 0.9)), 1), torch.full(SHAPE, 0.9))
    assert torch.equal(labels_of(LabelSmoothing(real=(0.9, 0.9)), 0), torch.zeros(SHAPE))


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
    swapped = (labels_of(swapping, truth, round) != truth).float().mean()
    slack = 5 * (share * (1 - share) / (SHAPE[0] * SHAPE[1])) ** 0.5  # five standard errors of a share
    assert abs(float(swapped) - share) <= slack
    assert swapping.rate_at(round / 100) == pytest.approx(share)


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
def test_r1_and_r2_of_a_linear_d_are_its_squared_slope(chosen: Any, times: int, w: Tensor) -> None:
    """gamma / 2 * |w|^2, whose gradient is gamma * w."""
    penalty, _ = penalised(chosen, w, REAL, FAKE)
    torch.testing.assert_close(penalty, (times * 2.0 * w.square().sum(1, keepdim=True)).expand(3, 6))
    (gradient,) = torch.autograd.grad(penalty.mean(1).sum(), w)
    torch.testing.assert_close(gradient, times * 4.0 * w.detach())


def test_r1_penalizes_at_real_examples_alone_and_r2_at_fakes(w: Tensor) -> None:
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
def test_penalties_towards_slope_one_are_nothing_at_slope_one(chosen: Any, w: Tensor) -> None:
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


def test_the_gradient_penalty_is_taken_between_each_pair_at_a_place_of_its_own(w: Tensor) -> None:
    _, [between] = penalised(GradientPenalty(), w, REAL, FAKE)
    share = (between - FAKE) / (REAL - FAKE)
    torch.testing.assert_close(share, share[..., :1].expand_as(share), atol=1e-4, rtol=1e-4)
    assert share.min() >= 0 and share.max() <= 1
    assert len(share[..., 0].flatten().unique()) == 18


def test_dragan_penalizes_within_its_reach_of_real_examples(w: Tensor) -> None:
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


# What G learns from.


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
