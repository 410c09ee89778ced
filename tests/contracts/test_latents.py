"""What every latent distribution must keep."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor

from sparring.latents.constant import Constant
from sparring.latents.normal import Normal
from sparring.latents.normal_and_signs import NormalAndSigns
from sparring.latents.uniform import Uniform
from sparring.rng import RandomStreams

SEEDS = (7, 0, 123456789012)


def draw(latent: Any, count: int, seeds: tuple[int, ...] = SEEDS, dtype: torch.dtype = torch.float32) -> Tensor:
    return latent.draw(RandomStreams(seeds, dtype=dtype), "latent", count)


@pytest.mark.parametrize("size", [1, 5])
@pytest.mark.parametrize("count", [1, 9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_vectors_have_the_stated_size(latent: Any, size: int, count: int, dtype: torch.dtype) -> None:
    latent = dataclasses.replace(latent, size=size)
    drawn = draw(latent, count, dtype=dtype)
    assert drawn.shape == (len(SEEDS), count, size)
    assert drawn.dtype == dtype
    assert torch.isfinite(drawn).all()


def test_a_members_latents_do_not_depend_on_who_else_trains(latent: Any) -> None:
    together = draw(latent, 4)
    for member, seed in enumerate(SEEDS):
        assert torch.equal(together[member], draw(latent, 4, (seed,))[0])


def test_each_distribution_has_its_moments() -> None:
    """20,000 numbers, within five standard errors."""
    count = 20_000
    uniform, normal = draw(Uniform(1), count)[0], draw(Normal(1), count)[0]
    assert uniform.min() >= 0
    assert uniform.max() < 1
    assert abs(float(uniform.mean()) - 1 / 2) < 5 * (1 / 12 / count) ** 0.5
    assert abs(float(uniform.var()) - 1 / 12) < 5 * (1 / 180 / count) ** 0.5
    assert abs(float(normal.mean())) < 5 * (1 / count) ** 0.5
    assert abs(float(normal.var()) - 1) < 5 * (2 / count) ** 0.5
    assert torch.equal(draw(Constant(0.25, 2), 3), torch.full((3, 3, 2), 0.25))
    normal, sign = draw(NormalAndSigns(2, signs=1), count)[0].unbind(-1)
    assert abs(float(normal.var()) - 1) < 5 * (2 / count) ** 0.5
    assert torch.equal(sign.abs(), torch.ones(count))
    assert abs(float(sign.mean())) < 5 * (1 / count) ** 0.5
    assert abs(float((normal * sign).mean())) < 5 * (1 / count) ** 0.5


def test_a_count_of_signs_below_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="signs"):
        NormalAndSigns(signs=-1)
