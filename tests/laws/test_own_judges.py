"""Judges of a user's own data: what they learn, that they are kept, and that they see what is wrong with a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from sparring.errors import UsageError
from sparring.judges import Judge, own, own_training
from sparring.judges.own import LabeledImages
from sparring.judges.treatments import treated, treatments
from sparring.metrics.frechet_distance import FrechetDistance


def bars(count: int, shape: tuple[int, int, int] = (1, 16, 16), seed: int = 0) -> LabeledImages:
    """Pictures of one bright bar each, level in class 0 and upright in class 1."""
    rng = np.random.default_rng(seed)
    channels, height, width = shape
    classes = rng.integers(2, size=count)
    rows, columns = np.mgrid[:height, :width]
    away = np.where(classes[:, None, None] == 0, rows / height, columns / width) - rng.uniform(0.2, 0.5, (count, 1, 1))
    light = np.exp(-((8 * away) ** 2))[:, None] * rng.uniform(0.5, 1, (count, channels, 1, 1))
    return LabeledImages((255 * light).astype(np.uint8), classes)


def without_classes(pictures: LabeledImages) -> LabeledImages:
    return LabeledImages(pictures.pixels, None)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lessons of a second or less."""
    monkeypatch.setattr(own_training, "PASSES", 1_000)


@pytest.fixture
def no_lesson(hasty: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first one."""
    train = own.train_own_judge
    calls: list[int] = []

    def once(*given: Any, **how: Any) -> Any:
        assert not calls, "trained again"
        calls.append(1)
        return train(*given, **how)

    monkeypatch.setattr(own, "train_own_judge", once)


@pytest.mark.usefixtures("hasty")
def test_a_judge_of_labelled_pictures_knows_their_classes() -> None:
    learn, ask = bars(200), bars(100, seed=1)
    judge = own.own_judge(learn, ask)
    opinion = judge(ask.pixels / 255)
    assert opinion.probabilities is not None and opinion.features.shape == (100, 64)
    assert judge.accuracy == (opinion.probabilities.argmax(1) == ask.labels).mean() > 0.9
    assert (
        judge.name.startswith("own:") and "and their classes" in judge.words and f"{judge.accuracy:.1%}" in judge.words
    )


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("shape", [(3, 8, 8), (3, 33, 47), (1, 64, 64), (3, 128, 128)], ids=str)
def test_a_judge_without_classes_looks_at_colors_and_any_size(shape: tuple[int, int, int]) -> None:
    learn, ask = (without_classes(bars(70, shape, seed)) for seed in (0, 1))
    judge = own.own_judge(learn, ask)
    opinion = judge(ask.pixels / 255)
    assert opinion.probabilities is None and judge.accuracy is None
    assert opinion.features.shape == (70, 64) and np.isfinite(opinion.features).all()
    assert float((judge(learn.pixels / 255).features ** 2).mean()) == pytest.approx(1, rel=0.02)
    assert "without classes" in judge.words and f"of {len(treatments(shape))} treatments" in judge.words


def ratio(judge: Judge, reference: np.ndarray, unseen: np.ndarray, spoilt: np.ndarray) -> float:
    """How many times as far from real examples as unseen real ones spoilt ones are."""
    features = judge(reference).features
    real, fake = (FrechetDistance()(features, judge(x).features[None])[0] for x in (unseen, spoilt))
    return float(fake / real)


def test_a_judge_without_classes_sees_faults_that_it_was_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_training, "PASSES", 6_000)
    learn, ask = (without_classes(bars(400, seed=seed)) for seed in (0, 1))
    judge = own.own_judge(learn, ask)
    reference, unseen = learn.pixels / 255, ask.pixels / 255
    chessboard = np.indices((16, 16)).sum(0) % 2 * 0.1
    faults = {
        "chessboard": unseen + chessboard,
        "swapped quarters": np.roll(unseen, (8, 8), (2, 3)),
        "dimmed": 0.7 * unseen,
        "smoothed": ndimage.gaussian_filter(unseen, (0, 0, 1.5, 1.5)),
        "collapsed": unseen[np.arange(400) % 5],
    }
    for fault, spoilt in faults.items():
        assert ratio(judge, reference, unseen, spoilt) > 2, fault


@pytest.mark.usefixtures("no_lesson")
def test_a_judge_is_kept_and_the_same_pictures_find_it_again(own_cache: Path) -> None:
    learn, ask = bars(210), bars(100, seed=1)
    first, again = own.own_judge(learn, ask), own.own_judge(learn, ask)
    assert again.name == first.name and again.facts == first.facts
    np.testing.assert_array_equal(first(ask.pixels / 255).features, again(ask.pixels / 255).features)
    other = bars(210)
    other.pixels[0, 0, 0, 0] ^= 1
    with pytest.raises(AssertionError, match="trained again"):
        own.own_judge(other, ask)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("damage", ["cut short", "another weight", "empty"])
def test_a_damaged_judge_is_trained_again_with_a_word(
    damage: str, own_cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = own_cache / "sparring" / "judges"
    learn, ask = bars(150, seed=2), bars(60, seed=3)
    before = set(folder.glob("*.safetensors"))
    made = own.own_judge(learn, ask)
    (path,) = set(folder.glob("*.safetensors")) - before or {
        p for p in folder.glob("*.safetensors") if own.judges.read(p).name == made.name
    }
    content = bytearray(path.read_bytes())
    content[-1] ^= 0x10
    path.write_bytes({"cut short": bytes(content[:-99]), "another weight": bytes(content), "empty": b""}[damage])
    capsys.readouterr()
    assert own.own_judge(learn, ask).name == made.name
    said = capsys.readouterr().err
    assert f"{path.name} is damaged: it is trained again" in said.replace("\n", "")
    own.own_judge(learn, ask)
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("hasty")
def test_classes_that_the_pictures_do_not_tell_are_not_taught(capsys: pytest.CaptureFixture[str]) -> None:
    learn, ask = bars(200, seed=4), bars(100, seed=5)
    rng = np.random.default_rng(0)
    judge = own.own_judge(
        LabeledImages(learn.pixels, rng.integers(2, size=200)), LabeledImages(ask.pixels, rng.integers(2, size=100))
    )
    assert judge.accuracy is None
    assert "the images do not show their classes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("counts", "yes"),
    [((30, 30), True), ((60,), False), ((300, 19), False), ((300, 30, 3), True), ((50, 50, 15), False)],
)
def test_labels_are_taught_where_two_classes_have_enough_pictures(counts: tuple[int, ...], yes: bool) -> None:
    assert own.has_classes(np.repeat(np.arange(len(counts)), counts)) is yes
    assert not own.has_classes(None)


@pytest.mark.usefixtures("hasty")
def test_a_cache_that_cannot_be_written_costs_the_judge_no_more_than_its_keeping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sparring").write_text("a file where the folder should be")
    monkeypatch.setattr("pooch.os_cache", lambda project: tmp_path / project)
    judge = own.own_judge(bars(150, seed=6), bars(60, seed=7))
    assert judge.accuracy is not None
    assert "the judge cannot be cached in" in capsys.readouterr().err


@pytest.mark.parametrize(("count", "shape"), [(20, (1, 16, 16)), (100, (3, 7, 20))])
def test_too_few_or_too_small_pictures_are_refused(count: int, shape: tuple[int, int, int]) -> None:
    with pytest.raises(UsageError, match="it takes at least 64 of at least 8x8 pixels"):
        own.own_judge(bars(count, shape), bars(count, shape, 1))


@pytest.mark.parametrize("shape", [(1, 12, 12), (3, 12, 12), (3, 12, 20)], ids=str)
def test_every_treatment_but_the_first_changes_a_picture(shape: tuple[int, int, int]) -> None:
    import torch

    pictures = torch.from_numpy(np.random.default_rng(0).uniform(0.1, 0.9, (40, *shape)).astype(np.float32))
    which = torch.arange(40) % len(treatments(shape))
    made = treated(pictures, which, torch.Generator().manual_seed(0))
    same = (made == pictures).flatten(1).all(1)
    assert made.shape == pictures.shape and same.equal(which == 0)
    assert len(treatments(shape)) == 8 + 2 * (shape[1] == shape[2]) + (shape[0] > 1)
