"""What tricks do to the examples that D gets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from sparring import catalogue
from sparring.rng import RandomStreams
from sparring.tricks import Now
from sparring.tricks._images import read, reflected, signals
from sparring.tricks.adaptive_augmentation import AdaptiveAugmentation
from sparring.tricks.diff_augment import DiffAugment
from sparring.tricks.instance_noise import InstanceNoise
from sparring.tricks.packing import Packing
from tests.contracts.trick_games import SEEDS, SMALL, begun, now


@pytest.fixture(autouse=True)
def same_numbers_every_time() -> None:
    torch.manual_seed(0)


# Examples as D gets them.


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


def test_a_packed_d_scores_any_number_of_examples() -> None:
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


def test_a_flip_mirrors_half_of_the_images_and_nothing_else() -> None:
    x = torch.randn(3, 400, 2, 3, 5)
    seen = augmented(DiffAugment(("flip",)), x)
    same, mirrored = ((seen == each).flatten(2).all(-1) for each in (x, x.flip(-1)))
    assert (same | mirrored).all()
    assert 0.4 < mirrored.float().mean() < 0.6


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


def test_augmentation_grows_where_d_overfits_and_shrinks_where_it_guesses() -> None:
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
def test_augmentation_takes_scores_from_the_undecided_one(which: str) -> None:
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
