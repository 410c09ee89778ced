"""What every optimizer must keep: it is torch's own of that name, and steps a stacked population as its members."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor

SHAPES = [(3, 5, 4), (3, 1, 4), (3, 2, 2, 3, 3), (3,)]
"""Weights of three members."""

# Our field's name -> torch's, where they differ.
TORCH_NAMES: dict[str, str] = {}


def variants(optimizer: Any) -> list[Any]:
    """The leaf with its defaults, then with every number that is zero by default set to something."""
    zeros = [f.name for f in dataclasses.fields(optimizer) if getattr(optimizer, f.name) == 0]
    found = [optimizer, dataclasses.replace(optimizer, lr=0.3)]
    found += [dataclasses.replace(optimizer, **{name: 0.4}) for name in zeros]
    return [*found, dataclasses.replace(optimizer, **dict.fromkeys(zeros, 0.3))]


def numbers(seed: int, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator, dtype=dtype) for shape in SHAPES]


def torchs_own(optimizer: Any, weights: list[Tensor]) -> torch.optim.Optimizer:
    fields = {TORCH_NAMES.get(f.name, f.name): getattr(optimizer, f.name) for f in dataclasses.fields(optimizer)}
    return getattr(torch.optim, type(optimizer).__name__)(weights, **fields)


def test_five_steps_are_torchs_five_steps(optimizer: Any) -> None:
    for each in variants(optimizer):
        mine = numbers(0)
        theirs = [w.clone().requires_grad_() for w in mine]
        memory, torchs = each.begin(mine), torchs_own(each, theirs)
        for step in range(1, 6):
            gradients = numbers(step)
            each.step(mine, gradients, memory)
            for weight, gradient in zip(theirs, gradients, strict=True):
                weight.grad = gradient.clone()
            torchs.step()
            for weight, other, first in zip(mine, theirs, numbers(0), strict=True):
                torch.testing.assert_close(weight, other.detach(), rtol=1e-12, atol=1e-14, msg=f"{each}, step {step}")
                assert not torch.equal(weight, first)


def test_stepping_a_stacked_population_is_stepping_each_member(optimizer: Any) -> None:
    for each in variants(optimizer):
        together = numbers(0)
        alone = [[w[member].clone() for w in together] for member in range(3)]
        memory, memories = each.begin(together), [each.begin(weights) for weights in alone]
        for step in range(1, 6):
            gradients = numbers(step)
            each.step(together, gradients, memory)
            for member in range(3):
                each.step(alone[member], [g[member] for g in gradients], memories[member])
        for member in range(3):
            for stacked, single in zip(together, alone[member], strict=True):
                torch.testing.assert_close(stacked[member], single, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_how_a_gradient_lies_in_memory_makes_no_difference(optimizer: Any, dtype: torch.dtype) -> None:
    """Gradients of a mapped network come transposed; a fused kernel that reads flat memory must not be misled."""
    for each in variants(optimizer):
        plain, turned = numbers(0, dtype), numbers(0, dtype)
        memory, other_memory = each.begin(plain), each.begin(turned)
        for step in range(1, 4):
            gradients = numbers(step, dtype)
            each.step(plain, gradients, memory)
            each.step(turned, [g.mT.contiguous().mT if g.ndim > 1 else g for g in gradients], other_memory)
        assert all(torch.equal(a, b) for a, b in zip(plain, turned, strict=True))


def test_memory_is_all_that_has_to_be_kept(optimizer: Any) -> None:
    """Five steps are three steps, a copy of weights and memory, and two steps."""
    for each in variants(optimizer):
        whole, first = numbers(0), numbers(0)
        memory, first_memory = each.begin(whole), each.begin(first)
        for step in range(1, 6):
            each.step(whole, numbers(step), memory)
        for step in range(1, 4):
            each.step(first, numbers(step), first_memory)
        second = [w.clone() for w in first]
        second_memory = each.begin(second)
        assert second_memory.keys() == first_memory.keys()
        for kind, tensors in second_memory.items():
            for tensor, saved in zip(tensors, first_memory[kind], strict=True):
                tensor.copy_(saved)
        for step in range(4, 6):
            each.step(second, numbers(step), second_memory)
        assert all(torch.equal(a, b) for a, b in zip(whole, second, strict=True))


def test_a_step_leaves_the_gradients_alone(optimizer: Any) -> None:
    for each in variants(optimizer):
        weights, gradients = numbers(0), numbers(1)
        each.step(weights, gradients, each.begin(weights))
        assert all(torch.equal(a, b) for a, b in zip(gradients, numbers(1), strict=True))
