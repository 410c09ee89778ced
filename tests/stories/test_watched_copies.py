"""A watched G that copies many examples: found where the data are at hand; else it is said what was not searched."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.numpy
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus
from torch.utils.data import Dataset

import sparring
from sparring.record.loop import EXAMPLES
from tests.loops.sound import BATCH, adam, mlp

ROWS = torch.randn(12_000, 6, generator=torch.Generator().manual_seed(0))


class Copies(nn.Module):
    """A G that knows all rows, and makes one of them of each latent number."""

    rows: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(6))
        self.register_buffer("rows", ROWS)

    def forward(self, z: Tensor) -> Tensor:
        return self.rows[(z[:, 0] * len(self.rows)).long().clamp(max=len(self.rows) - 1)] * self.scale


class Opaque(Dataset[Tensor]):
    """Says how many rows there are, and gives them one at a time."""

    def __len__(self) -> int:
        return len(ROWS)

    def __getitem__(self, index: int) -> Tensor:
        return ROWS[index]


def watched(
    g: nn.Module, d: nn.Module, lr: float, rounds: int, x: Tensor, noise: Callable[[], Tensor], **more: Any
) -> None:
    """A logistic loop on batches of x, whose G learns with this rate."""
    opt_g, opt_d = adam(g, lr), adam(d)
    with sparring.watch(g, d, opt_g, opt_d, **more):
        for _ in range(rounds):
            opt_d.zero_grad()
            real = x[torch.randint(len(x), (BATCH,))]
            (softplus(-d(real)) + softplus(d(g(noise()).detach()))).mean().backward()
            opt_d.step()
            opt_g.zero_grad()
            softplus(-d(g(noise()))).mean().backward()
            opt_g.step()


@pytest.mark.parametrize(("data", "is_found"), [(ROWS, True), (Opaque(), False)], ids=["at hand", "opaque"])
def test_a_generator_that_copies_one_of_many_rows(data: Any, is_found: bool, tmp_path: Path) -> None:
    torch.manual_seed(0)
    g, d = Copies(), mlp(6, 16, 1)
    watched(g, d, 1e-6, 150, ROWS, lambda: torch.rand(BATCH, 1), data=data, out=tmp_path / "run")
    measured = sparring.measure(tmp_path / "run", count=500)
    copied = measured.scores["copying"].members[0]
    said = " ".join(measured.notes)
    if is_found:
        assert copied > 0.95 and "searched" not in said
    else:
        assert copied < 0.5 and re.search("searched for among [0-9,]+ of 12,000 training examples", said)


@pytest.mark.parametrize(
    ("given", "are_these"),
    [
        (lambda x: x, True),
        (lambda x: 2 * x - 1, True),
        (lambda x: (255 * x).to(torch.uint8), True),
        (lambda x: (255 * x).numpy(), True),
        (lambda x: 1 - x, False),
    ],
    ids=["from 0 to 1", "from -1 to 1", "bytes", "an array of levels", "inverted"],
)
def test_examples_are_kept_as_d_is_given_them(given: Callable[[Tensor], Any], are_these: bool, tmp_path: Path) -> None:
    """A loop that scales what it was given: samples are compared with scaled examples, not with those outside."""
    x = torch.rand(3_000, 1, 8, 8, generator=torch.Generator().manual_seed(0)) ** 2
    g = nn.Sequential(nn.Linear(8, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))
    d = nn.Sequential(nn.Flatten(), nn.Linear(64, 1))
    watched(g, d, 1e-3, 40, 2 * x - 1, lambda: torch.randn(BATCH, 8), data=given(x), out=tmp_path / "run")
    kept = safetensors.numpy.load_file(tmp_path / "run" / EXAMPLES)["examples"]
    assert kept.mean() / 255 == pytest.approx(float(x.mean()), abs=0.01)
    assert (len(kept) == len(x)) == are_these


def test_images_of_few_lit_pixels_are_kept_on_the_right_scale(tmp_path: Path) -> None:
    """All quantiles but the ends are alike on every scale."""
    x = (torch.rand(3_000, 1, 8, 8, generator=torch.Generator().manual_seed(0)) > 0.997).float()
    g = nn.Sequential(nn.Linear(8, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))
    d = nn.Sequential(nn.Flatten(), nn.Linear(64, 1))
    watched(g, d, 1e-3, 40, x, lambda: torch.randn(BATCH, 8), data=(255 * x).byte(), out=tmp_path / "run")
    kept = safetensors.numpy.load_file(tmp_path / "run" / EXAMPLES)["examples"]
    assert len(kept) and kept.mean() / 255 == pytest.approx(float(x.mean()), rel=0.1)
