"""Directions of the latent space: each way finds what it must where the answer is known, and names what moves."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sparring import latents
from sparring.analysis.latent_tools.directions import sensitivity as room
from sparring.analysis.latent_tools.directions.classes import class_directions
from sparring.analysis.latent_tools.directions.effects import Effect, effects, unique_names
from sparring.analysis.latent_tools.directions.features import feature_components
from sparring.analysis.latent_tools.directions.first_layer import first_layer
from sparring.analysis.latent_tools.directions.matching import matched, stability
from sparring.analysis.latent_tools.directions.moments import attributes
from sparring.analysis.latent_tools.directions.sensitivity import sensitivity
from sparring.analysis.latent_tools.loop import closed_path, even_frames, loop
from sparring.analysis.latent_tools.projection import memorization, project
from sparring.analysis.latent_tools.truncation import (
    Truncation,
    _balanced,  # pyright: ignore[reportPrivateUsage]
    truncated,
)
from sparring.analysis.rejection import calibrated
from sparring.errors import SparringError, UsageError
from sparring.report.terminal.truncation import truncation_text
from tests.printed import text_of

SIZE, SIDE = 6, 16
STRENGTHS = torch.tensor([5.0, 3.0, 2.0, 1.0, 0.5, 0.1])
TURNED = torch.linalg.qr(torch.randn(SIZE, SIZE, generator=torch.Generator().manual_seed(1))).Q
"""Columns are the directions that the linear generator below stretches by STRENGTHS."""


def linear(z: Tensor) -> Tensor:
    return (z[:, :SIZE] @ TURNED * STRENGTHS).reshape(-1, SIZE)


def normal(count: int, size: int = SIZE) -> Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(2))


def check(found: Tensor, expected: Tensor, tolerance: float = 1e-3) -> None:
    """The same lines, row by row."""
    alike = (found * expected).sum(1).abs()
    torch.testing.assert_close(alike, torch.ones(len(alike)), rtol=0, atol=tolerance)


@pytest.mark.parametrize("exact", [256, 0], ids=["all of it", "by iteration"])
def test_sensitivity_finds_singular_vectors(exact: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "EXACT", exact)
    found = sensitivity(linear, normal(5), 3)
    check(found.vectors, TURNED.T[:3])
    torch.testing.assert_close(found.strength, STRENGTHS[:3] / SIZE**0.5, rtol=1e-3, atol=1e-4)


def test_sensitivity_leaves_the_class_alone() -> None:
    z = torch.cat([normal(4), torch.eye(3)[[0, 1, 2, 0]]], 1)
    found = sensitivity(lambda x: linear(x) * (1 + x[:, SIZE:] @ torch.tensor([1.0, 2.0, 3.0]))[:, None], z, 2, SIZE)
    assert found.vectors.shape == (2, SIZE)
    check(found.vectors, TURNED.T[:2])


def test_sensitivity_says_what_torch_cannot_differentiate() -> None:
    def stuck(z: Tensor) -> Tensor:
        raise NotImplementedError("no forward derivative of frobnicate")

    calls = iter([linear, stuck])
    with pytest.raises(SparringError, match=r"cannot differentiate this generator: .*frobnicate"):
        sensitivity(lambda z: next(calls)(z) + 0, normal(2), 1)


def test_features_are_carried_back_to_the_latent_space() -> None:
    z = normal(4_000)
    found = feature_components(z, linear(z), 2)
    check(found.vectors, TURNED.T[:2], 0.01)
    assert (found.strength > 0.99).all()


def test_the_first_layer_is_taken_with_its_batch_norm() -> None:
    norm = nn.BatchNorm1d(SIZE)
    with torch.no_grad():
        norm.running_var.copy_((1 / STRENGTHS) ** 2)
    layer = nn.Linear(SIZE, SIZE)
    with torch.no_grad():
        layer.weight.copy_(TURNED.T)
    network = nn.Sequential(layer, norm, nn.ReLU(), nn.Linear(SIZE, 4)).eval()
    found = first_layer(network, normal(2), 3)
    check(found.vectors, TURNED.T[:3])
    torch.testing.assert_close(found.strength, STRENGTHS[:3], rtol=1e-3, atol=1e-3)
    with pytest.raises(SparringError, match="nothing linear happens"):
        first_layer(nn.Sequential(nn.Tanh(), layer), normal(2), 3)


def test_class_directions_point_toward_their_class() -> None:
    z = normal(4_000)
    likely = torch.stack([z @ TURNED[:, 0], -z @ TURNED[:, 0]], 1).mul(2).softmax(1)
    found, classes = class_directions(z, torch.cat([likely, torch.zeros(len(z), 1)], 1))
    assert sorted(classes) == [0, 1], "a class without samples has no direction"
    for vector, k in zip(found.vectors, classes, strict=True):
        assert float(vector @ TURNED[:, 0]) * (1 if k == 0 else -1) > 0.99


# What they move.


def bar(shift: float = 0.0, lean: float = 0.0, thick: float = 2.0, light: float = 1.0) -> np.ndarray:
    """An upright bar `(1, SIDE, SIDE)`, moved right, sheared to the right, thickened, dimmed."""
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    across = np.abs(x - shift + lean * y)
    return (light * np.clip(thick / 2 + 0.5 - across, 0, 1) * (np.abs(y) < 5))[None]


def test_moments_measure_what_they_are_called() -> None:
    found = attributes(np.stack([bar(), bar(shift=2), bar(lean=0.4), bar(thick=4), bar(light=0.5)]))
    assert found["horizontal"][1] - found["horizontal"][0] == pytest.approx(2 / SIDE, abs=1e-6)
    assert found["slant"][0] == pytest.approx(0, abs=1e-9)
    assert found["slant"][2] == pytest.approx(0.4, abs=0.05)
    assert found["stroke"][0] < found["stroke"][3] * 0.7
    assert found["stroke"][4] == pytest.approx(found["stroke"][0], rel=1e-6), "however bright"
    assert found["ink"][4] == pytest.approx(found["ink"][0] / 2)
    assert found["ink"][3] == pytest.approx(found["ink"][0], rel=0.2), "however thick"
    assert found["brightness"][4] == pytest.approx(found["brightness"][0] / 2)
    assert np.isnan(attributes(np.zeros((1, 1, 4, 4)))["slant"]).all()


def steered(z: Tensor) -> Tensor:
    """Dimension 0 moves a bar, 1 leans it, 2 thickens it; 3 does nothing."""
    images = [bar(float(a), float(b) / 4, 3 + float(c) / 2) for a, b, c in z[:, :3].clamp(-3, 3)]
    return torch.tensor(np.stack(images), dtype=torch.float32)


def test_directions_are_called_after_what_they_move() -> None:
    found = effects(steered, normal(24, 4), torch.eye(4), 1.5)
    assert unique_names(found) == [
        ("further left", "further right"),
        ("leaning left", "leaning right"),
        ("thinner", "thicker"),
        None,
    ]
    assert found[3].share == 0 and found[0].share > found[0].error > 0
    assert effects(steered, normal(24, 4), -torch.eye(4)[:1], 1.5)[0].names[0] == ("further right", "further left")


def test_what_moves_is_called_the_same_whichever_way_it_goes() -> None:
    found = effects(steered, normal(24, 4), torch.cat([torch.eye(4), -torch.eye(4)]), 1.5)
    assert [each.moves for each in found] == ["left or right", "slant", "stroke width", "nowhere"] * 2
    top = torch.zeros(1, 9, 9)
    top[:, :3] = -1.0
    assert Effect(top, 1.0, 0.1, "darkens the top", {}).moves == "the top"


def test_a_name_is_given_once() -> None:
    slanting = {"slant": (2.0, 0.1), "width": (1.0, 0.1)}
    one = Effect(torch.zeros(1), 1.0, 0.1, "", slanting)
    assert unique_names([one, one, one]) == [("leaning left", "leaning right"), ("narrower", "wider"), None]
    unsure = Effect(torch.zeros(1), 1.0, 0.1, "", {"slant": (2.0, 1.0)})
    assert unsure.names == []
    fading = Effect(torch.zeros(1), 1.0, 0.1, "", {"slant": (4.0, 0.1), "ink": (-1.6, 0.1), "brightness": (-5, 0.1)})
    assert fading.names == [("stronger", "fainter")]


# In other members.


def test_members_are_matched_whatever_the_order_and_the_sign() -> None:
    one = np.eye(4, 9)
    other = -one[[2, 0, 3, 1]] * 7
    match, alike = matched(one, other)
    assert match.tolist() == [1, 3, 0, 2]
    np.testing.assert_allclose(alike, 1)


def test_a_direction_is_found_again_where_it_is_and_not_where_it_is_not() -> None:
    rng = np.random.default_rng(0)
    shared, own = np.eye(1, 200), [rng.normal(size=(1, 200)) for _ in range(4)]
    changes = [np.concatenate([shared, each]) for each in own]
    random = [rng.normal(size=(2, 200)) for _ in range(4)]
    first, second = stability(changes, random, 0)
    assert (first.found, first.of) == (3, 3) and first.likeness.mean == pytest.approx(1)
    assert second.found <= 1 and second.likeness.mean is not None and second.likeness.mean < 0.3
    assert stability(changes[:1], random[:1], 0)[0].of == 0


# Truncation.


def test_truncation_shrinks_what_is_continuous_and_nothing_else() -> None:
    z = torch.cat([normal(3, 4), torch.tensor([[1.0, -1.0]] * 3), torch.eye(3)], 1)  # two signs, a one-hot class
    found = truncated(z, latents.NormalAndSigns(6, signs=2), 0.5)
    torch.testing.assert_close(found, torch.cat([z[:, :4] / 2, z[:, 4:]], 1))
    torch.testing.assert_close(truncated(torch.zeros(1, 2), latents.Uniform(2), 0.4), torch.full((1, 2), 0.3))
    with pytest.raises(SparringError, match="cannot be truncated"):
        truncated(z, latents.Constant(), 0.5)


def test_the_recommended_psi_is_best_in_the_mean_and_its_interval_says_how_sure() -> None:
    def found(balance: list[list[float]]) -> Truncation:
        return Truncation(tuple(range(len(balance[0]))), "", 9, (0.5, 0.7, 1.0), {"balance": np.array(balance)}, {})

    alike = found([[0.4] * 4, [0.6] * 4, [0.5] * 4])
    assert (alike.recommended, alike.interval) == (0.7, (0.7, 0.7))
    divided = found([[0.9, 0.1, 0.9, 0.1], [0.4] * 4, [0.1, 0.8, 0.1, 0.8]])
    assert divided.recommended == 0.5 and divided.interval == (0.5, 1.0)
    assert found([[0.4], [0.6], [0.6]]).recommended == 1.0, "of equal ones the one that costs no variety"
    assert found([[0.4], [0.6], [0.6]]).interval is None


def test_members_that_diverged_do_not_speak_on_psi() -> None:
    """A member without samples at a psi has no balance there, rather than the worst one."""
    share = np.array([0.5, np.nan, 0.0])
    balance = _balanced({"precision": share, "recall": share})["balance"]
    np.testing.assert_array_equal(balance, [0.5, np.nan, 0.0])

    def found(balance: list[list[float]]) -> Truncation:
        metrics = {name: np.array(balance) for name in ("precision", "recall", "balance")}
        return Truncation((0, 1, 2, 3), "", 9, (0.5, 1.0), metrics, dict.fromkeys(metrics, 0.9))

    lost = found([[0.6, 0.6, 0.6, np.nan], [0.5, 0.5, 0.5, np.nan]])
    assert (lost.recommended, lost.interval, lost.diverged) == (0.5, (0.5, 0.5), 1)
    at_one = found([[0.6, 0.6, 0.6, np.nan], [0.5, 0.5, 0.5, 0.5]])
    assert (at_one.recommended, at_one.interval, at_one.diverged) == (0.5, (0.5, 0.5), 0)
    assert found([[np.nan] * 4, [0.5] * 4]).recommended == 1.0
    said = " ".join(text_of(truncation_text(lost)).split())
    assert (
        "over 4 seeds, without 1 that diverged" in said and "psi is chosen by it, so these figures flatter it" in said
    )
    assert "flatter" in lost.plain()["recommended_by"]


# Rejection.


def test_d_is_calibrated_to_the_true_odds() -> None:
    rng = np.random.default_rng(0)
    real, generated = rng.normal(1, 1, (2, 20_000)), rng.normal(-1, 1, (2, 20_000))
    real[1], generated[1] = 10 * real[1] + 3, 10 * generated[1] + 3  # another D, on another scale
    slope, offset = calibrated(real, generated)
    np.testing.assert_allclose(slope, [2, 0.2], rtol=0.03)  # log odds of N(1, 1) against N(-1, 1) are 2 s
    np.testing.assert_allclose(offset, [0, -0.6], atol=0.05)
    slope, offset = calibrated(np.ones((1, 50)), np.zeros((1, 50)))
    assert np.isfinite([slope, offset]).all() and slope[0] > 1, "also where D separates them"


# Projection.


def bowl(z: Tensor) -> Tensor:
    """A smooth generator that no two latent vectors of one length agree in."""
    return torch.tanh(linear(z) / 4).reshape(-1, 1, 2, 3)


def test_projection_finds_what_the_generator_made() -> None:
    hidden = normal(5)
    hidden = hidden / hidden.norm(dim=1, keepdim=True) * SIZE**0.5
    starts = torch.randn(6, 5, SIZE, generator=torch.Generator().manual_seed(5))
    starts = starts / starts.norm(dim=-1, keepdim=True) * SIZE**0.5
    found = project(bowl, bowl(hidden), starts)
    assert float(found.error.max()) < 0.02
    torch.testing.assert_close(found.z.norm(dim=1), torch.full((5,), SIZE**0.5), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found.examples, bowl(found.z))
    far = project(bowl, bowl(hidden) + 3, starts[:1], steps=20)
    assert float(far.error.min()) > 1, "what no latent vector gives is not found"


def test_projection_leaves_signs_and_classes_and_keeps_bounds() -> None:
    free = torch.tensor([True] * 4 + [False] * 2)
    starts = torch.cat([normal(3, 4), torch.tensor([[1.0, -1.0]] * 3)], 1)[:, None]
    found = project(bowl, bowl(normal(2)), starts, free=free, steps=10)
    assert set(found.z[:, 4:].flatten().tolist()) == {1.0, -1.0}
    inside = project(bowl, bowl(normal(2) * 5), torch.rand(3, 1, SIZE), bounds=(0.0, 1.0), steps=30)
    assert float(inside.z.min()) >= 0 and float(inside.z.max()) <= 1


def test_memorization_is_a_difference_that_the_choice_of_images_does_not_explain() -> None:
    rng = np.random.default_rng(0)
    errors = rng.gamma(9, 0.01, 400)
    alike = memorization(errors[:200], errors[200:])
    assert alike.low < 1 < alike.high and alike.says.startswith("no difference")
    learned = memorization(errors[:200] * 0.7, errors[200:])
    assert learned.low > 1 and "sign of memorization" in learned.says
    assert learned.ratio == pytest.approx(errors[200:].mean() / errors[:200].mean() / 0.7)


# Loops.


def test_a_loop_is_closed_and_passes_its_stops() -> None:
    stops = normal(2 * 3).reshape(2, 3, SIZE)
    path = closed_path(stops, 4)
    assert path.shape == (2, 12, SIZE)
    torch.testing.assert_close(path[:, ::4], stops)
    with pytest.raises(UsageError, match="at least 2 latent vectors"):
        closed_path(stops[:, :1], 4)


def test_a_loop_goes_at_constant_speed_as_features_see_it() -> None:
    def bent(z: Tensor) -> Tensor:
        return z[..., :2] ** 3

    _, uneven = loop(bent, normal(6).reshape(1, 6, SIZE), 60, lambda x: x)
    straight = bent(closed_path(normal(6).reshape(1, 6, SIZE), 10))[0].numpy()
    steps = np.linalg.norm(np.roll(straight, -1, 0) - straight, axis=1)
    assert uneven[0] < 0.35 < steps.std() / steps.mean()
    assert even_frames(np.zeros((8, 2)), 4).tolist() == [0, 2, 4, 6], "where nothing changes"
