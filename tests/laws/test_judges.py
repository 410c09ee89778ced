"""Judges: how many they get right, how large they are, and that they can be made again."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage

from sparring import judges
from sparring.analysis.judge_choice import judge_of
from sparring.analysis.samples import views
from sparring.datasets import _idx
from sparring.errors import UsageError
from sparring.judges.independent import LR, SEED, TEMPERATURE, contrastive_loss, train_independent_judge
from sparring.judges.training import TrainingSettings, train_judge
from sparring.metrics.frechet_distance import FrechetDistance

ROOT = Path(__file__).parents[2]
REAL = Path(os.environ.get("SPARRING_DATA") or ROOT.parent / "shared" / "data")
FIRST = {"digits": 0.98, "mnist": 0.994, "fashion-mnist": 0.92}
LEAST = FIRST | {"digits-independent": 0.98, "mnist-independent": 0.994, "fashion-mnist-independent": 0.91}
ARCHIVES = {"mnist": _idx.MNIST, "fashion-mnist": _idx.FASHION_MNIST}


def held_out(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Pictures in data units that the judge was not trained on, and their classes."""
    name = name.removesuffix(judges.INDEPENDENT)
    if name == "digits":
        from sklearn.datasets import load_digits

        held: Any = load_digits()
        chosen = np.random.default_rng(0).permutation(len(held.images))[::5]
        return (held.images[chosen, None] * (255 / 16)).round() / 255, held.target[chosen]
    if not (REAL / name).is_dir():
        pytest.skip(f"the real files of {name} are not here; SPARRING_DATA names a folder that holds them")
    return _idx.images(ARCHIVES[name], "test", REAL) / 255, _idx.labels(ARCHIVES[name], "test", REAL)


def test_these_judges_come_with_the_package() -> None:
    assert set(judges.names()) == set(LEAST)


@pytest.mark.parametrize("name", LEAST)
def test_a_judge_is_small_and_right_about_what_it_never_saw(name: str) -> None:
    assert (judges.HERE / f"{name}.safetensors").stat().st_size <= judges.MAX_BYTES
    judge = judges.judge(name)
    assert judge.accuracy >= LEAST[name]
    pictures, classes = held_out(name)
    right = float((judge(pictures).probabilities.argmax(1) == classes).mean())
    assert right >= LEAST[name]
    assert right == pytest.approx(judge.accuracy, abs=2 / len(classes))
    assert judge.facts["held_out"] == len(classes)


@pytest.mark.parametrize("name", LEAST)
def test_features_and_probabilities_are_what_they_should_be(name: str) -> None:
    judge = judges.judge(name)
    opinion = judge(np.random.default_rng(0).uniform(-0.5, 1.5, (7, *judge.shape)))
    assert opinion.features.shape == (7, judge.features) and np.isfinite(opinion.features).all()
    np.testing.assert_allclose(opinion.probabilities.sum(1), 1, rtol=1e-5)


def test_a_judge_refuses_what_it_cannot_look_at() -> None:
    with pytest.raises(UsageError, match=r"takes \(1, 28, 28\) images"):
        judges.judge("mnist")(np.zeros((4, 1, 8, 8)))
    with pytest.raises(UsageError, match="there are: digits, digits-independent, fashion-mnist"):
        judges.judge("cifar")


def test_stacked_channels_are_judged_one_by_one_and_spell_a_number() -> None:
    judge = judges.judge("mnist")
    stacks = np.random.default_rng(0).uniform(0, 1, (5, 3, 28, 28))
    opinion, parts = judge(stacks), [judge(stacks[:, k : k + 1]) for k in range(3)]
    np.testing.assert_allclose(opinion.features, np.concatenate([p.features for p in parts], 1), rtol=1e-5)
    spelt = sum(part.probabilities.argmax(1) * 10 ** (2 - k) for k, part in enumerate(parts))
    np.testing.assert_array_equal(opinion.probabilities.argmax(1), spelt)


def test_the_judge_of_a_data_set_is_found() -> None:
    from sparring.datasets.digits import Digits
    from sparring.datasets.pattern_1010 import Pattern1010

    found = judge_of(Digits())
    assert found is not None and found.name == "digits"
    assert judge_of(Pattern1010()) is None
    with pytest.raises(UsageError, match="not"):
        judge_of(Digits(), "mnist")


def test_a_member_that_diverged_stays_lost_through_a_judge() -> None:
    examples = np.zeros((2, 3, 1, 8, 8), dtype=np.float32)
    examples[1, 2, 0, 4, 4] = np.nan
    seen = views(examples, judges.judge("digits"))
    assert np.isfinite(seen["features"][0]).all() and np.isnan(seen["features"][1, 2]).all()
    assert np.isnan(seen["classes"][1, 2]).all() and np.isfinite(seen["classes"][1, :2]).all()


def test_the_same_lesson_ends_with_the_same_weights_and_a_file_gives_them_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    classes = rng.integers(3, size=256)
    pixels = rng.integers(60, size=(256, 1, 8, 8), dtype=np.uint8)
    for place in range(3):  # a bright bar, whose height tells the class
        pixels[classes == place, :, 2 * place + 1] = 250
    once, again = (
        train_judge(pixels, classes, TrainingSettings(epochs=6, shift=0, batch=32, mirrored=True)) for _ in range(2)
    )
    for name, tensor in once.state_dict().items():
        assert tensor.equal(again.state_dict()[name]), name
    judges.write(once, tmp_path / "mine.safetensors", {"shape": [1, 8, 8], "classes": 3, "accuracy": 1.0})
    mine = judges.read(tmp_path / "mine.safetensors")
    opinion = mine(pixels / 255)
    assert float((opinion.probabilities.argmax(1) == classes).mean()) > 0.9
    assert float((opinion.features**2).mean()) == pytest.approx(1, rel=0.02)


def test_the_script_that_makes_them_tells_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    sys.modules.pop("judges", None)
    import importlib

    script = importlib.import_module("judges")
    assert set(script.LESSONS) == set(LEAST)
    for name, settings in script.LESSONS.items():
        assert judges.judge(name).facts["lesson"] == vars(settings)


@pytest.mark.parametrize("name", FIRST)
def test_the_independent_judge_is_made_in_another_way(name: str) -> None:
    """Another architecture, another training and other first weights than the judge that settings were chosen by."""
    first, second = judges.judge(name), judges.judge(f"{name}{judges.INDEPENDENT}")
    assert type(first.network) is not type(second.network)
    assert first.facts["lesson"]["seed"] != second.facts["lesson"]["seed"]
    assert second.features > first.features == 64


@pytest.mark.parametrize("name", FIRST)
def test_the_independent_judge_sees_what_is_wrong(name: str) -> None:
    """Noise, blur, speckle, one picture for all and lost classes are farther from real images than real ones are."""
    pictures, classes = held_out(name)
    judge, rng = judges.judge(f"{name}{judges.INDEPENDENT}"), np.random.default_rng(0)
    half = min(500, len(pictures) // 2)
    real, other, kinds = pictures[:half], pictures[half : 2 * half], classes[half : 2 * half]
    wrong = {
        "noise": np.clip(other + rng.normal(0, 0.15, other.shape), 0, 1),
        "blur": ndimage.gaussian_filter(other, (0, 0, 0.9, 0.9)),
        "speckle": np.where(rng.random(other.shape) < 0.05, 1 - other, other),
        "one picture": np.repeat(other[:1], half, 0) + rng.normal(0, 0.01, other.shape),
        "lost classes": other[kinds < 5],
        "paler": 0.3 + 0.7 * other,
    }
    distance = FrechetDistance()
    features = judge(real).features
    own = float(distance(features, judge(other).features[None])[0])
    for fault, images in wrong.items():
        assert float(distance(features, judge(images).features[None])[0]) > 2 * own, fault


def test_the_independent_judge_of_images_without_classes_learns_what_crops_belong_together() -> None:
    rng = np.random.default_rng(0)
    bars = rng.integers(0, 60, size=(256, 3, 16, 16), dtype=np.uint8)
    for k in range(len(bars)):  # each in its own color, with a bar in its own place
        bars[k, :, k % 14 + 1] = rng.integers(80, 256, 3)[:, None]
    settings = TrainingSettings(epochs=12, shift=0, batch=64, lr=LR, seed=SEED)
    losses = list[float]()
    network = train_independent_judge(bars, None, settings, lambda _, __, loss: losses.append(loss))
    assert losses[-1] < 0.7 * losses[0], "chance is where it begins"
    again = train_independent_judge(bars, None, settings)
    for name, tensor in network.state_dict().items():
        assert tensor.equal(again.state_dict()[name]), name
    features, _ = network(torch.from_numpy(bars) / 255)
    assert float(features[:, :64].detach().square().mean()) == pytest.approx(1, rel=0.05)


def test_the_contrastive_loss_is_that_of_the_paper() -> None:
    """Chen et al. 2020, eq. 1, written out pair by pair."""
    z = torch.randn(6, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    unit = torch.nn.functional.normalize(z, dim=1)
    total = 0.0
    for i in range(6):
        partner = (i + 3) % 6
        others = sum(torch.exp(unit[i] @ unit[k] / TEMPERATURE) for k in range(6) if k != i)
        total -= float(torch.log(torch.exp(unit[i] @ unit[partner] / TEMPERATURE) / others))
    assert float(contrastive_loss(z)) == pytest.approx(total / 6)


@pytest.mark.slow
@pytest.mark.parametrize("name", LEAST)
def test_the_script_trains_a_judge_as_good_as_the_one_that_is_shipped(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    held_out(name)  # skips where the files are not here
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    sys.modules.pop("judges", None)
    import importlib

    script = importlib.import_module("judges")
    monkeypatch.setattr(sys, "argv", ["judges.py", "--only", name, "--out", str(tmp_path), "--data-dir", str(REAL)])
    script.main()
    assert (tmp_path / f"{name}.safetensors").stat().st_size <= judges.MAX_BYTES
    made, shipped = judges.read(tmp_path / f"{name}.safetensors"), judges.judge(name)
    assert made.accuracy >= LEAST[name]
    assert {**made.facts, "accuracy": 0} == {**shipped.facts, "accuracy": 0}
