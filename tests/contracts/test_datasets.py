"""What every data set must keep. MNIST and Fashion-MNIST are stand-ins here; their real files are tested elsewhere.

Points in the plane are unbounded: what is said of spans does not hold for them, what is said of their modes does."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from sparring.rng import RandomStreams

SEEDS = (7, 0, 123456789012)
SPANS = [(0.0, 1.0), (-1.0, 1.0)]


def spanned(dataset: Any, span: tuple[float, float]) -> Any:
    if "span" not in {f.name for f in dataclasses.fields(dataset)}:
        pytest.skip("this data set has one span")
    return dataclasses.replace(dataset, span=span)


def draw(dataset: Any, data_dir: Path, count: int, round: int = 0, **how: Any) -> Tensor:
    rng = RandomStreams(how.pop("seeds", SEEDS), **how)
    rng.begin(round)
    return dataset.open(data_dir, "cpu").draw(rng, count)


@pytest.mark.parametrize("count", [1, 7, 300])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_examples_have_the_stated_shape_in_the_type_asked_for(
    dataset: Any, data_dir: Path, count: int, dtype: torch.dtype
) -> None:
    drawn = draw(dataset, data_dir, count, dtype=dtype)
    assert drawn.shape == (len(SEEDS), count, *dataset.shape)
    assert drawn.dtype == dtype


def test_a_plain_run_sees_float32(dataset: Any, data_dir: Path) -> None:
    assert draw(dataset, data_dir, 4).dtype == torch.float32


def test_examples_lie_within_the_span_and_use_most_of_it(dataset: Any, data_dir: Path) -> None:
    if dataset.modes or dataset.is_plotted:
        pytest.skip("unbounded")
    low, high = dataset.span
    drawn = draw(dataset, data_dir, 200)
    assert low <= drawn.min() < low + 0.1 * (high - low)
    assert high - 0.1 * (high - low) < drawn.max() <= high


@pytest.mark.parametrize("span", SPANS)
def test_a_span_stretches_the_data_units_and_in_data_units_takes_it_back(
    dataset: Any, data_dir: Path, span: tuple[float, float]
) -> None:
    there = spanned(dataset, span)
    seen = draw(there, data_dir, 50)
    assert span[0] <= seen.min() < seen.max() <= span[1]
    plain = draw(spanned(dataset, (0.0, 1.0)), data_dir, 50)
    torch.testing.assert_close(there.in_data_units(seen), plain, rtol=0, atol=1e-6)


def test_in_data_units_maps_the_span_to_0_and_1(dataset: Any) -> None:
    if dataset.is_plotted:
        pytest.skip("scaled by column")
    assert dataset.in_data_units(torch.tensor(dataset.span)).tolist() == [0.0, 1.0]


def test_what_a_member_sees_depends_on_its_seed_and_the_round_alone(dataset: Any, data_dir: Path) -> None:
    together = draw(dataset, data_dir, 5, round=3)
    for member, seed in enumerate(SEEDS):
        assert torch.equal(together[member], draw(dataset, data_dir, 5, round=3, seeds=(seed,))[0])
    assert not torch.equal(together[0], together[1])
    assert not torch.equal(together, draw(dataset, data_dir, 5, round=4))


def test_a_batch_holds_different_examples(dataset: Any, data_dir: Path) -> None:
    drawn = draw(dataset, data_dir, 20)[0].flatten(1)
    assert len(drawn.unique(dim=0)) == 20


def test_the_card_is_complete(dataset: Any) -> None:
    card = dataset.card
    assert card.title.strip()
    assert card.license.strip()
    assert card.source.strip()
    assert card.examples is None or card.examples > 0


def test_a_data_set_can_be_kept_in_a_set_and_compared(dataset: Any) -> None:
    assert len({dataset, dataclasses.replace(dataset)}) == 1


def test_settling_twice_is_settling_once_and_keeps_the_shape(dataset: Any) -> None:
    resolved = dataset.resolved()
    assert resolved.resolved() == resolved
    assert resolved.shape == dataset.shape
    assert dataset.changed_since({"is": "another"}) is None


def test_a_hash_tells_examples_from_all_others(dataset: Any, data_dir: Path) -> None:
    resolved, source = dataset.resolved(), dataset.open(data_dir, "cpu")
    found = resolved.content_hash(source)
    assert found == resolved.content_hash(dataset.open(data_dir, "cpu"))
    assert bool(found) == (not dataset.modes and not dataset.target), "only what a formula gives has none"
    if found.startswith("SHA-256"):
        assert found == f"SHA-256 {hashlib.sha256(source.pixels.numpy().tobytes()).hexdigest()}"
        assert found != resolved.content_hash(dataclasses.replace(source, pixels=255 - source.pixels))


def test_points_lie_about_their_modes_in_equal_shares_as_far_as_is_told(dataset: Any) -> None:
    if not dataset.modes:
        pytest.skip("no modes in the plane")
    centers = torch.tensor(dataset.modes.centers, dtype=torch.float64)
    assert centers.shape == (len(centers), 2)
    assert centers.abs().max() + 4 * dataset.modes.sd < dataset.modes.reach
    points = draw(dataset, Path(), 60_000, seeds=(3,), dtype=torch.float64)[0]
    distances = torch.cdist(points, centers)
    nearest = distances.argmin(1)
    shares = nearest.bincount(minlength=len(centers)) / len(points)
    torch.testing.assert_close(shares, torch.full_like(shares, 1 / len(centers)), rtol=0, atol=0.006)
    spread = (points - centers[nearest]) / dataset.modes.sd
    assert spread.mean(0).abs().max() < 0.02
    torch.testing.assert_close(spread.T.cov(), torch.eye(2, dtype=torch.float64), rtol=0, atol=0.03)
    # Within three standard deviations lie 1 - exp(-9/2) of a round Gaussian in the plane.
    assert float((distances.min(1).values < 3 * dataset.modes.sd).double().mean()) == pytest.approx(0.98889, abs=0.002)


@pytest.mark.parametrize(("name", "count", "sd"), [("ring", 8, 0.01), ("grid", 25, 0.05)])
def test_ring_and_grid_are_the_published_ones(name: str, count: int, sd: float) -> None:
    from sparring import catalogue

    modes = catalogue.make("datasets", name, {}).modes
    assert (len(set(modes.centers)), modes.sd) == (count, sd)
    lengths = torch.tensor(modes.centers).norm(dim=1)
    if name == "ring":
        torch.testing.assert_close(lengths, torch.ones(8))
    else:
        assert {coordinate for center in modes.centers for coordinate in center} == {-4, -2, 0, 2, 4}


@pytest.mark.parametrize("digits", [1, 2, 3, 5])
def test_a_stack_is_that_many_images_and_its_mode_is_the_number_they_spell(data_dir: Path, digits: int) -> None:
    from sparring.datasets.mnist import MNIST
    from sparring.datasets.stacked_mnist import StackedMNIST

    dataset = StackedMNIST(digits)
    assert dataset.shape == (digits, 28, 28)
    assert dataset.classes == 10**digits
    source = dataset.open(data_dir, "cpu")
    stacks, modes = source.draw_with_classes(RandomStreams((5, 6)), 12)
    plain: Any = MNIST().open(data_dir, "cpu")
    for stack, mode in zip(stacks.flatten(0, 1), modes.flatten(), strict=True):
        pixels = (stack * 255).round().to(torch.uint8)
        # In the stand-in, image k is of class k % 10.
        which = [int((plain.pixels[:, 0] == channel).flatten(1).all(1).nonzero()[0]) for channel in pixels]
        assert "".join(str(k % 10) for k in which) == f"{int(mode):0{digits}d}"
        assert digits == 1 or len(set(which)) > 1


def test_the_digits_are_as_many_as_their_card_says(data_dir: Path) -> None:
    from sparring.datasets.digits import Digits

    source: Any = Digits().open(data_dir, "cpu")
    assert len(source.pixels) == Digits.card.examples
    assert len(source.pixels.flatten(1).unique(dim=0)) == Digits.card.examples


def test_every_picture_is_shown_once_in_a_pass(data_dir: Path) -> None:
    from sparring.datasets.digits import Digits

    source: Any = Digits().open(data_dir, "cpu")
    total = len(source.pixels)
    shown = (source.draw(RandomStreams((3,), dtype=torch.float64), total)[0] * 255).round().to(torch.uint8)
    assert not torch.equal(shown, source.pixels)
    assert torch.equal(shown.flatten(1).unique(dim=0), source.pixels.flatten(1).unique(dim=0))


def test_the_pattern_is_high_low_high_low() -> None:
    from sparring.datasets.pattern_1010 import Pattern1010

    drawn = draw(Pattern1010(), Path(), 2000)
    for position, (low, high) in enumerate([(0.8, 1.0), (0.0, 0.2), (0.8, 1.0), (0.0, 0.2)]):
        numbers = drawn[..., position]
        assert low <= numbers.min() < low + 0.01
        assert high - 0.01 < numbers.max() <= high
        assert float(numbers.mean()) == pytest.approx((low + high) / 2, abs=0.005)


def test_digits_are_those_of_scikit_learn_wherever_its_file_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.datasets import load_digits

    from sparring.datasets import digits

    expected = load_digits()
    for is_found in (True, False):
        if not is_found:
            monkeypatch.setattr(digits.importlib.util, "find_spec", lambda name: None)
        digits.ink_and_classes.cache_clear()
        ink, classes = digits.ink_and_classes()
        np.testing.assert_array_equal(ink, expected.images)
        np.testing.assert_array_equal(classes, expected.target)
