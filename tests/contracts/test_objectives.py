"""What every objective must keep."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

LOSSES = ("d_loss_real", "d_loss_fake", "g_loss")


def scores(*values: float) -> Tensor:
    return torch.tensor([values], dtype=torch.float64, requires_grad=True)


def slope(loss_of: Any, at: float) -> float:
    score = scores(at)
    return float(torch.autograd.grad(loss_of(score).sum(), score)[0])


def test_a_higher_score_lowers_ds_loss_on_real_raises_it_on_fake_and_lowers_gs(objective: Any) -> None:
    assert slope(objective.d_loss_real, objective.undecided) < 0
    assert slope(objective.d_loss_fake, objective.undecided) > 0
    assert slope(objective.g_loss, objective.undecided) < 0


def test_at_the_undecided_score_ds_mean_loss_is_the_stated_equilibrium(objective: Any) -> None:
    score = scores(objective.undecided)
    mean = (objective.d_loss_real(score) + objective.d_loss_fake(score)) / 2
    assert float(mean.detach()) == pytest.approx(objective.equilibrium, abs=1e-7)


def test_at_equilibrium_no_constant_score_is_better_than_the_undecided_one(objective: Any) -> None:
    """Real and fake are equally likely and look the same, so the best answer is one score for all."""
    score = objective.undecided + torch.linspace(-30, 30, 6001, dtype=torch.float64)[None]
    mean = (objective.d_loss_real(score) + objective.d_loss_fake(score)) / 2
    assert float(mean.min()) >= objective.equilibrium - 1e-7


@pytest.mark.parametrize("side", LOSSES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_losses_have_the_shape_and_type_of_the_scores(objective: Any, side: str, dtype: torch.dtype) -> None:
    score = torch.randn(3, 5, dtype=dtype)
    loss = getattr(objective, side)(score)
    assert (loss.shape, loss.dtype) == (score.shape, dtype)


@pytest.mark.parametrize("side", LOSSES)
def test_every_loss_depends_on_its_own_score(objective: Any, side: str) -> None:
    score = torch.randn(3, 5)
    loss = getattr(objective, side)(score)
    for member in range(3):
        for example in range(5):
            alone = getattr(objective, side)(score[member : member + 1, example : example + 1])
            assert float(loss[member, example]) == pytest.approx(float(alone), rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("side", LOSSES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_losses_and_slopes_are_finite_at_extreme_scores(objective: Any, side: str, dtype: torch.dtype) -> None:
    score = torch.tensor([[-50.0, -20.0, 0.0, 20.0, 50.0]], dtype=dtype, requires_grad=True)
    loss = getattr(objective, side)(score)
    assert torch.isfinite(loss).all()
    assert torch.isfinite(torch.autograd.grad(loss.sum(), score)[0]).all()


def test_d_prefers_a_right_answer_to_a_wrong_one(objective: Any) -> None:
    low, high = scores(objective.undecided - 0.5), scores(objective.undecided + 0.5)
    assert objective.d_loss_real(high) < objective.d_loss_real(low)
    assert objective.d_loss_fake(low) < objective.d_loss_fake(high)
    assert objective.g_loss(high) < objective.g_loss(low)


def test_outputs_are_in_the_order_of_scores(objective: Any) -> None:
    score = torch.linspace(-5, 5, 101)[None]
    opinion = objective.output(score)
    assert opinion.shape == score.shape
    assert (opinion.diff() > 0).all()


def test_an_objective_stated_twice_is_one_value(objective: Any) -> None:
    assert type(objective)() == objective
    assert hash(type(objective)()) == hash(objective)


def test_what_is_compared_is_the_score_itself_or_its_distance_from_the_other_kind(objective: Any) -> None:
    score, others = torch.randn(3, 5), torch.randn(3, 5)
    compared = objective.compare(score, others)
    assert compared.shape == score.shape
    if objective.relativistic:
        # What is added to every score changes nothing, and the two kinds are looked at alike.
        torch.testing.assert_close(objective.compare(score + 7, others + 7), compared)
        assert float(objective.compare(score, score).mean()) == pytest.approx(0, abs=1e-6)
    else:
        assert torch.equal(compared, score)


def test_g_gains_from_low_scores_of_real_examples_in_a_relativistic_objective(objective: Any) -> None:
    if objective.relativistic:
        assert slope(objective.g_loss_real, objective.undecided) > 0
    else:
        with pytest.raises(NotImplementedError):
            objective.g_loss_real(scores(0.0))


def test_at_the_undecided_score_neither_player_of_a_relativistic_objective_is_ahead(objective: Any) -> None:
    if objective.relativistic:
        score = scores(objective.undecided)
        d, g = (
            objective.d_loss_real(score) + objective.d_loss_fake(score),
            objective.g_loss(score) + objective.g_loss_real(score),
        )
        assert float(d.detach()) == pytest.approx(float(g.detach()))
