"""Convolutions computed by parity, and those of repeated pixels, are torch's own, and so are their derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from sparring.game import subpixel
from sparring.networks.layers import UpsampledConvolution
from tests.contracts.network_cases import populated

CHANNELS = (1, 3)
KINDS = {"halved": (subpixel.halved, functional.conv2d), "doubled": (subpixel.doubled, functional.conv_transpose2d)}


def examples(kind: str, channels: int) -> tuple[Tensor, Tensor]:
    """What the convolution takes, and its weight of 5 maps, in float64."""
    torch.manual_seed(0)
    shape = (2, channels, 8, 6) if kind == "halved" else (2, 5, 4, 3)
    takes, weight = torch.randn(shape, dtype=torch.float64), torch.randn(5, channels, 4, 4, dtype=torch.float64)
    return takes.requires_grad_(), weight.requires_grad_()


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_convolution_of_torch(kind: str, channels: int) -> None:
    ours, of_torch = KINDS[kind]
    takes, weight = examples(kind, channels)
    torch.testing.assert_close(ours(takes, weight), of_torch(takes, weight, stride=2, padding=1))


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("kind", KINDS)
def test_first_and_second_derivatives_are_those_of_finite_differences(kind: str, channels: int) -> None:
    ours, _ = KINDS[kind]
    assert torch.autograd.gradcheck(ours, examples(kind, channels))
    assert torch.autograd.gradgradcheck(ours, examples(kind, channels))


@pytest.mark.parametrize("channels", [1, 3, 8])
def test_repeated_pixels_are_convolved_as_torch_does_it(channels: int) -> None:
    torch.manual_seed(0)
    maps = torch.randn(2, 5, 4, 3, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(channels, 5, 3, 3, dtype=torch.float64, requires_grad=True)
    of_torch = functional.conv2d(functional.interpolate(maps, scale_factor=2.0), weight, padding=1)
    torch.testing.assert_close(subpixel.of_repeated_pixels(maps, weight), of_torch)
    assert torch.autograd.gradgradcheck(subpixel.of_repeated_pixels, (maps, weight))


LAYERS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], bool]] = {
    "DCGAN's first of D": (lambda: nn.Conv2d(3, 5, 4, 2, 1), (3, 8, 8), True),
    "without bias": (lambda: nn.Conv2d(1, 5, 4, 2, 1, bias=False), (1, 8, 6), True),
    "an odd side": (lambda: nn.Conv2d(3, 5, 4, 2, 1), (3, 9, 8), False),
    "many channels": (lambda: nn.Conv2d(8, 5, 4, 2, 1), (8, 8, 8), False),
    "another kernel": (lambda: nn.Conv2d(3, 5, 3, 2, 1), (3, 8, 8), False),
    "reflected edges": (lambda: nn.Conv2d(3, 5, 4, 2, 1, padding_mode="reflect"), (3, 8, 8), False),
    "DCGAN's last of G": (lambda: nn.ConvTranspose2d(5, 3, 4, 2, 1), (5, 4, 4), True),
    "an odd image": (lambda: nn.ConvTranspose2d(5, 3, 4, 2, 1, output_padding=1), (5, 4, 4), False),
    "of many images": (lambda: nn.ConvTranspose2d(5, 8, 4, 2, 1), (5, 4, 4), False),
    "of repeated pixels": (lambda: UpsampledConvolution(5, 3), (5, 4, 4), True),
    "of repeated pixels, without bias": (lambda: UpsampledConvolution(5, 3, bias=False), (5, 4, 3), True),
    "of repeated pixels of many images": (lambda: UpsampledConvolution(5, 8), (5, 4, 4), False),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_population_uses_it_where_it_is_the_layer_and_gives_what_the_layer_gives(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, shape, applies = LAYERS[name]
    seen: list[str] = []
    for kind in KINDS:
        original: Any = getattr(subpixel, kind)
        monkeypatch.setattr(subpixel, kind, lambda *given, f=original, kind=kind: seen.append(kind) or f(*given))
    torch.manual_seed(5)
    alone = nn.Sequential(make()).double()
    many = populated(lambda: nn.Sequential(make()), (5,))
    x = torch.randn(1, 6, *shape, dtype=torch.float64)
    torch.testing.assert_close(many(x)[0], alone(x[0]), rtol=1e-12, atol=1e-12)
    assert bool(seen) == applies


def test_half_precision_is_left_to_torch() -> None:
    layer, images = nn.Conv2d(3, 5, 4, 2, 1), torch.zeros(1, 3, 8, 8)
    assert subpixel.halves(layer, images)
    with torch.autocast("cpu", torch.bfloat16):
        assert not subpixel.halves(layer, images)
