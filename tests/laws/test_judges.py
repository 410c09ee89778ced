"""Judges: how many they get right, how large they are, and that they can be made again."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparring import judges
from sparring.analysis.judge_choice import judge_of
from sparring.analysis.samples import views
from sparring.datasets import _idx
from sparring.errors import UsageError
from sparring.judges.training import TrainingSettings, train_judge

ROOT = Path(__file__).parents[2]
REAL = Path(os.environ.get("SPARRING_DATA") or ROOT.parent / "shared" / "data")
LEAST = {"digits": 0.98, "mnist": 0.994, "fashion-mnist": 0.92}
ARCHIVES = {"mnist": _idx.MNIST, "fashion-mnist": _idx.FASHION_MNIST}


def held_out(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Pictures in data units that the judge was not trained on, and their classes."""
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
    assert opinion.features.shape == (7, 64) and opinion.features.min() >= 0
    np.testing.assert_allclose(opinion.probabilities.sum(1), 1, rtol=1e-5)


def test_a_judge_refuses_what_it_cannot_look_at() -> None:
    with pytest.raises(UsageError, match=r"takes \(1, 28, 28\) images"):
        judges.judge("mnist")(np.zeros((4, 1, 8, 8)))
    with pytest.raises(UsageError, match="there are: digits, fashion-mnist, mnist"):
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
